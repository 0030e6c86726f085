"""Compaction: after something was erased, rewrite the embedded files so that no byte of it stays."""

import structlog

from memory.jobs.index_outbox import OutboxWorker
from memory.ports import Clock, RecordAdmin, VectorIndex

_log = structlog.get_logger(__name__)


async def compact(
    *, admin: RecordAdmin, index: VectorIndex, outbox: OutboxWorker, clock: Clock, force: bool = False
) -> bool:
    """Rewrite the record's and the index's files, if something was erased since the last time; say whether it was done.

    Args:
        admin: The record.
        index: The vectors.
        outbox: Drained first, so that erased vectors are out of the index before it is rewritten.
        clock: For the note of when this was done.
        force: Compact even if nothing was erased.
    """
    if not (force or await admin.needs_compaction()):
        return False
    started_at = clock.now()
    await outbox.drain()
    await index.compact()
    await admin.compact()
    await admin.compacted(at=started_at)
    _log.info("compacted")
    return True
