"""Opens and fills what the benchmark measures: Recall's embedded stores, and a Valkey for all of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sqlalchemy import insert

from memory.audience import entry_labels
from memory.bootstrap import Stores, loaded_messages
from memory.clock import SystemClock
from memory.model import VectorEntry, VectorRef
from memory.ports import Embedder, VectorIndex
from memory.settings import MemorySettings
from memory.stores.chroma import open_chroma_folder
from memory.stores.in_memory import InMemoryPace, InMemorySignals
from memory.stores.redis import open_redis
from memory.stores.sql.database import Database, open_database
from memory.stores.sql.lexicon import put_entry
from memory.stores.sql.migrate import migrate
from memory.stores.sql.schema import channels, fact_sources, facts, people, threads
from tests.benchmarks.population import FACTS_EACH, KnownFact, Population, vectors_of

Advance = Callable[[int], None]
"""Told how many more rows were written."""

CHROMA = "chroma"
_BATCH = 2_000
_PATIENT_S = 60.0  # a batch of the filling may be slow on a busy machine


@asynccontextmanager
async def open_stores(folder: Path, valkey_url: str, embedder: Embedder) -> AsyncIterator[Stores]:
    """Open the stores in a folder as `memory.bootstrap` does, with the embedder and the Valkey of the benchmark."""
    settings = MemorySettings(data_dir=folder)
    most = 2 * loaded_messages(settings.recent_turns)
    async with (
        open_database(folder / "recall.db", clock=SystemClock()) as database,
        open_redis(valkey_url, ttl_s=settings.session_ttl_s, max_messages=most) as cache,
        open_chroma_folder(
            folder / CHROMA, model_name=embedder.model_name, dimensions=embedder.dimensions, timeout_s=_PATIENT_S
        ) as index,
    ):
        await migrate(database)
        yield Stores(
            database=database,
            cache=cache,
            pace=InMemoryPace(per_min=settings.user_turns_per_min),
            signals=InMemorySignals(),
            index=index,
            embedder=embedder,
            clock=SystemClock(),
        )


async def fill(stores: Stores, population: Population, measured: npt.NDArray[np.float32], advance: Advance) -> None:
    """Write everybody's facts to the record, the full text and the index; two steps of `advance` a fact."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_fill_record(stores.database, population, advance))
        group.create_task(_fill_index(stores.index, population, measured, advance))


async def _fill_record(database: Database, population: Population, advance: Advance) -> None:
    owners = range(population.people)
    async with database.upkeep_transaction("fill") as connection:
        await connection.execute(insert(people), [_person_row(population, owner) for owner in owners])
        await connection.execute(insert(channels), [_channel_row(population, owner) for owner in owners])
        await connection.execute(insert(threads), [_thread_row(population, owner) for owner in owners])
    for some in _batches(population.facts()):
        async with database.upkeep_transaction("fill") as connection:
            await connection.execute(insert(facts), [_fact_row(population, fact) for fact in some])
            await connection.execute(insert(fact_sources), [_source_row(population, fact) for fact in some])
            for fact in some:
                owner = population.person(fact.owner).user_id
                about_owner = fact.subject == "person"
                labels = entry_labels(audience=fact.audience, owner=owner, about_owner=about_owner)
                await put_entry(connection, key=fact.key, labels=labels, text=fact.text)
        advance(len(some))


async def _fill_index(
    index: VectorIndex, population: Population, measured: npt.NDArray[np.float32], advance: Advance
) -> None:
    for some in _batches(population.facts()):
        refs = [VectorRef(owner=population.person(fact.owner).user_id, key=fact.key) for fact in some]
        vectors = vectors_of(list(some), measured)
        await index.upsert([VectorEntry(ref=ref, vector=vector) for ref, vector in zip(refs, vectors, strict=True)])
        advance(len(some))


def _batches(known: Iterator[KnownFact]) -> Iterator[Sequence[KnownFact]]:
    while some := list(islice(known, _BATCH)):
        yield some


def _person_row(population: Population, owner: int) -> dict[str, object]:
    person = population.person(owner)
    return {
        "user_id": person.user_id,
        "tenant_id": population.tenant(owner),
        "name": person.name,
        "next_number": FACTS_EACH + 1,
    }


def _channel_row(population: Population, owner: int) -> dict[str, object]:
    place = population.place(owner, "earlier")
    return {"channel_id": place.channel_id, "audience": place.audience}


def _thread_row(population: Population, owner: int) -> dict[str, object]:
    place = population.place(owner, "earlier")
    return {
        "session_id": place.session_id,
        "tenant_id": place.tenant_id,
        "channel_id": place.channel_id,
        "audience": place.audience,
        "shared": place.shared,
        "title": "what runs where",
        "last_active_at": SystemClock().now(),
    }


def _fact_row(population: Population, fact: KnownFact) -> dict[str, object]:
    now = SystemClock().now()
    return {
        "id": fact.fact_id,
        "tenant_id": population.tenant(fact.owner),
        "owner_id": population.person(fact.owner).user_id,
        "number": fact.number + 1,
        "subject": fact.subject,
        "kind": "environment",
        "text": fact.text,
        "audience": fact.audience,
        "said_at": now,
        "created_at": now,
    }


def _source_row(population: Population, fact: KnownFact) -> dict[str, object]:
    place = population.place(fact.owner, "earlier")
    return {
        "fact_id": fact.fact_id,
        "author_id": population.person(fact.owner).user_id,
        "session_id": place.session_id,
        "channel_id": place.channel_id,
        "audience": fact.audience,
        "said_at": SystemClock().now(),
    }
