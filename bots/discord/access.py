"""Whether Discord lets Recall in: asked before anything else is opened, and by REST, which costs no session."""

import discord

from bots.discord.client import intents, point_at
from bots.discord.gateway import log_in
from memory.clock import SystemTimer
from memory.ports import Timer
from memory.reaching import REACH_WITHIN_S, until_reached

_TIMER = SystemTimer()


async def check_access(
    *, token: str, api_url: str | None, follow_up: bool, within_s: float = REACH_WITHIN_S, timer: Timer = _TIMER
) -> None:
    """Ask Discord whether it takes the token, and allows what is asked for.

    Args:
        token: Of the bot.
        api_url: Discord's when None.
        follow_up: Whether messages that do not mention Recall are to be read.
        within_s: For all attempts together, in seconds.
        timer: How time passes.

    Raises:
        ConfigError: It does not.
        UnreachableError: Discord cannot be reached.
    """
    point_at(api_url=api_url, gateway_url=None)

    async def ask(left_s: float) -> None:
        async with discord.Client(intents=intents(follow_up=False)) as client:
            await log_in(client, token, follow_up=follow_up, within_s=left_s)

    await until_reached(ask, within_s=within_s, timer=timer)
