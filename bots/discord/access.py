"""Whether Discord lets Recall in: asked before anything else is opened, and by REST, which costs no session."""

from collections.abc import Sequence

import discord

from bots.discord.client import intents, point_at
from bots.discord.gateway import log_in
from bots.discord.rest import TIMEOUT_S
from memory.errors import ConfigError


async def access_problems(
    *, token: str, api_url: str | None, follow_up: bool, within_s: float = TIMEOUT_S
) -> Sequence[str]:
    """Return a line if Discord refuses the token or an intent, or cannot be reached.

    Args:
        token: Of the bot.
        api_url: Discord's when None.
        follow_up: Whether messages that do not mention Recall are to be read.
        within_s: For all calls together, in seconds.
    """
    point_at(api_url=api_url, gateway_url=None)
    async with discord.Client(intents=intents(follow_up=False)) as client:
        try:
            await log_in(client, token, follow_up=follow_up, within_s=within_s)
        except ConfigError as error:
            return error.problems
    return ()
