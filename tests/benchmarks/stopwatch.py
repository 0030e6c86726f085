"""Takes times: of a whole turn from outside, and of two ports by standing in front of them."""

import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from memory.model import CachedThread, Message, SessionId, ThreadHead, ThreadState
from memory.model.recall import Vector
from memory.ports import Embedder, SessionCache


class Stopwatch:
    """Milliseconds by name, summed up until they are taken."""

    def __init__(self) -> None:
        self._laps: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def lap(self, name: str) -> Iterator[None]:
        """Add the time of the enclosed block."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._laps[name] += (time.perf_counter() - started) * 1000

    def take(self) -> dict[str, float]:
        """Return what was measured, and start anew."""
        laps = dict(self._laps)
        self._laps.clear()
        return laps


class TimedEmbedder(Embedder):
    """Takes the time of questions."""

    def __init__(self, inner: Embedder, watch: Stopwatch) -> None:
        self._inner = inner
        self._watch = watch

    @property
    def model_name(self) -> str:
        return self._inner.model_name

    @property
    def dimensions(self) -> int:
        return self._inner.dimensions

    @property
    def is_ready(self) -> bool:
        return self._inner.is_ready

    async def embed_query(self, text: str) -> Vector:
        with self._watch.lap("embed"):
            return await self._inner.embed_query(text)

    async def embed_documents(self, texts: Sequence[str]) -> Sequence[Vector]:
        return await self._inner.embed_documents(texts)


class TimedCache(SessionCache):
    """Takes the time of what a turn asks of it."""

    def __init__(self, inner: SessionCache, watch: Stopwatch) -> None:
        self._inner = inner
        self._watch = watch

    async def load(self, session_id: SessionId) -> CachedThread | None:
        with self._watch.lap("load"):
            return await self._inner.load(session_id)

    async def append(self, messages: Sequence[Message], *, before: ThreadHead, after: ThreadHead) -> bool:
        with self._watch.lap("append"):
            return await self._inner.append(messages, before=before, after=after)

    async def replace(self, thread: ThreadState) -> bool:
        return await self._inner.replace(thread)

    async def evict(self, heads: Collection[ThreadHead]) -> None:
        await self._inner.evict(heads)

    async def ping(self) -> None:
        await self._inner.ping()
