"""One gateway session and one connection: what was sent, what was missed, and how a payload is packed.

Knows no events' meaning.
"""

import asyncio
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]


@dataclass(kw_only=True, eq=False)
class Connection:
    """One WebSocket.

    Attributes:
        outgoing: What is to be sent, in order.
        acking: Heartbeats are acknowledged.
        beats: How many heartbeats came.
    """

    number: int
    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    compressed: bool
    outgoing: asyncio.Queue[Json] = field(default_factory=asyncio.Queue)
    acking: bool = True
    beats: int = 0
    session: "Session | None" = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._packer = zlib.compressobj()

    async def send(self, payload: Json) -> None:
        """Send a payload, packed as the client asked for."""
        text = json.dumps(payload)
        if not self.compressed:
            await self.socket.send_str(text)
            return
        packed = self._packer.compress(text.encode()) + self._packer.flush(zlib.Z_SYNC_FLUSH)
        await self.socket.send_bytes(packed)


@dataclass(kw_only=True, eq=False)
class Session:
    """One session of the app, connected or to be resumed.

    Attributes:
        events: Everything dispatched, the n-th with the sequence number n + 1.
        resumes: How often it was resumed.
    """

    session_id: str
    shard: tuple[int, int]
    intents: int
    connection: Connection | None = None
    events: list[Json] = field(default_factory=list)
    resumes: int = 0

    def serves(self, guild_id: str | None) -> bool:
        """Whether a guild's events are of its shard; direct messages are of the first."""
        number, count = self.shard
        return number == (0 if guild_id is None else (int(guild_id) >> 22) % count)

    def dispatch(self, event: str, data: Json) -> Json:
        """Send an event, or keep it for a resume; return its payload."""
        payload = {"op": 0, "t": event, "s": len(self.events) + 1, "d": data}
        self.events.append(payload)
        self.push(payload)
        return payload

    def push(self, payload: Json) -> None:
        """Send a payload if it is connected."""
        if self.connection is not None:
            self.connection.outgoing.put_nowait(payload)

    def heard(self, event: str) -> list[Json]:
        """Return the data of every event of a name, in order."""
        return [payload["d"] for payload in self.events if payload["t"] == event]
