"""Answers that are kept for a while."""

import pytest

from bots.slack.cache import Fetched, TimedCache
from tests.fakes.clock import FrozenClock


class Source:
    """Counts how often each name was fetched."""

    def __init__(self, cache: TimedCache[str], *, good_for_s: float = 60) -> None:
        self.cache = cache
        self.fetched: list[str] = []
        self.good_for_s = good_for_s
        self.broken = False

    async def get(self, name: str) -> str:
        """Ask the cache, which may ask here."""

        async def fetch() -> Fetched[str]:
            self.fetched.append(name)
            if self.broken:
                raise LookupError(name)
            return Fetched(name.upper(), self.good_for_s)

        return await self.cache.get(name, fetch)


async def test_the_oldest_goes_when_it_is_full() -> None:
    """It never holds more than its size, and a value that is fetched again counts as new."""
    clock = FrozenClock()
    source = Source(TimedCache(clock, size=2))

    assert [await source.get(name) for name in ("a", "b", "c", "b", "c", "a")] == ["A", "B", "C", "B", "C", "A"]
    assert source.fetched == ["a", "b", "c", "a"]


async def test_a_value_that_is_good_for_no_time_is_given_once() -> None:
    """Whoever fetched it has it; the next one fetches."""
    source = Source(TimedCache(FrozenClock(), size=2), good_for_s=0)

    assert [await source.get("a"), await source.get("a")] == ["A", "A"]
    assert source.fetched == ["a", "a"]


async def test_a_failure_is_not_kept() -> None:
    """The one who fetched gets the error; the next one fetches."""
    source = Source(TimedCache(FrozenClock(), size=2))
    source.broken = True
    with pytest.raises(LookupError):
        await source.get("a")
    source.broken = False

    assert await source.get("a") == "A"


async def test_a_look_fetches_nothing() -> None:
    """It shows what is kept, for as long as that is good."""
    clock = FrozenClock()
    cache: TimedCache[str] = TimedCache(clock, size=2)
    source = Source(cache)

    assert cache.peek("a") is None
    await source.get("a")
    assert cache.peek("a") == "A"
    clock.advance(60)
    assert cache.peek("a") is None
    assert source.fetched == ["a"]


async def test_all_can_be_forgotten_at_once() -> None:
    """Also what is being fetched: it is fetched again."""
    cache: TimedCache[str] = TimedCache(FrozenClock(), size=2)
    source = Source(cache)
    await source.get("a")
    calls = 0

    async def fetch() -> Fetched[str]:
        nonlocal calls
        calls += 1
        if calls == 1:
            cache.clear()
        return Fetched(f"B{calls}", 60)

    assert await cache.get("b", fetch) == "B2"
    assert cache.peek("a") is None
