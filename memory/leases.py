"""Keeping a lease while work of unknown length runs. Knows the port alone."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from memory.clock import SystemTimer
from memory.errors import RecallError
from memory.model.work import Lease
from memory.ports import LeaseStore, Timer
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)

_TIMER = SystemTimer()
_PARTS = 4
"""Of a lease: it is renewed after each, so that the third attempt comes before it is over."""


def _nothing() -> None:
    """Leave it to who writes under the lease to find out that it is lost."""


@asynccontextmanager
async def kept(leases: LeaseStore, lease: Lease, *, lease_s: float) -> AsyncIterator[None]:
    """Renew a lease while the enclosed work runs. One that is lost stays lost: what it guards asks before it writes."""
    async with renewed(lambda: leases.renew(lease, lease_s=lease_s), name=lease.name, lease_s=lease_s):
        yield


@asynccontextmanager
async def renewed(
    renew: Callable[[], Awaitable[bool]],
    *,
    name: str,
    lease_s: float,
    on_lost: Callable[[], None] = _nothing,
    timer: Timer = _TIMER,
) -> AsyncIterator[None]:
    """Call `renew` three times within each `lease_s` seconds, until the enclosed work ends or the lease is lost.

    Args:
        renew: Extends the lease; False when it has passed to someone else. A failure is logged, and tried again.
        name: What to call it in the log.
        lease_s: How long the lease holds after each renewal, in seconds.
        on_lost: Called once when it is lost: it passed to someone else, or may have, since no renewal came through for
            as long as it holds.
        timer: How time passes.
    """
    renewing = TaskTracker()
    lease = _Renewed(renew, name, lease_s, on_lost, timer)
    renewing.start(lease.keep(), name=f"renew {name}")
    renewing.start(lease.watch(), name=f"watch the lease {name}")
    try:
        yield
    finally:
        await renewing.close(grace_s=0)


class _Renewed:
    """A lease while it is renewed."""

    def __init__(
        self,
        renew: Callable[[], Awaitable[bool]],
        name: str,
        lease_s: float,
        on_lost: Callable[[], None],
        timer: Timer,
    ) -> None:
        self._renew = renew
        self._name = name
        self._lease_s = lease_s
        self._on_lost = on_lost
        self._timer = timer
        self._held_since = timer.now()
        self._is_lost = False

    async def keep(self) -> None:
        """Renew it until it has passed to someone else."""
        is_held = True
        while is_held:
            await self._timer.sleep(self._lease_s / _PARTS)
            asked_at = self._timer.now()
            try:
                is_held = await self._renew()
            except RecallError as error:
                _log.warning("lease_not_renewed", name=self._name, reason=str(error))
            except Exception:  # noqa: BLE001  # whatever broke, giving up would let the lease run out unseen
                _log.exception("lease_renewal_broke", name=self._name)
            else:
                self._held_since = asked_at
        self._lose()

    async def watch(self) -> None:
        """Say so once it is over by any clock, also while a renewal is under way."""
        while (left_s := self._held_since + self._lease_s - self._timer.now()) > 0:
            await self._timer.sleep(left_s)
        self._lose()

    def _lose(self) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._on_lost()
