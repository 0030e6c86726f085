"""Keeping a lease while work of unknown length runs. Knows the port alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from memory.errors import StoreError
from memory.model.work import Lease
from memory.ports import LeaseStore
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def kept(leases: LeaseStore, lease: Lease, *, lease_s: float) -> AsyncIterator[None]:
    """Renew a lease while the enclosed work runs. One that is lost stays lost: what it guards asks before it writes."""
    renewing = TaskTracker()
    renewing.start(_renew(leases, lease, lease_s), name=f"renew {lease.name}")
    try:
        yield
    finally:
        await renewing.close(grace_s=0)


async def _renew(leases: LeaseStore, lease: Lease, lease_s: float) -> None:
    is_held = True
    while is_held:
        await asyncio.sleep(lease_s / 3)
        try:
            is_held = await leases.renew(lease, lease_s=lease_s)
        except StoreError as error:
            _log.warning("lease_not_renewed", name=lease.name, reason=str(error))
