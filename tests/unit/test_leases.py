"""A lease outlives its time while its work runs, and not longer."""

import asyncio

from memory.errors import StoreUnavailableError
from memory.leases import kept, renewed
from memory.model.work import Lease
from memory.ports import LeaseStore
from tests.fakes.clock import HandTimer

_LEASE = Lease(name="work", holder="me", fence=1)
_SHORT_S = 0.003


class Renewals(LeaseStore):
    """Renews as scripted, "held", "lost" or "down", and asks for no more than that."""

    def __init__(self, *script: str) -> None:
        self._script = list(script)
        self.asked = 0
        self.lost = asyncio.Event()

    async def claim(self, name: str, *, holder: str, lease_s: float) -> Lease | None:
        del lease_s
        return Lease(name=name, holder=holder, fence=1)

    async def renew(self, lease: Lease, *, lease_s: float) -> bool:
        del lease, lease_s
        self.asked += 1
        answer = self._script.pop(0)
        if answer == "down":
            raise StoreUnavailableError("sql", "renew a lease")
        if answer == "lost":
            self.lost.set()
        return answer == "held"

    async def release(self, lease: Lease) -> None:
        del lease

    async def release_all(self) -> None:
        pass


async def test_a_lease_is_renewed_until_it_is_lost_whatever_the_store_does_between() -> None:
    """An outage is ridden out; after the loss nothing is asked any more, and the work itself goes on."""
    leases = Renewals("held", "down", "held", "lost")

    async with kept(leases, _LEASE, lease_s=_SHORT_S):
        await leases.lost.wait()

    assert leases.asked == 4


async def test_a_lease_that_cannot_be_renewed_is_lost_when_it_is_over() -> None:
    """Nobody can tell whether somebody else has it by then; it is said once, and renewal is still tried."""
    timer, leases, lost = HandTimer(), Renewals("held", "down", "down", "down", "down", "lost"), list[float]()

    async with renewed(
        lambda: leases.renew(_LEASE, lease_s=40),
        name="work",
        lease_s=40,
        on_lost=lambda: lost.append(timer.now()),
        timer=timer,
    ):
        for asleep in (2, 2, 2, 2, 2, 1):
            await timer.sleepers(asleep)
            timer.advance(10)
        await leases.lost.wait()

    assert lost == [50.0]
    assert leases.asked == 6


async def test_renewal_ends_with_the_work() -> None:
    """Nothing is left running."""
    leases = Renewals()
    before = asyncio.all_tasks()
    async with kept(leases, _LEASE, lease_s=3_600):
        await asyncio.sleep(0)

    assert asyncio.all_tasks() == before
    assert leases.asked == 0
