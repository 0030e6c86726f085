"""Vectors, and what makes them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from memory.model import (
    MemoryKey,
    VectorEntry,
    VectorRef,
)
from memory.model.recall import Vector


class VectorIndex(Protocol):
    """Vectors of facts, episodes and turns, by key. It ranks; it never decides what may be seen. It holds no text."""

    async def upsert(self, entries: Sequence[VectorEntry]) -> None:
        """Write vectors, replacing those of the same key.

        Raises:
            DimensionMismatchError: A vector is not of the index's dimension.
        """
        ...

    async def delete(self, refs: Collection[VectorRef]) -> None:
        """Remove vectors; unknown ones are fine."""
        ...

    async def vectors(self, refs: Collection[VectorRef]) -> Mapping[MemoryKey, Vector]:
        """Return the vectors there are, unit norm; unknown keys are absent."""
        ...

    async def nearest(self, query: Vector, *, limit: int) -> Sequence[tuple[MemoryKey, float]]:
        """Return keys with their cosine in [-1, 1], highest first, over all owners, up to `limit` of each kind.

        The identical vector scores 1 (to 1e-5) and comes first.
        """
        ...

    async def count(self) -> int:
        """Return how many vectors there are."""
        ...

    async def compact(self) -> None:
        """Rewrite the files so that deleted vectors are in none of them; on a server, nothing."""
        ...

    async def clear(self) -> None:
        """Remove all vectors, to be built anew; also mends a damaged index."""
        ...

    async def ping(self) -> None:
        """Answer, or raise."""
        ...


class Embedder(Protocol):
    """Texts to unit-norm vectors of shape (D,). Deterministic; a batch gives what singles give (to 1e-5)."""

    @property
    def model_name(self) -> str:
        """Name of the model, part of the index's name: vectors of two models never mix."""
        ...

    @property
    def dimensions(self) -> int:
        """D; known at once, before the model is loaded."""
        ...

    async def embed_query(self, text: str) -> Vector:
        """Embed a question; waits for the model while it loads.

        Raises:
            ProviderUnavailableError: The model cannot be loaded.
        """
        ...

    async def embed_documents(self, texts: Sequence[str]) -> Sequence[Vector]:
        """Embed texts for the index, in order."""
        ...

    @property
    def is_ready(self) -> bool:
        """Whether an embedding would start at once."""
        ...
