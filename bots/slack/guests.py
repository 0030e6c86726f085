"""Whether people who are no full members of the workspace read a channel along: guests, and strangers.

Knows ids, and only those of such people. It keeps nobody waiting: who reads along counts as unknown, which is the same
as yes, until Slack has told of everybody.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from bots.slack import profiles
from bots.slack.cache import Fetched, TimedCache
from bots.slack.errors import SlackRefusedError, SlackUnavailableError
from bots.slack.mrkdwn import mappings
from bots.slack.web import SlackWeb
from memory.ports import Clock
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)

GOOD_FOR_S = 60.0
FAILURE_GOOD_FOR_S = 5.0
LIST_GOOD_FOR_S = 3_600.0
"""How long the list of guests is believed that Slack could not be asked for again."""

PATIENCE_S = 0.5
"""What an event waits to hear who reads along: it has 3 s to be acknowledged."""

_REFRESH_S = 600.0
_RETRY_S, _LONGEST_RETRY_S = 5.0, 300.0
_START_S = 10.0  # what a start waits for the list; a large workspace is paged through behind it, 20 pages a minute
_PAGE = 999  # Slack takes fewer than 1,000
_USER_PAGES = 1_000
_MEMBER_PAGES = 20
_CHANNELS, _MOST_GUESTS = 5_000, 100_000


class Guests:
    """The guests of one workspace, from `kept` on.

    Args:
        web: The workspace's Web API.
        clock: Says when an answer is too old.
        tasks: Owns what is asked behind an event.
        refresh_s: How often the list of guests is read again, in seconds.
        patience_s: How long whoever asks waits to hear, in seconds.
    """

    def __init__(
        self,
        web: SlackWeb,
        clock: Clock,
        tasks: TaskTracker,
        *,
        refresh_s: float = _REFRESH_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._web = web
        self._clock = clock
        self._tasks = tasks
        self._refresh_s = refresh_s
        self._patience_s = patience_s
        self._team = ""
        self._guests: set[str] | None = None
        self._good_until: datetime = clock.now()
        self._noted: dict[str, bool] = {}
        self._due, self._is_listed = asyncio.Event(), asyncio.Event()
        self._is_listed.set()
        self._channels: TimedCache[bool] = TimedCache(clock, size=_CHANNELS)

    @asynccontextmanager
    async def kept(self, team: str) -> AsyncIterator[None]:
        """Know the guests of a workspace meanwhile; begins once they are listed, or that takes too long."""
        self._team = team
        self._is_listed.clear()
        keeping = asyncio.create_task(self._keep(), name="keep the list of guests")
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_START_S):
                    await self._is_listed.wait()
            yield
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])

    async def read_along(self, channel: str) -> bool:
        """Whether a guest is in a channel, or nobody knows."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience_s):
                guests = await self._listed()
                return guests is None or (bool(guests) and await self._is_any_in(channel))
        return True

    def is_guest(self, info: Mapping[str, Any]) -> bool:
        """Whether Slack describes somebody as a guest of the workspace."""
        return profiles.is_guest(info, self._team)

    def note(self, user: str, *, is_guest: bool) -> bool:
        """Take what an event says of somebody; say whether it may be news to anybody."""
        self._noted[user] = is_guest
        if self._guests is None or is_guest == (user in self._guests):
            return is_guest
        self._take(self._guests | {user} if is_guest else self._guests - {user})
        return True

    def forget(self, channel: str) -> None:
        """Ask anew who is in a channel: somebody came or went."""
        self._channels.forget(channel)

    async def _keep(self) -> None:
        retry_s = _RETRY_S
        while True:
            self._due.clear()
            found = await self._list()
            if found is not None:
                self._take(found)
                self._good_until = self._clock.now() + timedelta(seconds=LIST_GOOD_FOR_S)
            self._is_listed.set()
            wait_s, retry_s = (
                (retry_s, min(2 * retry_s, _LONGEST_RETRY_S)) if found is None else (self._refresh_s, _RETRY_S)
            )
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._due.wait()

    def _take(self, guests: set[str]) -> None:
        """Believe a list; who is in a channel is held against it from now on."""
        if guests != self._guests:
            self._guests = guests
            self._channels.clear()

    async def _listed(self) -> set[str] | None:
        """Return the list of guests; None when it is not known, or no longer."""
        if self._guests is not None and self._clock.now() >= self._good_until:
            self._guests = None
            self._is_listed.clear()
            self._due.set()
        if self._guests is None:
            await self._is_listed.wait()
        return self._guests

    async def _list(self) -> set[str] | None:
        """Return the guests as Slack lists them now; None when it does not, or there are too many."""
        found: set[str] = set()
        self._noted.clear()
        try:
            async for page in self._pages("users.list", pages=_USER_PAGES):
                found |= {str(info.get("id")) for info in mappings(page) if profiles.is_guest(info, self._team)}
                if len(found) > _MOST_GUESTS:
                    _log.warning("guests_unknown", reason=f"there are more than {_MOST_GUESTS}")
                    return None
        except (SlackRefusedError, SlackUnavailableError, _EndlessError) as error:
            _log.warning("guests_unknown", error=type(error).__name__, reason=str(error))
            return None
        noted = {user for user, is_guest in self._noted.items() if is_guest}
        return (found - self._noted.keys()) | noted  # what an event said meanwhile is newer than its page

    async def _is_any_in(self, channel: str) -> bool:
        """Whether a guest is in a channel; asked of Slack behind whoever gives up waiting for it."""
        known = self._channels.peek(channel)
        if known is not None:
            return known
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._tasks.start(self._answer(answer, channel), name="look for guests in a channel")
        return await answer

    async def _answer(self, answer: asyncio.Future[bool], channel: str) -> None:
        is_any = await self._channels.get(channel, partial(self._look_into, channel))
        if not answer.done():
            answer.set_result(is_any)

    async def _look_into(self, channel: str) -> Fetched[bool]:
        guests = self._guests
        if guests is None:
            return Fetched(value=True, good_for_s=0)
        try:
            async for page in self._pages("conversations.members", pages=_MEMBER_PAGES, channel=channel):
                if not guests.isdisjoint(map(str, page)):
                    return Fetched(value=True, good_for_s=GOOD_FOR_S)
        except (SlackRefusedError, _EndlessError) as error:
            _log.warning("members_unknown", channel=channel, reason=str(error))
            return Fetched(value=True, good_for_s=GOOD_FOR_S)
        except SlackUnavailableError as error:
            _log.warning("members_unknown", channel=channel, reason=str(error))
            return Fetched(value=True, good_for_s=FAILURE_GOOD_FOR_S)
        return Fetched(value=False, good_for_s=GOOD_FOR_S)

    async def _pages(self, method: str, *, pages: int, **arguments: Any) -> AsyncIterator[list[Any]]:
        """Yield a list page by page.

        Raises:
            SlackUnavailableError: No answer.
            SlackRefusedError: Slack said no.
            _EndlessError: It goes on after so many pages.
        """
        cursor: str | None = None
        for _ in range(pages):
            answer = await self._web.call(method, limit=_PAGE, cursor=cursor, **arguments)
            members = answer.get("members")
            yield members if isinstance(members, list) else []
            after = answer.get("response_metadata")
            cursor = after.get("next_cursor") if isinstance(after, Mapping) else None
            if not cursor:
                return
        raise _EndlessError(f"{method} goes on after {pages} pages")


class _EndlessError(Exception):
    """A list is longer than is read."""
