"""Lets what arrives go first: a platform waits for it and counts the seconds, and a turn takes many anyway."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Arrivals:
    """The messages that are being taken in now."""

    def __init__(self) -> None:
        self._under_way = 0
        self._none = asyncio.Event()
        self._none.set()

    @contextmanager
    def another(self) -> Iterator[None]:
        """Count one while it is taken in."""
        self._under_way += 1
        self._none.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._none.set()

    async def over(self, *, within_s: float) -> None:
        """Wait until nothing is being taken in, but no longer than so many seconds."""
        if self._none.is_set():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._none.wait()
