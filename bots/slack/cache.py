"""Answers kept for a while: bounded, fetched once for all who ask meanwhile, and forgotten when told to.

Knows nothing of what is kept.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from memory.ports import Clock

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Fetched(Generic[Value]):
    """A value, and for how many seconds it is good."""

    value: Value
    good_for_s: float


class TimedCache(Generic[Value]):
    """Values by name, each good for the seconds it came with.

    Args:
        clock: Says when that is over.
        size: How many are kept at most; the oldest goes first.
    """

    def __init__(self, clock: Clock, *, size: int) -> None:
        self._clock = clock
        self._size = size
        self._kept: dict[str, tuple[Fetched[Value], datetime]] = {}
        self._fetching: dict[str, asyncio.Future[None]] = {}

    async def get(self, name: str, fetch: Callable[[], Awaitable[Fetched[Value]]]) -> Value:
        """Return the value of a name; the first who asks fetches it, the others wait for that.

        What is forgotten while it is fetched is fetched again: it may be from before the change.
        """
        while True:
            kept = self._kept.get(name)
            if kept is not None and self._clock.now() < kept[1]:
                return kept[0].value
            fetching = self._fetching.get(name)
            if fetching is not None:
                await asyncio.wait([fetching])
                continue
            fetched = await self._fetch(name, fetch)
            if fetched is not None:
                return fetched.value

    def peek(self, name: str) -> Value | None:
        """Return the value of a name without fetching it; None when there is none."""
        kept = self._kept.get(name)
        return kept[0].value if kept is not None and self._clock.now() < kept[1] else None

    def clear(self) -> None:
        """Let whoever asks from now on fetch every value anew."""
        self._kept.clear()
        self._fetching.clear()

    def forget(self, name: str) -> None:
        """Let whoever asks from now on fetch the value of a name anew."""
        self._kept.pop(name, None)
        self._fetching.pop(name, None)

    async def _fetch(self, name: str, fetch: Callable[[], Awaitable[Fetched[Value]]]) -> Fetched[Value] | None:
        """Fetch and keep a value; None when it was forgotten meanwhile."""
        mine = self._fetching[name] = asyncio.get_running_loop().create_future()
        try:
            fetched = await fetch()
            if self._fetching.get(name) is not mine:
                return None
            self._keep(name, fetched)
            return fetched
        finally:
            if self._fetching.get(name) is mine:
                del self._fetching[name]
            mine.set_result(None)

    def _keep(self, name: str, fetched: Fetched[Value]) -> None:
        self._kept.pop(name, None)
        while len(self._kept) >= self._size:
            del self._kept[next(iter(self._kept))]
        self._kept[name] = (fetched, self._clock.now() + timedelta(seconds=fetched.good_for_s))
