"""Stopping: an answer that nobody wants any more ends, wherever it is made, and no other one does."""

import asyncio

import pytest

from bots import conversation
from bots.delivery import Stops
from memory.model import TextDelta
from memory.stores.in_memory import InMemorySignals
from memory.tasks import TaskTracker
from tests.fakes.model import Pause
from tests.fixtures.delivery import PLACE, Machine, Posting, Process, texts

pytestmark = pytest.mark.timeout(60)


async def test_only_the_answer_to_the_message_that_is_named_is_stopped(process: Process) -> None:
    """A press that comes late, when the thread's next answer is made, changes nothing."""
    await process.send("one")
    process.model.gate.clear()
    process.model.waiting.clear()
    turn = asyncio.create_task(process.send("two"))
    await process.model.waiting.wait()

    assert not process.delivery.stop(PLACE.session_id, message="one")
    assert process.delivery.stop(PLACE.session_id, message="two")
    assert texts(await turn) == [conversation.STOPPED]


async def test_only_the_answer_in_the_post_that_is_named_is_stopped(process: Process) -> None:
    """One that is not shown yet is in no post."""
    process.model.replies = [[TextDelta(text="half "), Pause(), TextDelta(text="an answer")]]
    process.model.gate.clear()
    shown = Posting()
    turn = asyncio.create_task(process.send("one", shown))
    await process.model.waiting.wait()
    assert not process.delivery.stop(PLACE.session_id, posts=["post-1"])
    process.model.gate.set()
    await process.model.paused.wait()

    assert not process.delivery.stop(PLACE.session_id, posts=["post-0"])
    assert process.delivery.stop(PLACE.session_id, posts=["post-0", "post-1"])
    await turn
    assert texts(shown) == [conversation.STOPPED]


async def test_an_answer_is_stopped_in_the_process_that_makes_it(machine: Machine) -> None:
    """The press is heard by another one, which tells the others which answer is meant."""
    making, hearing = await machine.start(), await machine.start("b")
    signals, tasks = InMemorySignals(), TaskTracker()
    here, there = (Stops(delivery=each.delivery, signals=signals, tasks=tasks) for each in (making, hearing))
    making.model.gate.clear()
    turn = asyncio.create_task(making.send("one"))
    await making.model.waiting.wait()
    async with here.of_others(), there.of_others():
        there.stop(PLACE.session_id, message="another")
        await tasks.idle()
        there.stop(PLACE.session_id, message="one")
        await tasks.idle()
        stopped = await turn

    assert texts(stopped) == [conversation.STOPPED]
