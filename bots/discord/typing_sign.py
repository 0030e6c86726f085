"""What Discord shows while somebody is at work on an answer: that Recall is typing. It never holds up an answer."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bots.platform import PlatformError
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)

EVERY_S = 8.0
"""Discord shows it for ten seconds."""


class TypingSign:
    """Shows it again and again until it is ended.

    Args:
        show: Shows it once.
        wait: Waits so many seconds.
    """

    def __init__(
        self, show: Callable[[], Awaitable[None]], *, wait: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._show = show
        self._wait = wait
        self._tasks = TaskTracker()
        self._is_on = False

    async def begin(self) -> None:
        """Show it from now on; a message that is posted after this takes it away for a while."""
        if not self._is_on:
            self._is_on = True
            await self._once()
            self._tasks.start(self._go_on(), name="type")

    async def end(self) -> None:
        """Show it no more."""
        await self._tasks.close(grace_s=0)
        self._is_on = False

    async def _go_on(self) -> None:
        while True:
            await self._wait(EVERY_S)
            await self._once()

    async def _once(self) -> None:
        try:
            await self._show()
        except PlatformError as error:
            _log.info("not_shown_typing", reason=str(error))
