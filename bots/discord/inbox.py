"""What Discord tells, until it is taken: in order within a channel, tried again while the record is out of reach.

Discord tells each thing once, and asks for no acknowledgement, so what waits here is what a crash would lose; it is
bounded, and what is too much is read back from Discord later.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from bots.platform import PlatformUnavailableError
from memory.errors import RecallError, StoreUnavailableError
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)

MOST_EVENTS = 2_000
FIRST_RETRY_S = 0.5
LONGEST_RETRY_S = 15.0

Work = Callable[[], Awaitable[None]]


class Inbox:
    """Takes events in the background.

    Args:
        on_room: Called when there is room again after something was dropped.
        most: How many events may wait.
    """

    def __init__(self, *, on_room: Callable[[], None], most: int = MOST_EVENTS) -> None:
        self._on_room = on_room
        self._has_dropped = False
        self._most = most
        self._waiting: dict[str, deque[Work]] = {}
        self._count = 0
        self._tasks = TaskTracker()
        self._is_closing = asyncio.Event()

    def put(self, channel: str, work: Work) -> None:
        """Have something done after all that waits for the same channel.

        Args:
            channel: Names what is kept in order.
            work: Commits what the event changes. What is out of reach, it raises; then it is called again.
        """
        if self._is_closing.is_set():
            return
        if self._count >= self._most:
            if not self._has_dropped:
                _log.error("events_dropped", reason="too many wait", most=self._most)
            self._has_dropped = True
            return
        self._count += 1
        if channel in self._waiting:
            self._waiting[channel].append(work)
        else:
            self._waiting[channel] = deque([work])
            self._tasks.start(self._work_off(channel), name=f"take events of {channel}")

    async def idle(self) -> None:
        """Wait until nothing waits."""
        await self._tasks.idle()

    async def close(self, *, grace_s: float) -> None:
        """Take nothing more, and wait so many seconds for what waits; the rest is dropped."""
        self._is_closing.set()
        await self._tasks.close(grace_s=grace_s)

    async def _work_off(self, channel: str) -> None:
        waiting = self._waiting[channel]
        try:
            while waiting:
                await self._see_through(waiting[0])
                waiting.popleft()
                self._count -= 1
                self._tell_of_room()
        finally:
            self._count -= len(waiting)
            del self._waiting[channel]

    def _tell_of_room(self) -> None:
        if self._has_dropped and 2 * self._count <= self._most:
            self._has_dropped = False
            self._on_room()

    async def _see_through(self, work: Work) -> None:
        """Do something, again and again while what it needs is out of reach."""
        retry_s = FIRST_RETRY_S
        while True:
            try:
                await work()
            except (StoreUnavailableError, PlatformUnavailableError) as error:
                _log.warning("not_taken_yet", error=type(error).__name__, reason=str(error))
            except RecallError as error:
                _log.warning("not_taken", error=type(error).__name__, reason=str(error))
                return
            except Exception:  # noqa: BLE001  # the event's boundary: what breaks must not block its channel
                _log.exception("not_taken")
                return
            else:
                return
            if self._is_closing.is_set():
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(retry_s):
                    await self._is_closing.wait()
            retry_s = min(2 * retry_s, LONGEST_RETRY_S)
