"""A clock and timers that the test moves."""

import asyncio
from datetime import UTC, datetime, timedelta

from memory.ports import Clock, Timer


class FrozenClock(Clock):
    """Stands still until told otherwise."""

    def __init__(self, now: datetime = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`."""
        self._now += timedelta(seconds=seconds)


class SwiftTimer(Timer):
    """Whoever sleeps goes on at once, that much later."""

    def __init__(self) -> None:
        self._now = 0.0
        self.sleeps: list[float] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self._now += seconds
        await asyncio.sleep(0)


class HandTimer(Timer):
    """Time passes when the test says so."""

    def __init__(self) -> None:
        self._now = 0.0
        self._sleepers: set[tuple[float, asyncio.Future[None]]] = set()

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        sleeper = (self._now + seconds, asyncio.get_running_loop().create_future())
        self._sleepers.add(sleeper)
        try:
            await sleeper[1]
        finally:
            self._sleepers.discard(sleeper)

    async def sleepers(self, count: int) -> None:
        """Wait until so many sleep."""
        while sum(not sleeping.done() for _, sleeping in self._sleepers) != count:
            await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass; who sleeps no longer than that goes on."""
        self._now += seconds
        for until, sleeping in self._sleepers:
            if until <= self._now and not sleeping.done():
                sleeping.set_result(None)
