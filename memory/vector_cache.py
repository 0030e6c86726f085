"""A bounded in-process cache of people's own vectors, so that their memories are scored exactly without the index.

It never decides what exists: the caller brings the keys, fresh from the record, on every call.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from weakref import WeakValueDictionary

import numpy as np

from memory.model import MemoryKey, UserId, VectorEntry, VectorRef
from memory.model.recall import Vector
from memory.ports import VectorIndex


class _ReaderVectors:
    """One person's vectors as rows of a matrix that doubles as it grows."""

    def __init__(self, dimensions: int) -> None:
        self.rows: dict[MemoryKey, int] = {}
        self.matrix = np.empty((16, dimensions), dtype=np.float32)

    def put(self, key: MemoryKey, vector: Vector) -> None:
        row = self.rows.setdefault(key, len(self.rows))
        if row >= len(self.matrix):
            self.matrix = np.concatenate([self.matrix, np.empty_like(self.matrix)])
        self.matrix[row] = vector

    def keep(self, keys: Collection[MemoryKey]) -> None:
        """Forget all other rows."""
        kept = {key: self.matrix[row].copy() for key, row in self.rows.items() if key in keys}
        self.rows = {}
        for key, vector in kept.items():
            self.put(key, vector)


class VectorCache:
    """Least recently used people go first when `max_bytes` is reached.

    Args:
        index: Where vectors come from on a miss.
        max_bytes: Bound on the matrices; the default holds about 40,000 vectors of 384 float32.
    """

    def __init__(self, index: VectorIndex, *, max_bytes: int = 64 * 2**20) -> None:
        self._index = index
        self._max_bytes = max_bytes
        self._readers: OrderedDict[UserId, _ReaderVectors] = OrderedDict()
        self._filling: WeakValueDictionary[UserId, asyncio.Lock] = WeakValueDictionary()

    def similarities(self, reader: UserId, query: Vector, refs: Sequence[VectorRef]) -> dict[MemoryKey, float]:
        """Return the cosine in [-1, 1] of those of `refs` that are cached for `reader`."""
        held = self._readers.get(reader)
        if held is None:
            return {}
        rows = [held.rows.get(ref.key, -1) for ref in refs]
        present = [(ref.key, row) for ref, row in zip(refs, rows, strict=True) if row >= 0]
        scores = np.clip(held.matrix[[row for _, row in present]] @ query, -1.0, 1.0) if present else ()
        return {key: float(score) for (key, _), score in zip(present, scores, strict=True)}

    def holds(self, reader: UserId) -> bool:
        """Whether any vector of a person is here."""
        return reader in self._readers

    async def fill(self, reader: UserId, refs: Sequence[VectorRef]) -> None:
        """Bring in those of a reader's `refs` that are missing, as far as the index has them."""
        async with self._filling.setdefault(reader, asyncio.Lock()):  # what one brings in, the next need not
            await self._bring_in(reader, refs)
        held = self._readers.get(reader)
        if held is not None:
            self._readers.move_to_end(reader)
            if len(held.rows) > 2 * len(refs) + 16:  # more than half are rows that the record no longer names
                held.keep({ref.key for ref in refs})
        while len(self._readers) > 1 and self._bytes() > self._max_bytes:
            self._readers.popitem(last=False)

    async def _bring_in(self, reader: UserId, refs: Sequence[VectorRef]) -> None:
        held = self._readers.get(reader)
        missing = [ref for ref in refs if held is None or ref.key not in held.rows]
        for key, vector in (await self._index.vectors(missing)).items() if missing else ():
            self._readers.setdefault(reader, _ReaderVectors(len(vector))).put(key, vector)

    def add(self, entries: Iterable[VectorEntry]) -> None:
        """Take in freshly indexed vectors of owners who are cached, so that their next question finds them here."""
        for entry in entries:
            if held := self._readers.get(entry.ref.owner):
                held.put(entry.ref.key, entry.vector)

    def drop(self, reader: UserId) -> None:
        """Forget a person's vectors."""
        self._readers.pop(reader, None)

    def clear(self) -> None:
        """Forget everybody's vectors."""
        self._readers.clear()

    def _bytes(self) -> int:
        return sum(held.matrix.nbytes for held in self._readers.values())
