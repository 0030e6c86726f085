"""What is measured: Recall's turn, the floor below which no such turn can be, and the usual way to build it."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import redis.asyncio

from bots.prompts import assistant_prompt
from memory.bootstrap import Stores, compose
from memory.model import InboundMessage
from memory.ports import Embedder
from memory.providers.offline import OfflineModel
from memory.providers.sentence_transformers.source import DEFAULT_MODEL, find_source
from memory.settings import MemorySettings
from memory.stores.chroma.names import collection_names
from tests.benchmarks.population import FACTS_EACH, Population, question
from tests.benchmarks.stopwatch import Stopwatch, TimedCache, TimedEmbedder
from tests.benchmarks.stores import CHROMA

RECALLED = 12
_HISTORY = 20
_DAY_S = 86_400
_TURNS_PER_THREAD = 10
_ANSWER = (
    "You told me before; the note is above. If it has changed since, say so and I will keep the new one in its place."
)
"""What the model says, at once."""


class RecallTurn:
    """Recall on its stores, a turn at a time. Between turns the outbox is drained, as in the pause of a person."""

    def __init__(self, stores: Stores, population: Population, folder: Path) -> None:
        self._watch = Stopwatch()
        timed = replace(
            stores,
            cache=TimedCache(stores.cache, self._watch),
            embedder=TimedEmbedder(stores.embedder, self._watch),
        )
        self._recall, _ = compose(MemorySettings(data_dir=folder), timed, OfflineModel())
        self._clock = stores.clock
        self._population = population
        self._system = assistant_prompt()

    async def run(self, owner: int, number: int, *, cold: bool = False) -> tuple[dict[str, float], bool]:
        """Run one turn in which a measured person asks for their `number`th fact.

        Args:
            owner: Who asks.
            number: Counts the turns; the question and the thread follow from it.
            cold: The person's vectors are not in the process.

        Returns:
            Milliseconds by step and as a "turn", and whether the fact that was asked for was recalled.
        """
        if cold:
            self._recall.outbox._vectors.drop(self._population.person(owner).user_id)
        asked = number % FACTS_EACH
        message = InboundMessage(
            place=self._population.place(owner, f"thread {number // _TURNS_PER_THREAD}"),
            platform_message_id=str(number),
            author=self._population.person(owner),
            text=question(asked),
            sent_at=self._clock.now(),
        )
        service, watch = self._recall.service, self._watch
        with watch.lap("turn"):
            with watch.lap("accept"):
                accepted = (await service.accept(message)).accepted
            with watch.lap("begin"):
                claim = await service.begin(accepted.message_id)
            if claim is None:
                raise RuntimeError("nobody else can hold this thread")
            with watch.lap("working memory"):
                working = await service.working_memory(claim, system=self._system)
            with watch.lap("settle and append"):
                await service.settle(claim, _ANSWER, working.request.recalled)
        laps = watch.take()
        await service.mark_shown(claim)
        await self._recall.tasks.idle()
        await self._recall.outbox.drain()
        watch.take()
        if working.notices:
            raise RuntimeError(f"this turn was not a whole one: {working.notices}")
        wanted = self._population.asked_key(owner, asked)
        return _steps(laps), wanted in {each.memory.key for each in working.request.recalled}


def _steps(laps: dict[str, float]) -> dict[str, float]:
    """Return the steps of a turn; together they are the turn, but for the embedding, which is inside recall."""
    return {
        "turn": laps["turn"],
        "accept": laps["accept"],
        "begin": laps["begin"],
        "load": laps["load"],
        "recall": laps["working memory"] - laps["load"],
        "of it embed": laps["embed"],
        "settle": laps["settle and append"] - laps["append"],
        "append": laps["append"],
    }


class Floor:
    """One embedding, the exact scores of one person's vectors, one round trip to Redis."""

    def __init__(self, embedder: Embedder, matrix: npt.NDArray[np.float32], client: "redis.asyncio.Redis") -> None:
        self._embedder = embedder
        self._matrix = matrix
        self._client = client

    async def run(self, asked: str) -> float:
        """Return the milliseconds it takes."""
        started = time.perf_counter()
        vector = await self._embedder.embed_query(asked)
        np.argsort(-(self._matrix @ vector))[:RECALLED].tolist()
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.rpush("floor", asked)
            pipe.ltrim("floor", -_HISTORY, -1)
            pipe.expire("floor", _DAY_S)
            pipe.lrange("floor", 0, -1)
            await pipe.execute()
        return (time.perf_counter() - started) * 1000


class UsualWay:
    """A list in Redis, one Chroma collection with a filter, sentence-transformers on torch: all with their defaults.

    The collection is Recall's own of that size: ids, vectors and owners without texts, which makes it the faster.
    """

    def __init__(self, encoder: Any, collection: Any, client: "redis.asyncio.Redis", owner: str) -> None:
        self._encoder = encoder
        self._collection = collection
        self._client = client
        self._owner = owner
        self._key = f"usual:{owner}"

    async def run(self, asked: str, number: int) -> dict[str, float]:
        """Return the milliseconds of each part and of all."""
        watch = Stopwatch()
        with watch.lap("usual way"):
            with watch.lap("embed"):
                vector = self._encoder.encode(asked)
            with watch.lap("redis"):
                await self._client.rpush(self._key, asked)
                await self._client.ltrim(self._key, -_HISTORY, -1)
                await self._client.expire(self._key, _DAY_S)
                await self._client.lrange(self._key, 0, -1)
            with watch.lap("query"):
                self._collection.query(query_embeddings=[vector], n_results=RECALLED, where={"owner": self._owner})
            with watch.lap("add"):
                self._collection.add(
                    ids=[f"usual/{number}"], embeddings=[vector], documents=[asked], metadatas=[{"owner": self._owner}]
                )
        return watch.take()


def load_encoder() -> Any:
    """Load the packaged model the usual way; brings in torch, whose threads then stay about."""
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 (after the phase that it would disturb)
    from transformers.utils import logging  # noqa: PLC0415

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # there is one already
    return SentenceTransformer(find_source(DEFAULT_MODEL).location)


def open_collection(folder: Path, embedder: Embedder) -> Any:
    """Open the facts of a data folder that Recall has closed."""
    import chromadb  # noqa: PLC0415 (1.3 s)

    generation = folder / CHROMA / (folder / CHROMA / "CURRENT").read_text(encoding="ascii").strip()
    client = chromadb.PersistentClient(str(generation), chromadb.config.Settings(anonymized_telemetry=False))
    name = collection_names(embedder.model_name, embedder.dimensions)["fact"]
    return client.get_collection(name, embedding_function=None)
