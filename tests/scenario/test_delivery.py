"""One message, one answer: whatever fails, ends or overtakes, nothing is lost, doubled or held up for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from sqlalchemy import update

from bots import conversation
from bots.conversation import Conversation
from bots.delivery import NO_RECORD, PACED, QUEUED, Delivery
from bots.platform import IncomingMessage, NotePost, Reply
from memory.context import Budget
from memory.errors import StoreUnavailableError
from memory.model import About, Message, TextDelta, UserId
from memory.ports import Pace
from memory.retrieval import Retriever
from memory.service import MemoryPolicy, MemoryService
from memory.short_term import ShortTermMemory
from memory.stores.in_memory import InMemorySessionCache, InMemoryVectorIndex
from memory.stores.sql.database import Database
from memory.stores.sql.erasure import SqlErasureStore
from memory.stores.sql.facts import SqlFactStore
from memory.stores.sql.leases import SqlLeaseStore, turn_lease
from memory.stores.sql.recall import SqlRecallStore
from memory.stores.sql.schema import leases
from memory.summarization import Summarizer, SummaryPolicy
from memory.tasks import TaskTracker
from memory.vector_cache import VectorCache
from tests.fakes.clock import FrozenClock
from tests.fakes.embedder import HashingEmbedder
from tests.fakes.flaky import FlakyMessages
from tests.fakes.model import ScriptedModel
from tests.fakes.values import dm, person
from tests.fixtures.core import Shown

pytestmark = pytest.mark.timeout(60)
"""A mistake in what is tested here shows as a message that nobody answers."""

ANA = person("ana")
PLACE = dm("ana")
_SHORT_LEASE_S = 0.06


@dataclass
class SlowToFinish(Shown):
    """A place whose last call takes as long as the test likes, as an HTTP call may."""

    finishing: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def finish(self, reply: Reply) -> None:
        self.finishing.set()
        await self.gate.wait()
        await super().finish(reply)


@dataclass
class Watched(Shown):
    """A place whose statuses can be waited for."""

    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def status(self, text: str) -> None:
        await super().status(text)
        self.changed.set()

    async def shows(self, text: str) -> None:
        """Wait until a status is shown."""
        while text not in self.statuses:
            self.changed.clear()
            await self.changed.wait()


@dataclass
class Posting(Shown):
    """A platform that names its posts, and notes the name before it shows any of the answer."""

    name: str = "post-1"
    begun_with: list[str | None] = field(default_factory=list)
    note: NotePost | None = None

    def begin(self, post: str | None, note_post: NotePost) -> None:
        self.begun_with.append(post)
        self.note = note_post

    async def append(self, delta: str) -> None:
        if self.note is not None:
            await self.note(self.name)
        await super().append(delta)


class HeldPace(Pace):
    """Nobody waits, but for those who are told to.

    Attributes:
        waits: What the next turns are told to wait, in seconds.
        taken: Whose turns were asked about.
    """

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.taken: list[UserId] = []

    async def take(self, user_id: UserId) -> float:
        self.taken.append(user_id)
        return self.waits.pop(0) if self.waits else 0.0


@dataclass
class Process:
    """One process: its delivery, and its way to the record, which can fail."""

    messages: FlakyMessages
    model: ScriptedModel
    delivery: Delivery
    late: list[Posting]
    clock: FrozenClock

    async def send(self, text: str, shown: Shown | None = None, *, delivery: str | None = None) -> Shown:
        """Send a message and wait for the end of its turn."""
        shown = shown or Shown()
        message = IncomingMessage(
            place=PLACE,
            author=ANA,
            platform_message_id=delivery or text,
            text=text,
            sent_at=self.clock.now(),
        )
        await self.delivery.handle(message, shown)
        return shown

    async def accepted(self, count: int) -> None:
        """Wait until so many messages of the thread wait for an answer."""
        while len(await self.messages.waiting(PLACE.session_id)) != count:
            await asyncio.sleep(0)


class Machine:
    """Processes on one record."""

    def __init__(self, database: Database, clock: FrozenClock, stack: AsyncExitStack) -> None:
        self.database = database
        self.clock = clock
        self._stack = stack
        self.pace = HeldPace()
        self._cache = InMemorySessionCache(ttl_s=60, max_messages=100)

    async def forget(self, words: str) -> None:
        """Forget what has these words."""
        erasure = SqlErasureStore(self.database)
        await erasure.erase(await erasure.plan(ANA.user_id, About(words=words)), actor=ANA.user_id)

    async def give_thread_to(self, holder: str) -> None:
        """Let the thread's lease pass on in one step, as when its holder was cut off for too long."""
        passed = update(leases).values(holder=holder, fence=leases.c.fence + 1)
        async with self.database.begin("pass a lease on") as connection:
            await connection.execute(passed.where(leases.c.name == turn_lease(PLACE.session_id)))

    async def start(self, holder: str = "a", *, lease_s: float = 30.0) -> Process:
        """Start another process."""
        messages, model, late = FlakyMessages(self.database), ScriptedModel(), list[Posting]()
        clock, embedder, index, tasks = (
            self.clock,
            HashingEmbedder(),
            InMemoryVectorIndex(dimensions=384),
            TaskTracker(),
        )
        short_term = ShortTermMemory(messages=messages, cache=self._cache, clock=clock, max_messages=50)
        service = MemoryService(
            messages=messages,
            facts=SqlFactStore(self.database),
            short_term=short_term,
            retriever=Retriever(
                store=SqlRecallStore(self.database),
                index=index,
                embedder=embedder,
                cache=VectorCache(index),
                clock=clock,
                tasks=tasks,
            ),
            summarizer=Summarizer(
                messages=messages,
                short_term=short_term,
                model=model,
                policy=SummaryPolicy(recent_turns=20, recent_tokens=10_000),
            ),
            clock=clock,
            policy=MemoryPolicy(budget=Budget(context_tokens=20_000), lease_s=lease_s),
            holder=holder,
            tasks=tasks,
        )

        def show_late(_message: Message) -> Posting:
            late.append(Posting())
            return late[-1]

        talk = Conversation(service=service, model=model, system="You are Recall.")
        self._stack.push_async_callback(tasks.idle)
        delivery = Delivery(service=service, conversation=talk, late=show_late, pace=self.pace)
        await self._stack.enter_async_context(delivery)
        return Process(messages, model, delivery, late, self.clock)


@pytest_asyncio.fixture
async def machine(database: Database, clock: FrozenClock) -> AsyncIterator[Machine]:
    """Yield a machine; its processes end with the test."""
    async with AsyncExitStack() as stack:
        yield Machine(database, clock, stack)


@pytest_asyncio.fixture
async def process(machine: Machine) -> Process:
    """Return a process with a lease that outlasts the test."""
    return await machine.start()


def texts(*shown: Shown) -> list[str]:
    """Return the answers that were shown."""
    return [reply.text for each in shown for reply in each.replies]


async def test_an_answer_that_is_committed_is_shown_though_the_lease_is_gone(machine: Machine) -> None:
    """Renewals that come while the answer is being shown find the lease released, and do no harm."""
    process = await machine.start(lease_s=_SHORT_LEASE_S)
    slow = SlowToFinish()
    turn = asyncio.create_task(process.send("why?", slow))
    await slow.finishing.wait()
    await SqlLeaseStore(machine.database).release_all()
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


async def test_an_acceptance_that_was_not_confirmed_is_answered_when_it_is_delivered_again(process: Process) -> None:
    """The platform was told that it failed; its redelivery is a known one, and sees to the answer."""
    process.messages.unconfirmed = {"accept"}
    with pytest.raises(StoreUnavailableError):
        await process.send("why?", delivery="m-1")

    again = await process.send("why?", delivery="m-1")
    await process.delivery.idle()

    assert texts(again, *process.late) == ["answer 1"]
    assert texts(await process.send("and now?")) == ["answer 2"]


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


async def test_an_answer_that_cannot_be_shown_does_not_hold_up_its_thread(process: Process) -> None:
    """The answer is in the history; the next message is answered."""

    class Deaf(Shown):
        async def finish(self, reply: Reply) -> None:
            raise OSError(f"cannot show {reply.text}")

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
    for _ in range(4):  # each a third of a lease after the one before
        await process.messages.renewals.get()
    (waiting,) = await other.messages.waiting(PLACE.session_id)

    assert await other.messages.begin_turn(waiting, holder="b", lease_s=30) is None
    process.model.gate.set()
    assert texts(await turn) == ["answer 1"]


@pytest.mark.parametrize("fault", ["down", "broken"])
async def test_a_renewal_that_fails_is_tried_again(machine: Machine, fault: str) -> None:
    """Whatever the failure was: giving up would let the lease run out unseen."""
    process = await machine.start(lease_s=_SHORT_LEASE_S)
    process.model.gate.clear()
    setattr(process.messages, fault, {"renew"})
    turn = asyncio.create_task(process.send("one"))
    await process.model.waiting.wait()
    await process.messages.renewals.get()
    await process.messages.renewals.get()
    setattr(process.messages, fault, set())
    await process.messages.renewals.get()
    process.model.gate.set()

    assert texts(await turn) == ["answer 1"]


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
    dead.messages.down = {"renew", "settle"}
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


async def test_an_answer_that_was_committed_but_not_shown_is_shown_later(machine: Machine, process: Process) -> None:
    """The platform was away at the wrong moment, or the process died: the next look finds it, once."""

    class Deaf(Shown):
        async def finish(self, reply: Reply) -> None:
            raise OSError(f"cannot show {reply.text}")

    await process.send("one", Deaf())
    at_once = await process.delivery.recover(PLACE.tenant_id)
    machine.clock.advance(300)
    later = await process.delivery.recover(PLACE.tenant_id)
    await process.delivery.idle()
    machine.clock.advance(300)

    assert (at_once, later, await process.delivery.recover(PLACE.tenant_id)) == (0, 1, 0)
    assert texts(*process.late) == ["answer 1"]
    assert len(process.model.asked) == 1


async def test_an_answer_that_was_forgotten_before_it_was_shown_is_not_shown(machine: Machine) -> None:
    """Its place is cleared instead."""
    process = await machine.start()

    class Deaf(Shown):
        async def finish(self, reply: Reply) -> None:
            raise OSError(f"cannot show {reply.text}")

    await process.send("my vault is in cellar-17", Deaf())
    await machine.forget("cellar-17")
    machine.clock.advance(300)
    await process.delivery.recover(PLACE.tenant_id)
    await process.delivery.idle()

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
    assert [each.begun_with for each in other.late] == [["post-1"]]


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
