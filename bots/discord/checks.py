"""What `recall doctor` asks Discord: does the token work, and may the bot what Recall needs, in every server it is in?

Asked by REST, so no session is begun. What a single channel denies is not looked at.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import aiohttp
import discord

from bots.discord.client import intents, point_at
from bots.discord.gateway import (
    NO_INTENT,
    REFUSED,
    UNANSWERED,
    log_in,
    may_read,
    pause_before,
    session_budget,
    unreachable,
)
from bots.discord.manifest import BROKEN_WITHOUT, PORTAL, SHOWN
from bots.skew import check_clock
from memory.diagnosis import Check
from memory.errors import ConfigError
from memory.ports import Clock

_WITHIN_S = 7.0
_PAGE = 200
"""The most servers that Discord gives at once."""
_MOST_NAMED = 5
_MEND = "open the link of `recall manifest discord` again"


async def check_discord(
    *, token: str, api_url: str | None, follow_up: bool, clock: Clock, within_s: float = _WITHIN_S
) -> Sequence[Check]:
    """Look at a bot as far as its token allows; nothing is posted, and no session is begun.

    Args:
        token: Of the bot.
        api_url: Discord's when None.
        follow_up: Whether messages that do not mention Recall are to be read.
        clock: Compared with Discord's.
        within_s: For each question, in seconds.
    """
    point_at(api_url=api_url, gateway_url=None)
    dates: list[str] = []
    client = discord.Client(intents=intents(follow_up=False), http_trace=_dated(dates))
    async with client:
        asked_at = clock.now()
        try:
            await log_in(client, token, follow_up=False, within_s=within_s)
            answered_at = clock.now()
            return [
                _bot(client),
                *check_clock(dates[0] if dates else "", asked_at + (answered_at - asked_at) / 2, of="Discord"),
                *_portal(client, follow_up=follow_up),
                await _sessions(client, within_s),
                *await _servers(client, within_s),
            ]
        except ConfigError as error:
            return [
                _problem("Discord bot token" if line == REFUSED else "Discord API", line) for line in error.problems
            ]


def _dated(dates: list[str]) -> aiohttp.TraceConfig:
    """Take down when each answer was sent."""
    trace = aiohttp.TraceConfig()

    async def on_end(_session: object, _context: object, ended: aiohttp.TraceRequestEndParams) -> None:
        dates.append(ended.response.headers.get("Date", ""))

    trace.on_request_end.append(on_end)
    return trace


def _bot(client: discord.Client) -> Check:
    name = client.user.name if client.user is not None else ""
    return Check(name="Discord bot token", verdict="ok", detail=f"{name}, application {client.application_id}")


def _portal(client: discord.Client, *, follow_up: bool) -> Sequence[Check]:
    """Look at what was set in the developer portal."""
    reads = may_read(client)
    if follow_up and not reads:
        found = _problem("Discord intents", NO_INTENT)
    else:
        hint = "; not needed: Message Content" if reads and not follow_up else ""
        detail = "Message Content is on" if follow_up else f"none is to be switched on{hint}"
        found = Check(name="Discord intents", verdict="ok", detail=detail)
    application = client.application
    if application is None or not application.interactions_endpoint_url:
        return [found]
    where = f"{PORTAL}/{client.application_id}"
    return [
        found,
        _problem(
            "Discord commands",
            f"an Interactions Endpoint URL is set at {where}: no command and no button reaches Recall; empty it",
        ),
    ]


async def _sessions(client: discord.Client, within_s: float) -> Check:
    budget = await session_budget(client, within_s=within_s)
    detail = f"{budget.remaining:,} of {budget.total:,} starts are left, {budget.shards} needed for each"
    pause_s = pause_before(total=budget.total, remaining=budget.remaining, reset_after_s=budget.reset_after_s)
    if not pause_s:
        return Check(name="Discord sessions", verdict="ok", detail=detail)
    wait = f"a start waits {pause_s:.0f} s until they are renewed in {budget.reset_after_s / 3_600:.0f} h"
    return Check(name="Discord sessions", verdict="warning", detail=f"{detail}; {wait}")


async def _servers(client: discord.Client, within_s: float) -> Sequence[Check]:
    """Compare what was granted in each server with what Recall needs."""
    servers = await _all_servers(client, within_s)
    if not servers:
        detail = f"Recall is in none; {_MEND}"
        return [Check(name="Discord servers", verdict="warning", detail=detail)]
    named = ", ".join(str(server["name"]) for server in servers[:_MOST_NAMED])
    more = f" and {len(servers) - _MOST_NAMED} more" if len(servers) > _MOST_NAMED else ""
    missing = [
        _problem(
            "Discord permissions", f"{SHOWN[name]} is missing in {server['name']}: {BROKEN_WITHOUT[name]}; {_MEND}"
        )
        for server in servers
        for name in _missing(discord.Permissions(int(server["permissions"])))
    ]
    found = Check(name="Discord servers", verdict="ok", detail=f"{named}{more}")
    all_there = Check(
        name="Discord permissions",
        verdict="ok",
        detail=f"all {len(BROKEN_WITHOUT)} are granted in every server; a channel may still deny some",
    )
    return [found, *(missing or [all_there])]


async def _all_servers(client: discord.Client, within_s: float) -> Sequence[Any]:
    servers: list[Any] = []
    try:
        async with asyncio.timeout(within_s):
            while True:
                after = servers[-1]["id"] if servers else None
                page = await client.http.get_guilds(_PAGE, after=after, with_counts=False)
                servers += page
                if len(page) < _PAGE:
                    return servers
    except UNANSWERED as error:
        raise unreachable(error, within_s) from error


def _missing(granted: discord.Permissions) -> Sequence[str]:
    return [] if granted.administrator else [name for name in BROKEN_WITHOUT if not getattr(granted, name)]


def _problem(name: str, detail: str) -> Check:
    return Check(name=name, verdict="problem", detail=detail)
