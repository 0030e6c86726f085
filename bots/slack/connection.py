"""Slack's Socket Mode as Recall uses it: one connection, every delivery tracked, deadness noticed by its silence."""

import asyncio
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import structlog
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.errors import SlackRefusedError, SlackUnavailableError
from bots.slack.web import API_URL, SlackWeb
from memory.errors import ConfigError
from memory.ports import Clock
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)

_CONNECT_WITHIN_S = 15.0
_SILENT_PINGS = 6
"""A connection that has left so many pings unanswered is dead, whatever the library says of it."""
_DRAIN_S = 10.0


class SlackConnection:
    """Takes what Slack delivers and gives it to the app; a delivery is acknowledged when the app is done with it.

    Args:
        app: With all its listeners.
        app_token: Of the app, for Socket Mode.
        api_url: Slack's when None.
        clock: The time of day, by which the library notes its pings.
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
        self._api_url = api_url
        self._clock = clock
        self._silent_after_s = _SILENT_PINGS * ping_every_s
        self._taking = TaskTracker()
        web = AsyncWebClient(base_url=api_url or API_URL)
        self._client = SocketModeClient(app_token, web_client=web, ping_interval=ping_every_s)
        self._client.socket_mode_request_listeners.append(self._take)

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            ConfigError: Slack cannot be reached, or refuses the token.
        """
        try:
            async with asyncio.timeout(_CONNECT_WITHIN_S):
                await self._check_token()
                await self._client.connect()  # type: ignore[no-untyped-call]  # the SDK's own gap
        except SlackRefusedError as error:
            await self._close()
            raise ConfigError([f"SLACK_APP_TOKEN: Slack refuses to open a connection ({error.code})."]) from error
        except (TimeoutError, SlackUnavailableError, SlackClientError, OSError) as error:
            await self._close()
            raise ConfigError(["Slack cannot be reached: its Socket Mode gave no connection."]) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take nothing more, finish what was taken, and close."""
        self._client.auto_reconnect_enabled = False
        await self._taking.close(grace_s=_DRAIN_S)
        await self._close()

    @property
    def heard_at(self) -> datetime | None:
        """When Slack last answered a ping; None before the first one."""
        last = self._client.last_ping_pong_time
        return None if last is None else datetime.fromtimestamp(last, tz=UTC)

    @property
    def problem(self) -> str | None:
        """What is wrong with the connection; None while it is alive."""
        session = self._client.current_session
        if session is None or session.closed:
            return "Slack: not connected"
        last = self._client.last_ping_pong_time
        silent_s = 0.0 if last is None else self._clock.now().timestamp() - last
        return (
            f"Slack: the connection has been silent for {silent_s:.0f} s" if silent_s > self._silent_after_s else None
        )

    async def idle(self) -> None:
        """Wait until nothing that was delivered is under way."""
        await self._taking.idle()

    async def _check_token(self) -> None:
        """Ask for a connection as the SDK does, which would take a refusal for a reason to try again and again."""
        web = SlackWeb(self._app_token, api_url=self._api_url)
        try:
            await web.call("apps.connections.open")
        finally:
            await web.close()

    async def _close(self) -> None:
        await self._client.close()  # type: ignore[no-untyped-call]  # the SDK's own gap

    async def _take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        self._taking.start(self._answer(client, request), name=f"take {request.type}")

    async def _answer(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        response = await run_async_bolt_app(self._app, request)
        try:
            await send_async_response(client, request, response, self._clock.now().timestamp())
        except (ConnectionError, SlackClientError) as error:  # Slack delivers again, and it is known then
            _log.info("not_acknowledged", kind=request.type, error=type(error).__name__)
