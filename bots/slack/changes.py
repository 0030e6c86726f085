"""What follows from a change of people and channels: what was said in one is for no more people than read it now.

An event that itself says who reads is believed at once, whether Slack answers or not. About the others Slack is asked.
"""

from collections.abc import Mapping
from typing import Any

from bots.slack import ids
from bots.slack.channels import Channels
from bots.slack.ids import SlackThread
from bots.slack.inbound import BotIdentity, changed_channel, joined_or_left, says_narrower
from memory.audience import members_of
from memory.model import Audience
from memory.service import MemoryService

_USER_EVENTS = ("team_join", "user_change")
_NO_THREAD = "0"


class Changes:
    """Follows the changes in one workspace.

    Args:
        channels: What Slack said of them before.
        service: Keeps what was said in them.
        bot: Who Recall is.
    """

    def __init__(self, *, channels: Channels, service: MemoryService, bot: BotIdentity) -> None:
        self._channels = channels
        self._service = service
        self._bot = bot

    async def follow(self, event: Mapping[str, Any], team: str) -> None:
        """Follow an event; most are no change.

        Raises:
            SlackUnavailableError: Slack does not say who reads the channel now; the event has to come again.
            StoreUnavailableError: The record does not take it; the same.
        """
        info = event.get("user")
        if event.get("type") in _USER_EVENTS and isinstance(info, Mapping):
            self._channels.user_changed(info)
        channel = changed_channel(event)
        if channel is None:
            return
        self._channels.forget(channel)
        member = joined_or_left(event)
        if member is not None and member != self._bot.user_id:
            self._channels.came_or_left(member)
            return  # the channel is as public, or as private, as it was
        channel_id = ids.channel_id(team, channel)
        only_members = members_of(channel_id)
        audience = only_members if says_narrower(event) else await self._audience_now(team, channel) or only_members
        await self._service.narrow_channel(channel_id, audience, tenant_id=ids.tenant_id(team))

    async def _audience_now(self, team: str, channel: str) -> Audience | None:
        """Return who reads a channel as Slack says now; None when that is not sure, or outsiders do."""
        place = await self._channels.place(SlackThread(team, channel, _NO_THREAD))
        return None if place is None else place.audience
