"""The index follows the record: through outages, beside other replicas, past a text that cannot be embedded."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import update

from memory.errors import ProviderUnavailableError, StoreUnavailableError
from memory.jobs.compact import compact
from memory.jobs.reindex import reindex
from memory.model import Last, Numbered, ThisThread
from memory.model.recall import Vector
from memory.stores.sql.admin import SqlRecordAdmin
from memory.stores.sql.index_queue import SqlIndexQueue
from memory.stores.sql.messages import SqlMessageStore
from memory.stores.sql.schema import leases, outbox
from tests.fakes.embedder import HashingEmbedder
from tests.fakes.values import changed, dm, person
from tests.fixtures.core import Core

ANA = person("ana")
_LONG_S = 3_600
_MORE_THAN_A_BATCH = 70


class Picky(HashingEmbedder):
    """Fails over texts with one of `refused` in them, and waits for `gate`."""

    def __init__(self, *refused: str, is_ready: bool = True) -> None:
        super().__init__()
        self.refused = refused
        self._is_ready = is_ready
        self.embedding = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def is_ready(self) -> bool:
        return self._is_ready

    async def embed_documents(self, texts: Sequence[str]) -> Sequence[Vector]:
        self.embedding.set()
        await self.gate.wait()
        if any(word in text for text in texts for word in self.refused):
            raise ProviderUnavailableError("picky", "a batch failed")
        return await super().embed_documents(texts)


class Busy(SqlRecordAdmin):
    """Cannot rewrite its files, as while another process reads for long."""

    async def compact(self) -> None:
        raise StoreUnavailableError("sql", "compact", "another process is reading")


async def remember(core: Core, text: str) -> None:
    """Store a fact of Ana's."""
    await core.recall.personal.remember(dm("ana"), ANA, text)


async def forget_last(core: Core) -> None:
    """Forget the newest fact, a second later."""
    core.clock.advance(1)
    await core.recall.personal.forget(await core.recall.personal.plan_forget(ANA.user_id, Last()))
    core.clock.advance(1)


def with_embedder(core: Core, embedder: Picky) -> Core:
    """Return another process on the same stores, with another embedder."""
    return replace(core, stores=replace(core.stores, embedder=embedder)).restart()


async def compacted(core: Core, *, force: bool = False, admin: SqlRecordAdmin | None = None) -> bool:
    """Run the compaction of a process."""
    admin = admin or SqlRecordAdmin(core.stores.database)
    return await compact(admin=admin, index=core.index, outbox=core.recall.outbox, clock=core.clock, force=force)


def files_of_the_record(core: Core, words: bytes) -> list[str]:
    """Return which of the embedded record's files hold `words`; a server has its own."""
    path = core.stores.database.path
    return [] if path is None else [each.name for each in path.parent.glob("*.db*") if words in each.read_bytes()]


async def reindexed(core: Core) -> int:
    """Run `recall reindex` in a process."""
    return await reindex(
        admin=SqlRecordAdmin(core.stores.database),
        index=core.index,
        queue=SqlIndexQueue(core.stores.database),
        outbox=core.recall.outbox,
        on_progress=lambda _done, _total: None,
    )


async def test_a_compaction_removes_vectors_that_an_outage_kept(core: Core) -> None:
    """What waits for its next attempt is removed first, so that no file holds it afterwards."""
    await remember(core, "my laptop is called Zanzibar")
    await core.recall.outbox.drain()
    await forget_last(core)
    core.index.is_up = False
    await core.recall.outbox.drain()
    core.index.is_up = True

    assert await compacted(core)
    assert await core.index.count() == 0
    assert not await compacted(core)


async def test_a_compaction_with_erased_vectors_left_does_not_count(core: Core) -> None:
    """While the index does not give them up, compaction stays due, and the command says so."""
    await remember(core, "my laptop is called Zanzibar")
    await core.recall.outbox.drain()
    await forget_last(core)
    core.index.keeps_deleted = True

    assert not await compacted(core)
    with pytest.raises(StoreUnavailableError, match="1 erased vectors are still in it"):
        await compacted(core, force=True)
    assert await SqlRecordAdmin(core.stores.database).needs_compaction()

    core.index.keeps_deleted = False
    assert await compacted(core)


async def test_an_index_that_fails_leaves_no_forgotten_text_in_the_record(core: Core) -> None:
    """The record's files are rewritten all the same; the failure is told, and compaction stays due."""
    await remember(core, "my laptop is called Zanzibar")
    await core.recall.outbox.drain()
    await forget_last(core)
    is_embedded = core.stores.database.path is not None
    assert bool(files_of_the_record(core, b"Zanzibar")) is is_embedded
    core.index.is_up = False

    for force in (False, True):
        with pytest.raises(StoreUnavailableError, match="chroma"):
            await compacted(core, force=force)
        assert files_of_the_record(core, b"Zanzibar") == []
    assert await SqlRecordAdmin(core.stores.database).needs_compaction()


async def test_a_busy_record_leaves_no_forgotten_vector_in_the_index(core: Core) -> None:
    """The index is rewritten all the same; the failure is told, and compaction stays due."""
    await remember(core, "my laptop is called Zanzibar")
    await forget_last(core)

    with pytest.raises(StoreUnavailableError, match="another process is reading"):
        await compacted(core, admin=Busy(core.stores.database))
    assert core.index.compactions == 1
    assert await SqlRecordAdmin(core.stores.database).needs_compaction()


async def test_erased_vectors_do_not_wait_behind_texts_that_cannot_be_embedded(core: Core) -> None:
    """While the embedding model cannot be loaded, compaction succeeds, however many texts came before the forget."""
    await remember(core, "my laptop is called Zanzibar")
    await core.recall.outbox.drain()
    for number in range(_MORE_THAN_A_BATCH):
        await remember(core, f"my cat number {number} is called Tom")
    core.clock.advance(1)
    plan = await core.recall.personal.plan_forget(ANA.user_id, Numbered(number=1))
    await core.recall.personal.forget(plan)
    broken = with_embedder(core, Picky("cat", is_ready=False))

    assert await compacted(broken, force=True)
    assert await core.index.count() == 0
    core.clock.advance(_LONG_S)
    assert await core.recall.outbox.drain() == _MORE_THAN_A_BATCH


async def test_a_text_embedded_by_one_replica_does_not_outlive_its_removal_by_another(core: Core) -> None:
    """However long the embedding takes, no forgotten vector is left."""
    embedder = Picky()
    slow = with_embedder(core, embedder)
    await remember(core, "my laptop is called Zanzibar")
    embedder.gate.clear()
    working = asyncio.create_task(slow.recall.outbox.drain())
    await embedder.embedding.wait()
    await forget_last(core)
    await core.recall.outbox.drain()
    embedder.gate.set()
    await working
    await core.recall.outbox.drain()

    assert await core.index.count() == 0


async def test_a_replica_that_lost_its_lease_indexes_nothing(core: Core) -> None:
    """One that hangs while it embeds finds, once it goes on, that another has removed the text meanwhile."""
    embedder = Picky()
    slow = with_embedder(core, embedder)
    await remember(core, "my laptop is called Zanzibar")
    embedder.gate.clear()
    working = asyncio.create_task(slow.recall.outbox.drain())
    await embedder.embedding.wait()
    await forget_last(core)
    async with core.stores.database.begin("let the lease expire") as connection:
        await connection.execute(update(leases).values(expires_at=0.0))
    assert await core.recall.outbox.drain() == len(["the removal of the fact's vector"])
    embedder.gate.set()

    assert await working == 0
    assert await core.index.count() == 0
    assert (await SqlRecordAdmin(core.stores.database).status()).outbox == 0


async def test_one_text_that_cannot_be_embedded_holds_up_no_other(core: Core) -> None:
    """The others of its batch are indexed; it is tried again ever more rarely, and indexed when that works."""
    embedder = Picky("poison")
    picky = with_embedder(core, embedder)
    for text in ("good one", "poison here", "another good one"):
        await remember(core, text)
    for _ in range(3):
        await picky.recall.outbox.drain()
        core.clock.advance(_LONG_S)
    assert await core.index.count() == 2

    embedder.refused = ()
    assert await picky.recall.outbox.drain() == 1
    assert await core.index.count() == 3


async def test_work_goes_on_after_an_outage_of_a_day(core: Core) -> None:
    """The wait between attempts stops growing."""
    await remember(core, "my shell is fish")
    async with core.stores.database.begin("fail often") as connection:
        await connection.execute(update(outbox).values(attempts=1_500))
    core.index.is_up = False
    assert await core.recall.outbox.drain() == 0
    core.index.is_up = True
    core.clock.advance(60)

    assert await core.recall.outbox.drain() == 1


async def test_a_reindex_that_is_not_whole_says_so(core: Core) -> None:
    """How many texts are left, and why."""
    await remember(core, "my shell is fish")
    await remember(core, "poison here")
    picky = with_embedder(core, Picky("poison"))

    with pytest.raises(StoreUnavailableError, match=r"1 texts are not indexed yet: picky: a batch failed"):
        await reindexed(picky)
    assert await core.index.count() == 1
    assert await reindexed(core) == 2


async def test_a_reindex_waits_for_a_replica_that_is_at_work(core: Core) -> None:
    """It ends when everything is indexed, whoever did it."""
    embedder = Picky()
    slow = with_embedder(core, embedder)
    await remember(core, "my shell is fish")
    embedder.gate.clear()
    working = asyncio.create_task(slow.recall.outbox.drain())
    await embedder.embedding.wait()
    reindexing = asyncio.create_task(reindexed(core))
    await asyncio.sleep(0)
    embedder.gate.set()

    assert await reindexing == 1
    await working
    assert await core.index.count() == 1


async def test_a_copy_read_before_a_forget_is_not_written_after_it(core: Core) -> None:
    """Neither at once nor after the outbox has done its work, however late the write comes."""
    place = dm("ana")
    await core.say("my laptop is called Zanzibar", place=place, author=ANA)
    before = await SqlMessageStore(core.stores.database).load_thread(place.session_id, limit=9)
    plan = await core.recall.personal.plan_forget(ANA.user_id, ThisThread(session_id=place.session_id))
    await core.recall.personal.forget(plan)
    assert not await core.cache.replace(before)
    await core.recall.outbox.drain()

    assert not await core.cache.replace(before)
    assert await core.cache.load(place.session_id) is None


async def test_a_copy_read_before_an_edit_is_not_written_after_it(core: Core) -> None:
    """The old words do not lie in the cache for as long as a copy lives."""
    place = dm("ana")
    await core.say("my laptop is called Zanzibar", place=place, author=ANA, delivery="m-1")
    before = await SqlMessageStore(core.stores.database).load_thread(place.session_id, limit=9)
    core.clock.advance(60)
    edit = changed(place, "m-1", by=ANA, at=core.clock.now())
    await core.recall.forgetting.message_edited(edit, "my laptop has a name")
    assert not await core.cache.replace(before)
    await core.recall.outbox.drain()

    assert not await core.cache.replace(before)
    assert await core.cache.load(place.session_id) is None
