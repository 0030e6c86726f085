"""Slack's socket as the SDK keeps it, and what was heard on it. It knows no deliveries and no app."""

from typing import Any

import aiohttp
from aiohttp import ClientWebSocketResponse, WSMsgType
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from bots.slack.web import TIMEOUT_S, SlackWeb

_FROM_SLACK = frozenset({WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING, WSMsgType.PONG})


class HeardSession(ClientWebSocketResponse):
    """One connection, which notes what came through it; the SDK notes its own pings as well.

    Attributes:
        heard_at: When anything last came, by the event loop's clock; None before the first.
        is_greeted: Slack has said something, as it does first of all. A pong may be that of a proxy.
    """

    heard_at: float | None = None
    is_greeted = False

    async def receive(self, timeout: float | None = None) -> Any:  # noqa: ASYNC109  # as aiohttp has it
        """Receive as aiohttp does."""
        message = await super().receive(timeout)
        if message.type in _FROM_SLACK:
            self.heard_at = self._loop.time()
            self.is_greeted = self.is_greeted or message.type is WSMsgType.TEXT
        return message


class SlackSocket(SocketModeClient):
    """The SDK's client; it connects again by itself, but to an address that may have run out meanwhile.

    Args:
        app_token: Of the app.
        web: The Web API with this token.
        ping_every_s: How often a connection is asked for a sign of life, in seconds.
    """

    def __init__(self, app_token: str, web: SlackWeb, *, ping_every_s: float) -> None:
        super().__init__(app_token, web_client=web.client, ping_interval=ping_every_s)
        self._web = web
        self.aiohttp_client_session.detach()  # it was never used
        self.aiohttp_client_session = aiohttp.ClientSession(
            ws_response_class=HeardSession, timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)
        )

    @property
    def session(self) -> HeardSession | None:
        """The connection; None while there is none."""
        session = self.current_session
        return session if isinstance(session, HeardSession) and not session.closed else None

    async def issue_new_wss_url(self) -> str:
        """Ask Slack where to connect.

        Raises:
            SlackUnavailableError: Slack gave no answer.
            SlackRefusedError: Slack said no.
        """
        return str((await self._web.call("apps.connections.open"))["url"])

    async def open(self) -> None:
        """Connect for the first time, until there is a connection.

        Raises:
            SlackUnavailableError: Slack did not say where.
            SlackRefusedError: Slack refuses the token.
        """
        self.wss_uri = await self.issue_new_wss_url()
        await self.connect()

    async def connect(self) -> None:
        """Connect until there is a connection, or it is closed."""
        await super().connect()  # type: ignore[no-untyped-call]  # the SDK's own gap

    async def close(self) -> None:
        """Let go of the connection, and do not connect again."""
        await super().close()  # type: ignore[no-untyped-call]  # the SDK's own gap
