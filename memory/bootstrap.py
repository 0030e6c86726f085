"""The composition root: from settings to open stores, use cases and jobs. The only module that sees both sides."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from memory.clock import SystemClock
from memory.context import Budget
from memory.errors import ConfigError, StoreCorruptError, StoreError, StoreUnavailableError
from memory.extraction import ExtractionPolicy, Extractor, SweepReport
from memory.forgetting import Forgetting
from memory.jobs.compact import compact
from memory.jobs.expire import expire
from memory.jobs.extract_idle import extract_idle
from memory.jobs.index_outbox import OutboxWorker
from memory.jobs.scheduler import JobScheduler, ScheduledJob
from memory.personal import PersonalMemory
from memory.ports import Clock, Embedder, LanguageModel, RecordAdmin, SessionCache, VectorIndex
from memory.providers.anthropic import AnthropicModel
from memory.providers.offline import OfflineModel
from memory.providers.sentence_transformers import open_embedder
from memory.retrieval import Retriever
from memory.service import MemoryPolicy, MemoryService
from memory.settings import MemorySettings
from memory.short_term import ShortTermMemory
from memory.stores.chroma import open_chroma_folder, open_chroma_server
from memory.stores.embedded import lock_data_folder, open_valkey
from memory.stores.redis import open_redis
from memory.stores.sql import (
    Database,
    SqlAuditLog,
    SqlErasureStore,
    SqlExtractionStore,
    SqlFactStore,
    SqlIndexQueue,
    SqlLeaseStore,
    SqlMessageStore,
    SqlRecallStore,
    SqlRecordAdmin,
    migrate,
    open_database,
)
from memory.summarization import Summarizer, SummaryPolicy
from memory.tasks import TaskTracker
from memory.vector_cache import VectorCache

REACH_WITHIN_S = 15.0
"""A configured store that does not answer for so long at start is a problem; later outages are ridden out."""
_RETRY_S = 0.5
_SHUTDOWN_GRACE_S = 20.0
_INDEX_EVERY_S = 2.0
_COMPACT_EVERY_S = 900.0
_EXPIRE_EVERY_S = 6 * 3_600.0

Progress = Callable[[str], None]


def silent(_stage: str) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Everything that is open.

    Attributes:
        service: Turn by turn, for conversations.
        personal: What people do with their own memories.
        model: The language model in use.
        notices: What went wrong while opening and does not stop Recall.
    """

    service: MemoryService
    personal: PersonalMemory
    model: LanguageModel
    notices: tuple[str, ...]
    extractor: Extractor
    outbox: OutboxWorker
    tasks: TaskTracker

    async def sweep(self) -> SweepReport:
        """Extract from every thread now, and index what came of it."""
        await self.tasks.idle()
        report = await self.extractor.sweep(now_quiet=True)
        await self.outbox.drain()
        return report


@asynccontextmanager
async def open_memory(
    settings: MemorySettings,
    *,
    clock: Clock | None = None,
    model: LanguageModel | None = None,
    on_progress: Progress = silent,
) -> AsyncIterator[Recall]:
    """Open all of it for a chat or a bot, start the jobs, and close everything in reverse.

    Args:
        settings: Where everything is; what is not set runs embedded in the data folder.
        clock: The time of day; the machine's when None.
        model: The language model; the configured one when None, and the offline one when none is configured.
        on_progress: Told what takes long, in a few words; possibly from another thread.

    Raises:
        ConfigError: Something configured cannot be reached, the data folder is in use, or a file is damaged.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        if settings.is_embedded:
            stack.enter_context(lock_data_folder(settings.data_dir))
        database = await _open_record(stack, settings, clock)
        cache = await stack.enter_async_context(_open_cache(settings))
        embedder = await stack.enter_async_context(_open_embedder(settings, on_progress))
        index = await stack.enter_async_context(_open_index(settings, embedder))
        await _reach_all(settings, database, cache, index)
        if settings.database_url is None:
            await SqlLeaseStore(database).release_all()
        if model is None:
            model = await stack.enter_async_context(_open_model(settings))
        async with _compose(settings, database, cache, index, embedder, model, clock) as recall:
            yield recall


@asynccontextmanager
async def open_record(settings: MemorySettings, *, clock: Clock | None = None) -> AsyncIterator[PersonalMemory]:
    """Open the record alone: a person's own memories from the shell, also while a chat or bot runs.

    What has to follow elsewhere (vectors, cached threads) waits in the outbox for the owner of the data folder.

    Raises:
        ConfigError: The record cannot be opened.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        database = await _open_record(stack, settings, clock)
        yield _personal(database, clock, Forgetting(erasure=SqlErasureStore(database)))


@asynccontextmanager
async def _compose(
    settings: MemorySettings,
    database: Database,
    cache: SessionCache,
    index: VectorIndex,
    embedder: Embedder,
    model: LanguageModel,
    clock: Clock,
) -> AsyncIterator[Recall]:
    """Wire the use cases, run the jobs, and wind down."""
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    messages = SqlMessageStore(database)
    vectors = VectorCache(index)
    short_term = ShortTermMemory(
        messages=messages, cache=cache, clock=clock, max_messages=cached_messages(settings.recent_turns)
    )
    retriever = Retriever(
        store=SqlRecallStore(database), index=index, embedder=embedder, cache=vectors, clock=clock
    )
    outbox = OutboxWorker(
        queue=SqlIndexQueue(database), index=index, vectors=vectors, cache=cache, embedder=embedder, clock=clock
    )
    extractor = Extractor(
        store=SqlExtractionStore(database),
        messages=messages,
        retriever=retriever,
        model=model,
        clock=clock,
        policy=ExtractionPolicy(idle_after_s=settings.idle_after_s, every_turns=settings.extract_every_turns),
        holder=holder,
    )
    admin = SqlRecordAdmin(database)
    scheduler = JobScheduler(_jobs(settings, extractor, outbox, admin, index, clock))
    tasks = TaskTracker()
    forgetting = Forgetting(
        erasure=SqlErasureStore(database),
        short_term=short_term,
        vectors=vectors,
        on_erased=lambda: scheduler.wake("index"),
    )
    summarizer = Summarizer(
        messages=messages,
        short_term=short_term,
        model=model,
        policy=SummaryPolicy(recent_turns=settings.recent_turns, recent_tokens=settings.context_tokens // 2),
    )
    service = MemoryService(
        messages=messages,
        facts=SqlFactStore(database),
        short_term=short_term,
        retriever=retriever,
        summarizer=summarizer,
        clock=clock,
        policy=MemoryPolicy(mode=settings.mode, budget=Budget(context_tokens=settings.context_tokens)),
        holder=holder,
        tasks=tasks,
    )
    scheduler.start()
    try:
        yield Recall(
            service=service,
            personal=_personal(database, clock, forgetting),
            model=model,
            notices=(),
            extractor=extractor,
            outbox=outbox,
            tasks=tasks,
        )
    finally:
        await scheduler.close()
        await tasks.close(grace_s=_SHUTDOWN_GRACE_S)


def cached_messages(recent_turns: int) -> int:
    """Return how many messages a thread's hot copy holds: twice the turns before folding, with their replies."""
    return 4 * recent_turns


def _jobs(
    settings: MemorySettings,
    extractor: Extractor,
    outbox: OutboxWorker,
    admin: RecordAdmin,
    index: VectorIndex,
    clock: Clock,
) -> list[ScheduledJob]:
    jobs = [
        ScheduledJob(name="index", every_s=_INDEX_EVERY_S, run=outbox.drain),
        ScheduledJob(
            name="compact",
            every_s=_COMPACT_EVERY_S,
            run=lambda: compact(admin=admin, index=index, outbox=outbox, clock=clock),
        ),
    ]
    if settings.mode == "full":
        jobs.append(
            ScheduledJob(name="extract", every_s=settings.sweep_every_s, run=lambda: extract_idle(extractor))
        )
    return jobs


def _personal(database: Database, clock: Clock, forgetting: Forgetting) -> PersonalMemory:
    return PersonalMemory(
        facts=SqlFactStore(database),
        messages=SqlMessageStore(database),
        forgetting=forgetting,
        audit=SqlAuditLog(database),
        clock=clock,
    )
