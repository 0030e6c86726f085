"""What Discord tells the desk of people and places."""

from collections.abc import Collection

from bots.desk.asking import Asker, Surroundings
from bots.discord import ids
from bots.discord.channels import Channels
from memory.model import ChannelId, Person, Place, SessionId


class DiscordSurroundings(Surroundings):
    """Whoever asks is in the server, or in their direct messages; who reads there, `Channels` knows."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def place(self, who: Asker, session_id: SessionId) -> Place | None:
        user = ids.user_of(who.user_id)[1]
        return await self._channels.place(ids.thread_of(session_id), user=user, open_in=who.open_in)

    async def own_place(self, who: Asker) -> Place | None:
        return ids.own_place(*ids.user_of(who.user_id))

    async def person(self, who: Asker) -> Person:
        guild, user = ids.user_of(who.user_id)
        return ids.person(guild, user, who.name)

    async def channels_of(self, _who: Asker) -> Collection[ChannelId]:
        """Return none: what is said in a server is never recalled in direct messages."""
        return ()
