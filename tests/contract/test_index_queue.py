"""What every outbox does."""

from datetime import timedelta

import pytest

from memory.model import MemoryKey, ThisThread, UserId, VectorRef, episode_key, fact_key, turn_key
from memory.model.work import Outcome
from memory.stores.sql.database import Database
from memory.stores.sql.index_queue import SqlIndexQueue, enqueue
from tests.contract.record import ANNA, BOB, Record, episode_of, fact_from, public_thread
from tests.fakes.clock import FrozenClock


@pytest.fixture
def queue(database: Database) -> SqlIndexQueue:
    """The queue under test."""
    return SqlIndexQueue(database)


async def texts(queue: SqlIndexQueue) -> dict[MemoryKey, str | None]:
    """Return what is to be indexed."""
    tasks = await queue.due(limit=100)
    return {task.ref.key: task.text for task in tasks if task.ref and task.operation == "index"}


async def test_accepted_message_is_to_be_indexed_under_its_author(record: Record, queue: SqlIndexQueue) -> None:
    """The task comes with the row, and tells whose vector it will be."""
    message = await record.say("deploy the api")
    (task,) = await queue.due(limit=10)

    assert (task.operation, task.text, task.attempts) == ("index", "deploy the api", 0)
    assert task.ref == VectorRef(owner=ANNA.user_id, key=turn_key(message.message_id, 1))


async def test_due_gives_the_oldest_first_up_to_the_limit(record: Record, queue: SqlIndexQueue) -> None:
    """Work is done in the order in which it came."""
    for number in range(4):
        await record.say(f"message {number}")

    assert [task.text for task in await queue.due(limit=3)] == ["message 0", "message 1", "message 2"]
    assert await queue.due(limit=0) == []


async def test_due_lets_no_kind_of_work_wait_behind_another(
    record: Record, queue: SqlIndexQueue, clock: FrozenClock
) -> None:
    """However many texts are to be embedded first, what removes comes along."""
    message = await record.talk("the vault is in Basel")
    plan = await record.erasure.plan(ANNA.user_id, ThisThread(session_id=message.session_id))
    for number in range(3):
        await record.say(f"message {number}", place=public_thread("other"))
    await record.erasure.erase(plan, actor=ANNA.user_id)
    clock.advance(1)

    assert [task.operation for task in await queue.due(limit=1)] == ["index", "drop", "evict"]
    assert [task.operation for task in await queue.due(limit=2)] == ["index", "index", "drop", "evict"]


async def test_done_removes_tasks(record: Record, queue: SqlIndexQueue) -> None:
    """A finished task does not come back; removing it twice, or none, is fine."""
    await record.say("one")
    await record.say("two")
    first, second = await queue.due(limit=10)
    await queue.done([first.task_id])
    await queue.done([first.task_id])
    await queue.done([])

    assert await queue.due(limit=10) == [second]


async def test_deferred_task_waits_and_counts_its_attempts(
    record: Record, queue: SqlIndexQueue, clock: FrozenClock
) -> None:
    """It comes back when its time has come, by the clock."""
    await record.say("one")
    (task,) = await queue.due(limit=10)
    await queue.defer([task.task_id], retry_at=clock.now() + timedelta(seconds=30))

    assert await queue.due(limit=10) == []
    clock.advance(30)
    (again,) = await queue.due(limit=10)
    assert (again.task_id, again.attempts) == (task.task_id, 1)


async def test_text_of_a_row_that_is_gone_is_none(record: Record, queue: SqlIndexQueue) -> None:
    """What was forgotten before it was indexed is not embedded, even if a task for it comes late."""
    message = await record.talk("the vault is in Basel")
    await record.learn(Outcome(added=(fact_from("Vault is in Basel.", message),), episode=episode_of(message)))
    plan = await record.erasure.plan(ANNA.user_id, ThisThread(session_id=message.session_id))
    await record.erasure.erase(plan, actor=ANNA.user_id)
    late = [turn_key(message.message_id, 1), fact_key(1), episode_key(1)]
    async with record.database.begin() as connection:
        for key in late:
            await enqueue(connection, operation="index", now=record.clock.now(), key=key, owner=ANNA.user_id)

    assert await texts(queue) == dict.fromkeys(late)


async def test_forget_queues_drops_and_evictions(record: Record, queue: SqlIndexQueue) -> None:
    """Vectors and the cached thread follow the record."""
    message = await record.talk("the vault is in Basel")
    plan = await record.erasure.plan(ANNA.user_id, ThisThread(session_id=message.session_id))
    await record.erasure.erase(plan, actor=ANNA.user_id)
    tasks = await queue.due(limit=10)

    assert [task.ref.key for task in tasks if task.operation == "drop" and task.ref] == [
        turn_key(message.message_id, 1)
    ]
    assert [task.session_id for task in tasks if task.operation == "evict"] == [message.session_id]
    assert [task for task in tasks if task.operation == "index"] == []


async def test_enqueue_all_queues_every_living_text_once(record: Record, queue: SqlIndexQueue) -> None:
    """For a new index: facts, turns and episodes that are alive, replies and history left out."""
    first = await record.talk("prod is EKS 1.29")
    await record.learn(Outcome(added=(fact_from("Prod is EKS 1.29.", first),), episode=episode_of(first)))
    later = await record.talk("prod is EKS 1.30", person=ANNA)
    await record.learn(Outcome(updated=((1, fact_from("Prod is EKS 1.30.", later)),)))
    gone = await record.talk("the vault is in Basel", person=BOB, place=public_thread("two"))
    plan = await record.erasure.plan(BOB.user_id, ThisThread(session_id=gone.session_id))
    await record.erasure.erase(plan, actor=BOB.user_id)
    drops = {task.task_id for task in await queue.due(limit=100) if task.operation != "index"}
    queued = await queue.enqueue_all()

    assert await queue.enqueue_all() == queued == 4
    assert await texts(queue) == {
        turn_key(first.message_id, 1): "prod is EKS 1.29",
        turn_key(later.message_id, 1): "prod is EKS 1.30",
        fact_key(2): "Prod is EKS 1.30.",
        episode_key(1): "Rollout of EKS 1.30\nThey upgraded it.\nIt worked.",
    }
    assert drops <= {task.task_id for task in await queue.due(limit=100)}


async def test_enqueue_all_names_the_same_owners(record: Record, queue: SqlIndexQueue) -> None:
    """A vector's place never changes, whoever queues it."""
    message = await record.talk("prod is EKS")
    await record.talk("yes", person=BOB)
    await record.learn(Outcome(added=(fact_from("Prod is EKS.", message),), episode=episode_of(message)))

    async def owners() -> dict[MemoryKey, UserId]:
        return {task.ref.key: task.ref.owner for task in await queue.due(limit=100) if task.ref}

    before = await owners()
    await queue.enqueue_all()
    assert await owners() == before
