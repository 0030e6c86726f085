"""Which channels people are in, as Slack says now: in their own DM they are reminded of what was said there.

Only channels that are not for everybody, and only those that Recall is in too. What Slack does not say is none.
"""

from collections.abc import Collection
from functools import partial

import structlog

from bots.slack import ids
from bots.slack.cache import Fetched, TimedCache
from bots.slack.errors import SlackRefusedError, SlackUnavailableError
from bots.slack.mrkdwn import mappings
from bots.slack.web import SlackWeb
from memory.model import ChannelId, UserId
from memory.ports import Clock

_log = structlog.get_logger(__name__)

GOOD_FOR_S = 60.0
"""Who leaves a channel is reminded of it for no longer, whichever process hears that they left."""
FAILURE_GOOD_FOR_S = 5.0

_PEOPLE = 5_000
_PAGE, _MOST_PAGES = 200, 5
_RATE_LIMIT_WAIT_S = 1.0  # an answer is being waited for
_KINDS = "private_channel,mpim"


class Memberships:
    """What Slack says of people's channels, each answer for a minute.

    Args:
        web: The workspace's Web API.
        clock: Says when an answer is too old.
    """

    def __init__(self, web: SlackWeb, clock: Clock) -> None:
        self._web = web
        self._known: TimedCache[frozenset[ChannelId]] = TimedCache(clock, size=_PEOPLE)

    async def channels_of(self, person: UserId) -> Collection[ChannelId]:
        """Return the channels that somebody is in."""
        team, user = ids.user_of(person)
        return await self._known.get(user, partial(self._ask, team, user))

    def forget(self, user: str) -> None:
        """Ask about somebody anew: they joined or left a channel."""
        self._known.forget(user)

    def clear(self) -> None:
        """Ask about everybody anew."""
        self._known.clear()

    async def _ask(self, team: str, user: str) -> Fetched[frozenset[ChannelId]]:
        found: set[ChannelId] = set()
        cursor: str | None = None
        try:
            for _ in range(_MOST_PAGES):
                page = await self._web.call(
                    "users.conversations",
                    within_s=_RATE_LIMIT_WAIT_S,
                    user=user,
                    types=_KINDS,
                    limit=_PAGE,
                    cursor=cursor,
                )
                found |= {ids.channel_id(team, str(channel["id"])) for channel in mappings(page.get("channels"))}
                cursor = (page.get("response_metadata") or {}).get("next_cursor")
                if not cursor:
                    break
        except SlackRefusedError as error:
            _log.warning("memberships_refused", code=error.code)
            return Fetched(frozenset(), GOOD_FOR_S)
        except SlackUnavailableError as error:
            _log.warning("memberships_unknown", reason=str(error))
            return Fetched(frozenset(), FAILURE_GOOD_FOR_S)
        return Fetched(frozenset(found), GOOD_FOR_S)
