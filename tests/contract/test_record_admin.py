"""What upkeep of the record does: counts, compaction, retention."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from memory.errors import StoreUnavailableError
from memory.model import MessageState, Receipt, Summary, ThisThread, fact_key, turn_key
from memory.model.work import Outcome
from memory.stores.sql import retention
from memory.stores.sql.admin import SqlRecordAdmin
from memory.stores.sql.audit import SqlAuditLog
from memory.stores.sql.database import Database, open_database
from memory.stores.sql.index_queue import SqlIndexQueue
from memory.stores.sql.locks import lock_threads
from memory.stores.sql.migrate import migrate
from memory.stores.sql.recall import SqlRecallStore
from tests.contract.record import ANNA, Record, episode_of, fact_from, private_thread, public_thread
from tests.contract.test_recall_store import IN_PUBLIC
from tests.fakes.clock import FrozenClock


@pytest.fixture
def admin(database: Database) -> SqlRecordAdmin:
    """The upkeep under test."""
    return SqlRecordAdmin(database)


async def forget_thread(record: Record, words: str) -> None:
    """Say something in a thread and forget it."""
    message = await record.talk(words, reply=f"I see: {words}")
    plan = await record.erasure.plan(ANNA.user_id, ThisThread(session_id=message.session_id))
    await record.erasure.erase(plan, actor=ANNA.user_id)


async def test_ping_answers(admin: SqlRecordAdmin) -> None:
    """The database is there."""
    await admin.ping()


async def test_ping_of_a_database_that_is_gone_raises(clock: FrozenClock) -> None:
    """Nobody listens: that is said in our words, within the timeout."""
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    async with open_database(nowhere, clock=clock, timeout_s=2) as closed:
        with pytest.raises(StoreUnavailableError, match="ping"):
            await SqlRecordAdmin(closed).ping()


async def test_status_counts_what_is_there(record: Record, admin: SqlRecordAdmin) -> None:
    """Messages with replies, living facts, episodes, and the work that waits."""
    first = await record.talk("prod is EKS")
    await record.learn(Outcome(added=(fact_from("Prod is EKS.", first),), episode=episode_of(first)))
    await record.talk("and staging is GKE")
    await record.say("waiting")
    status = await admin.status()

    assert (status.messages, status.facts, status.episodes) == (5, 1, 1)
    assert (status.unanswered, status.waiting_for_extraction, status.parked) == (1, 1, 0)
    assert (status.outbox, status.last_compacted_at, status.needs_compaction) == (5, None, False)


async def test_parked_batch_is_counted(record: Record, admin: SqlRecordAdmin) -> None:
    """What extraction gave up on is shown, and is not counted as waiting."""
    await record.talk("prod is EKS")
    claim, batch = await record.claim_one()
    await record.extraction.park(claim, batch, reason="malformed")
    status = await admin.status()

    assert (status.parked, status.waiting_for_extraction) == (1, 0)


async def test_compaction_is_due_after_a_forget_and_no_longer_once_it_was_noted(
    record: Record, admin: SqlRecordAdmin, clock: FrozenClock
) -> None:
    """A forget after the compaction began, or at that very moment, makes it due again."""
    assert await admin.needs_compaction() is False
    await forget_thread(record, "the vault is in Basel")
    await admin.compacted(at=clock.now())
    assert await admin.needs_compaction() is True
    clock.advance(1)
    began_at = clock.now()
    await admin.compacted(at=began_at)
    assert await admin.needs_compaction() is False
    assert (await admin.status()).last_compacted_at == began_at
    await forget_thread(record, "the key is under the mat")
    await admin.compacted(at=began_at)
    assert await admin.needs_compaction() is True


async def test_compaction_keeps_what_is_alive(record: Record, admin: SqlRecordAdmin, database: Database) -> None:
    """Everything is found as before, also by words."""
    await forget_thread(record, "the vault is in Basel")
    message = await record.talk("prod is EKS", place=public_thread("two"))
    await admin.compact()
    store = SqlRecallStore(database)

    assert [hit.key for hit in (await store.search(IN_PUBLIC, ["vault"], limit=5, own_turns=0)).lexical.hits] == []
    assert [hit.key for hit in (await store.search(IN_PUBLIC, ["prod"], limit=5, own_turns=0)).lexical.hits] == [
        turn_key(message.message_id, 1)
    ]


def files_holding(folder: Path, words: str) -> list[str]:
    """Return the files that hold `words` in any letter case."""
    return [path.name for path in folder.iterdir() if words.casefold().encode() in path.read_bytes().lower()]


async def test_no_file_holds_forgotten_words_after_compaction(tmp_path: Path, clock: FrozenClock) -> None:
    """Neither the table, nor the full-text segments, nor the log; before it they do, or the test shows nothing."""
    path = tmp_path / "recall.db"
    async with open_database(path, clock=clock) as database:
        await migrate(database)
        record = Record(database, clock)
        for number in range(30):
            await record.talk(f"deploy number {number}", place=private_thread())
        await forget_thread(record, "the zanzibarvault is open")
        assert files_holding(tmp_path, "zanzibarvault") != []
        await SqlRecordAdmin(database).compact()

        assert files_holding(tmp_path, "zanzibarvault") == []


async def test_compaction_under_a_long_read_says_that_it_is_not_done(tmp_path: Path, clock: FrozenClock) -> None:
    """Another process that reads keeps old pages in the log; the job must come back."""
    path = tmp_path / "recall.db"
    async with (
        open_database(path, clock=clock, timeout_s=0.2) as database,
        open_database(path, clock=clock) as other,
    ):
        await migrate(database)
        await forget_thread(Record(database, clock), "the zanzibarvault is open")
        async with other.read() as connection:
            await connection.exec_driver_sql("SELECT count(*) FROM messages")
            with pytest.raises(StoreUnavailableError, match="compact"):
                await SqlRecordAdmin(database).compact()
        await SqlRecordAdmin(database).compact()

        assert files_holding(tmp_path, "zanzibarvault") == []


async def test_messages_can_be_accepted_while_compaction_runs(record: Record, admin: SqlRecordAdmin) -> None:
    """They wait for their turn; none is refused."""
    async with asyncio.TaskGroup() as group:
        group.create_task(admin.compact())
        tasks = [group.create_task(record.deliver(f"p{number}", "hello")) for number in range(5)]

    assert [task.result().duplicate for task in tasks] == [False] * 5


async def test_expire_takes_old_threads_and_episodes_and_leaves_facts(
    record: Record, admin: SqlRecordAdmin, database: Database, clock: FrozenClock
) -> None:
    """Texts, titles, summaries and entries of old threads go; facts stay, and so do young threads."""
    old = await record.talk("prod is EKS", reply="noted, EKS")
    await record.learn(Outcome(added=(fact_from("Cluster runs 1.30.", old),), episode=episode_of(old, words="EKS day")))
    head = (await record.messages.load_thread(old.session_id, limit=5)).head
    await record.messages.save_summary(head, Summary(text="EKS it is", through=old.message_id))
    clock.advance(86_400)
    limit = clock.now()
    young = await record.talk("staging is GKE", place=public_thread("young"))
    receipt = await admin.expire(episodes_before=limit, threads_before=limit)
    store = SqlRecallStore(database)

    assert receipt == Receipt(episodes=1, messages=1, replies=1, summaries=1)
    assert await record.holding("EKS") == []
    assert {ref.key for ref in (await store.search(IN_PUBLIC, (), limit=0, own_turns=9)).own} == {
        fact_key(1),
        turn_key(young.message_id, 1),
    }
    assert (await record.messages.load_thread(old.session_id, limit=5)).messages == ()
    assert (await record.messages.load_thread(young.session_id, limit=5)).messages != ()


async def test_expire_makes_index_and_cache_follow(
    record: Record, admin: SqlRecordAdmin, database: Database, clock: FrozenClock
) -> None:
    """Vectors are dropped, the cached thread is evicted, files are to be compacted, and the log says so."""
    old = await record.talk("prod is EKS")
    clock.advance(86_400)
    await admin.expire(episodes_before=clock.now(), threads_before=clock.now())
    tasks = await SqlIndexQueue(database).due(limit=10)

    assert [(task.operation, task.ref.key if task.ref else task.session_id) for task in tasks] == [
        ("drop", turn_key(old.message_id, 1)),
        ("evict", old.session_id),
    ]
    assert await admin.needs_compaction() is True
    (event,) = await SqlAuditLog(database).read(limit=5)
    assert (event.action, dict(event.counts)) == ("expire", {"messages": 1, "replies": 1})


async def test_expire_takes_no_more_texts_at_once_than_it_may(
    record: Record, admin: SqlRecordAdmin, database: Database, clock: FrozenClock
) -> None:
    """However many threads are old and however long they are, writers get in between; in the end all is gone."""
    for name, turns in (("long", 4), ("short", 1), ("other", 1)):
        for number in range(turns):
            await record.talk(f"zanzibar {number}", place=public_thread(name))
    clock.advance(86_400)
    young = await record.talk("staging is GKE", place=public_thread("young"))
    before = clock.now() - timedelta(hours=1)
    receipt = await retention.expire(database, episodes_before=before, threads_before=before, texts_at_once=5)
    events = await SqlAuditLog(database).read(limit=9)

    assert receipt == Receipt(messages=6, replies=6)
    assert [sum(event.counts.values()) for event in reversed(events)] == [5, 5, 2]
    assert await record.holding("zanzibar") == []
    assert (await admin.status()).messages == len([young, "its reply"])


async def test_expire_again_changes_nothing(record: Record, admin: SqlRecordAdmin, clock: FrozenClock) -> None:
    """What is gone is not counted twice, and nothing is noted."""
    await record.talk("prod is EKS")
    clock.advance(86_400)
    await admin.expire(episodes_before=clock.now(), threads_before=clock.now())

    assert await admin.expire(episodes_before=clock.now(), threads_before=clock.now()) == Receipt()


async def test_expired_message_that_was_never_answered_is_settled(
    record: Record, admin: SqlRecordAdmin, clock: FrozenClock
) -> None:
    """It neither waits for ever nor comes back with a late delivery."""
    await record.deliver("p1", "hello?")
    clock.advance(86_400)
    await admin.expire(episodes_before=clock.now(), threads_before=clock.now())
    again = await record.deliver("p1", "hello?")

    assert (again.duplicate, again.state) == (True, MessageState.FAILED)
    assert (await admin.status()).unanswered == 0


async def test_expire_and_a_forget_do_not_block_each_other(
    record: Record, database: Database, clock: FrozenClock
) -> None:
    """Both hold several threads, in one order, whichever of these has been quiet for longest."""
    first, last = public_thread("a"), public_thread("z")
    for place in (last, first):
        await record.talk("prod is EKS", place=place)
        clock.advance(60)
    before = clock.now()
    async with asyncio.TaskGroup() as group:
        async with database.begin() as connection:
            await lock_threads(connection, [first.session_id])
            expiring = group.create_task(retention.expire(database, episodes_before=before, threads_before=before))
            await record.until_it_waits(expiring)
            await lock_threads(connection, [last.session_id])
        await expiring

    assert await record.holding("EKS") == []
