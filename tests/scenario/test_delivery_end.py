"""How turns end: committed first, then shown, in order and once, whatever becomes of the process between the two."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bots import conversation
from bots.delivery import QUEUED
from memory.errors import ProviderRefusedError, ProviderUnavailableError
from memory.model import TextDelta
from memory.stores.sql.leases import SqlLeaseStore
from tests.fakes.clock import HandTimer
from tests.fakes.values import dm
from tests.fixtures.core import Shown
from tests.fixtures.delivery import PLACE, Deaf, Machine, Posting, Process, SlowToFinish, Watched, texts

pytestmark = pytest.mark.timeout(60)
"""A mistake in what is tested here shows as a message that nobody answers."""


async def test_an_answer_that_is_committed_is_shown_though_the_lease_is_gone(machine: Machine) -> None:
    """Renewals that come while the answer is being shown find the lease released, and do no harm."""
    timer = HandTimer()
    process = await machine.start(timer=timer)
    slow = SlowToFinish()
    turn = asyncio.create_task(process.send("why?", slow))
    await slow.finishing.wait()
    await SqlLeaseStore(machine.database).release_all()
    await timer.sleepers(2)  # who renews the lease, and who watches it
    timer.advance(8)
    await process.messages.renewals.get()
    slow.gate.set()
    await turn

    assert texts(slow) == ["answer 1"]
    assert not slow.abandoned


@pytest.mark.parametrize("interruption", ["stop", "close"])
async def test_what_comes_too_late_to_end_a_turn_lets_it_be_shown(process: Process, interruption: str) -> None:
    """Once an answer is committed, neither a stop nor a shutdown keeps it from the person."""
    slow = SlowToFinish()
    turn = asyncio.create_task(process.send("why?", slow))
    await slow.finishing.wait()
    if interruption == "stop":
        assert not process.delivery.stop(PLACE.session_id)
        slow.gate.set()
    else:
        async with asyncio.TaskGroup() as group:
            group.create_task(process.delivery.close(grace_s=0))
            await asyncio.sleep(0)
            slow.gate.set()
    await turn

    assert texts(slow) == ["answer 1"]


async def test_a_commit_that_was_not_confirmed_is_shown_once(process: Process) -> None:
    """The second attempt to commit finds the first one's answer, and shows it."""
    process.messages.unconfirmed = {"settle"}

    shown = await process.send("why?")

    assert texts(shown) == ["answer 1"]
    assert len(process.model.asked) == 1


async def test_an_answer_that_cannot_be_shown_does_not_hold_up_its_thread(process: Process) -> None:
    """The answer is in the history; the next message is answered."""
    await process.send("one", Deaf())

    assert texts(await process.send("two")) == ["answer 2"]
    assert [message.text for message in process.model.asked[1].history] == ["one", "answer 1"]


async def test_an_answer_that_cannot_be_kept_ends_in_fixed_words(process: Process) -> None:
    """An error nobody foresaw at the commit is told to the person, and not repeated for ever."""

    class BreaksOnce(set[str]):
        def __contains__(self, name: object) -> bool:
            found = super().__contains__(name)
            self.discard(str(name))
            return found

    process.messages.broken = BreaksOnce({"settle"})

    assert texts(await process.send("one"), await process.send("two")) == [conversation.BROKEN, "answer 2"]


async def test_an_answer_that_was_committed_but_not_shown_is_shown_later(machine: Machine, process: Process) -> None:
    """The platform was away at the wrong moment, or the process died: the next look finds it, once."""
    await process.send("one", Deaf())
    at_once = await process.recover()
    machine.clock.advance(300)
    later = await process.recover()
    machine.clock.advance(300)

    assert (at_once, later, await process.recover()) == (0, 1, 0)
    assert texts(*process.late) == ["answer 1"]
    assert len(process.model.asked) == 1


async def test_what_was_removed_from_a_message_is_told_also_late(machine: Machine, process: Process) -> None:
    """Whoever answers, and whoever shows the answer, knows it from the record."""
    await process.send("deploy with password=hunter2-Xk9qP", Deaf())
    machine.clock.advance(300)
    await process.recover()

    notices = [notice for shown in process.late for reply in shown.replies for notice in reply.notices]
    assert any(notice.startswith("I removed what looks like a secret") for notice in notices)


async def test_an_answer_that_was_forgotten_before_it_was_shown_is_not_shown(machine: Machine) -> None:
    """Its place is cleared instead."""
    process = await machine.start()

    await process.send("my vault is in cellar-17", Deaf())
    await machine.forget("cellar-17")
    machine.clock.advance(300)
    await process.recover()

    assert texts(*process.late) == []
    assert [shown.abandoned for shown in process.late] == [True]


async def test_the_next_process_knows_where_the_answer_is_shown(machine: Machine, process: Process) -> None:
    """What one process began to show, the next one shows to its end in the same place."""
    shown = Posting()
    process.model.replies = [[TextDelta(text="Half an ")]]
    process.messages.down = {"settle"}
    turn = asyncio.create_task(process.send("why?", shown))
    while not shown.streamed:
        await asyncio.sleep(0)
    await process.delivery.close(grace_s=0)
    await turn
    other = await machine.start("a")
    await other.delivery.recover(PLACE.tenant_id)
    await other.delivery.idle()

    assert shown.begun_with == [None]
    assert [each.begun_with for each in other.late if isinstance(each, Posting)] == [["post-1"]]


async def test_nothing_is_shown_in_a_turn_that_another_process_has(machine: Machine, process: Process) -> None:
    """The lease is asked before the first word goes out."""
    shown = Posting()
    process.model.gate.clear()
    turn = asyncio.create_task(process.send("why?", shown))
    await process.model.waiting.wait()
    other = await machine.start("b")
    await machine.give_thread_to("b")
    await other.delivery.recover(PLACE.tenant_id)
    await other.delivery.idle()
    process.model.gate.set()
    await turn

    assert (shown.streamed, shown.abandoned) == ("", True)
    assert texts(shown, *other.late) == ["answer 1"]


@pytest.mark.parametrize("end", ["pong", ProviderUnavailableError("scripted", "down")])
async def test_two_processes_that_end_a_turn_alike_show_one_end(
    machine: Machine, end: str | ProviderUnavailableError
) -> None:
    """The one that lost its lease keeps silent, though what the other one stored reads the same."""
    process, other = await machine.start("a"), await machine.start("b")
    process.model.replies, other.model.replies = [end], [end]
    process.model.gate.clear()
    shown = Shown()
    turn = asyncio.create_task(process.send("ping", shown))
    await process.model.waiting.wait()
    await machine.let_leases_run_out()
    await other.recover()
    process.model.gate.set()
    await turn

    assert len(texts(*other.late)) == 1
    assert (texts(shown, *process.late), shown.abandoned) == ([], True)


async def test_the_next_answer_of_a_thread_waits_until_this_one_is_shown(machine: Machine) -> None:
    """Across processes: nobody reads the second answer above the first."""
    process, other = await machine.start("a"), await machine.start("b")
    slow, there = SlowToFinish(), Watched()
    first = asyncio.create_task(process.send("one", slow))
    await slow.finishing.wait()
    second = asyncio.create_task(other.send("two", there))
    await there.shows(QUEUED)

    assert other.model.asked == []
    slow.gate.set()
    await asyncio.wait([first, second])
    assert texts(slow) == ["answer 1"]
    assert len(texts(there, *process.late)) == 1


async def test_what_a_dead_process_did_not_show_is_shown_before_the_next_answer(machine: Machine) -> None:
    """Whoever takes the thread shows it first, in the place of whoever waits for it."""
    dead, alive = await machine.start("dead", timer=HandTimer()), await machine.start("alive")
    slow = SlowToFinish()
    first = asyncio.create_task(dead.send("one", slow))
    await slow.finishing.wait()
    await machine.let_leases_run_out()
    shown = await alive.send("two")

    assert texts(*alive.late, shown) == ["answer 1", "answer 1"]
    assert [request.message.text for request in alive.model.asked] == ["two"]
    slow.gate.set()
    await first


async def test_an_answer_that_is_being_shown_is_not_shown_by_a_look_for_what_was_left(
    machine: Machine, process: Process
) -> None:
    """However long that takes, and whichever process looks."""
    other, slow = await machine.start("b"), SlowToFinish()
    turn = asyncio.create_task(process.send("one", slow))
    await slow.finishing.wait()
    machine.clock.advance(600)
    await process.delivery.recover(PLACE.tenant_id)
    await other.delivery.recover(PLACE.tenant_id)
    slow.gate.set()
    await turn
    await process.delivery.idle()
    await other.delivery.idle()

    assert texts(slow, *process.late, *other.late) == ["answer 1"]


async def test_a_showing_that_could_not_be_noted_at_once_is_not_repeated(process: Process) -> None:
    """The thread goes on when the record has taken it."""
    process.messages.down = {"mark_shown"}
    shown = SlowToFinish()
    turn = asyncio.create_task(process.send("one", shown))
    await shown.finishing.wait()
    shown.gate.set()
    second = asyncio.create_task(process.send("two"))
    await process.accepted(2)
    process.messages.down = set()

    await turn
    assert texts(shown, await second, *process.late) == ["answer 1", "answer 2"]


async def test_an_answer_to_an_old_message_is_shown_as_any_other(machine: Machine, process: Process) -> None:
    """What counts is how long ago it was made: the message may have waited for hours in an outage."""
    message = replace(process.message("one"), sent_at=machine.clock.now() - timedelta(hours=7))
    await process.delivery.handle(message, Deaf())
    await process.delivery.idle()
    machine.clock.advance(300)

    assert await process.recover() == 1
    assert texts(*process.late) == ["answer 1"]


async def test_an_answer_that_nobody_waits_for_any_more_is_let_go(machine: Machine, process: Process) -> None:
    """Its place is cleared, and nobody looks at it again."""
    await process.send("one", Deaf())
    await process.delivery.idle()
    machine.clock.advance(7 * 3_600)

    assert (await process.recover(), await process.recover()) == (1, 0)
    assert [(texts(shown), shown.abandoned) for shown in process.late] == [([], True)]


async def test_an_answer_that_is_forgotten_while_it_is_made_is_not_shown(machine: Machine, process: Process) -> None:
    """What the record does not keep of it, the person does not see; other words take its place."""
    process.model.gate.clear()
    process.model.replies = ["your vault is in cellar-17"]
    shown = Shown()
    turn = asyncio.create_task(process.send("my vault is in cellar-17", shown))
    await process.model.waiting.wait()
    await machine.forget("cellar-17")
    process.model.gate.set()
    await turn

    assert texts(shown) == [conversation.FORGOTTEN]


async def test_an_answer_is_shown_as_it_is_kept(process: Process) -> None:
    """A model that makes up a secret shows none."""
    process.model.replies = ["the key is AKIAIOSFODNN7EXAMPLE"]

    assert "AKIAIOSFODNN7EXAMPLE" not in texts(await process.send("which key?"))[0]


async def test_a_failure_that_is_shown_late_has_its_own_words(machine: Machine, process: Process) -> None:
    """And the id by which it is found in the log."""
    process.model.replies = [ProviderRefusedError("scripted", "no quota")]
    deaf = Deaf()
    await process.send("one", deaf)
    await process.delivery.idle()
    machine.clock.advance(300)
    await process.recover()

    ((reply,),) = [shown.replies for shown in process.late]
    assert (reply.text, reply.failed) == (conversation.REFUSED, True)
    assert reply.correlation_id is not None and [reply.correlation_id] == deaf.correlation_ids


async def test_a_stopped_turn_that_is_shown_late_says_so(machine: Machine, process: Process) -> None:
    """Nothing went wrong."""
    process.model.gate.clear()
    turn = asyncio.create_task(process.send("one", Deaf()))
    await process.model.waiting.wait()
    process.delivery.stop(PLACE.session_id)
    await turn
    await process.delivery.idle()
    machine.clock.advance(300)
    await process.recover()

    assert texts(*process.late) == [conversation.STOPPED]


async def test_what_was_left_unshown_is_shown_by_so_many_at_once_as_turns_may_run(machine: Machine) -> None:
    """After a platform's outage it is not asked for everything in one moment."""
    process = await machine.start(parallel_turns=3)
    for number in range(8):
        await process.send("one", Deaf(), place=dm("ana", str(number)), delivery=f"m-{number}")
    await process.delivery.idle()
    machine.clock.advance(300)
    places = [SlowToFinish() for _ in range(8)]
    process.late_places += places
    assert await process.delivery.recover(PLACE.tenant_id) == 8
    for place in places:
        await place.finishing.wait()
        begun = [each for each in places if each.finishing.is_set()]
        assert len([each for each in begun if not each.replies]) <= 3
        place.gate.set()
    await process.delivery.idle()

    assert len(texts(*places)) == 8
