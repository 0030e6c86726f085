"""Logging in, and the gateway: what Discord refuses is said once, before a session is spent on it.

Each start of a session counts against a budget of about a thousand a day, past which Discord resets the token. What can
be known by REST is asked there first, and a process that finds much of the budget spent waits before it takes more.
"""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import discord
import structlog

from bots.discord.rest import TIMEOUT_S
from memory.errors import ConfigError

_log = structlog.get_logger(__name__)

REFUSED = "Discord: DISCORD_TOKEN is refused; copy the bot's token from the developer portal."
NO_INTENT = (
    "Discord: DISCORD_FOLLOW_UP=true needs the Message Content intent, which is off for this bot. Switch it on in the "
    "developer portal (Bot, Privileged Gateway Intents), or set DISCORD_FOLLOW_UP=false."
)
UNREACHABLE = "Discord cannot be reached ({detail})."
_BAD_TOKEN_CLOSE = 4004
_BAD_INTENT_CLOSES = frozenset({4013, 4014})


async def log_in(client: discord.Client, token: str, *, follow_up: bool) -> None:
    """Log in by REST, and see that Discord allows what is asked for.

    Raises:
        ConfigError: It does not, or cannot be reached.
    """
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await client.login(token)
    except discord.LoginFailure as error:
        raise ConfigError([REFUSED]) from error
    except (TimeoutError, discord.HTTPException, aiohttp.ClientError, OSError) as error:
        raise ConfigError([UNREACHABLE.format(detail=_detail(error))]) from error
    if follow_up and not _may_read(client):
        raise ConfigError([NO_INTENT])


def _may_read(client: discord.Client) -> bool:
    """Whether the bot has the Message Content intent; the limited one is for bots in few servers."""
    application = client.application
    flags = application.flags if application is not None else discord.ApplicationFlags()
    return flags.gateway_message_content or flags.gateway_message_content_limited


def pause_before(*, total: int, remaining: int, reset_after_s: float) -> float:
    """Return how long to wait before a session is begun, in seconds, so that the budget lasts until it is renewed.

    Nothing while half of it is left, which no healthy bot spends; after that as much as spreads what is left evenly.

    Args:
        total: Sessions a day.
        remaining: Of those, left.
        reset_after_s: Until the budget is renewed.
    """
    if 2 * remaining > total:
        return 0.0
    return reset_after_s / max(1, remaining)


async def wait_for_budget(client: discord.AutoShardedClient, wait: Callable[[float], Awaitable[object]]) -> None:
    """Wait before a session is begun, if too many were.

    Raises:
        ConfigError: Discord cannot be reached.
    """
    try:
        async with asyncio.timeout(TIMEOUT_S):
            limits = await client.fetch_session_start_limits()
    except (TimeoutError, discord.DiscordException, aiohttp.ClientError, OSError) as error:
        raise ConfigError([UNREACHABLE.format(detail=_detail(error))]) from error
    pause_s = pause_before(total=limits.total, remaining=limits.remaining, reset_after_s=limits.reset_after / 1_000)
    if pause_s:
        _log.warning("sessions_nearly_spent", remaining=limits.remaining, wait_s=round(pause_s))
        await wait(pause_s)


async def connected(client: discord.AutoShardedClient) -> None:
    """Listen until the client is closed.

    Raises:
        ConfigError: Discord ends it for a reason that somebody has to mend.
    """
    try:
        await client.connect()
    except discord.PrivilegedIntentsRequired as error:
        raise ConfigError([NO_INTENT]) from error
    except discord.ConnectionClosed as error:
        raise ConfigError([_closed(error.code)]) from error


def _closed(code: int) -> str:
    if code == _BAD_TOKEN_CLOSE:
        return REFUSED
    return NO_INTENT if code in _BAD_INTENT_CLOSES else f"Discord ended the session (code {code})."


def _detail(error: BaseException) -> str:
    return f"status {error.status}" if isinstance(error, discord.HTTPException) else type(error).__name__
