"""Who can read a channel and who speaks in it, as Slack says now; what Slack does not say for sure counts as nobody.

Knows the audiences of memories, not what is remembered. A channel that somebody outside of the workspace can read
(Slack Connect, another workspace of the organisation) is no place at all: nothing is recalled there, nothing stored.
"""

from collections.abc import Mapping
from typing import Any

import structlog

from bots.slack import ids, profiles
from bots.slack.cache import Fetched, TimedCache
from bots.slack.errors import SlackRefusedError, SlackUnavailableError
from bots.slack.ids import SlackThread
from bots.slack.profiles import Profile, Readers
from bots.slack.web import SlackWeb
from memory.audience import everyone_in, members_of, private_to
from memory.model import Audience, Person, Place
from memory.ports import Clock

_log = structlog.get_logger(__name__)

GOOD_FOR_S = 60.0
FAILURE_GOOD_FOR_S = 5.0
"""How long nobody is asked again after Slack gave no answer."""

_CHANNELS, _USERS = 5_000, 20_000
_ATTEMPTS = 2  # asking changes nothing, so a lost answer is asked for again at once
_RATE_LIMIT_WAIT_S = 1.0  # who asks has 3 s to acknowledge an event
_HOMES = ("user_team", "source_team", "team")


class Channels:
    """What Slack says of channels and people, each answer for a minute.

    Args:
        web: The workspace's Web API.
        clock: Says when an answer is too old.
    """

    def __init__(self, web: SlackWeb, clock: Clock) -> None:
        self._web = web
        self._channels: TimedCache[Readers | None] = TimedCache(clock, size=_CHANNELS)
        self._users: TimedCache[Profile | None] = TimedCache(clock, size=_USERS)

    async def place(self, thread: SlackThread, *, dm_with: str | None = None) -> Place | None:
        """Return a thread as a place; None where outsiders may read, or Slack does not say for sure who does.

        Args:
            thread: Where.
            dm_with: Whose DM with Recall it is, when the event said so; Slack is not asked about the channel then.
        """
        if dm_with is not None:
            return await self._private_place(thread, dm_with)
        readers = await self._channels.get(thread.channel, lambda: self._ask_readers(thread.channel))
        if readers is None:
            return None
        if readers.kind == "person":
            return await self._private_place(thread, readers.user)
        return ids.place(thread, audience=_audience(thread, readers), shared=True)

    async def is_outsider(self, team: str, user: str, event: Mapping[str, Any] | None = None) -> bool:
        """Whether somebody is a guest, of another workspace, or unknown.

        Args:
            team: The workspace.
            user: Who.
            event: What they did; it may name where they are at home.
        """
        described = await self._user(user)
        if described is None or team not in described.teams:
            return True
        homes = [(event or {}).get(key) for key in _HOMES]
        return any(home not in described.teams for home in homes if home)

    async def person(self, team: str, user: str) -> Person:
        """Return somebody with the name they show; their id where Slack does not say."""
        described = await self._user(user)
        return ids.person(team, user, described.name if described is not None and described.name else user)

    def forget(self, channel: str) -> None:
        """Ask about a channel anew: its members or its readers have changed."""
        self._channels.forget(channel)

    def forget_user(self, user: str) -> None:
        """Ask about somebody anew: their name or standing has changed."""
        self._users.forget(user)

    async def _private_place(self, thread: SlackThread, user: str) -> Place | None:
        if await self.is_outsider(thread.team, user):
            return None
        return ids.place(thread, audience=private_to(ids.user_id(thread.team, user)), shared=False)

    async def _user(self, user: str) -> Profile | None:
        return await self._users.get(user, lambda: self._ask_user(user))

    async def _ask_readers(self, channel: str) -> Fetched[Readers | None]:
        answer = await self._ask("conversations.info", channel=channel)
        return Fetched(None, FAILURE_GOOD_FOR_S) if answer is None else Fetched(profiles.readers(answer), GOOD_FOR_S)

    async def _ask_user(self, user: str) -> Fetched[Profile | None]:
        answer = await self._ask("users.info", user=user)
        return Fetched(None, FAILURE_GOOD_FOR_S) if answer is None else Fetched(profiles.profile(answer), GOOD_FOR_S)

    async def _ask(self, method: str, **arguments: str) -> Mapping[str, Any] | None:
        """Return what Slack says; {} when it refuses, which will not soon change, None when it does not answer."""
        for _ in range(_ATTEMPTS):
            try:
                return await self._web.call(method, within_s=_RATE_LIMIT_WAIT_S, **arguments)
            except SlackRefusedError as error:
                _log.warning("slack_lookup_refused", method=method, code=error.code, **arguments)
                return {}
            except SlackUnavailableError as error:
                _log.warning("slack_lookup_failed", method=method, reason=str(error), **arguments)
        return None


def _audience(thread: SlackThread, readers: Readers) -> Audience:
    if readers.kind == "workspace":
        return everyone_in(ids.tenant_id(thread.team))
    return members_of(ids.channel_id(thread.team, thread.channel))
