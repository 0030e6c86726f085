"""What is past its time leaves the record: by retention, and what was said while paused, once nobody waits for it."""

from datetime import timedelta

import structlog

from memory.model import Receipt
from memory.ports import Clock, RecordAdmin
from memory.service import SHOWN_LATE

_log = structlog.get_logger(__name__)


async def expire(*, admin: RecordAdmin, clock: Clock, retention_days: float) -> Receipt:
    """Remove episodes, and threads quiet for longer than `retention_days`; 0 keeps them. Facts stay until forgotten."""
    if not retention_days:
        return Receipt()
    limit = clock.now() - timedelta(days=retention_days)
    receipt = await admin.expire(episodes_before=limit, threads_before=limit)
    if receipt != Receipt():
        _log.info("expired", messages=receipt.messages, episodes=receipt.episodes)
    return receipt


async def erase_unkept(*, admin: RecordAdmin, clock: Clock) -> int:
    """Erase what was said while paused and whose answer was never shown, for instance because its process died."""
    turns = await admin.erase_unkept(settled_before=clock.now() - SHOWN_LATE)
    if turns:
        _log.info("unkept_erased", turns=turns)
    return turns
