"""The vector index over a Chroma client: names, batches, and cosine similarity out of cosine distance.

Knows nothing of folders, servers and threads, and never sees text: a row is an id, a vector and its owner.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np

from memory.errors import DimensionMismatchError, StoreError
from memory.model import MemoryKey, VectorEntry, VectorRef
from memory.model.ids import KeyKind, key_kind
from memory.model.recall import Vector
from memory.ports import VectorIndex
from memory.stores.chroma.client import MAX_BATCH, ChromaClient, Records
from memory.stores.chroma.names import key_of, record_id

_T = TypeVar("_T")


class ChromaVectorIndex(VectorIndex):
    """One collection per kind of memory. Nothing is filtered inside Chroma: that grows with the collection."""

    def __init__(self, client: ChromaClient, *, collections: Mapping[KeyKind, str], dimensions: int) -> None:
        self._client = client
        self._collections = collections
        self._dimensions = dimensions

    async def upsert(self, entries: Sequence[VectorEntry]) -> None:
        latest = {record_id(entry.ref): entry for entry in entries}
        for entry in latest.values():
            self._check_shape("upsert", entry.vector)
        for kind, ids in self._by_kind({entry.ref for entry in latest.values()}):
            rows = [latest[row] for row in ids]
            vectors = np.stack([row.vector for row in rows]).astype(np.float32, copy=False)
            records = Records(ids=ids, vectors=vectors, owners=[row.ref.owner for row in rows])
            await self._client.upsert(self._collections[kind], records)

    async def delete(self, refs: Collection[VectorRef]) -> None:
        for kind, ids in self._by_kind(refs):
            await self._client.delete(self._collections[kind], ids)

    async def vectors(self, refs: Collection[VectorRef]) -> Mapping[MemoryKey, Vector]:
        found: dict[MemoryKey, Vector] = {}
        batches = self._by_kind(refs)
        for ids, vectors in await _all(self._client.get(self._collections[kind], ids) for kind, ids in batches):
            found.update(zip(map(key_of, ids), vectors, strict=True))
        return found

    async def nearest(self, query: Vector, *, limit: int) -> Sequence[tuple[MemoryKey, float]]:
        self._check_shape("nearest", query)
        if limit <= 0:
            return []
        hits: list[tuple[MemoryKey, float]] = []
        for rows in await _all(self._client.query(name, query, limit) for name in self._collections.values()):
            hits.extend((key_of(row), similarity(distance)) for row, distance in rows)
        return sorted(hits, key=lambda hit: -hit[1])

    async def count(self) -> int:
        return sum(await _all(self._client.count(name) for name in self._collections.values()))

    async def compact(self) -> None:
        await self._client.compact()

    async def clear(self) -> None:
        await self._client.clear()

    async def ping(self) -> None:
        await self._client.ping()

    def _by_kind(self, refs: Collection[VectorRef]) -> Iterator[tuple[KeyKind, list[str]]]:
        """Yield the distinct ids of each kind, in batches."""
        grouped: dict[KeyKind, dict[str, None]] = defaultdict(dict)
        for ref in refs:
            grouped[key_kind(ref.key)][record_id(ref)] = None
        for kind, distinct in grouped.items():
            ids = list(distinct)
            for start in range(0, len(ids), MAX_BATCH):
                yield kind, ids[start : start + MAX_BATCH]

    def _check_shape(self, operation: str, vector: Vector) -> None:
        if vector.shape != (self._dimensions,):
            raise DimensionMismatchError("chroma", operation, f"{vector.shape} instead of ({self._dimensions},)")


def similarity(distance: float) -> float:
    """Return the cosine for a cosine distance, which rounding puts slightly outside [0, 2]."""
    return min(1.0, max(-1.0, 1.0 - distance))


async def _all(calls: Iterable[Coroutine[object, object, _T]]) -> list[_T]:
    """Run calls at the same time; return their results in order, or raise the first of their errors."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except* StoreError as failed:
        error = failed.exceptions[0]
    else:
        return [task.result() for task in tasks]
    raise error
