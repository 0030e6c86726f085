"""What every pace must do, and that the one over all processes is one."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from itertools import pairwise

import pytest
import redis.asyncio

from memory.errors import StoreUnavailableError
from memory.model import UserId
from memory.pace import SteadyPace
from memory.ports import Pace
from memory.stores.in_memory import InMemoryPace
from memory.stores.redis import RedisPace, open_client
from tests.fakes.clock import FrozenClock
from tests.fixtures.servers import free_port, open_valkey_pace

ANN = UserId("console:local:ann")
BOB = UserId("console:local:bob")

OpenPace = Callable[[int], AbstractAsyncContextManager[Pace]]

A_MOMENT_S = 15
"""What a real clock may have moved on within a test, on a machine however slow."""


async def test_a_burst_has_no_wait(open_pace: OpenPace) -> None:
    """A minute's turns may come at once."""
    async with open_pace(5) as pace:
        assert [await pace.take(ANN) for _ in range(5)] == [0.0] * 5


async def test_past_the_burst_each_waits_longer(open_pace: OpenPace) -> None:
    """Every further turn waits its part of a minute longer than the one before: nobody is refused."""
    async with open_pace(2) as pace:
        waits = [await pace.take(ANN) for _ in range(6)]

    assert waits[:2] == [0.0, 0.0]
    assert waits[2:] == pytest.approx([30, 60, 90, 120], abs=A_MOMENT_S)
    assert waits == sorted(waits)


async def test_people_have_their_own_pace(open_pace: OpenPace) -> None:
    """One person's haste is not another's wait."""
    async with open_pace(1) as pace:
        assert await pace.take(ANN) == 0.0
        assert await pace.take(ANN) > 0
        assert await pace.take(BOB) == 0.0


async def test_who_waits_as_told_is_in_time(open_pace: OpenPace) -> None:
    """After the wait that was told, and one turn's part of a minute, the next turn has none."""
    async with open_pace(6_000) as pace:  # 10 ms a turn
        waits = [await pace.take(ANN) for _ in range(6_010)]
        await asyncio.sleep(waits[-1] + 0.01)

        assert await pace.take(ANN) == 0.0


async def test_concurrent_turns_get_a_place_each(open_pace: OpenPace) -> None:
    """Of turns that come at the same moment no two are told the same wait."""
    async with open_pace(1) as pace, asyncio.TaskGroup() as group:
        taken = [group.create_task(pace.take(ANN)) for _ in range(20)]

    waits = sorted(task.result() for task in taken)
    assert waits == pytest.approx([60 * place for place in range(20)], abs=A_MOMENT_S)
    assert all(later - earlier > A_MOMENT_S for earlier, later in pairwise(waits))


@pytest.mark.service
async def test_processes_share_one_pace(valkey_url: str, valkey: "redis.asyncio.Redis") -> None:
    """Whichever process takes a turn, it counts for all."""
    del valkey
    async with open_valkey_pace(valkey_url, 2) as one, open_valkey_pace(valkey_url, 2) as two:
        assert [await one.take(ANN), await two.take(ANN)] == [0.0, 0.0]
        assert [await one.take(ANN), await two.take(ANN)] == pytest.approx([30, 60], abs=A_MOMENT_S)


@pytest.mark.service
async def test_a_key_lives_as_long_as_it_says_something(valkey_url: str, valkey: "redis.asyncio.Redis") -> None:
    """Everybody has one key, which goes by itself once the turns that were taken are over."""
    async with open_valkey_pace(valkey_url, 2) as pace:
        for _ in range(6):
            await pace.take(ANN)
        keys = [key async for key in valkey.scan_iter()]
        assert keys == [f"recall:{{{ANN}}}:pace".encode()]
        assert (180 - A_MOMENT_S) * 1000 < await valkey.pttl(keys[0]) <= 180_000


@pytest.mark.service
@pytest.mark.parametrize("foreign", ["not a number", "", "0"])
async def test_a_foreign_value_counts_as_none(valkey_url: str, valkey: "redis.asyncio.Redis", foreign: str) -> None:
    """What another program wrote holds nobody up."""
    await valkey.set(f"recall:{{{ANN}}}:pace", foreign)
    async with open_valkey_pace(valkey_url, 1) as pace:
        assert await pace.take(ANN) == 0.0
        assert await pace.take(ANN) > 0


async def test_an_unreachable_server_is_unavailable() -> None:
    """The shared pace says so, and decides nothing."""
    async with open_client(f"redis://127.0.0.1:{free_port()}") as client:
        with pytest.raises(StoreUnavailableError):
            await RedisPace(client, per_min=1).take(ANN)


class CountedPace(Pace):
    """A shared pace that can be away.

    Attributes:
        asked: How often it was asked.
    """

    def __init__(self) -> None:
        self.is_up = True
        self.asked = 0

    async def take(self, user_id: UserId) -> float:
        self.asked += 1
        if not self.is_up:
            raise StoreUnavailableError("redis", f"take for {user_id}")
        return 7.0


async def test_a_process_keeps_its_own_pace_meanwhile() -> None:
    """While the shared count is away the same rule holds within the process, and its time-out is paid only at times."""
    shared, clock = CountedPace(), FrozenClock()
    local = InMemoryPace(per_min=2, monotonic=lambda: clock.now().timestamp())
    pace = SteadyPace(shared, local, clock=clock, cool_down_s=5)
    assert await pace.take(ANN) == 7.0

    shared.is_up = False
    assert [await pace.take(ANN) for _ in range(4)] == [0.0, 0.0, 30.0, 60.0]
    assert shared.asked == 2

    clock.advance(5)
    shared.is_up = True
    assert await pace.take(ANN) == 7.0
