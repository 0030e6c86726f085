"""What the shell does to the stores as a whole: migrate, rebuild the index, compact, look for trouble."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from memory.bootstrap.stores import Progress, open_sql, open_stores, silent
from memory.bootstrap.wiring import outbox_worker, process_name
from memory.clock import SystemClock
from memory.diagnosis import Check, check_answers, check_embedder, check_index, check_record
from memory.errors import ConfigError
from memory.jobs.compact import compact
from memory.jobs.reindex import reindex
from memory.settings import MemorySettings
from memory.stores.sql.admin import SqlRecordAdmin
from memory.stores.sql.index_queue import SqlIndexQueue
from memory.vector_cache import VectorCache


async def run_migrations(settings: MemorySettings) -> None:
    """Bring the record to this version's schema; raises ConfigError when it cannot be opened."""
    async with AsyncExitStack() as stack:
        await open_sql(stack, settings, SystemClock())


async def run_reindex(
    settings: MemorySettings, *, on_progress: Progress = silent, on_count: Callable[[int, int], None]
) -> int:
    """Rebuild the index; `on_count` is told (done, total). Raises ConfigError as `open_memory` does."""
    async with AsyncExitStack() as stack:
        stores = await open_stores(stack, settings, SystemClock(), on_progress, mend_index=True)
        queue = SqlIndexQueue(stores.database)
        outbox = outbox_worker(stores, VectorCache(stores.index), process_name())
        admin = SqlRecordAdmin(stores.database)
        return await reindex(admin=admin, index=stores.index, queue=queue, outbox=outbox, on_progress=on_count)


async def run_compaction(settings: MemorySettings, *, on_progress: Progress = silent) -> None:
    """Rewrite all embedded files without what was erased. Raises ConfigError as `open_memory` does."""
    async with AsyncExitStack() as stack:
        stores = await open_stores(stack, settings, SystemClock(), on_progress)
        outbox = outbox_worker(stores, VectorCache(stores.index), process_name())
        admin = SqlRecordAdmin(stores.database)
        await compact(admin=admin, index=stores.index, outbox=outbox, clock=stores.clock, force=True)


async def diagnose(settings: MemorySettings) -> Sequence[Check]:
    """Look at everything once; a data folder in use by another process is looked at through the record alone."""
    checks: list[Check] = []
    async with AsyncExitStack() as stack:
        try:
            database = await open_sql(stack, settings, SystemClock())
        except ConfigError as error:
            return [Check(name="record", verdict="problem", detail=line) for line in error.problems]
        checks.extend(await check_record(SqlRecordAdmin(database)))
        try:
            stores = await open_stores(stack, settings, SystemClock(), silent, record=database, reach=False)
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
