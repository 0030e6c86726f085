"""What is worked off beside the conversation, and who works on what."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from memory.model import (
    Fact,
)
from memory.model.work import (
    Committed,
    ExtractionBatch,
    ExtractionClaim,
    IndexTask,
    Lease,
    Outcome,
)


class ExtractionStore(Protocol):
    """Work for the sweep: which threads have something to learn from, and committing it exactly once."""

    async def claim(
        self, *, idle_before: datetime, busy_turns: int, holder: str, lease_s: float, limit: int
    ) -> Sequence[ExtractionClaim]:
        """Lease up to `limit` threads that have messages not extracted yet and are due.

        Due: quiet since `idle_before`, or with at least `busy_turns` new turns; not backing off (`extract_retry_at` is
        not after the clock's now), not leased, by this holder or another. The claim carries the failed attempts so far.
        Messages that are still unanswered or parked do not count.
        """
        ...

    async def load(self, claim: ExtractionClaim, *, limit: int) -> ExtractionBatch:
        """Return the oldest `limit` settled messages of people not extracted yet, with Recall's replies among them."""
        ...

    async def facts(self, claim: ExtractionClaim, fact_ids: Collection[int]) -> Sequence[Fact]:
        """Return those of `fact_ids` that are alive facts of the claim's tenant."""
        ...

    async def commit(
        self, claim: ExtractionClaim, batch: ExtractionBatch, outcome: Outcome, *, shown: Collection[Fact]
    ) -> Committed:
        """Store what was learned and move the watermark, in one transaction, and release the lease.

        Args:
            claim: The thread that was learned from.
            batch: What was read of it.
            outcome: What was learned.
            shown: The facts that the model was shown: their words may be in the outcome.

        Raises:
            StoreConflictError: The lease is lost, or since `load` a forget touched the thread, one of its people or one
                of the facts shown, an edit one of the messages, or the thread or one of those facts was narrowed.
                Nothing was written, and the watermark stands where it was.
        """
        ...

    async def back_off(self, claim: ExtractionClaim, *, retry_at: datetime) -> int:
        """Note a failed attempt, release the lease, and return how many attempts have failed in a row."""
        ...

    async def release(self, claim: ExtractionClaim) -> None:
        """Give the thread back as it is: no attempt failed, and it is due again at once."""
        ...

    async def park(self, claim: ExtractionClaim, batch: ExtractionBatch, *, reason: str) -> None:
        """Set a batch aside after its last attempt, so that later messages are not held up; release the lease."""
        ...

    async def unpark(self) -> int:
        """Queue all parked messages again, end every back-off, and return how many messages were parked."""
        ...


class IndexQueue(Protocol):
    """The outbox: index and cache work written in the same transaction as the row it belongs to."""

    async def due(self, *, limit: int) -> Sequence[IndexTask]:
        """Return tasks that are due, oldest first, with the text to embed (None when the row is gone by now).

        Args:
            limit: At most this many of each operation, so that no kind of work waits behind another.
        """
        ...

    async def done(self, task_ids: Collection[int]) -> None:
        """Remove finished tasks."""
        ...

    async def defer(self, task_ids: Collection[int], *, retry_at: datetime) -> None:
        """Try these again later."""
        ...

    async def enqueue_all(self) -> int:
        """Queue every living fact, episode and turn for indexing; return how many. For a new or lost index."""
        ...


class LeaseStore(Protocol):
    """Named leases by the database's clock."""

    async def claim(self, name: str, *, holder: str, lease_s: float) -> Lease | None:
        """Take a free or expired lease, or one's own again; None when another holder's is alive.

        Each successful claim has a higher fence than all before it.
        """
        ...

    async def renew(self, lease: Lease, *, lease_s: float) -> bool:
        """Extend a lease that is still held; False when it passed to someone else."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give a lease back; one that passed on already is left alone."""
        ...

    async def release_all(self) -> None:
        """Free every lease: only for the sole owner of an embedded record, whose earlier process is dead for sure."""
        ...
