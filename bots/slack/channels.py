"""Who can read a channel and who speaks in it, as Slack says now; what Slack does not say for sure counts as nobody.

Knows the audiences of memories, not what is remembered. A channel that somebody outside of the workspace can read
(Slack Connect, another workspace of the organisation) is no place at all: nothing is recalled there, nothing stored.
Where Slack does not answer, nothing is known, neither yes nor no, and whoever asks has to ask again later.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import structlog

from bots.slack import ids, profiles
from bots.slack.cache import Fetched, TimedCache
from bots.slack.errors import SlackRefusedError, SlackUnavailableError
from bots.slack.guests import Guests
from bots.slack.ids import SlackThread
from bots.slack.memberships import Memberships
from bots.slack.mrkdwn import with_names
from bots.slack.profiles import Profile, Readers
from bots.slack.web import SlackWeb
from memory.audience import everyone_in, members_of, private_to
from memory.model import Audience, ChannelId, Person, Place, UserId
from memory.ports import Clock

_Described = TypeVar("_Described")
_log = structlog.get_logger(__name__)

GOOD_FOR_S = 60.0
FAILURE_GOOD_FOR_S = 5.0
"""How long nobody is asked again after Slack gave no answer."""

_CHANNELS, _USERS = 5_000, 20_000
_ATTEMPTS = 2  # asking changes nothing, so a lost answer is asked for again at once
_RATE_LIMIT_WAIT_S = 1.0  # who asks has 3 s to acknowledge an event
_DM_PREFIX = "D"
_PATIENCE_S = 0.5
_MOST_NAMES = 20
_HOMES = ("user_team", "source_team", "team")


@dataclass(frozen=True, slots=True)
class _NoAnswer:
    """Slack did not answer when it was asked."""

    method: str


class Channels:
    """What Slack says of channels and people, each answer for a minute.

    Args:
        web: The workspace's Web API.
        clock: Says when an answer is too old.
        guests: Knows whether guests read a channel along.
    """

    def __init__(self, web: SlackWeb, clock: Clock, guests: Guests) -> None:
        self._web = web
        self._guests = guests
        self._memberships = Memberships(web, clock)
        self._channels: TimedCache[Readers | _NoAnswer | None] = TimedCache(clock, size=_CHANNELS)
        self._users: TimedCache[Profile | _NoAnswer | None] = TimedCache(clock, size=_USERS)

    async def place(self, thread: SlackThread, *, dm_with: str | None = None) -> Place | None:
        """Return a thread as a place; None where outsiders may read, or Slack does not say for sure who does.

        Args:
            thread: Where.
            dm_with: Whose DM with Recall it is, when the event said so; Slack is not asked about the channel then.

        Raises:
            SlackUnavailableError: Slack does not answer.
        """
        if dm_with is not None:
            return await self._private_place(thread, dm_with)
        readers = await self._readers(thread.channel)
        if readers is None:
            return None
        if readers.kind == "person":
            return await self._private_place(thread, readers.user)
        outsiders = await self._guests.read_along(thread.channel)
        return ids.place(thread, audience=_audience(thread, readers), shared=True, outsiders=outsiders)

    async def place_for(self, thread: SlackThread, user: str) -> Place | None:
        """Return a thread as a place where somebody asks; None where outsiders may read, or one of them asks.

        Raises:
            SlackUnavailableError: Slack does not answer.
        """
        if await self.is_outsider(thread.team, user):
            return None
        return await self.place(thread, dm_with=user if thread.channel.startswith(_DM_PREFIX) else None)

    async def is_outsider(self, team: str, user: str, event: Mapping[str, Any] | None = None) -> bool:
        """Whether somebody is a guest, of another workspace, or unknown.

        Args:
            team: The workspace.
            user: Who.
            event: What they did; it may name where they are at home.

        Raises:
            SlackUnavailableError: Slack does not answer.
        """
        described = await self._user(user)
        if described is None or team not in described.teams:
            return True
        homes = [(event or {}).get(key) for key in _HOMES]
        return any(home not in described.teams for home in homes if home)

    async def person(self, team: str, user: str) -> Person:
        """Return somebody with the name they show; their id where Slack does not say."""
        try:
            described = await self._user(user)
        except SlackUnavailableError:
            described = None
        return ids.person(team, user, described.name if described is not None and described.name else user)

    async def outsiders_in(self, place: Place) -> bool:
        """Whether guests, strangers or people unknown read a thread now."""
        try:
            now = await self.place(ids.thread_of(place.session_id))
        except SlackUnavailableError:
            return True
        return now is None or now.outsiders

    async def named(self, team: str, text: str, users: Sequence[str]) -> str:
        """Return a text with the names of those it mentions; what Slack does not say in time stays an id."""
        names: dict[str, str] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                for user in users[:_MOST_NAMES]:
                    names[user] = (await self.person(team, user)).name
        return with_names(text, names)

    async def joined_by(self, person: UserId) -> Collection[ChannelId]:
        """Return the channels that are not for everybody and that somebody is in; none that Slack does not tell of."""
        return await self._memberships.channels_of(person)

    def came_or_left(self, user: str) -> None:
        """Ask anew which channels somebody is in."""
        self._memberships.forget(user)

    def recall_came_or_left(self) -> None:
        """Ask anew which channels people are in: Slack tells only of those that Recall is in, too."""
        self._memberships.clear()

    def forget(self, channel: str) -> None:
        """Ask about a channel anew: its readers have changed."""
        self._channels.forget(channel)

    def forget_user(self, user: str) -> None:
        """Ask about somebody anew: their name or standing has changed."""
        self._users.forget(user)

    async def _private_place(self, thread: SlackThread, user: str) -> Place | None:
        if await self.is_outsider(thread.team, user):
            return None
        return ids.place(thread, audience=private_to(ids.user_id(thread.team, user)), shared=False)

    async def _readers(self, channel: str) -> Readers | None:
        ask = partial(self._ask, "conversations.info", profiles.readers, channel=channel)
        return _known(await self._channels.get(channel, ask))

    async def _user(self, user: str) -> Profile | None:
        return _known(await self._users.get(user, partial(self._ask, "users.info", profiles.profile, user=user)))

    async def _ask(
        self, method: str, read: Callable[[Mapping[str, Any]], _Described | None], **arguments: str
    ) -> Fetched[_Described | _NoAnswer | None]:
        """Return what Slack says; None when it refuses, which will not soon change."""
        for _ in range(_ATTEMPTS):
            try:
                answer = await self._web.call(method, within_s=_RATE_LIMIT_WAIT_S, **arguments)
            except SlackRefusedError as error:
                _log.warning("slack_lookup_refused", method=method, code=error.code, **arguments)
                return Fetched(None, GOOD_FOR_S)
            except SlackUnavailableError as error:
                _log.warning("slack_lookup_failed", method=method, reason=str(error), **arguments)
            else:
                return Fetched(read(answer), GOOD_FOR_S)
        return Fetched(_NoAnswer(method), FAILURE_GOOD_FOR_S)


def _known(answer: _Described | _NoAnswer) -> _Described:
    if isinstance(answer, _NoAnswer):
        raise SlackUnavailableError(answer.method, "it was asked just now", sent=False)
    return answer


def _audience(thread: SlackThread, readers: Readers) -> Audience:
    if readers.kind == "workspace":
        return everyone_in(ids.tenant_id(thread.team))
    return members_of(ids.channel_id(thread.team, thread.channel))
