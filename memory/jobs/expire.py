"""Retention: what is past it leaves the record, and the index follows."""

from datetime import timedelta

import structlog

from memory.model import Receipt
from memory.ports import Clock, RecordAdmin

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
