"""Opening the stores and the models that the settings name, and saying in one go what cannot be reached."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from memory.errors import ConfigError, StoreError, StoreUnavailableError, UnreachableError
from memory.pace import SteadyPace
from memory.ports import Clock, Embedder, Pace, SessionCache, Signals, VectorIndex
from memory.providers.anthropic import AnthropicModel
from memory.providers.sentence_transformers import open_embedder
from memory.reaching import all_reached, until_reached
from memory.settings import MemorySettings
from memory.stores.chroma import open_chroma_folder, open_chroma_server
from memory.stores.embedded import DataFolder, lock_data_folder, open_valkey
from memory.stores.in_memory import InMemoryPace
from memory.stores.redis import RedisPace, RedisSessionCache, open_client, open_signals
from memory.stores.sql.database import Database, open_database
from memory.stores.sql.leases import SqlLeaseStore
from memory.stores.sql.migrate import migrate

Progress = Callable[[str], None]


def silent(_stage: str) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The opened stores and the embedder, which everything else stands on."""

    database: Database
    cache: SessionCache
    pace: Pace
    signals: Signals
    index: VectorIndex
    embedder: Embedder
    clock: Clock


async def open_sql(stack: AsyncExitStack, settings: MemorySettings, clock: Clock) -> Database:
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
    subject = "The record in the data folder" if settings.database_url is None else "DATABASE_URL"
    await _reach(subject, lambda: migrate(database))
    return database


async def open_stores(
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
    database = record or await open_sql(stack, settings, clock)
    embedder = await stack.enter_async_context(
        open_embedder(settings.data_dir / "models", model=settings.embedding_model, on_progress=on_progress)
    )
    redis_url = await _redis_url(stack, settings, folder)
    client = await stack.enter_async_context(open_client(redis_url))
    most = 2 * loaded_messages(settings.recent_turns)
    per_min = settings.user_turns_per_min
    stores = Stores(
        database=database,
        cache=RedisSessionCache(client, ttl_s=settings.session_ttl_s, max_messages=most),
        pace=SteadyPace(RedisPace(client, per_min=per_min), InMemoryPace(per_min=per_min), clock=clock),
        signals=await stack.enter_async_context(open_signals(redis_url, clock=clock)),
        index=await _open_index(stack, settings, embedder),
        embedder=embedder,
        clock=clock,
    )
    if reach:
        await _reach_all(settings, stores, mend_index=mend_index)
    if settings.database_url is None and record is None:
        await SqlLeaseStore(database).release_all()
    return stores


async def _redis_url(stack: AsyncExitStack, settings: MemorySettings, folder: DataFolder | None) -> str:
    if settings.redis_url is not None:
        return settings.redis_url.get_secret_value()
    if folder is None:
        raise ConfigError(["REDIS_URL is not set, and there is no data folder to run Valkey in."])
    return await stack.enter_async_context(open_valkey(folder))


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
    pings: dict[str, Callable[[], Awaitable[None]]] = {}
    if settings.redis_url is not None:
        pings["REDIS_URL"] = stores.cache.ping
    if settings.chromadb_url is not None and not mend_index:
        pings["CHROMADB_URL"] = stores.index.ping
    await all_reached(*(_reach(setting, ping) for setting, ping in pings.items()))


async def _reach(subject: str, ping: Callable[[], Awaitable[None]]) -> None:
    """Try until it answers, but not for ever.

    Raises:
        UnreachableError: It did not.
        ConfigError: Waiting mends nothing.
    """

    async def attempt(_left_s: float) -> None:
        try:
            await ping()
        except StoreUnavailableError as error:
            raise UnreachableError([f"{subject} cannot be reached: {error}."]) from error
        except StoreError as error:
            raise ConfigError([str(error)]) from error

    await until_reached(attempt)


def anthropic_model(settings: MemorySettings) -> AnthropicModel:
    """Return the configured language model; nothing is imported or connected yet."""
    key, url = settings.anthropic_api_key, settings.anthropic_base_url
    return AnthropicModel(
        api_key=key.get_secret_value() if key else None,
        base_url=url.get_secret_value() if url else None,
        chat_model=settings.chat_model,
        extract_model=settings.extract_model,
    )


def loaded_messages(recent_turns: int) -> int:
    """Return how many messages of a thread are loaded: twice the turns that are kept before folding, with replies.

    The hot copy holds as many again, so that a thread that is never folded is not rebuilt at every turn.
    """
    return 4 * recent_turns
