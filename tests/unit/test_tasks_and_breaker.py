"""Work behind a reply, and the pause that an outage brings."""

import asyncio

import pytest

from memory.breaker import Breaker
from memory.errors import StoreUnavailableError
from memory.tasks import TaskTracker
from tests.fakes.clock import FrozenClock


async def test_shutdown_waits_for_work_within_its_grace() -> None:
    """What can end in time ends."""
    tasks, release, ended = TaskTracker(), asyncio.Event(), []

    async def work() -> None:
        await release.wait()
        ended.append("whole")

    tasks.start(work(), name="work")
    release.set()
    await tasks.close(grace_s=60)

    assert ended == ["whole"]


async def test_shutdown_cancels_what_does_not_end() -> None:
    """After the grace, work is cancelled and waited for."""
    tasks, ended = TaskTracker(), []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    tasks.start(work(), name="work")
    await asyncio.sleep(0)
    await tasks.close(grace_s=0)

    assert ended == ["cancelled"]


async def test_a_failure_behind_a_reply_harms_nobody() -> None:
    """The failure is logged, and other work goes on."""
    tasks, ended = TaskTracker(), []

    async def fails() -> None:
        raise StoreUnavailableError("redis", "load")

    async def works() -> None:
        ended.append("whole")

    tasks.start(fails(), name="fails")
    tasks.start(works(), name="works")
    await tasks.idle()

    assert ended == ["whole"]


async def test_a_failed_store_is_left_alone_for_a_while() -> None:
    """The breaker opens with a failure, allows a try after the pause, and closes with a success."""
    clock = FrozenClock()
    breaker = Breaker(clock, cool_down_s=5)
    with pytest.raises(StoreUnavailableError):
        async with breaker.guard():
            raise StoreUnavailableError("redis", "load")

    assert not breaker.allows
    clock.advance(5)
    assert breaker.allows
    assert breaker.is_open

    async with breaker.guard():
        pass
    assert not breaker.is_open
