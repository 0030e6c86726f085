"""What follows from a change of people and channels: what was said in one is for no more people than read it now.

An event that itself says who reads is believed at once, whether Slack answers or not. About the others Slack is asked.
Once Recall is out of a channel it hears of no edit and no deletion there, so nothing of it is told elsewhere any more.
Slack tells one process of a change; that one tells the others, which would see it for themselves only after a while.
"""

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from bots.hearing import hearing
from bots.slack import ids
from bots.slack.channels import Channels
from bots.slack.guests import Guests
from bots.slack.ids import SlackThread
from bots.slack.inbound import BotIdentity
from bots.slack.reader_events import changed_channel, joined_or_left, left_channel, says_narrower
from memory.audience import members_of
from memory.model import Audience
from memory.ports import Signals
from memory.service import MemoryService

_USER_EVENTS = ("team_join", "user_change")
_NO_THREAD = "0"
_TOPIC = "slack: who reads"


class Changes:
    """Follows the changes in one workspace.

    Args:
        channels: What Slack said of channels and people before.
        guests: What it said of guests.
        service: Keeps what was said in the channels.
        signals: Reach the other processes.
        team: The workspace.
        bot: Who Recall is.
    """

    def __init__(
        self,
        *,
        channels: Channels,
        guests: Guests,
        service: MemoryService,
        signals: Signals,
        team: str,
        bot: BotIdentity,
    ) -> None:
        self._channels = channels
        self._guests = guests
        self._service = service
        self._signals = signals
        self._team = team
        self._bot = bot

    def shared(self) -> AbstractAsyncContextManager[None]:
        """Hear meanwhile of the changes that other processes follow."""
        return hearing(self._signals, _TOPIC, self._hear)

    async def follow(self, event: Mapping[str, Any], team: str) -> None:
        """Follow an event; most are no change.

        Raises:
            SlackUnavailableError: Slack does not say who reads the channel now; the event has to come again.
            StoreUnavailableError: The record does not take it; the same.
        """
        if event.get("type") in _USER_EVENTS:
            await self._follow_user(event.get("user"))
        channel = changed_channel(event)
        if channel is None:
            return
        is_out = left_channel(event, bot=self._bot)
        member = self._bot.user_id if is_out else joined_or_left(event)
        self._forget(channel, member)
        await self._tell(channel=channel, member=member)
        if member is not None and member != self._bot.user_id:
            return  # the channel is as public, or as private, as it was
        channel_id = ids.channel_id(team, channel)
        only_members = members_of(channel_id)
        audience = (
            only_members if is_out or says_narrower(event) else await self._audience_now(team, channel) or only_members
        )
        await self._service.narrow_channel(channel_id, audience, tenant_id=ids.tenant_id(team))

    async def _follow_user(self, info: object) -> None:
        user = info.get("id") if isinstance(info, Mapping) else None
        if not isinstance(info, Mapping) or not isinstance(user, str):
            return
        is_guest = self._guests.is_guest(info)
        if self._note(user, is_guest=is_guest):
            await self._tell(user=user, is_guest=is_guest)

    def _forget(self, channel: str, member: str | None) -> None:
        """Forget who reads a channel, and where somebody is a member who came or left."""
        self._channels.forget(channel)
        self._guests.forget(channel)
        if member == self._bot.user_id:
            self._channels.recall_came_or_left()
        elif member is not None:
            self._channels.came_or_left(member)

    def _note(self, user: str, *, is_guest: bool) -> bool:
        """Note what somebody is now; say whether that may change who reads a channel."""
        self._channels.forget_user(user)
        return self._guests.note(user, is_guest=is_guest)

    async def _audience_now(self, team: str, channel: str) -> Audience | None:
        """Return who reads a channel as Slack says now; None when that is not sure, or outsiders do."""
        place = await self._channels.place(SlackThread(team, channel, _NO_THREAD))
        return None if place is None else place.audience

    async def _tell(self, **change: str | bool | None) -> None:
        await self._signals.send(_TOPIC, json.dumps({"team": self._team, **change}))

    def _hear(self, word: str) -> None:
        match json.loads(word):
            case {"team": self._team, "channel": str(channel), "member": str() | None as member}:
                self._forget(channel, member)
            case {"team": self._team, "user": str(user), "is_guest": bool(is_guest)}:
                self._note(user, is_guest=is_guest)
