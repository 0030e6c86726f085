"""Stores that can be switched off."""

from collections.abc import Collection, Mapping, Sequence

from memory.errors import StoreUnavailableError
from memory.model import CachedThread, MemoryKey, Message, SessionId, ThreadHead, ThreadState, VectorEntry, VectorRef
from memory.model.recall import Vector
from memory.ports import SessionCache, VectorIndex


class FlakyCache(SessionCache):
    """Passes on to a real cache while `is_up`."""

    def __init__(self, inner: SessionCache) -> None:
        self._inner = inner
        self.is_up = True

    async def load(self, session_id: SessionId) -> CachedThread | None:
        return await self._reached("load").load(session_id)

    async def append(self, messages: Sequence[Message], *, before: ThreadHead, after: ThreadHead) -> bool:
        return await self._reached("append").append(messages, before=before, after=after)

    async def replace(self, thread: ThreadState) -> bool:
        return await self._reached("replace").replace(thread)

    async def evict(self, heads: Collection[ThreadHead]) -> None:
        await self._reached("evict").evict(heads)

    async def ping(self) -> None:
        await self._reached("ping").ping()

    def _reached(self, operation: str) -> SessionCache:
        if not self.is_up:
            raise StoreUnavailableError("redis", operation)
        return self._inner


class FlakyIndex(VectorIndex):
    """Passes on to a real index while `is_up`; with `keeps_deleted` it fails over removals alone.

    Attributes:
        compactions: How often it was compacted.
    """

    def __init__(self, inner: VectorIndex) -> None:
        self._inner = inner
        self.is_up = True
        self.keeps_deleted = False
        self.compactions = 0

    async def upsert(self, entries: Sequence[VectorEntry]) -> None:
        await self._reached("upsert").upsert(entries)

    async def delete(self, refs: Collection[VectorRef]) -> None:
        if self.keeps_deleted:
            raise StoreUnavailableError("chroma", "delete")
        await self._reached("delete").delete(refs)

    async def vectors(self, refs: Collection[VectorRef]) -> Mapping[MemoryKey, Vector]:
        return await self._reached("vectors").vectors(refs)

    async def nearest(self, query: Vector, *, limit: int) -> Sequence[tuple[MemoryKey, float]]:
        return await self._reached("nearest").nearest(query, limit=limit)

    async def count(self) -> int:
        return await self._reached("count").count()

    async def compact(self) -> None:
        await self._reached("compact").compact()
        self.compactions += 1

    async def clear(self) -> None:
        await self._reached("clear").clear()

    async def ping(self) -> None:
        await self._reached("ping").ping()

    def _reached(self, operation: str) -> VectorIndex:
        if not self.is_up:
            raise StoreUnavailableError("chroma", operation)
        return self._inner
