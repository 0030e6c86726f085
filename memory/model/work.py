"""Values of work behind the scenes: leases, extraction, index tasks, audit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from memory.model.ids import Audience, ChannelId, MessageId, SessionId, TenantId, UserId
from memory.model.memories import Episode, NewFact
from memory.model.messages import Message
from memory.model.recall import VectorRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A named right that expires by the database's clock.

    Attributes:
        fence: Higher than any earlier lease of this name; a write under a lower one is refused.
    """

    name: str
    holder: str
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionClaim:
    """A leased thread with something to learn from.

    Attributes:
        attempts: How many attempts have failed in a row.
    """

    session_id: SessionId
    channel_id: ChannelId
    tenant_id: TenantId
    audience: Audience
    lease: Lease
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionBatch:
    """New turns of a thread, as they were when read.

    Attributes:
        messages: People's new messages and Recall's replies among them, oldest first.
        versions: For each of the people's messages, the version that was read.
        thread_epoch: The thread's forget epoch.
        author_epochs: The forget epoch of each person in the batch.
        memory_texts: Texts of the memories that were recalled into the replies: never to be learned again.
        thread_title: Title of the thread.
    """

    messages: tuple[Message, ...]
    versions: Mapping[MessageId, int]
    thread_epoch: int
    author_epochs: Mapping[UserId, int]
    memory_texts: tuple[str, ...] = ()
    thread_title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What code let through of what the model proposed.

    Attributes:
        added: Facts to store.
        updated: Facts that take the place of existing ones, by row number of the old.
        confirmed: Row number of a fact, and the fact that said it again (its sources are what counts).
        retracted: Row numbers of facts that are no longer true.
        episode: What was worked on, if anything.
    """

    added: tuple[NewFact, ...] = ()
    updated: tuple[tuple[int, NewFact], ...] = ()
    confirmed: tuple[tuple[int, NewFact], ...] = ()
    retracted: tuple[int, ...] = ()
    episode: Episode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What an extraction changed, in counts."""

    added: int = 0
    updated: int = 0
    confirmed: int = 0
    retracted: int = 0
    episodes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexTask:
    """One row of the outbox.

    Attributes:
        operation: "index" embeds `text` under `ref`; "drop" removes `ref`'s vector; "evict" removes a cached thread.
        text: None when there is nothing to embed (any more).
    """

    task_id: int
    operation: Literal["index", "drop", "evict"]
    ref: VectorRef | None = None
    session_id: SessionId | None = None
    text: str | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One line of the audit log: who, what, how many, when; never content.

    Attributes:
        action: Such as "forget", "export", "pause", "expire".
        counts: Such as {"facts": 2, "messages": 3}.
    """

    at: datetime
    actor: UserId
    action: str
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStatus:
    """Counts of the record for `doctor` and metrics.

    Attributes:
        outbox: All tasks that wait.
        unindexed: Of them, texts on their way into the index.
        drops: Of them, erased vectors on their way out of it.
    """

    messages: int
    facts: int
    episodes: int
    unanswered: int
    waiting_for_extraction: int
    parked: int
    outbox: int
    unindexed: int
    drops: int
    last_compacted_at: datetime | None
    needs_compaction: bool


__all__ = [
    "AuditEvent",
    "Committed",
    "ExtractionBatch",
    "ExtractionClaim",
    "IndexTask",
    "Lease",
    "Outcome",
    "RecordStatus",
]
