"""Rebuild the index from the record: for a new embedding model, a lost disk, or a damaged index."""

from collections.abc import Callable

from memory.errors import StoreUnavailableError
from memory.jobs.index_outbox import OutboxWorker
from memory.ports import IndexQueue, RecordAdmin, VectorIndex


async def reindex(
    *,
    admin: RecordAdmin,
    index: VectorIndex,
    queue: IndexQueue,
    outbox: OutboxWorker,
    on_progress: Callable[[int, int], None],
) -> int:
    """Empty the index and fill it with every living fact, episode and turn; return how many there are.

    Args:
        admin: Says what is left in the end.
        index: Emptied first, which also mends a damaged one.
        queue: Where the work is queued, so that an interrupted run goes on at the next start.
        outbox: Does the work.
        on_progress: Told (done, total) after each batch.

    Raises:
        StoreUnavailableError: Not all of it was indexed: a store stopped answering, the embedding model cannot be
            loaded, or it does not take one of the texts. What is left is tried again by whoever owns the index.
    """
    await index.clear()
    total = await queue.enqueue_all()
    done = 0
    on_progress(done, total)
    while finished := await outbox.work_once(patient=True):
        done += finished
        on_progress(min(done, total), total)
    if left := (await admin.status()).unindexed:
        reason = f": {outbox.problem}" if outbox.problem else ""
        raise StoreUnavailableError("chroma", "reindex", f"{left} texts are not indexed yet{reason}")
    return total
