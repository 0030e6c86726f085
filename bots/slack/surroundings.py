"""What Slack tells the desk of people and places."""

from collections.abc import Collection

from bots.desk.asking import Asker, Surroundings
from bots.slack import ids
from bots.slack.channels import Channels
from memory.model import ChannelId, Person, Place, SessionId


class SlackSurroundings(Surroundings):
    """Everything is asked of Slack, by way of `Channels`."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def place(self, who: Asker, session_id: SessionId) -> Place | None:
        return await self._channels.place_for(ids.thread_of(session_id), ids.user_of(who.user_id)[1])

    async def own_place(self, who: Asker) -> Place | None:
        team, user = ids.user_of(who.user_id)
        return None if await self._channels.is_outsider(team, user) else ids.own_place(team, user)

    async def person(self, who: Asker) -> Person:
        return await self._channels.person(*ids.user_of(who.user_id))

    async def channels_of(self, who: Asker) -> Collection[ChannelId]:
        return await self._channels.joined_by(who.user_id)
