"""Rebuild the index from the record: for a new embedding model, a lost disk, or a damaged index."""

from collections.abc import Callable

from memory.jobs.index_outbox import OutboxWorker
from memory.ports import IndexQueue, VectorIndex


async def reindex(
    *, index: VectorIndex, queue: IndexQueue, outbox: OutboxWorker, on_progress: Callable[[int, int], None]
) -> int:
    """Empty the index and fill it with every living fact, episode and turn; return how many there are.

    Args:
        index: Emptied first, which also mends a damaged one.
        queue: Where the work is queued, so that an interrupted run goes on at the next start.
        outbox: Does the work.
        on_progress: Told (done, total) after each batch.

    Raises:
        StoreUnavailableError: The record or the index stopped answering; run it again.
        ProviderUnavailableError: The embedding model cannot be loaded.
    """
    await index.clear()
    total = await queue.enqueue_all()
    done = 0
    on_progress(done, total)
    while finished := await outbox.work_once():
        done += finished
        on_progress(min(done, total), total)
    return total
