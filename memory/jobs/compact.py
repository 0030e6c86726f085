"""Compaction: after something was erased, rewrite the embedded files so that no byte of it stays.

What people say while paused is erased all the time and never was in the index, whose files take longest to rewrite: for
it only the record's are.
"""

import structlog

from memory.errors import StoreUnavailableError
from memory.jobs.index_outbox import OutboxWorker
from memory.ports import Clock, RecordAdmin, VectorIndex

_log = structlog.get_logger(__name__)


async def compact(
    *, admin: RecordAdmin, index: VectorIndex, outbox: OutboxWorker, clock: Clock, force: bool = False
) -> bool:
    """Rewrite the record's and the index's files, if something was erased since the last time; say whether it is gone.

    Args:
        admin: The record.
        index: The vectors.
        outbox: Drained first, so that erased vectors are out of the index before it is rewritten.
        clock: For the note of when this was done.
        force: Compact even if nothing was erased.

    Raises:
        StoreUnavailableError: By force, and erased vectors are still in the index, which does not give them up.
    """
    started_at = clock.now()
    if not (force or await admin.needs_compaction()):
        if not await admin.has_erased_texts():
            return False
        await admin.compact()
        await admin.compacted(at=started_at, record_only=True)
        _log.info("record_compacted")
        return True
    await admin.hasten_drops()
    await outbox.drain(patient=force)
    drops = (await admin.status()).drops
    try:
        await admin.compact()
    finally:  # a damaged index keeps its own files as they are, not the record's; nor the other way round
        await index.compact()
    if drops:
        left = StoreUnavailableError("chroma", "compact", f"{drops} erased vectors are still in it; run this again")
        if force:
            raise left
        _log.warning("compaction_incomplete", reason=str(left))
        return False
    await admin.compacted(at=started_at)
    _log.info("compacted")
    return True
