"""Keeping a lease while work of unknown length runs. Knows the port alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from memory.errors import RecallError
from memory.model.work import Lease
from memory.ports import LeaseStore
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)


def _nothing() -> None:
    """Leave it to who writes under the lease to find out that it is lost."""


@asynccontextmanager
async def kept(leases: LeaseStore, lease: Lease, *, lease_s: float) -> AsyncIterator[None]:
    """Renew a lease while the enclosed work runs. One that is lost stays lost: what it guards asks before it writes."""
    async with renewed(lambda: leases.renew(lease, lease_s=lease_s), name=lease.name, lease_s=lease_s):
        yield


@asynccontextmanager
async def renewed(
    renew: Callable[[], Awaitable[bool]], *, name: str, lease_s: float, on_lost: Callable[[], None] = _nothing
) -> AsyncIterator[None]:
    """Call `renew` three times within each `lease_s` seconds, until the enclosed work ends or the lease is lost.

    Args:
        renew: Extends the lease; False when it has passed to someone else. A failure is logged, and tried again.
        name: What to call it in the log.
        lease_s: How long the lease holds after each renewal, in seconds.
        on_lost: Called once when it is lost.
    """
    renewing = TaskTracker()
    renewing.start(_renew(renew, name, lease_s, on_lost), name=f"renew {name}")
    try:
        yield
    finally:
        await renewing.close(grace_s=0)


async def _renew(renew: Callable[[], Awaitable[bool]], name: str, lease_s: float, on_lost: Callable[[], None]) -> None:
    is_held = True
    while is_held:
        await asyncio.sleep(lease_s / 3)
        try:
            is_held = await renew()
        except RecallError as error:
            _log.warning("lease_not_renewed", name=name, reason=str(error))
        except Exception:  # noqa: BLE001  # whatever broke, giving up would let the lease run out unseen
            _log.exception("lease_renewal_broke", name=name)
    on_lost()
