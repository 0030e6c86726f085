"""Many messages at once: who waits is told so once, holds nobody else up, and costs no more than its turn."""

import asyncio
from dataclasses import dataclass, field

import pytest

from bots import conversation
from bots.delivery import NO_RECORD, PACED, QUEUED
from bots.delivery.turn import MOST_ATTEMPTS
from tests.fakes.clock import HandTimer
from tests.fakes.flaky import Hold
from tests.fakes.values import dm
from tests.fixtures.core import Shown
from tests.fixtures.delivery import ANA, PLACE, Machine, Process, Watched, texts

pytestmark = pytest.mark.timeout(60)
"""A mistake in what is tested here shows as a message that nobody answers."""


@dataclass
class SlowStatus(Shown):
    """A place whose status takes as long as the test likes, as where the platform limits the rate."""

    telling: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def status(self, text: str) -> None:
        self.telling.set()
        await self.gate.wait()
        await super().status(text)


async def looked(process: Process, times: int) -> None:
    """Wait until the process has tried so many times to claim something."""
    for _ in range(times):
        await process.messages.claims.get()


async def test_a_turn_over_the_pace_waits_visibly_and_is_answered(machine: Machine, process: Process) -> None:
    """Nothing is refused for it, its place is taken once, and another thread goes on meanwhile."""
    machine.pace.waits = [0.2]
    shown = Watched()

    await process.send("one", shown)

    assert PACED in shown.statuses
    assert texts(shown) == ["answer 1"]
    assert machine.pace.taken == [ANA.user_id]


async def test_a_turn_that_waits_for_its_pace_does_not_keep_a_process_from_ending(
    machine: Machine, process: Process
) -> None:
    """The next process answers it."""
    machine.pace.waits = [3_600]
    shown = Watched()
    turn = asyncio.create_task(process.send("one", shown))
    await shown.shows(PACED)
    await process.delivery.close(grace_s=0)
    await turn
    other = await machine.start("b")

    assert shown.abandoned
    assert await other.delivery.recover(PLACE.tenant_id) == 1
    await other.delivery.idle()
    assert texts(*other.late) == ["answer 1"]


async def test_a_turn_takes_its_place_in_the_pace_once_over_all_processes(machine: Machine) -> None:
    """While it waits for it, no other process can claim it and take another place."""
    process, other = await machine.start("a"), await machine.start("b")
    machine.pace.waits = [0.3]
    shown, there = Watched(), Watched()
    first = asyncio.create_task(process.send("one", shown))
    await shown.shows(PACED)
    second = asyncio.create_task(other.send("two", there))
    await there.shows(QUEUED)
    (message_id, _) = await other.messages.waiting(PLACE.session_id)

    assert await other.messages.begin_turn(message_id, holder="b", lease_s=30) is None
    await asyncio.wait([first, second])
    assert [request.message.text for each in (process, other) for request in each.model.asked] == ["one", "two"]
    assert machine.pace.taken == [ANA.user_id, ANA.user_id]


async def test_who_waits_for_their_pace_is_told_nothing_else(machine: Machine, process: Process) -> None:
    """A message behind theirs is no earlier one."""
    machine.pace.waits = [3_600]
    shown, behind = Watched(), Watched()
    turn = asyncio.create_task(process.send("one", shown))
    await shown.shows(PACED)
    await process.delivery.accept(process.message("two"), behind)
    await process.accepted(2)
    told = [*shown.statuses, *behind.statuses]
    turn.cancel()
    await process.delivery.idle()

    assert told == [PACED]
    assert texts(behind) == ["answer 1"]


async def test_nobody_is_told_of_the_pace_of_somebody_else(machine: Machine) -> None:
    """What an earlier process left waits for its pace; who comes behind it waits for that."""
    earlier = await machine.start("a")
    earlier.model.gate.clear()
    left = asyncio.create_task(earlier.send("one"))
    await earlier.model.waiting.wait()
    await earlier.delivery.close(grace_s=0)
    await left
    process = await machine.start("b")
    machine.pace.waits = [0.1]
    shown = Watched()
    await process.send("two", shown)

    assert shown.statuses == [QUEUED]


async def test_the_first_message_of_a_thread_is_not_told_that_it_waits(process: Process) -> None:
    """However long it takes to begin with it, and whatever comes behind it meanwhile."""
    beginning = process.messages.held["begin_turn"] = Hold()
    shown, behind = Watched(), Watched()
    await process.delivery.accept(process.message("one"), shown)
    await beginning.reached.wait()
    await process.delivery.accept(process.message("two"), behind)
    await process.accepted(2)
    beginning.gate.set()
    await process.delivery.idle()

    assert shown.statuses == []
    assert texts(shown, behind) == ["answer 1", "answer 2"]


async def test_a_turn_is_renewed_while_it_waits_for_its_pace(machine: Machine) -> None:
    """However long that takes."""
    timer = HandTimer()
    process = await machine.start("a", timer=timer)
    machine.pace.waits = [3_600]
    shown = Watched()
    turn = asyncio.create_task(process.send("one", shown))
    await shown.shows(PACED)
    await timer.sleepers(2)  # who renews the lease, and who watches it
    timer.advance(8)
    await process.messages.renewals.get()
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn


async def test_who_gives_up_while_waiting_for_the_pace_holds_nothing_up(machine: Machine, process: Process) -> None:
    """The next message need not wait for that place."""
    machine.pace.waits = [3_600]
    shown = Watched()
    turn = asyncio.create_task(process.send("one", shown))
    await shown.shows(PACED)
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn

    assert texts(await process.send("two")) == ["answer 1"]
    assert shown.abandoned


async def test_a_slow_status_holds_no_other_thread_up(machine: Machine) -> None:
    """Nor the thread's own turn: it is told beside all that."""
    process, other = await machine.start("a"), await machine.start("b", parallel_turns=1)
    process.model.gate.clear()
    first = asyncio.create_task(process.send("one"))
    await process.model.waiting.wait()
    slow = SlowStatus()
    second = asyncio.create_task(other.send("two", slow))
    await slow.telling.wait()

    assert texts(await other.send("three", place=dm("ana", "elsewhere"))) == ["answer 1"]
    slow.gate.set()
    process.model.gate.set()
    await asyncio.wait([first, second])


async def test_a_message_that_waits_is_told_so_once(machine: Machine) -> None:
    """However often the thread is looked at."""
    process, other = await machine.start("a"), await machine.start("b")
    process.model.gate.clear()
    first = asyncio.create_task(process.send("one"))
    await process.model.waiting.wait()
    there = Watched()
    second = asyncio.create_task(other.send("two", there))
    await looked(other, 7)  # two at each look
    statuses = list(there.statuses)
    process.model.gate.set()
    await asyncio.wait([first, second])

    assert statuses == [QUEUED]


async def test_an_outage_is_told_once(process: Process) -> None:
    """However often the record is tried."""
    process.messages.down = {"begin_turn"}
    shown = Watched()
    turn = asyncio.create_task(process.send("one", shown))
    await looked(process, 3)
    process.messages.down = set()
    await turn

    assert shown.statuses == [NO_RECORD]
    assert texts(shown) == ["answer 1"]


async def test_a_turn_that_can_never_end_costs_so_many_answers_and_no_more(process: Process) -> None:
    """Then it is given up in fixed words, as soon as the record takes those, and the thread goes on."""
    process.messages.broken = {"settle"}
    await process.send("one")
    for _ in range(MOST_ATTEMPTS + 2):
        await process.recover()
    asked = len(process.model.asked)
    process.messages.broken = set()
    await process.recover()

    assert asked == MOST_ATTEMPTS
    assert texts(*process.late) == [conversation.GIVEN_UP]
    assert texts(await process.send("two")) == [f"answer {MOST_ATTEMPTS + 1}"]
