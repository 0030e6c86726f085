"""Slack's Socket Mode as Recall uses it: one connection, every delivery tracked, deadness noticed by its silence."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bots.slack.errors import SlackRefusedError, SlackUnavailableError
from bots.slack.socket import SlackSocket
from bots.slack.web import SlackWeb
from memory.errors import ConfigError, UnreachableError
from memory.ports import Clock
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)

_CONNECT_WITHIN_S = 15.0
_SILENT_PINGS = 6
"""A connection that has left so many pings unanswered is dead, whatever the library says of it.

The library has as long again to mend it."""
_DRAIN_S = 10.0


class SlackConnection:
    """Takes what Slack delivers and gives it to the app; a delivery is acknowledged when the app is done with it.

    Args:
        app: With all its listeners.
        app_token: Of the app, for Socket Mode.
        api_url: Slack's when None.
        clock: The time of day.
        ping_every_s: How often the connection is asked for a sign of life, in seconds.
    """

    def __init__(
        self,
        app: AsyncApp,
        *,
        app_token: str,
        api_url: str | None,
        clock: Clock,
        ping_every_s: float,
    ) -> None:
        self._app = app
        self._app_token = app_token
        self._clock = clock
        self._ping_every_s = ping_every_s
        self._silent_after_s = _SILENT_PINGS * ping_every_s
        self._taking = TaskTracker()
        self._keeping = TaskTracker()
        self._web = SlackWeb(app_token, api_url=api_url)
        self._socket = self._new_socket()

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            ConfigError: Slack refuses the token.
            UnreachableError: Slack cannot be reached.
        """
        try:
            async with asyncio.timeout(_CONNECT_WITHIN_S):
                await self._socket.open()
        except SlackRefusedError as error:
            await self._close()
            raise ConfigError([f"SLACK_APP_TOKEN: Slack refuses to open a connection ({error.code})."]) from error
        except (TimeoutError, SlackUnavailableError) as error:
            await self._close()
            raise UnreachableError(["Slack cannot be reached: its Socket Mode gave no connection."]) from error
        self._keeping.start(self._keep(), name="keep the connection alive")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take nothing more, finish what was taken, and close."""
        await self._keeping.close(grace_s=0)
        self._socket.auto_reconnect_enabled = False
        await self._taking.close(grace_s=_DRAIN_S)
        await self._close()

    @property
    def heard_at(self) -> datetime | None:
        """When anything last came through this connection; None before the first, or without one."""
        silent_s = self._silent_s()
        return None if silent_s is None else self._clock.now() - timedelta(seconds=silent_s)

    @property
    def problem(self) -> str | None:
        """What is wrong with the connection; None while it is alive."""
        session, silent_s = self._socket.session, self._silent_s()
        if session is None:
            code = self._web.refused_token
            return f"Slack: SLACK_APP_TOKEN is refused ({code})" if code else "Slack: not connected"
        if silent_s is None or not session.is_greeted:
            return "Slack: connected, and not greeted yet"
        if silent_s > self._silent_after_s:
            return f"Slack: the connection has been silent for {silent_s:.0f} s"
        return None

    @property
    def hopeless(self) -> str | None:
        """What no other attempt at a connection would mend; None while one may."""
        return self.problem if self._web.refused_token else None

    async def idle(self) -> None:
        """Wait until nothing that was delivered is under way."""
        await self._taking.idle()

    def _new_socket(self) -> SlackSocket:
        socket = SlackSocket(self._app_token, self._web, ping_every_s=self._ping_every_s)
        socket.socket_mode_request_listeners.append(self._take)
        return socket

    def _silent_s(self) -> float | None:
        """Return how long nothing has come through this connection; None when nothing ever has."""
        session = self._socket.session
        if session is None or session.heard_at is None:
            return None
        return asyncio.get_running_loop().time() - session.heard_at

    async def _keep(self) -> None:
        """Begin anew when the library has not mended the connection in its time: it may try a dead address for ever."""
        loop = asyncio.get_running_loop()
        alive_at = loop.time()
        while True:
            await asyncio.sleep(self._ping_every_s)
            problem = self.problem
            if problem is None:
                alive_at = loop.time()
            elif loop.time() - alive_at > self._silent_after_s:
                _log.warning("connecting_anew", problem=problem)
                await self._begin_anew()
                alive_at = loop.time()

    async def _begin_anew(self) -> None:
        old, self._socket = self._socket, self._new_socket()
        with suppress(aiohttp.ClientError, OSError):  # it may be broken in any way
            await old.close()
        self._keeping.start(self._socket.connect(), name="connect anew")

    async def _close(self) -> None:
        await self._socket.close()
        await self._web.close()

    async def _take(self, _client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        self._taking.start(self._answer(request), name=f"take {request.type}")

    async def _answer(self, request: SocketModeRequest) -> None:
        response = await run_async_bolt_app(self._app, request)
        try:
            await send_async_response(self._socket, request, response, self._clock.now().timestamp())
        except (ConnectionError, SlackClientError) as error:  # Slack delivers again, and it is known then
            _log.info("not_acknowledged", kind=request.type, error=type(error).__name__)
