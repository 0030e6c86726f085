"""Recall: from a question and a scope to the memories that bear on it.

The record says what may be seen, the index and the full text say what is near, `memory.fusion` says in which order.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from memory.audience import Scope
from memory.breaker import Breaker
from memory.early_questions import EarlyQuestions
from memory.errors import ProviderUnavailableError, StoreError
from memory.fusion import Candidate, bm25_scores, fuse, without_echoes
from memory.lexical import content_terms
from memory.model import Candidates, MemoryKey, MessageId, Recallable, Recalled, UserId, VectorRef, key_kind, row_id
from memory.model.recall import Vector
from memory.ports import Clock, Embedder, RecallStore, VectorIndex
from memory.tasks import TaskTracker
from memory.vector_cache import VectorCache

_Answer = TypeVar("_Answer")
_log = structlog.get_logger(__name__)

BY_WORDS_ONLY = "The memory index cannot be reached: I searched my memories by words only."
STILL_LOADING = "The embedding model is still loading: I searched my memories by words only."

_OWN_TURNS = 1_000
"""A person's newest turns that are scored exactly; older ones are found by their words."""
_LEXICAL_HITS = 64
_SHARED_HITS = 50
_MORE_SHARED_HITS = 200
"""Asked for when the record shows too little of the first ones: they were others' tenants' or channels'."""
_PER_LIST = 16
"""Best of each list that are read from the record and fused."""
_MORE_PER_LIST = 256
"""Read when too few of those are news to the answer."""
_SHORT_QUESTION_TERMS = 4
_MOST_PREPARED = 2
"""People whose vectors are brought in early at once; for more, a burst of messages would wait for the record."""
_LOADING_WAIT_S = 1.5
"""An exported model is loaded within this time; a first export takes longer, and a reply does not wait for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """What was found, best first, and what the person should know about the search."""

    memories: tuple[Recalled, ...]
    notices: tuple[str, ...] = ()


def stands_alone(message: str) -> bool:
    """Say whether a message says enough to be searched for without the turn before it."""
    return len(content_terms(message)) >= _SHORT_QUESTION_TERMS


def question_text(message: str, previous: str) -> str:
    """Return what to search for: the message, with the turn before it when the message alone says little."""
    return message if stands_alone(message) or not previous else f"{previous}\n{message}"


class Retriever:
    """Finds memories for a question, and existing facts for extraction."""

    def __init__(
        self,
        *,
        store: RecallStore,
        index: VectorIndex,
        embedder: Embedder,
        cache: VectorCache,
        clock: Clock,
        tasks: TaskTracker,
    ) -> None:
        self._store = store
        self._index = index
        self._embedder = EarlyQuestions(embedder, tasks)
        self._cache = cache
        self._clock = clock
        self._tasks = tasks
        self._breaker = Breaker(clock)
        self._preparing: set[UserId] = set()

    def prepare(self, question: str, scope: Scope) -> None:
        """Begin what takes longest in the recall that is to follow, while the message is still being committed."""
        if stands_alone(question):
            self._embedder.begin(question)
        reader = scope.reader
        if self._cache.holds(reader) or reader in self._preparing or len(self._preparing) >= _MOST_PREPARED:
            return
        self._preparing.add(reader)
        self._tasks.start(self._bring_in(scope), name="bring in a person's vectors")

    async def _bring_in(self, scope: Scope) -> None:
        try:
            await self._search(scope, (), own_turns=_OWN_TURNS)
        finally:
            self._preparing.discard(scope.reader)

    async def recall(self, question: str, scope: Scope, *, limit: int, exclude: Collection[MessageId] = ()) -> Recall:
        """Return at most `limit` memories that bear on `question`.

        Args:
            question: What is asked; see `question_text`.
            scope: What may be seen.
            limit: At most this many.
            exclude: Messages that the answer sees anyway; what comes from one of them stands behind all else.
        """
        query_terms = content_terms(question)
        try:
            async with asyncio.TaskGroup() as group:
                embedding = group.create_task(self._embed(question))
                search = group.create_task(self._search(scope, query_terms, own_turns=_OWN_TURNS))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        query, notices = embedding.result()
        more: tuple[str, ...] = ()
        found, seen = search.result(), frozenset(exclude)
        by_words = bm25_scores(query_terms, found.lexical)
        similar: dict[MemoryKey, float] = {}
        for most in (_SHARED_HITS, _MORE_SHARED_HITS):
            if query is not None:
                asked = most if found.has_shared else 0
                similar, more = await self._similar(scope.reader, query, found.own, shared_hits=asked)
            memories = await self._read(scope, (similar, by_words), seen, limit)
            if _news(memories, seen) >= limit or not found.has_shared or len(similar) < _SHARED_HITS:
                break
        hits = {hit.key: hit.terms for hit in found.lexical.hits}
        candidates = [
            Candidate(memory=memory, similarity=similar.get(memory.key), terms=hits.get(memory.key, ()))
            for memory in memories
        ]
        ranked = without_echoes(fuse(question, candidates, found.lexical, now=self._clock.now()))
        ranked = sorted(ranked, key=lambda one: not seen.isdisjoint(one.memory.sources))
        return Recall(memories=tuple(ranked[:limit]), notices=notices + more)

    async def related_facts(self, texts: Sequence[str], scope: Scope, *, limit: int) -> Sequence[Recallable]:
        """Return living facts that the scope shows and that `texts` may touch, nearest first.

        All of them when they are no more than `limit`; else those nearest to any of the texts.
        """
        found = await self._search(scope, content_terms("\n".join(texts)), own_turns=0)
        keys = {ref.key for ref in found.own} | {hit.key for hit in found.lexical.hits}
        keys = {key for key in keys if key_kind(key) == "fact"}
        if len(keys) > limit:
            nearness = await self._nearness(scope, texts, found)
            keys = set(sorted(keys, key=lambda key: nearness.get(key, 0.0), reverse=True)[:limit])
        return await self._store.fetch(scope, keys)

    async def _nearness(self, scope: Scope, texts: Sequence[str], found: Candidates) -> dict[MemoryKey, float]:
        hits = _SHARED_HITS if found.has_shared else 0
        nearness: dict[MemoryKey, float] = {}
        for vector in await self._embedder.embed_documents(texts):
            for key, similarity in (await self._similar(scope.reader, vector, found.own, shared_hits=hits))[0].items():
                nearness[key] = max(similarity, nearness.get(key, -1.0))
        return nearness

    async def _read(
        self,
        scope: Scope,
        lists: Sequence[Mapping[MemoryKey, float]],
        seen: frozenset[MessageId],
        limit: int,
    ) -> Sequence[Recallable]:
        """Return what the record shows of the best of each list; of more, when too few of those are news."""
        memories = await self._store.fetch(scope, _best_of_all(lists, seen, _PER_LIST))
        if _news(memories, seen) >= limit or all(len(scores) <= _PER_LIST for scores in lists):
            return memories
        return await self._store.fetch(scope, _best_of_all(lists, seen, _MORE_PER_LIST))

    async def _embed(self, question: str) -> tuple[Vector | None, tuple[str, ...]]:
        try:
            async with asyncio.timeout(None if self._embedder.is_ready else _LOADING_WAIT_S):
                return await self._embedder.embed_query(question), ()
        except TimeoutError:
            return None, (STILL_LOADING,)
        except ProviderUnavailableError as error:
            _log.warning("embedder_unavailable", provider=error.provider)
            return None, (BY_WORDS_ONLY,)

    async def _search(self, scope: Scope, query_terms: Sequence[str], *, own_turns: int) -> Candidates:
        """Return what the record finds, and bring in the person's vectors while the question is being embedded."""
        found = await self._store.search(scope, query_terms, limit=_LEXICAL_HITS, own_turns=own_turns)
        await self._ask_index(lambda: self._cache.fill(scope.reader, found.own), None)
        return found

    async def _similar(
        self, reader: UserId, query: Vector, own: Sequence[VectorRef], *, shared_hits: int
    ) -> tuple[dict[MemoryKey, float], tuple[str, ...]]:
        """Score the person's own memories exactly and, where there are others to see, ask the index for those."""
        found: Sequence[tuple[MemoryKey, float]] = ()
        if shared_hits:
            found = await self._ask_index(lambda: self._index.nearest(query, limit=shared_hits), ())
        notices = (BY_WORDS_ONLY,) if self._breaker.is_open else ()
        return dict(found) | self._cache.similarities(reader, query, own), notices

    async def _ask_index(self, ask: Callable[[], Awaitable[_Answer]], otherwise: _Answer) -> _Answer:
        """Return what the index answers, or `otherwise` while it does not."""
        if self._breaker.allows:
            try:
                async with self._breaker.guard():
                    return await ask()
            except StoreError as error:
                _log.warning("index_unavailable", operation=error.operation)
        return otherwise


def _news(memories: Sequence[Recallable], seen: Collection[MessageId]) -> int:
    """Return how many of the memories do not come from a message that the answer sees anyway."""
    return sum(set(seen).isdisjoint(memory.sources) for memory in memories)


def _best_of_all(lists: Sequence[Mapping[MemoryKey, float]], seen: Collection[MessageId], most: int) -> set[MemoryKey]:
    return set().union(*(_best(scores, seen, most) for scores in lists))


def _best(scores: Mapping[MemoryKey, float], seen: Collection[MessageId], most: int) -> set[MemoryKey]:
    """Return the highest-scored keys that are not turns the answer sees anyway."""
    unseen = [key for key in scores if key_kind(key) != "turn" or MessageId(row_id(key)) not in seen]
    return set(sorted(unseen, key=lambda key: scores[key], reverse=True)[:most])
