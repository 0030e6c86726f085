"""Logging in, and the gateway: what Discord refuses is said once, before a session is spent on it.

Each start of a session counts against a budget of about a thousand a day, past which Discord resets the token. What can
be known by REST is asked there first, and a process that finds much of the budget spent waits before it takes more.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import discord
import structlog
from discord.gateway import DiscordWebSocket

from bots.discord.rest import TIMEOUT_S
from bots.network import why_unanswered
from memory.errors import ConfigError, UnreachableError
from memory.reaching import until_reached

_log = structlog.get_logger(__name__)

REFUSED = (
    "DISCORD_TOKEN: Discord refuses it: it is mistyped, was reset, or is of another Discord than DISCORD_API_URL. Make "
    "a new one in the developer portal (Bot, Reset Token)."
)
NO_INTENT = (
    "DISCORD_FOLLOW_UP=true needs the Message Content intent, which is off for this bot. Switch it on in the "
    "developer portal (Bot, Privileged Gateway Intents), or set DISCORD_FOLLOW_UP=false."
)
NOT_DISCORD = (
    "DISCORD_API_URL: what answers there is not Discord's API. It ends with the version, as "
    "https://discord.com/api/v10 does."
)
UNANSWERED = (TimeoutError, discord.HTTPException, discord.GatewayNotFound, aiohttp.ClientError, OSError)
"""What the library raises where Discord gives no answer, or one that says nothing of the question."""
_NOT_FOUND, _CLIENT_ERROR, _SERVER_ERROR = 404, 400, 500
_MAY_PASS = frozenset({408, 429})
_BAD_TOKEN_CLOSE = 4004
_BAD_INTENT_CLOSES = frozenset({4013, 4014})


async def log_in(client: discord.Client, token: str, *, follow_up: bool, within_s: float = TIMEOUT_S) -> None:
    """Log in by REST, and see that Discord allows what is asked for.

    Raises:
        ConfigError: It does not.
        UnreachableError: Discord cannot be reached; the client may log in again.
    """
    try:
        async with asyncio.timeout(within_s):
            await client.login(token)
    except discord.LoginFailure as error:
        raise ConfigError([REFUSED]) from error
    except UNANSWERED as error:
        await client.http.close()
        client.http.connector = discord.utils.MISSING  # it went with the session, and the library would use it again
        raise unreachable(error, within_s) from error
    except (LookupError, TypeError) as error:  # the library takes any answer for one of Discord's
        raise ConfigError([NOT_DISCORD]) from error
    if follow_up and not may_read(client):
        raise ConfigError([NO_INTENT])


def may_read(client: discord.Client) -> bool:
    """Whether a bot that has logged in has the Message Content intent; the limited one is for bots in few servers."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionBudget:
    """How many sessions may be begun.

    Attributes:
        total: A day.
        remaining: Of those, left.
        reset_after_s: Until the budget is renewed.
        shards: How many connections Discord recommends, each of which takes a session.
    """

    total: int
    remaining: int
    reset_after_s: float
    shards: int


async def session_budget(client: discord.Client, *, within_s: float = TIMEOUT_S) -> SessionBudget:
    """Return how many sessions may be begun.

    Raises:
        ConfigError: What answers is not Discord.
        UnreachableError: Discord cannot be reached.
    """
    try:
        async with asyncio.timeout(within_s):
            shards, _, limits = await client.http.get_bot_gateway()
    except UNANSWERED as error:
        raise unreachable(error, within_s) from error
    return SessionBudget(
        total=limits["total"],
        remaining=limits["remaining"],
        reset_after_s=limits["reset_after"] / 1_000,
        shards=shards,
    )


async def wait_for_budget(
    client: discord.AutoShardedClient, wait: Callable[[float], Awaitable[object]], *, within_s: float = TIMEOUT_S
) -> None:
    """Wait before a session is begun, if too many were.

    Raises:
        ConfigError: What answers is not Discord.
        UnreachableError: Discord cannot be reached.
    """
    budget = await until_reached(lambda left_s: session_budget(client, within_s=left_s), within_s=within_s)
    client.shard_count = budget.shards  # or the library asks again, and connects to where it is told, past a proxy
    pause_s = pause_before(total=budget.total, remaining=budget.remaining, reset_after_s=budget.reset_after_s)
    if pause_s:
        _log.warning("sessions_nearly_spent", remaining=budget.remaining, wait_s=round(pause_s))
        await wait(pause_s)


async def see_gateway(*, within_s: float = TIMEOUT_S) -> None:
    """See that the gateway answers, which begins no session: the library would try for ever, and be hard to stop.

    Raises:
        ConfigError: What answers is no gateway.
        UnreachableError: It does not.
    """
    try:
        async with (
            asyncio.timeout(within_s),
            aiohttp.ClientSession() as session,
            session.ws_connect(DiscordWebSocket.DEFAULT_GATEWAY) as socket,
        ):
            await socket.receive()
    except UNANSWERED as error:
        raise unreachable(error, within_s, gateway=True) from error


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


def unreachable(error: BaseException, within_s: float, *, gateway: bool = False) -> ConfigError:
    """Return the error that says why Discord, or its gateway, gave no answer, and whether that may pass by itself."""
    status = _status(error)
    if _CLIENT_ERROR <= status < _SERVER_ERROR and status not in _MAY_PASS:
        if status == _NOT_FOUND and not gateway:
            return ConfigError([NOT_DISCORD])
        setting = "DISCORD_GATEWAY_URL" if gateway else "DISCORD_API_URL"
        return ConfigError([f"{setting}: what answers there lets nobody in (status {status})."])
    who = "Discord's gateway" if gateway else "Discord"
    match error:
        case TimeoutError():
            detail = f"no answer in {round(within_s, 1):g} s"
        case _ if status:
            detail = f"status {status}"
        case _:
            detail = why_unanswered(error)
    return UnreachableError([f"{who} cannot be reached: {detail}."])


def _status(error: BaseException) -> int:
    """Return what HTTP said; 0 when it said nothing."""
    match error:
        case discord.GatewayNotFound() if error.__cause__ is not None:
            return _status(error.__cause__)
        case discord.HTTPException() | aiohttp.ClientResponseError():
            return error.status
    return 0


def _closed(code: int) -> str:
    if code == _BAD_TOKEN_CLOSE:
        return REFUSED
    return NO_INTENT if code in _BAD_INTENT_CLOSES else f"Discord ended the session (code {code})."
