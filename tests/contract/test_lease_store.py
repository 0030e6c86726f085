"""What every lease store does."""

import asyncio

from memory.model.work import Lease
from memory.stores.sql.database import Database
from memory.stores.sql.leases import SqlLeaseStore


async def test_claim_refuses_while_another_holder_is_alive(database: Database) -> None:
    """A live lease belongs to one holder."""
    store = SqlLeaseStore(database)
    await store.claim("sweep", holder="a", lease_s=60)

    assert await store.claim("sweep", holder="b", lease_s=60) is None


async def test_claim_gives_the_holder_its_own_lease_again(database: Database) -> None:
    """A holder that claims again gets a higher fence, so its former claim is void."""
    store = SqlLeaseStore(database)
    first = await store.claim("sweep", holder="a", lease_s=60)
    second = await store.claim("sweep", holder="a", lease_s=60)

    assert (first, second) == (Lease(name="sweep", holder="a", fence=1), Lease(name="sweep", holder="a", fence=2))
    assert first is not None
    assert await store.renew(first, lease_s=60) is False


async def test_expired_lease_can_be_claimed_with_a_higher_fence(database: Database) -> None:
    """The database's clock decides: a lease of no length is over at once."""
    store = SqlLeaseStore(database)
    lost = await store.claim("sweep", holder="a", lease_s=0)
    taken = await store.claim("sweep", holder="b", lease_s=60)

    assert lost is not None
    assert taken is not None
    assert taken.fence > lost.fence
    assert await store.renew(lost, lease_s=60) is False


async def test_renewed_lease_is_alive_again(database: Database) -> None:
    """An expired lease that nobody took can be renewed, and is then refused to others."""
    store = SqlLeaseStore(database)
    lease = await store.claim("sweep", holder="a", lease_s=0)
    assert lease is not None

    assert await store.renew(lease, lease_s=60) is True
    assert await store.claim("sweep", holder="b", lease_s=60) is None


async def test_released_lease_is_free_and_its_fence_goes_on(database: Database) -> None:
    """After a release anybody may claim, with a higher fence."""
    store = SqlLeaseStore(database)
    lease = await store.claim("sweep", holder="a", lease_s=60)
    assert lease is not None
    await store.release(lease)

    assert await store.claim("sweep", holder="b", lease_s=60) == Lease(name="sweep", holder="b", fence=2)


async def test_release_of_a_lost_lease_leaves_the_new_holder_alone(database: Database) -> None:
    """A late release cannot free what passed on."""
    store = SqlLeaseStore(database)
    lost = await store.claim("sweep", holder="a", lease_s=0)
    assert lost is not None
    await store.claim("sweep", holder="b", lease_s=60)
    await store.release(lost)

    assert await store.claim("sweep", holder="c", lease_s=60) is None


async def test_claims_at_once_have_one_winner(database: Database) -> None:
    """Of many who ask at the same moment, one gets the lease."""
    store = SqlLeaseStore(database)
    async with asyncio.TaskGroup() as group:
        claims = [group.create_task(store.claim("sweep", holder=f"h{n}", lease_s=60)) for n in range(12)]

    assert sum(claim.result() is not None for claim in claims) == 1


async def test_leases_of_different_names_are_apart(database: Database) -> None:
    """One name says nothing about another."""
    store = SqlLeaseStore(database)
    await store.claim("one", holder="a", lease_s=60)

    assert await store.claim("two", holder="b", lease_s=60) is not None
