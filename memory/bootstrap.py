"""The composition root: from settings to open stores, use cases and jobs. The only module that sees both sides."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from memory.clock import SystemClock
from memory.context import Budget
from memory.diagnosis import Check, check_answers, check_embedder, check_index, check_record
from memory.errors import ConfigError, StoreError, StoreUnavailableError
from memory.extraction import ExtractionPolicy, Extractor, SweepReport
from memory.forgetting import Forgetting
from memory.jobs.compact import compact
from memory.jobs.expire import expire
from memory.jobs.extract_idle import extract_idle
from memory.jobs.index_outbox import OutboxWorker
from memory.jobs.reindex import reindex
from memory.jobs.scheduler import JobScheduler, ScheduledJob
from memory.personal import PersonalMemory
from memory.ports import Clock, Embedder, LanguageModel, SessionCache, VectorIndex
from memory.providers.anthropic import AnthropicModel
from memory.providers.offline import OfflineModel
from memory.providers.sentence_transformers import open_embedder
from memory.retrieval import Retriever
from memory.service import MemoryPolicy, MemoryService
from memory.settings import MemorySettings
from memory.short_term import ShortTermMemory
from memory.stores.chroma import open_chroma_folder, open_chroma_server
from memory.stores.embedded import DataFolder, lock_data_folder, open_valkey
from memory.stores.redis import open_redis
from memory.stores.sql.admin import SqlRecordAdmin
from memory.stores.sql.audit import SqlAuditLog
from memory.stores.sql.database import Database, open_database
from memory.stores.sql.erasure import SqlErasureStore
from memory.stores.sql.extraction import SqlExtractionStore
from memory.stores.sql.facts import SqlFactStore
from memory.stores.sql.index_queue import SqlIndexQueue
from memory.stores.sql.leases import SqlLeaseStore
from memory.stores.sql.messages import SqlMessageStore
from memory.stores.sql.migrate import migrate
from memory.stores.sql.recall import SqlRecallStore
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
_EXPIRE_FIRST_S = 60.0  # a chat rarely runs for hours

Progress = Callable[[str], None]


def silent(_stage: str) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The opened stores and the embedder, which everything else stands on."""

    database: Database
    cache: SessionCache
    index: VectorIndex
    embedder: Embedder
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Everything that a chat or a bot needs.

    Attributes:
        service: Turn by turn, for conversations.
        personal: What people do with their own memories.
        forgetting: What platforms report: edits and deletions.
        model: The language model in use.
    """

    service: MemoryService
    personal: PersonalMemory
    forgetting: Forgetting
    model: LanguageModel
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
    async with AsyncExitStack() as stack:
        stores = await _open_stores(stack, settings, clock or SystemClock(), on_progress)
        if model is None:
            model = await stack.enter_async_context(_open_model(settings))
        recall, scheduler = compose(settings, stores, model)
        stack.push_async_callback(recall.tasks.close, grace_s=_SHUTDOWN_GRACE_S)
        stack.push_async_callback(scheduler.close)
        scheduler.start()
        yield recall


@asynccontextmanager
async def open_record(settings: MemorySettings, *, clock: Clock | None = None) -> AsyncIterator[PersonalMemory]:
    """Open the record alone: a person's own memories from the shell, also while a chat or bot runs.

    What has to follow elsewhere (vectors, cached threads) waits in the outbox for the owner of the data folder.

    Raises:
        ConfigError: The record cannot be opened.
    """
    async with AsyncExitStack() as stack:
        database = await _open_record(stack, settings, clock or SystemClock())
        yield _personal(database, Forgetting(erasure=SqlErasureStore(database)))


async def run_migrations(settings: MemorySettings) -> None:
    """Bring the record to this version's schema; raises ConfigError when it cannot be opened."""
    async with AsyncExitStack() as stack:
        await _open_record(stack, settings, SystemClock())


async def run_reindex(
    settings: MemorySettings, *, on_progress: Progress = silent, on_count: Callable[[int, int], None]
) -> int:
    """Rebuild the index; `on_count` is told (done, total). Raises ConfigError as `open_memory` does."""
    async with AsyncExitStack() as stack:
        stores = await _open_stores(stack, settings, SystemClock(), on_progress, mend_index=True)
        queue = SqlIndexQueue(stores.database)
        outbox = _outbox(stores, VectorCache(stores.index), _holder())
        admin = SqlRecordAdmin(stores.database)
        return await reindex(admin=admin, index=stores.index, queue=queue, outbox=outbox, on_progress=on_count)


async def run_compaction(settings: MemorySettings, *, on_progress: Progress = silent) -> None:
    """Rewrite all embedded files without what was erased. Raises ConfigError as `open_memory` does."""
    async with AsyncExitStack() as stack:
        stores = await _open_stores(stack, settings, SystemClock(), on_progress)
        outbox = _outbox(stores, VectorCache(stores.index), _holder())
        admin = SqlRecordAdmin(stores.database)
        await compact(admin=admin, index=stores.index, outbox=outbox, clock=stores.clock, force=True)


async def diagnose(settings: MemorySettings) -> Sequence[Check]:
    """Look at everything once; a data folder in use by another process is looked at through the record alone."""
    checks: list[Check] = []
    async with AsyncExitStack() as stack:
        try:
            database = await _open_record(stack, settings, SystemClock())
        except ConfigError as error:
            return [Check(name="record", verdict="problem", detail=line) for line in error.problems]
        checks.extend(await check_record(SqlRecordAdmin(database)))
        try:
            stores = await _open_stores(stack, settings, SystemClock(), silent, record=database, reach=False)
        except ConfigError as error:
            return [*checks, *(Check(name="data folder", verdict="warning", detail=line) for line in error.problems)]
        redis = "REDIS_URL" if settings.redis_url else "embedded"
        checks.append(await check_answers("short-term memory", stores.cache.ping, where=redis))
        chroma = "CHROMADB_URL" if settings.chromadb_url else "embedded"
        checks.append(await check_answers("index", stores.index.ping, where=chroma))
        checks.append(await check_index(SqlRecordAdmin(database), stores.index))
        checks.append(await check_embedder(stores.embedder))
    checks.append(_check_model(settings))
    return checks


def _check_model(settings: MemorySettings) -> Check:
    if settings.model_configured:
        return Check(
            name="model", verdict="ok", detail=f"{settings.chat_model} answers, {settings.extract_model} learns"
        )
    missing = "none configured: `recall chat` quotes what it remembers; set ANTHROPIC_API_KEY or ANTHROPIC_BASE_URL"
    return Check(name="model", verdict="warning", detail=missing)


async def _open_record(stack: AsyncExitStack, settings: MemorySettings, clock: Clock) -> Database:
    """Open and migrate the record.

    Raises:
        ConfigError: It cannot be reached in time, or its file is damaged.
    """
    if settings.database_url is None:
        DataFolder(settings.data_dir).prepare()
        where: str | Path = settings.data_dir / "recall.db"
    else:
        where = settings.database_url.get_secret_value()
    database = await stack.enter_async_context(open_database(where, clock=clock))
    problem = await _reach("DATABASE_URL", lambda: migrate(database), embedded=settings.database_url is None)
    if problem:
        raise ConfigError([problem])
    return database


async def _open_stores(
    stack: AsyncExitStack,
    settings: MemorySettings,
    clock: Clock,
    on_progress: Progress,
    *,
    record: Database | None = None,
    reach: bool = True,
    mend_index: bool = False,
) -> Stores:
    """Open the stores and begin to load the embedding model.

    Args:
        stack: Closes them.
        settings: Where they are.
        clock: The time of day.
        on_progress: Told what takes long.
        record: The record, when it is open already.
        reach: Make sure that what is configured answers.
        mend_index: A damaged index is no problem.

    Raises:
        ConfigError: All that cannot be reached in time, or the data folder is in use.
    """
    folder = stack.enter_context(lock_data_folder(settings.data_dir)) if settings.is_embedded else None
    database = record or await _open_record(stack, settings, clock)
    embedder = await stack.enter_async_context(
        open_embedder(settings.data_dir / "models", model=settings.embedding_model, on_progress=on_progress)
    )
    stores = Stores(
        database=database,
        cache=await _open_cache(stack, settings, folder),
        index=await _open_index(stack, settings, embedder),
        embedder=embedder,
        clock=clock,
    )
    if reach:
        await _reach_all(settings, stores, mend_index=mend_index)
    if settings.database_url is None and record is None:
        await SqlLeaseStore(database).release_all()
    return stores


async def _open_cache(stack: AsyncExitStack, settings: MemorySettings, folder: DataFolder | None) -> SessionCache:
    if settings.redis_url is not None:
        url = settings.redis_url.get_secret_value()
    elif folder is not None:
        url = await stack.enter_async_context(open_valkey(folder))
    else:
        raise ConfigError(["REDIS_URL is not set, and there is no data folder to run Valkey in."])
    cache = open_redis(url, ttl_s=settings.session_ttl_s, max_messages=2 * loaded_messages(settings.recent_turns))
    return await stack.enter_async_context(cache)


async def _open_index(stack: AsyncExitStack, settings: MemorySettings, embedder: Embedder) -> VectorIndex:
    if settings.chromadb_url is None:
        opened = open_chroma_folder(
            settings.data_dir / "chroma", model_name=embedder.model_name, dimensions=embedder.dimensions
        )
    else:
        token = settings.chromadb_token
        opened = open_chroma_server(
            settings.chromadb_url.get_secret_value(),
            model_name=embedder.model_name,
            dimensions=embedder.dimensions,
            token=token.get_secret_value() if token else None,
        )
    return await stack.enter_async_context(opened)


async def _reach_all(settings: MemorySettings, stores: Stores, *, mend_index: bool) -> None:
    """Make sure that every configured store answers, all at once; the embedded index is looked at when it is used.

    Raises:
        ConfigError: One line for each that does not.
    """
    reaching = []
    async with asyncio.TaskGroup() as group:
        if settings.redis_url is not None:
            reaching.append(group.create_task(_reach("REDIS_URL", stores.cache.ping)))
        if settings.chromadb_url is not None and not mend_index:
            reaching.append(group.create_task(_reach("CHROMADB_URL", stores.index.ping)))
    problems = [problem for task in reaching if (problem := task.result())]
    if problems:
        raise ConfigError(problems)


async def _reach(setting: str, ping: Callable[[], Awaitable[None]], *, embedded: bool = False) -> str | None:
    """Try for REACH_WITHIN_S; return the problem as one line, None when there is none."""
    deadline = asyncio.get_running_loop().time() + REACH_WITHIN_S
    while True:
        try:
            await ping()
        except StoreUnavailableError as error:
            if asyncio.get_running_loop().time() >= deadline:
                subject = "The record in the data folder" if embedded else setting
                return f"{subject} cannot be reached: {error}."
            await asyncio.sleep(_RETRY_S)
        except StoreError as error:  # waiting mends none of the others
            return str(error)
        else:
            return None


@asynccontextmanager
async def _open_model(settings: MemorySettings) -> AsyncIterator[LanguageModel]:
    if not settings.model_configured:
        yield OfflineModel()
        return
    key, url = settings.anthropic_api_key, settings.anthropic_base_url
    async with AnthropicModel(
        api_key=key.get_secret_value() if key else None,
        base_url=url.get_secret_value() if url else None,
        chat_model=settings.chat_model,
        extract_model=settings.extract_model,
    ) as model:
        loading = TaskTracker()
        loading.start(model.warm(), name="load the SDK")
        try:
            yield model
        finally:
            await loading.close(grace_s=0)


def compose(settings: MemorySettings, stores: Stores, model: LanguageModel) -> tuple[Recall, JobScheduler]:
    """Wire the use cases and the jobs; nothing runs yet."""
    holder = _holder()
    messages = SqlMessageStore(stores.database)
    vectors = VectorCache(stores.index)
    short_term = ShortTermMemory(
        messages=messages,
        cache=stores.cache,
        clock=stores.clock,
        max_messages=loaded_messages(settings.recent_turns),
    )
    retriever = Retriever(
        store=SqlRecallStore(stores.database),
        index=stores.index,
        embedder=stores.embedder,
        cache=vectors,
        clock=stores.clock,
    )
    outbox = _outbox(stores, vectors, holder)
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
    tasks = TaskTracker()
    scheduler = JobScheduler(_jobs(settings, stores, extractor, outbox))
    forgetting = Forgetting(
        erasure=SqlErasureStore(stores.database),
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
        personal=_personal(stores.database, forgetting),
        forgetting=forgetting,
        model=model,
        extractor=extractor,
        outbox=outbox,
        tasks=tasks,
    )
    return recall, scheduler


def loaded_messages(recent_turns: int) -> int:
    """Return how many messages of a thread are loaded: twice the turns that are kept before folding, with replies.

    The hot copy holds as many again, so that a thread that is never folded is not rebuilt at every turn.
    """
    return 4 * recent_turns


def _jobs(settings: MemorySettings, stores: Stores, extractor: Extractor, outbox: OutboxWorker) -> list[ScheduledJob]:
    async def compact_if_needed() -> None:
        admin = SqlRecordAdmin(stores.database)
        await compact(admin=admin, index=stores.index, outbox=outbox, clock=stores.clock)

    async def expire_old() -> None:
        admin = SqlRecordAdmin(stores.database)
        await expire(admin=admin, clock=stores.clock, retention_days=settings.retention_days)

    jobs = [
        ScheduledJob(name="index", every_s=_INDEX_EVERY_S, run=outbox.drain),
        ScheduledJob(name="compact", every_s=_COMPACT_EVERY_S, run=compact_if_needed),
        ScheduledJob(name="expire", every_s=_EXPIRE_EVERY_S, first_after_s=_EXPIRE_FIRST_S, run=expire_old),
    ]
    if settings.mode == "full":
        jobs.append(ScheduledJob(name="extract", every_s=settings.sweep_every_s, run=lambda: extract_idle(extractor)))
    return jobs


def _holder() -> str:
    """Return a name for this process under which it takes leases."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def _outbox(stores: Stores, vectors: VectorCache, holder: str) -> OutboxWorker:
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


def _personal(database: Database, forgetting: Forgetting) -> PersonalMemory:
    return PersonalMemory(
        facts=SqlFactStore(database),
        messages=SqlMessageStore(database),
        recall=SqlRecallStore(database),
        forgetting=forgetting,
        audit=SqlAuditLog(database),
        clock=database.clock,
    )
