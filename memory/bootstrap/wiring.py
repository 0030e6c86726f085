"""Wiring the use cases over opened stores, and the jobs; nothing here opens or runs anything."""

import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from memory.bootstrap.stores import Stores, loaded_messages
from memory.context import Budget
from memory.extraction import ExtractionPolicy, Extractor, SweepReport
from memory.forgetting import Forgetting
from memory.jobs.compact import compact
from memory.jobs.expire import erase_unkept, expire
from memory.jobs.extract_idle import extract_idle
from memory.jobs.finish_removals import finish_removals
from memory.jobs.index_outbox import OutboxWorker
from memory.jobs.scheduler import Job, JobScheduler, ScheduledJob
from memory.personal import PersonalMemory
from memory.ports import LanguageModel, LeaseStore, NamedValues, Pace, PlaceStore, Signals
from memory.retrieval import Retriever
from memory.service import MemoryService
from memory.settings import MemorySettings
from memory.short_term import ShortTermMemory
from memory.stores.sql.admin import SqlRecordAdmin
from memory.stores.sql.audit import SqlAuditLog
from memory.stores.sql.database import Database
from memory.stores.sql.erasure import SqlErasureStore
from memory.stores.sql.extraction import SqlExtractionStore
from memory.stores.sql.facts import SqlFactStore
from memory.stores.sql.index_queue import SqlIndexQueue
from memory.stores.sql.leases import SqlLeaseStore
from memory.stores.sql.messages import SqlMessageStore
from memory.stores.sql.named_values import SqlNamedValues
from memory.stores.sql.places import SqlPlaceStore
from memory.stores.sql.recall import SqlRecallStore
from memory.summarization import Summarizer, SummaryPolicy
from memory.tasks import TaskTracker
from memory.vector_cache import VectorCache
from memory.working import MemoryPolicy

_INDEX_EVERY_S = 2.0
_COMPACT_EVERY_S = 900.0
_FINISH_REMOVALS_EVERY_S = 60.0
_FINISH_REMOVALS_FIRST_S = 5.0  # after a crash, soon
_EXPIRE_EVERY_S = 6 * 3_600.0
_EXPIRE_FIRST_S = 60.0  # a chat rarely runs for hours
_UNKEPT_EVERY_S = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Everything that a chat or a bot needs.

    Attributes:
        service: Turn by turn, for conversations.
        personal: What people do with their own memories.
        forgetting: What platforms report: edits and deletions.
        places: Where things were said, for a platform that looks for what it missed.
        values: What an adapter has to know again after a restart.
        leases: Which process does what only one may do.
        holder: What this process is called there.
        model: The language model in use.
        pace: How often a person may ask.
        signals: Words to the other processes.
        record_answers: Returns if the record can be reached, and raises StoreUnavailableError if not: without it
            nothing can be accepted. The other stores' outages are ridden out.
    """

    service: MemoryService
    personal: PersonalMemory
    forgetting: Forgetting
    places: PlaceStore
    values: NamedValues
    leases: LeaseStore
    holder: str
    model: LanguageModel
    pace: Pace
    signals: Signals
    record_answers: Callable[[], Awaitable[None]]
    extractor: Extractor
    outbox: OutboxWorker
    tasks: TaskTracker

    async def sweep(self) -> SweepReport:
        """Extract from every thread now, and index what came of it."""
        await self.tasks.idle()
        report = await self.extractor.sweep(now_quiet=True)
        await self.outbox.drain()
        return report


def ignore_sweep(_report: SweepReport) -> None:
    """Nobody counts."""


def compose(
    settings: MemorySettings,
    stores: Stores,
    model: LanguageModel,
    *,
    on_swept: Callable[[SweepReport], None] = ignore_sweep,
) -> tuple[Recall, JobScheduler]:
    """Wire the use cases and the jobs; nothing runs yet. `on_swept` is told what each scheduled sweep did."""
    holder = process_name()
    messages = SqlMessageStore(stores.database)
    vectors = VectorCache(stores.index)
    short_term = ShortTermMemory(
        messages=messages,
        cache=stores.cache,
        clock=stores.clock,
        max_messages=loaded_messages(settings.recent_turns),
    )
    tasks = TaskTracker()
    retriever = Retriever(
        store=SqlRecallStore(stores.database),
        index=stores.index,
        embedder=stores.embedder,
        cache=vectors,
        clock=stores.clock,
        tasks=tasks,
    )
    outbox = outbox_worker(stores, vectors, holder)
    extractor = Extractor(
        store=SqlExtractionStore(stores.database),
        messages=messages,
        leases=SqlLeaseStore(stores.database),
        retriever=retriever,
        model=model,
        clock=stores.clock,
        policy=ExtractionPolicy(idle_after_s=settings.idle_after_s, every_turns=settings.extract_every_turns),
        holder=holder,
    )
    forgetting = Forgetting(
        erasure=SqlErasureStore(stores.database),
        clock=stores.clock,
        short_term=short_term,
        vectors=vectors,
        signals=stores.signals,
        on_erased=lambda: scheduler.wake("index"),
    )
    extract = partial(extract_idle, extractor, on_swept=on_swept)
    scheduler = JobScheduler(_jobs(settings, stores, extract, outbox, forgetting))
    summarizer = Summarizer(
        messages=messages,
        short_term=short_term,
        model=model,
        policy=SummaryPolicy(recent_turns=settings.recent_turns, recent_tokens=settings.context_tokens // 2),
    )
    service = MemoryService(
        messages=messages,
        facts=SqlFactStore(stores.database),
        short_term=short_term,
        retriever=retriever,
        summarizer=summarizer,
        clock=stores.clock,
        policy=MemoryPolicy(mode=settings.mode, budget=Budget(context_tokens=settings.context_tokens)),
        holder=holder,
        tasks=tasks,
    )
    recall = Recall(
        service=service,
        personal=personal_memory(stores.database, forgetting),
        forgetting=forgetting,
        places=SqlPlaceStore(stores.database),
        values=SqlNamedValues(stores.database),
        leases=SqlLeaseStore(stores.database),
        holder=holder,
        model=model,
        pace=stores.pace,
        signals=stores.signals,
        record_answers=SqlRecordAdmin(stores.database).ping,
        extractor=extractor,
        outbox=outbox,
        tasks=tasks,
    )
    return recall, scheduler


def _jobs(
    settings: MemorySettings, stores: Stores, extract: Job, outbox: OutboxWorker, forgetting: Forgetting
) -> list[ScheduledJob]:
    async def compact_if_needed() -> None:
        admin = SqlRecordAdmin(stores.database)
        await compact(admin=admin, index=stores.index, outbox=outbox, clock=stores.clock)

    async def expire_old() -> None:
        admin = SqlRecordAdmin(stores.database)
        await expire(admin=admin, clock=stores.clock, retention_days=settings.retention_days)

    async def erase_paused() -> None:
        await erase_unkept(admin=SqlRecordAdmin(stores.database), clock=stores.clock)

    jobs = [
        ScheduledJob(name="index", every_s=_INDEX_EVERY_S, run=outbox.drain),
        ScheduledJob(name="compact", every_s=_COMPACT_EVERY_S, run=compact_if_needed),
        ScheduledJob(
            name="finish removals",
            every_s=_FINISH_REMOVALS_EVERY_S,
            first_after_s=_FINISH_REMOVALS_FIRST_S,
            run=lambda: finish_removals(forgetting),
        ),
        ScheduledJob(name="expire", every_s=_EXPIRE_EVERY_S, first_after_s=_EXPIRE_FIRST_S, run=expire_old),
        ScheduledJob(name="unkept", every_s=_UNKEPT_EVERY_S, first_after_s=_EXPIRE_FIRST_S, run=erase_paused),
    ]
    if settings.mode == "full":
        jobs.append(ScheduledJob(name="extract", every_s=settings.sweep_every_s, run=extract))
    return jobs


def process_name() -> str:
    """Return a name for this process under which it takes leases."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def outbox_worker(stores: Stores, vectors: VectorCache, holder: str) -> OutboxWorker:
    """Return the worker that makes the index and the cache follow the record."""
    return OutboxWorker(
        queue=SqlIndexQueue(stores.database),
        messages=SqlMessageStore(stores.database),
        leases=SqlLeaseStore(stores.database),
        holder=holder,
        index=stores.index,
        vectors=vectors,
        cache=stores.cache,
        embedder=stores.embedder,
        clock=stores.clock,
    )


def personal_memory(database: Database, forgetting: Forgetting) -> PersonalMemory:
    """Return what people can do with their own memories; it needs the record only."""
    return PersonalMemory(
        facts=SqlFactStore(database),
        messages=SqlMessageStore(database),
        recall=SqlRecallStore(database),
        forgetting=forgetting,
        audit=SqlAuditLog(database),
        clock=database.clock,
    )
