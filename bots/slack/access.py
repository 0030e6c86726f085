"""Whether Slack lets Recall in: asked before anything else is opened, so that a wrong token is told within seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

from bots.slack.errors import SlackRefusedError, SlackUnavailableError
from bots.slack.web import SlackWeb
from memory.clock import SystemTimer
from memory.errors import ConfigError, UnreachableError
from memory.ports import Timer
from memory.reaching import REACH_WITHIN_S, all_reached, until_reached

T = TypeVar("T")

_TIMER = SystemTimer()


async def check_access(
    *, bot_token: str, app_token: str, api_url: str | None, within_s: float = REACH_WITHIN_S, timer: Timer = _TIMER
) -> None:
    """Ask Slack whether it takes both tokens; no connection is made.

    Args:
        bot_token: Of the workspace.
        app_token: Of the app.
        api_url: Slack's when None.
        within_s: For all attempts together, in seconds.
        timer: How time passes.

    Raises:
        ConfigError: A line for each token that Slack refuses.
        UnreachableError: Slack cannot be reached.
    """

    async def ask(left_s: float) -> None:
        await all_reached(
            _taken(bot_token, api_url, "auth.test", left_s, refusal="SLACK_BOT_TOKEN: Slack refuses it"),
            _taken(
                app_token,
                api_url,
                "apps.connections.open",
                left_s,
                refusal="SLACK_APP_TOKEN: Slack refuses to open a connection",
            ),
        )

    try:
        await until_reached(ask, within_s=within_s, timer=timer)
    except UnreachableError as error:
        raise UnreachableError(error.problems[:1]) from error  # both calls failed for one reason


async def answered(attempt: Callable[[], Awaitable[T]], *, within_s: float) -> T:
    """Make an attempt at a start, and return what it gave.

    Raises:
        UnreachableError: Slack gave no answer in time.
        SlackRefusedError: Slack said no.
    """
    try:
        async with asyncio.timeout(within_s):
            return await attempt()
    except SlackUnavailableError as error:
        raise UnreachableError([f"Slack cannot be reached: {error}."]) from error
    except TimeoutError as error:
        raise UnreachableError([f"Slack cannot be reached: no answer in {round(within_s, 1):g} s."]) from error


async def _taken(token: str, api_url: str | None, method: str, within_s: float, *, refusal: str) -> None:
    async with AsyncExitStack() as stack:
        web = SlackWeb(token, api_url=api_url)
        stack.push_async_callback(web.close)
        try:
            await answered(lambda: web.call(method, within_s=within_s), within_s=within_s)
        except SlackRefusedError as error:
            raise ConfigError([f"{refusal} ({error.code})."]) from error
