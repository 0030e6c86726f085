"""Stores that live and die with the process: for tests, and for running with nothing at all. They know no vendor."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import numpy as np

from memory.errors import DimensionMismatchError, StoreUnavailableError
from memory.model import (
    CachedThread,
    MemoryKey,
    Message,
    SessionId,
    ThreadHead,
    ThreadState,
    UserId,
    VectorEntry,
    VectorRef,
)
from memory.model.ids import KeyKind, key_kind
from memory.model.recall import Vector
from memory.pace import Rate
from memory.ports import Pace, SessionCache, Signals, VectorIndex

_PRUNE_FROM = 1_024  # people; fewer are not worth a look
_HELD = 1_000  # words that wait for a listener


def loop_time() -> float:
    """Return the event loop's clock, in seconds; it never goes back."""
    return asyncio.get_running_loop().time()


@dataclass(frozen=True, slots=True)
class _Entry:
    """A copy, or (with None) the head that a removed one has left behind to turn older ones away."""

    head: ThreadHead
    thread: CachedThread | None
    expires_at: float


class InMemorySessionCache(SessionCache):
    """Threads in a dictionary; expired ones go when they are next looked for."""

    def __init__(self, *, ttl_s: float, max_messages: int, monotonic: Callable[[], float] = loop_time) -> None:
        self._ttl_s = ttl_s
        self._max_messages = max_messages
        self._monotonic = monotonic
        self._entries: dict[SessionId, _Entry] = {}
        self._closed = False

    async def load(self, session_id: SessionId) -> CachedThread | None:
        there = self._find("load", session_id)
        if there is None or there.thread is None:
            return None
        self._keep(there.head, there.thread)
        return there.thread

    async def append(self, messages: Sequence[Message], *, before: ThreadHead, after: ThreadHead) -> bool:
        there = self._find("append", before.session_id)
        if there is None or there.thread is None:
            return False
        grown = (*there.thread.messages, *messages)
        if there.head != before or len(grown) > self._max_messages:
            self._keep(there.head, None)
            return False
        self._keep(after, replace(there.thread, head=after, messages=grown))
        return True

    async def replace(self, thread: ThreadState) -> bool:
        there = self._find("replace", thread.head.session_id)
        if there is not None:
            age, age_there = _age(thread.head), _age(there.head)
            if age < age_there or (age == age_there and there.thread is not None):
                return False
        fits = len(thread.messages) <= self._max_messages
        self._keep(thread.head, thread if fits else None)
        return fits

    async def evict(self, heads: Collection[ThreadHead]) -> None:
        self._check("evict")
        for head in heads:
            there = self._find("evict", head.session_id)
            if there is None or _age(there.head) <= _age(head):
                self._keep(head, None)

    async def ping(self) -> None:
        self._check("ping")

    def close(self) -> None:
        """Refuse everything from now on."""
        self._closed = True

    def _find(self, operation: str, session_id: SessionId) -> _Entry | None:
        self._check(operation)
        entry = self._entries.get(session_id)
        if entry is not None and entry.expires_at <= self._monotonic():
            del self._entries[session_id]
            return None
        return entry

    def _keep(self, head: ThreadHead, thread: CachedThread | None) -> None:
        self._entries[head.session_id] = _Entry(head, thread, self._monotonic() + self._ttl_s)

    def _check(self, operation: str) -> None:
        if self._closed:
            raise StoreUnavailableError("redis", operation, "closed")


class InMemoryPace(Pace):
    """Everybody's pace in a dictionary, by this process's own clock; who has rested is left out in time."""

    def __init__(self, *, per_min: int, monotonic: Callable[[], float] = loop_time) -> None:
        self._rate = Rate(per_min)
        self._monotonic = monotonic
        self._used_until: dict[UserId, float] = {}
        self._prune_at = _PRUNE_FROM

    async def take(self, user_id: UserId) -> float:
        now = self._monotonic()
        wait, self._used_until[user_id] = self._rate.take(self._used_until.get(user_id, now), now)
        if len(self._used_until) >= self._prune_at:
            self._used_until = {person: until for person, until in self._used_until.items() if until > now}
            self._prune_at = max(_PRUNE_FROM, 2 * len(self._used_until))
        return wait


class _Heard(AsyncIterator[str]):
    """What one listener has not taken yet."""

    def __init__(self) -> None:
        self._words: asyncio.Queue[str] = asyncio.Queue(_HELD)

    def tell(self, word: str) -> None:
        """Add a word; the oldest one goes when there are too many."""
        if self._words.full():
            self._words.get_nowait()
        self._words.put_nowait(word)

    async def __anext__(self) -> str:
        return await self._words.get()


class InMemorySignals(Signals):
    """Signals within one process."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[_Heard]] = {}

    async def send(self, topic: str, payload: str) -> None:
        for heard in self._listeners.get(topic, ()):
            heard.tell(payload)

    @asynccontextmanager
    async def listen(self, topic: str) -> AsyncIterator[AsyncIterator[str]]:
        heard = _Heard()
        self._listeners.setdefault(topic, []).append(heard)
        try:
            yield heard
        finally:
            self._listeners[topic].remove(heard)
            if not self._listeners[topic]:
                del self._listeners[topic]


class InMemoryVectorIndex(VectorIndex):
    """Vectors in a dictionary, compared one by one."""

    def __init__(self, *, dimensions: int) -> None:
        self._dimensions = dimensions
        self._vectors: dict[VectorRef, Vector] = {}
        self._closed = False

    async def upsert(self, entries: Sequence[VectorEntry]) -> None:
        self._check("upsert")
        for entry in entries:
            self._check_shape("upsert", entry.vector)
        for entry in entries:
            self._vectors[entry.ref] = np.array(entry.vector, dtype=np.float32)

    async def delete(self, refs: Collection[VectorRef]) -> None:
        self._check("delete")
        for ref in refs:
            self._vectors.pop(ref, None)

    async def vectors(self, refs: Collection[VectorRef]) -> Mapping[MemoryKey, Vector]:
        self._check("vectors")
        return {ref.key: self._vectors[ref] for ref in refs if ref in self._vectors}

    async def nearest(self, query: Vector, *, limit: int) -> Sequence[tuple[MemoryKey, float]]:
        self._check("nearest")
        self._check_shape("nearest", query)
        scored = [(ref.key, float(np.clip(vector @ query, -1, 1))) for ref, vector in self._vectors.items()]
        scored.sort(key=lambda pair: -pair[1])
        kept: dict[KeyKind, int] = {}
        nearest = []
        for key, similarity in scored:
            kind = key_kind(key)
            if kept.setdefault(kind, 0) < limit:
                kept[kind] += 1
                nearest.append((key, similarity))
        return nearest

    async def count(self) -> int:
        self._check("count")
        return len(self._vectors)

    async def compact(self) -> None:
        self._check("compact")

    async def clear(self) -> None:
        self._check("clear")
        self._vectors.clear()

    async def ping(self) -> None:
        self._check("ping")

    def close(self) -> None:
        """Refuse everything from now on."""
        self._closed = True

    def _check(self, operation: str) -> None:
        if self._closed:
            raise StoreUnavailableError("chroma", operation, "closed")

    def _check_shape(self, operation: str, vector: Vector) -> None:
        if vector.shape != (self._dimensions,):
            raise DimensionMismatchError("chroma", operation, f"{vector.shape} instead of ({self._dimensions},)")


def _age(head: ThreadHead) -> tuple[int, int]:
    """Return what makes one copy newer than another: forgetting first."""
    return head.forget_epoch, head.version
