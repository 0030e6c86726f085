"""Lets what arrives go first: a platform waits for it and counts the seconds, and a turn takes many anyway."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from memory.model import SessionId


class Arrivals:
    """The messages that are being taken in now."""

    def __init__(self) -> None:
        self._under_way: Counter[SessionId] = Counter()
        self._none = asyncio.Event()
        self._none.set()

    @contextmanager
    def another(self, session_id: SessionId) -> Iterator[None]:
        """Count one of a thread while it is taken in."""
        self._under_way[session_id] += 1
        self._none.clear()
        try:
            yield
        finally:
            self._under_way[session_id] -= 1
            self._under_way += Counter()  # drops what is down to nothing
            if not self._under_way:
                self._none.set()

    def are_in(self, session_id: SessionId) -> bool:
        """Whether a message of a thread is being taken in, which the record may know by now and this process not."""
        return session_id in self._under_way

    async def over(self, *, within_s: float) -> None:
        """Wait until nothing is being taken in, but no longer than so many seconds."""
        if self._none.is_set():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._none.wait()
