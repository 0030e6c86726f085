"""What the shell does to the stores as a whole: migrate, rebuild the index, compact, look for trouble."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from memory.bootstrap.stores import Progress, anthropic_model, open_sql, open_stores, silent
from memory.bootstrap.wiring import outbox_worker, process_name
from memory.clock import SystemClock
from memory.diagnosis import (
    Check,
    check_answers,
    check_embedder,
    check_index,
    check_model,
    check_owner,
    check_record,
)
from memory.errors import ConfigError, FolderInUseError
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


async def run_compaction(settings: MemorySettings) -> None:
    """Rewrite all embedded files without what was erased. Raises ConfigError as `open_memory` does."""
    async with AsyncExitStack() as stack:
        stores = await open_stores(stack, settings, SystemClock(), silent)
        outbox = outbox_worker(stores, VectorCache(stores.index), process_name())
        admin = SqlRecordAdmin(stores.database)
        await compact(admin=admin, index=stores.index, outbox=outbox, clock=stores.clock, force=True)


async def diagnose(settings: MemorySettings) -> Sequence[Check]:
    """Look at everything once; a data folder in use by another process is looked at through the record alone."""
    return [*await _check_stores(settings), *await _check_models(settings)]


async def _check_stores(settings: MemorySettings) -> Sequence[Check]:
    checks: list[Check] = []
    async with AsyncExitStack() as stack:
        try:
            database = await open_sql(stack, settings, SystemClock())
        except ConfigError as error:
            return [Check(name="record", verdict="problem", detail=line) for line in error.problems]
        admin = SqlRecordAdmin(database)
        try:
            stores = await open_stores(stack, settings, SystemClock(), silent, record=database, reach=False)
        except FolderInUseError as error:
            return [*await check_record(admin, is_served=True), check_owner(error.owner)]
        except ConfigError as error:
            checks.extend(await check_record(admin))
            return [*checks, *(Check(name="data folder", verdict="warning", detail=line) for line in error.problems)]
        checks.extend(await check_record(admin))
        redis = "REDIS_URL" if settings.redis_url else "embedded"
        checks.append(await check_answers("short-term memory", stores.cache.ping, where=redis))
        chroma = "CHROMADB_URL" if settings.chromadb_url else "embedded"
        checks.append(await check_answers("index", stores.index.ping, where=chroma))
        checks.append(await check_index(admin, stores.index))
        checks.append(await check_embedder(stores.embedder))
    return checks


async def _check_models(settings: MemorySettings) -> Sequence[Check]:
    if not settings.model_configured:
        missing = "none configured: `recall chat` quotes what it remembers; set ANTHROPIC_API_KEY or ANTHROPIC_BASE_URL"
        return [Check(name="model", verdict="warning", detail=missing)]
    named = {"model for answers": settings.chat_model, "model for learning": settings.extract_model}
    async with anthropic_model(settings) as model, asyncio.TaskGroup() as group:
        checking = [group.create_task(check_model(*each, model.is_available)) for each in named.items()]
    return [task.result() for task in checking]
