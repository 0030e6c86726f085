"""Stopping: an answer that nobody wants any more ends, wherever it is made, and no other one does."""

import asyncio

import pytest

from bots import conversation
from bots.delivery import Stops
from memory.forgetting import FORGOTTEN, Gone
from memory.model import TextDelta
from memory.stores.in_memory import InMemorySignals
from memory.stores.sql.erasure import SqlErasureStore
from memory.tasks import TaskTracker
from tests.fakes.flaky import Hold
from tests.fakes.model import Pause
from tests.fixtures.delivery import ANA, PLACE, Machine, Posting, Process, texts

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


async def test_an_answer_is_stopped_in_a_post_that_is_not_noted_yet(process: Process) -> None:
    """The platform shows it, and its Stop button, before the record has its name."""
    noting = process.messages.held["note_post"] = Hold()
    shown = Posting()
    turn = asyncio.create_task(process.send("one", shown))
    await noting.reached.wait()

    assert process.delivery.stop(PLACE.session_id, posts=["post-1"])
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
    async with here.heard(), there.heard():
        there.stop(PLACE.session_id, message="another")
        await tasks.idle()
        there.stop(PLACE.session_id, message="one")
        await tasks.idle()
        stopped = await turn

    assert texts(stopped) == [conversation.STOPPED]


async def _half_shown(process: Process) -> tuple[Posting, asyncio.Task[Posting]]:
    """Ask about a vault; return where half of the answer is shown, and the turn."""
    process.model.replies = [[TextDelta(text="half "), Pause(), TextDelta(text="an answer")]]
    shown = Posting()

    async def ask() -> Posting:
        await process.send("my vault is in cellar-17", shown, delivery="m-1")
        return shown

    turn = asyncio.create_task(ask())
    await process.model.paused.wait()
    return shown, turn


async def test_an_answer_ends_as_soon_as_its_message_is_forgotten(machine: Machine, process: Process) -> None:
    """The model is waited for no longer; the person is told, since their message stands where it was."""
    shown, turn = await _half_shown(process)
    await machine.forget("cellar-17")
    process.delivery.forgotten(Gone(session_ids=(PLACE.session_id,)))
    await turn

    assert [(reply.text, reply.withheld) for reply in shown.replies] == [(conversation.FORGOTTEN, True)]
    assert (shown.streamed, shown.retracted) == ("half ", False)
    assert await process.delivery.recover(PLACE.tenant_id) == 0


async def test_an_answer_goes_as_soon_as_its_message_is_deleted(machine: Machine) -> None:
    """In whichever process it is made; what was shown of it is taken back, without a word."""
    process, signals, tasks = await machine.start(), InMemorySignals(), TaskTracker()
    shown, turn = await _half_shown(process)
    await SqlErasureStore(machine.database).delete_message(PLACE.session_id, "m-1", actor=ANA.user_id)
    async with Stops(delivery=process.delivery, signals=signals, tasks=tasks).heard():
        await signals.send(FORGOTTEN, Gone(session_ids=(PLACE.session_id,), deleted="m-1").word)
        await turn

    assert (texts(shown), shown.retracted) == ([], True)
    assert await process.delivery.recover(PLACE.tenant_id) == 0
    assert texts(await process.send("and now?")) == ["answer 2"]


async def _deleted(machine: Machine, process: Process) -> None:
    await SqlErasureStore(machine.database).delete_message(PLACE.session_id, "m-1", actor=ANA.user_id)
    process.delivery.forgotten(Gone(session_ids=(PLACE.session_id,), deleted="m-1"))


async def test_a_message_that_is_deleted_while_it_is_claimed_is_not_answered(
    machine: Machine, process: Process
) -> None:
    """The claim has its words still; no model sees them, and the thread goes on."""
    claiming = process.messages.held["begin_turn"] = Hold()
    shown = Posting()
    turn = asyncio.create_task(process.send("my vault is in cellar-17", shown, delivery="m-1"))
    await claiming.reached.wait()
    await _deleted(machine, process)
    claiming.gate.set()
    await turn

    assert (texts(shown), shown.abandoned, process.model.asked) == ([], True, [])
    assert await process.delivery.recover(PLACE.tenant_id) == 0
    assert texts(await process.send("and now?")) == ["answer 1"]


async def test_a_message_is_answered_once_when_another_one_is_forgotten_while_it_is_claimed(
    machine: Machine, process: Process
) -> None:
    """It is claimed anew, and takes no other place in its author's pace."""
    claiming = process.messages.held["begin_turn"] = Hold()
    turn = asyncio.create_task(process.send("one"))
    await claiming.reached.wait()
    process.delivery.forgotten(Gone())
    claiming.gate.set()

    assert texts(await turn) == ["answer 1"]
    assert machine.pace.taken == [ANA.user_id]


async def test_an_answer_that_was_stopped_goes_as_well_when_its_message_is_deleted(
    machine: Machine, process: Process
) -> None:
    """Nobody is told under a message that is not there."""
    settling = process.messages.held["settle"] = Hold()
    shown, turn = await _half_shown(process)
    process.delivery.stop(PLACE.session_id)
    await settling.reached.wait()
    await _deleted(machine, process)
    settling.gate.set()
    await turn

    assert (texts(shown), shown.retracted) == ([], True)
    assert await process.delivery.recover(PLACE.tenant_id) == 0


async def test_an_answer_that_is_made_is_not_shown_when_its_message_is_deleted(
    machine: Machine, process: Process
) -> None:
    """It was kept a moment too early, and went with the message."""
    settling = process.messages.held["settle"] = Hold()
    shown = Posting()
    turn = asyncio.create_task(process.send("my vault is in cellar-17", shown, delivery="m-1"))
    await settling.reached.wait()
    await _deleted(machine, process)
    settling.gate.set()
    await turn

    assert (texts(shown), shown.retracted) == ([], True)
    assert await process.delivery.recover(PLACE.tenant_id) == 0


async def test_an_answer_goes_on_when_something_else_is_forgotten_or_deleted(process: Process) -> None:
    """In its thread, or in another one."""
    shown, turn = await _half_shown(process)
    for gone in (Gone(), Gone(session_ids=(PLACE.session_id,)), Gone(session_ids=(PLACE.session_id,), deleted="m-0")):
        process.delivery.forgotten(gone)
    process.model.go_on.set()
    await turn

    assert texts(shown) == ["half an answer"]
