"""A bounded in-process cache of people's own vectors, so that their memories are scored exactly without the index.

It never decides what exists: the caller brings the keys, fresh from the record, on every call.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from memory.model import MemoryKey, UserId, VectorEntry, VectorRef
from memory.model.recall import Vector
from memory.ports import VectorIndex


class _OwnerVectors:
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
        self._owners: OrderedDict[UserId, _OwnerVectors] = OrderedDict()

    def similarities(self, query: Vector, refs: Sequence[VectorRef]) -> dict[MemoryKey, float]:
        """Return the cosine in [-1, 1] of those of `refs` that are cached; the refs are of one owner."""
        held = self._owners.get(refs[0].owner) if refs else None
        if held is None:
            return {}
        rows = [held.rows.get(ref.key, -1) for ref in refs]
        present = [(ref.key, row) for ref, row in zip(refs, rows, strict=True) if row >= 0]
        scores = np.clip(held.matrix[[row for _, row in present]] @ query, -1.0, 1.0) if present else ()
        return {key: float(score) for (key, _), score in zip(present, scores, strict=True)}

    async def fill(self, refs: Sequence[VectorRef]) -> None:
        """Bring in those of one owner's `refs` that are missing, as far as the index has them."""
        if not refs:
            return
        held = self._owners.get(refs[0].owner)
        missing = [ref for ref in refs if held is None or ref.key not in held.rows]
        if missing:
            vectors = await self._index.vectors(missing)
            self.add(VectorEntry(ref=ref, vector=vectors[ref.key]) for ref in missing if ref.key in vectors)
        self._trim(refs)

    def add(self, entries: Iterable[VectorEntry], *, only_known: bool = False) -> None:
        """Take in vectors; with `only_known`, those of people who are cached already."""
        for entry in entries:
            owner = entry.ref.owner
            if owner not in self._owners:
                if only_known:
                    continue
                self._owners[owner] = _OwnerVectors(len(entry.vector))
            self._owners[owner].put(entry.ref.key, entry.vector)
            self._owners.move_to_end(owner)
        while len(self._owners) > 1 and self._bytes() > self._max_bytes:
            self._owners.popitem(last=False)

    def drop(self, owner: UserId) -> None:
        """Forget a person's vectors."""
        self._owners.pop(owner, None)

    def _trim(self, refs: Sequence[VectorRef]) -> None:
        """Drop rows that the record no longer names, once they are more than half."""
        held = self._owners.get(refs[0].owner)
        if held is not None and len(held.rows) > 2 * len(refs) + 16:
            held.keep({ref.key for ref in refs})

    def _bytes(self) -> int:
        return sum(held.matrix.nbytes for held in self._owners.values())
