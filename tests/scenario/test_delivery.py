"""One message, one answer: whatever fails, ends or overtakes, nothing is lost, doubled or held up for ever."""

import asyncio
from typing import Any

import pytest

from bots import conversation
from bots.delivery import NO_RECORD, QUEUED
from memory.errors import StoreUnavailableError
from memory.model import TextDelta
from tests.fakes.clock import HandTimer
from tests.fakes.flaky import Hold
from tests.fakes.model import Pause
from tests.fakes.values import dm, private_channel, public_channel
from tests.fixtures.core import Shown
from tests.fixtures.delivery import PLACE, Machine, Process, SlowToAbandon, Watched, texts

pytestmark = pytest.mark.timeout(60)
"""A mistake in what is tested here shows as a message that nobody answers."""

_SHORT_LEASE_S = 0.06
_LEASE_SLEEPERS = 2
"""Who renews the lease, and who watches it."""


async def test_an_acceptance_that_was_not_confirmed_is_answered_when_it_is_delivered_again(process: Process) -> None:
    """The platform was told that it failed; its redelivery is a known one, and sees to the answer."""
    process.messages.unconfirmed = {"accept"}
    with pytest.raises(StoreUnavailableError):
        await process.send("why?", delivery="m-1")

    again = await process.send("why?", delivery="m-1")
    await process.delivery.idle()

    assert texts(again, *process.late) == ["answer 1"]
    assert texts(await process.send("and now?")) == ["answer 2"]


async def test_a_message_that_is_accepted_is_answered_though_its_handler_is_cancelled(process: Process) -> None:
    """The platform was never told that it was taken: it delivers it again, which changes nothing."""
    hold = process.messages.held["accept"] = Hold()
    message, shown, again = process.message("one"), Shown(), Shown()
    accepting = asyncio.create_task(process.delivery.accept(message, shown))
    await hold.reached.wait()
    accepting.cancel()
    await asyncio.sleep(0)
    hold.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await accepting
    await process.delivery.idle()
    await process.delivery.accept(message, again)
    await process.delivery.idle()

    assert texts(shown) == ["answer 1"]
    assert texts(again, *process.late) == []


async def test_a_person_who_gives_up_while_their_message_is_accepted_is_not_answered(process: Process) -> None:
    """Its turn ends without one, and holds nothing up."""
    hold = process.messages.held["accept"] = Hold()
    turn = asyncio.create_task(process.send("one"))
    await hold.reached.wait()
    turn.cancel()
    await asyncio.sleep(0)
    hold.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await turn

    assert texts(await process.send("two")) == ["answer 1"]
    assert [request.message.text for request in process.model.asked] == ["two"]


@pytest.mark.parametrize("hand_over_s", [15.0, 0.0])
async def test_a_turn_that_is_claimed_while_its_process_ends_is_handed_over(
    machine: Machine, hand_over_s: float
) -> None:
    """The model is not asked; the next process need not wait for the lease to run out."""
    process = await machine.start("a", hand_over_s=hand_over_s)
    hold = process.messages.held["begin_turn"] = Hold()
    shown = Shown()
    turn = asyncio.create_task(process.send("one", shown))
    await hold.reached.wait()
    closing = asyncio.create_task(process.delivery.close(grace_s=0))
    for _ in range(20):  # until all that can be done without the record's answer is done
        await asyncio.sleep(0)
    hold.gate.set()
    await closing
    await turn
    other = await machine.start("b")

    assert (process.model.asked, shown.abandoned) == ([], True)
    assert await other.recover() == 1
    assert texts(*other.late) == ["answer 1"]


async def test_a_turn_is_handed_over_when_nothing_of_it_is_left_to_be_taken_back(machine: Machine) -> None:
    """Whoever has it next may write where its status was."""
    process, other = await machine.start("a"), await machine.start("b")
    process.model.gate.clear()
    shown = SlowToAbandon()
    turn = asyncio.create_task(process.send("one", shown))
    await process.model.waiting.wait()
    (message_id,) = await process.messages.waiting(PLACE.session_id)
    closing = asyncio.create_task(process.delivery.close(grace_s=0))
    await shown.abandoning.wait()

    assert await other.messages.begin_turn(message_id, holder="b", lease_s=30) is None
    shown.gate.set()
    await closing
    await turn
    assert await other.messages.begin_turn(message_id, holder="b", lease_s=30) is not None


async def test_what_arrives_goes_first(process: Process) -> None:
    """No turn begins beside a message that is being taken in, for which the platform waits."""
    taking, beginning = Hold(), Hold()
    beginning.gate.set()
    process.messages.held |= {"accept": taking, "begin_turn": beginning}
    shown, other = Shown(), Shown()
    accepting = asyncio.create_task(process.delivery.accept(process.message("one", place=dm("ana", "2")), other))
    await taking.reached.wait()
    await process.delivery.accept(process.message("two"), shown)
    for _ in range(20):  # each takes as long as to begin a turn
        await process.messages.waiting(PLACE.session_id)
    has_begun_before = beginning.reached.is_set()
    taking.gate.set()
    await accepting
    await process.delivery.idle()

    assert not has_begun_before
    assert (len(texts(shown)), len(texts(other))) == (1, 1)


async def test_a_message_that_comes_while_its_thread_is_looked_at_is_answered_where_it_waits(process: Process) -> None:
    """The look does not know it yet, which says nothing of it."""
    look = process.messages.held["waiting"] = Hold()
    first = await process.send("one")
    await look.reached.wait()
    second = Shown()
    await process.delivery.accept(process.message("two"), second)
    look.gate.set()
    await process.delivery.idle()

    assert texts(first, second) == ["answer 1", "answer 2"]
    assert texts(*process.late) == []
    assert second.statuses == []  # nothing comes before it


async def test_a_redelivery_of_a_message_that_is_being_answered_changes_nothing(process: Process) -> None:
    """One answer, in the first delivery's place."""
    process.model.gate.clear()
    shown = Shown()
    turn = asyncio.create_task(process.send("why?", shown, delivery="m-1"))
    await process.model.waiting.wait()
    again = await process.send("why?", delivery="m-1")
    process.model.gate.set()
    await turn
    await process.delivery.idle()

    assert texts(shown, again, *process.late) == ["answer 1"]


async def test_a_message_let_go_of_during_an_outage_holds_nothing_up(process: Process) -> None:
    """The person gave up while the record was away; the next message is answered when it is back."""
    process.messages.down = {"begin_turn"}
    shown = Watched()
    turn = asyncio.create_task(process.send("one", shown))
    await shown.shows(NO_RECORD)
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    process.messages.down = set()

    assert texts(await process.send("two")) == ["answer 1"]
    assert shown.abandoned
    assert texts(shown) == []


async def test_only_the_next_message_of_a_thread_is_told_that_it_waits(process: Process) -> None:
    """A line for each would put the answers into the order in which the platform took the lines."""
    process.model.gate.clear()
    first = asyncio.create_task(process.send("one"))
    await process.model.waiting.wait()
    next_one, behind = Watched(), Watched()
    second = asyncio.create_task(process.send("two", next_one))
    await next_one.shows(QUEUED)
    third = asyncio.create_task(process.send("three", behind))
    await process.accepted(3)
    assert behind.statuses == []
    process.model.gate.set()
    process.model.gate.clear()
    await behind.shows(QUEUED)
    process.model.gate.set()

    assert texts(await first, await second, await third) == ["answer 1", "answer 2", "answer 3"]


async def test_a_message_that_is_being_taken_in_is_answered_in_its_own_place(process: Process) -> None:
    """The record knows it before this process hears that it does; the thread does not make another place for it."""
    process.model.gate.clear()
    first = asyncio.create_task(process.send("one"))
    await process.model.waiting.wait()
    taken = process.messages.held["accept"] = Hold()
    second = asyncio.create_task(process.send("two"))
    await taken.reached.wait()
    process.model.gate.set()
    await process.delivery.idle()
    taken.gate.set()

    assert texts(await first, await second) == ["answer 1", "answer 2"]
    assert process.late == []


async def test_a_message_let_go_of_behind_a_running_one_holds_nothing_up(process: Process) -> None:
    """The third is answered after the first; nobody is asked about the second."""
    process.model.gate.clear()
    first = asyncio.create_task(process.send("one"))
    await process.model.waiting.wait()
    queued = Watched()
    second = asyncio.create_task(process.send("two", queued))
    await queued.shows(QUEUED)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    third = asyncio.create_task(process.send("three"))
    await process.accepted(3)
    process.model.gate.set()

    assert texts(await first, await third) == ["answer 1", "answer 2"]
    assert queued.abandoned
    assert [request.message.text for request in process.model.asked] == ["one", "three"]


async def test_a_stop_during_an_outage_ends_the_turn_when_the_record_is_back(process: Process) -> None:
    """The person is told that it stopped, and the next message is answered."""
    process.model.gate.clear()
    shown = Shown()
    turn = asyncio.create_task(process.send("one", shown))
    await process.model.waiting.wait()
    process.messages.down = {"settle"}
    assert process.delivery.stop(PLACE.session_id)
    await asyncio.sleep(0)
    process.messages.down = set()
    process.model.gate.set()
    await turn

    assert texts(shown, await process.send("two")) == [conversation.STOPPED, "answer 2"]


async def test_a_status_that_cannot_be_shown_costs_no_answer(process: Process) -> None:
    """A platform that refuses a status line is no reason to lose a message."""

    class Mute(Shown):
        async def status(self, text: str) -> None:
            raise OSError(f"no {text}")

    process.model.gate.clear()
    first = asyncio.create_task(process.send("one"))
    await process.model.waiting.wait()
    second = asyncio.create_task(process.send("two", Mute()))
    await process.accepted(2)
    process.model.gate.set()

    assert texts(await first, await second) == ["answer 1", "answer 2"]


async def test_a_shutdown_takes_back_the_status_of_what_waits(machine: Machine, process: Process) -> None:
    """Nothing stays "queued" on the screen; the next process answers both messages in their order."""
    process.model.gate.clear()
    shown, queued = Shown(), Watched()
    turns = [asyncio.create_task(process.send("one", shown))]
    await process.model.waiting.wait()
    turns.append(asyncio.create_task(process.send("two", queued)))
    await queued.shows(QUEUED)
    await process.delivery.close(grace_s=0)
    await asyncio.wait(turns)
    other = await machine.start("b")

    assert (shown.abandoned, queued.abandoned) == (True, True)
    assert await other.delivery.recover(PLACE.tenant_id) == 2
    await other.delivery.idle()
    assert texts(*other.late) == ["answer 1", "answer 2"]


async def test_what_runs_here_is_not_recovered(process: Process) -> None:
    """Looking for what was left behind leaves alone what this process is busy with."""
    process.model.gate.clear()
    turn = asyncio.create_task(process.send("one"))
    await process.model.waiting.wait()

    assert await process.delivery.recover(PLACE.tenant_id) == 0
    process.model.gate.set()
    assert texts(await turn, *process.late) == ["answer 1"]
    assert len(process.model.asked) == 1


async def test_a_turn_is_renewed_while_the_model_thinks(machine: Machine) -> None:
    """An answer may take longer than a lease: another process finds the thread taken all the while."""
    process = await machine.start(lease_s=0.6)
    other = await machine.start("b")
    process.model.gate.clear()
    turn = asyncio.create_task(process.send("one"))
    await process.model.waiting.wait()
    for _ in range(4):  # each a quarter of a lease after the one before
        await process.messages.renewals.get()
    (waiting,) = await other.messages.waiting(PLACE.session_id)

    assert await other.messages.begin_turn(waiting, holder="b", lease_s=30) is None
    process.model.gate.set()
    assert texts(await turn) == ["answer 1"]


@pytest.mark.parametrize("fault", ["down", "broken"])
async def test_a_renewal_that_fails_is_tried_again(machine: Machine, fault: str) -> None:
    """Whatever the failure was: giving up would let the lease run out unseen."""
    timer = HandTimer()
    process = await machine.start(lease_s=30, timer=timer)
    process.model.gate.clear()
    setattr(process.messages, fault, {"renew"})
    turn = asyncio.create_task(process.send("one"))
    await process.model.waiting.wait()
    for faults in ({"renew"}, {"renew"}, set[str](), set[str]()):
        setattr(process.messages, fault, faults)
        await timer.sleepers(_LEASE_SLEEPERS)
        timer.advance(8)
        await process.messages.renewals.get()
    await timer.sleepers(_LEASE_SLEEPERS)
    process.model.gate.set()

    assert texts(await turn) == ["answer 1"]


async def test_a_process_that_cannot_renew_its_turn_stops_talking(machine: Machine) -> None:
    """Its lease is over by any clock, and another process answers: it shows no more of its own answer."""
    timer = HandTimer()
    process = await machine.start(lease_s=30, timer=timer)
    shown = Shown()
    process.model.replies = [[TextDelta(text="half "), Pause(), TextDelta(text="an answer")]]
    turn = asyncio.create_task(process.send("one", shown))
    await process.model.paused.wait()
    process.messages.down = {"begin_turn", "renew", "settle", "hand_over"}
    await timer.sleepers(_LEASE_SLEEPERS)
    timer.advance(31)
    await turn
    await machine.let_leases_run_out()
    other = await machine.start("b")
    await other.recover()
    process.messages.down = set()
    await process.delivery.idle()

    assert (shown.streamed, shown.abandoned) == ("half ", True)
    assert texts(shown, *process.late, *other.late) == ["answer 1"]


async def test_a_process_that_finds_its_turn_lost_stops_and_shows_nothing(machine: Machine) -> None:
    """The other process answers; this one goes on with the next message of the thread, and can stop it."""
    process = await machine.start(lease_s=_SHORT_LEASE_S)
    process.model.gate.clear()
    shown = Shown()
    turn = asyncio.create_task(process.send("one", shown))
    await process.model.waiting.wait()
    other = await machine.start("b")
    await machine.give_thread_to("b")
    assert await other.delivery.recover(PLACE.tenant_id) == 1
    await other.delivery.idle()
    await turn
    process.model.waiting.clear()
    after = Shown()
    following = asyncio.create_task(process.send("two", after))
    await process.model.waiting.wait()

    assert shown.abandoned
    assert texts(*other.late) == ["answer 1"]
    assert process.delivery.stop(PLACE.session_id)
    await following
    assert texts(shown, after) == [conversation.STOPPED]


async def test_a_dead_process_is_replaced_by_one_that_waits(machine: Machine) -> None:
    """Its message was first; whoever has the next one answers both, in order."""
    dead = await machine.start("dead", lease_s=_SHORT_LEASE_S)
    alive = await machine.start("alive")
    dead.model.gate.clear()
    first = asyncio.create_task(dead.send("one"))
    await dead.model.waiting.wait()
    dead.messages.down = {"begin_turn", "renew", "settle"}
    shown = await alive.send("two")
    dead.messages.down = set()
    dead.model.gate.set()
    await first

    assert texts(*alive.late, shown) == ["answer 1", "answer 2"]
    assert [request.message.text for request in alive.model.asked] == ["one", "two"]


async def test_the_process_with_the_turn_works_off_the_thread_for_all(machine: Machine, process: Process) -> None:
    """A message that another process accepted is answered without waiting for that one to look again."""
    other = await machine.start("b")
    process.model.gate.clear()
    first = asyncio.create_task(process.send("one"))
    await process.model.waiting.wait()
    elsewhere = Watched()
    second = asyncio.create_task(other.send("two", elsewhere))
    await elsewhere.shows(QUEUED)
    process.model.gate.set()
    await asyncio.wait([first, second])

    assert texts(*process.late, *other.late, elsewhere) == ["answer 2"]
    assert [request.message.text for request in process.model.asked] == ["one", "two"]
    assert elsewhere.abandoned


@pytest.mark.parametrize("fault", ["down", "broken"])
async def test_a_late_place_is_taken_back_when_its_turn_cannot_end(machine: Machine, fault: str) -> None:
    """Nothing stays "thinking" of a message that an earlier process accepted; there is one place for all attempts."""
    accepting, process = await machine.start("a"), await machine.start("b")
    await accepting.delivery.close(grace_s=0)
    await accepting.delivery.accept(accepting.message("one"), Shown())
    setattr(process.messages, fault, {"settle"})
    await process.delivery.recover(PLACE.tenant_id)
    await process.model.waiting.wait()
    await process.delivery.close(grace_s=0)

    assert [(texts(shown), shown.abandoned) for shown in process.late] == [([], True)]


async def test_who_sent_a_secret_is_told_whichever_process_answers(machine: Machine) -> None:
    """The stored text says how many of which kind were taken out."""
    accepting, process = await machine.start("a"), await machine.start("b")
    await accepting.delivery.close(grace_s=0)
    await accepting.delivery.accept(accepting.message("the key is AKIAIOSFODNN7EXAMPLE"), Shown())
    await process.recover()

    ((notice,),) = [reply.notices for shown in process.late for reply in shown.replies]
    assert "1 x" in notice and "Rotate it" in notice


async def _breaks(_of_whom: object) -> Any:
    raise TypeError("the platform said something that nobody expected")


async def test_who_reads_along_counts_as_outsiders_where_the_platform_breaks_over_the_question(
    machine: Machine,
) -> None:
    """The answer comes, drawing on nothing of the workspace, and the thread goes on."""
    knows, breaks = await machine.start("a"), await machine.start("b", outsiders_in=_breaks)
    await knows.send("Prod runs in zanzibar.", place=public_channel("ops"))
    await knows.delivery.idle()

    shown = await breaks.send("Where does prod run, zanzibar?", place=public_channel("dev"))

    assert texts(shown) == ["answer 1"]
    assert breaks.model.asked[-1].recalled == ()
    assert texts(await breaks.send("And now?", place=public_channel("dev"))) == ["answer 2"]
    assert texts(await knows.send("Prod, zanzibar?", place=public_channel("dev"))) == ["answer 2"]
    assert [each.memory.text for each in knows.model.asked[-1].recalled] == ["Prod runs in zanzibar."]


async def test_channels_that_nobody_can_name_are_none(machine: Machine) -> None:
    """What was said in them is not recalled in direct messages, and those are answered."""
    process = await machine.start(channels_of=_breaks)
    await process.send("Prod runs in zanzibar.", place=private_channel("ops"))

    shown = await process.send("Where does prod run, zanzibar?")

    assert texts(shown) == ["answer 2"]
    assert process.model.asked[-1].recalled == ()
