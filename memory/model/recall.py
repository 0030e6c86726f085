"""What a question brings back, before and after ranking."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
import numpy.typing as npt

from memory.model.ids import KeyKind, MemoryKey, MessageId, SessionId, UserId

Vector = npt.NDArray[np.float32]
"""Unit-norm embedding, shape (D,)."""

MemoryMode = Literal["buffer", "summary", "full"]
"""What a turn is given: recent turns alone, the running summary as well, or facts and episodes as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorRef:
    """Where a vector is kept: by owner and key; the key alone is unique."""

    owner: UserId
    key: MemoryKey


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorEntry:
    """A vector on its way into the index."""

    ref: VectorRef
    vector: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class LexicalHit:
    """An entry that shares words with the question; `terms` are all its stemmed terms, in order, with repeats."""

    key: MemoryKey
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LexicalResult:
    """Lexical candidates, and the statistics that BM25 needs.

    Attributes:
        hits: In no particular order.
        document_frequency: For each asked term, in how many entries it occurs; for common terms an estimate.
        documents: How many entries there are to occur in.
    """

    hits: tuple[LexicalHit, ...]
    document_frequency: dict[str, int]
    documents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What may bear on a question, as far as the record can tell.

    Attributes:
        own: The reader's own living memories, scored by their vectors.
        lexical: Entries that share words with the question.
        has_shared: Whether there may be anything else that is not the reader's own; may be True for nothing.
    """

    own: tuple[VectorRef, ...]
    lexical: LexicalResult
    has_shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recallable:
    """A living memory that this reader may see here, as the record has it.

    Attributes:
        number: The reader's own number for a fact or an episode; None for a turn and for another person's memory.
        author: Name of who said it.
        thread: Title of the thread it comes from.
        sources: The messages it came from (a turn: itself); what is already in the request is not recalled again.
    """

    key: MemoryKey
    kind: KeyKind
    owner: UserId
    number: int | None
    text: str
    author: str
    said_at: datetime
    session_id: SessionId
    thread: str
    sources: tuple[MessageId, ...] = ()
    confirmations: int = 0
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """A memory chosen for an answer.

    Attributes:
        similarity: Cosine with the question in [-1, 1]; None when its vector is not indexed yet.
        score: What it was ordered by; higher is better, comparable within one recall only.
    """

    memory: Recallable
    similarity: float | None
    score: float
