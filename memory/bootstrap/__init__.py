"""The composition root: from settings to open stores, use cases and jobs. The only package that sees both sides.

`stores` opens what the settings name, `wiring` puts the use cases over it, `upkeep` is what the shell does to it all.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from memory.bootstrap.stores import Progress, Stores, anthropic_model, loaded_messages, open_sql, open_stores, silent
from memory.bootstrap.upkeep import diagnose, run_compaction, run_migrations, run_reindex
from memory.bootstrap.wiring import Recall, compose, ignore_sweep, personal_memory
from memory.clock import SystemClock
from memory.errors import ProviderError, StoreError
from memory.extraction import SweepReport
from memory.forgetting import Forgetting
from memory.personal import PersonalMemory
from memory.ports import Clock, LanguageModel
from memory.providers.offline import OfflineModel
from memory.settings import MemorySettings
from memory.stores.sql.erasure import SqlErasureStore
from memory.tasks import TaskTracker

__all__ = [
    "Recall",
    "Stores",
    "compose",
    "diagnose",
    "loaded_messages",
    "open_memory",
    "open_record",
    "run_compaction",
    "run_migrations",
    "run_reindex",
]

_SHUTDOWN_GRACE_S = 20.0
_LOAD_WITHIN_S = 30.0


@asynccontextmanager
async def open_memory(
    settings: MemorySettings,
    *,
    clock: Clock | None = None,
    model: LanguageModel | None = None,
    on_progress: Progress = silent,
    on_swept: Callable[[SweepReport], None] = ignore_sweep,
    warm: bool = False,
) -> AsyncIterator[Recall]:
    """Open all of it for a chat or a bot, start the jobs, and close everything in reverse.

    Args:
        settings: Where everything is; what is not set runs embedded in the data folder.
        clock: The time of day; the machine's when None.
        model: The language model; the configured one when None, and the offline one when none is configured.
        on_progress: Told what takes long, in a few words; possibly from another thread.
        on_swept: Told what each scheduled sweep over quiet threads did.
        warm: Load what takes long before it is asked of, instead of beside the first who ask.

    Raises:
        ConfigError: Something configured cannot be reached, the data folder is in use, or a file is damaged.
    """
    async with AsyncExitStack() as stack:
        stores = await open_stores(stack, settings, clock or SystemClock(), on_progress)
        if model is None:
            model = await stack.enter_async_context(open_model(settings, wait=warm))
        if warm:
            await _until_loaded(stores)
        recall, scheduler = compose(settings, stores, model, on_swept=on_swept)
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
        clock = clock or SystemClock()
        database = await open_sql(stack, settings, clock)
        yield personal_memory(database, Forgetting(erasure=SqlErasureStore(database), clock=clock))


@asynccontextmanager
async def open_model(settings: MemorySettings, *, wait: bool) -> AsyncIterator[LanguageModel]:
    if not settings.model_configured:
        yield OfflineModel()
        return
    async with anthropic_model(settings) as model:
        if wait:
            await model.warm()
        loading = TaskTracker()
        loading.start(model.warm(), name="load the SDK")
        try:
            yield model
        finally:
            await loading.close(grace_s=0)


async def _until_loaded(stores: Stores) -> None:
    """Wait for the embedding model and the index, but not for ever: without them, recall goes on with words alone."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_tried(stores.embedder.embed_query("ready?")))
        group.create_task(_tried(stores.index.ping()))


async def _tried(call: Awaitable[object]) -> None:
    with suppress(ProviderError, StoreError, TimeoutError):
        async with asyncio.timeout(_LOAD_WITHIN_S):
            await call
