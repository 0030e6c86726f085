"""One WebSocket of the app, and one envelope that went over it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

Json = dict[str, Any]
EnvelopeKind = Literal["events_api", "interactive", "slash_commands"]
DisconnectReason = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]


@dataclass(kw_only=True, eq=False)
class Connection:
    """One WebSocket of the app.

    Attributes:
        dead: It says nothing any more; `pongs` says whether it still answers pings.
        leaving: It was told to go and gets nothing new.
    """

    number: int
    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    dead: bool = False
    pongs: bool = True
    leaving: bool = False
    pings: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(kw_only=True, eq=False)
class Delivery:
    """One envelope, once sent; a redelivery is another one with the same payload.

    Attributes:
        sent_at: By the loop's clock, None as long as there is no connection.
        answer: What the acknowledgement carried.
    """

    envelope_id: str
    kind: EnvelopeKind
    payload: Json
    attempt: int = 0
    reason: str | None = None
    connection: Connection | None = None
    sent_at: float | None = None
    acked_at: float | None = None
    answer: Json | None = None
    superseded: bool = False

    @property
    def acked(self) -> bool:
        """Whether it was acknowledged."""
        return self.acked_at is not None

    @property
    def ack_s(self) -> float | None:
        """How long the acknowledgement took."""
        return None if self.acked_at is None or self.sent_at is None else self.acked_at - self.sent_at

    @property
    def event(self) -> Json:
        """The event it carries; empty for an interaction."""
        return dict(self.payload.get("event", {}))

    def envelope(self) -> Json:
        """Return it as it goes over the wire."""
        body: Json = {"envelope_id": self.envelope_id, "type": self.kind, "payload": self.payload}
        if self.kind == "events_api":
            return (
                body
                | {"accepts_response_payload": False, "retry_attempt": self.attempt}
                | {"retry_reason": self.reason or ""}
            )
        return body | {"accepts_response_payload": True}
