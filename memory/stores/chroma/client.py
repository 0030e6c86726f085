"""What the index needs of Chroma, the same for a folder and for a server; and Chroma's errors in our words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from memory.errors import DimensionMismatchError, StoreCorruptError, StoreError, StoreUnavailableError

MAX_BATCH = 1000
"""Rows of one call: below Chroma's own limit (5,461 in a folder and on `chroma run`), about a second of writing."""

COLLECTION: Mapping[str, Any] = {"embedding_function": None, "configuration": {"hnsw": {"space": "cosine"}}}
"""How every collection is made: vectors come from outside, and the default space would be squared L2."""

_DETAIL_CHARS = 200
_PASSING = ("locked", "busy", "full", "no space", "too many open files", "readonly", "read-only", "permission denied")


@dataclass(frozen=True, slots=True)
class Records:
    """Rows of a collection, column by column; `vectors` is of shape (rows, D)."""

    ids: list[str]
    vectors: npt.NDArray[np.float32]
    owners: list[str]


class ChromaClient(Protocol):
    """Collections by name. All are there from the start; every method raises the errors of the store."""

    async def upsert(self, collection: str, records: Records) -> None:
        """Write at most MAX_BATCH rows with distinct ids."""
        ...

    async def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove at most MAX_BATCH rows; unknown ones are fine."""
        ...

    async def get(self, collection: str, ids: Sequence[str]) -> tuple[list[str], npt.NDArray[np.float32]]:
        """Return those of at most MAX_BATCH distinct ids that exist, and their vectors, in any order."""
        ...

    async def query(self, collection: str, vector: npt.NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """Return at most `limit` ids with their cosine distances, nearest first."""
        ...

    async def count(self, collection: str) -> int:
        """Return the number of rows."""
        ...

    async def compact(self) -> None:
        """Leave no deleted vector in any file."""
        ...

    async def clear(self) -> None:
        """Start anew, with empty collections, whatever state the old ones are in."""
        ...

    async def ping(self) -> None:
        """Answer, or raise."""
        ...


class PanicError(Exception):
    """A panic inside Chroma's Rust code; pyo3 raises it as a BaseException, which would pass every handler."""


def translate(exc: Exception, operation: str, *, embedded: bool) -> StoreError:
    """Return our error for one of Chroma's.

    By class name, so that nothing of chromadb is imported for it. Chroma reports most damage as an InternalError; those
    that name a passing trouble (a lock, a full disk) are not damage.
    """
    if isinstance(exc, StoreError):
        return exc
    names = {ancestor.__name__ for ancestor in type(exc).__mro__}
    text = str(exc).partition("\n")[0][:_DETAIL_CHARS]
    if names & {"InvalidArgumentError", "InvalidDimensionException"} and "dimension" in text:
        return DimensionMismatchError("chroma", operation, text)
    passing = any(word in text.lower() for word in _PASSING)
    if embedded and names & {"InternalError", "PanicError"} and not passing:
        return damaged(operation, text)
    return StoreUnavailableError("chroma", operation, f"{type(exc).__name__}: {text}" if text else type(exc).__name__)


def damaged(operation: str, detail: str) -> StoreCorruptError:
    """Return the error for files that cannot be read, with the way out."""
    return StoreCorruptError(
        "chroma", operation, f"the vector index is damaged, `recall reindex` builds it anew: {detail}"
    )
