"""The end of a thread, a channel, or Recall's membership in a server: what was remembered there is forgotten.

An outage of a server is none, and an archived thread can still be read.
"""

import structlog

from bots.discord import ids
from bots.discord.ids import DiscordThread
from memory.forgetting import Forgetting
from memory.model import Receipt, UserId

_log = structlog.get_logger(__name__)

_SOMEBODY = "somebody"
"""Who removed something: Discord does not say, so this stands in the audit log."""


class Lifecycle:
    """Follows the end of things.

    Args:
        forgetting: The memory core.
    """

    def __init__(self, forgetting: Forgetting) -> None:
        self._forgetting = forgetting

    async def thread_removed(self, guild: str, channel: str, thread: str) -> None:
        """Forget a thread, whether it was private or not."""
        session = ids.session_id(DiscordThread(guild, channel, thread))
        _tell("thread_removed", await self._forgetting.thread_removed(session, actor=_actor(guild)), thread)

    async def channel_removed(self, guild: str, channel: str) -> None:
        """Forget a channel with its threads."""
        receipt = await self._forgetting.channel_removed(ids.channel_id(guild, channel), actor=_actor(guild))
        _tell("channel_removed", receipt, channel)

    async def guild_removed(self, guild: str) -> None:
        """Forget a server."""
        receipt = await self._forgetting.tenant_removed(ids.tenant_id(guild), actor=_actor(guild))
        _tell("guild_removed", receipt, guild)


def _actor(guild: str) -> UserId:
    return ids.user_id(guild, _SOMEBODY)


def _tell(event: str, receipt: Receipt, name: str) -> None:
    _log.info(event, name=name, messages=receipt.messages, facts=receipt.facts)
