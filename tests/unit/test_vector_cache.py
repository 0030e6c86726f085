"""The cache of people's own vectors."""

import asyncio
from collections.abc import Collection, Mapping

import numpy as np

from memory.model import MemoryKey, UserId, VectorEntry, VectorRef, fact_key
from memory.model.recall import Vector
from memory.stores.in_memory import InMemoryVectorIndex
from memory.vector_cache import VectorCache

_ANA, _BOB = UserId("t:ana"), UserId("t:bob")


def ref(number: int, owner: UserId = _ANA) -> VectorRef:
    """Return where a fact's vector is kept."""
    return VectorRef(owner=owner, key=fact_key(number))


def axis(number: int) -> Vector:
    """Return a unit vector along one axis."""
    vector = np.zeros(8, dtype=np.float32)
    vector[number % 8] = 1.0
    return vector


async def filled(*refs: VectorRef) -> tuple[VectorCache, InMemoryVectorIndex]:
    """Return a cache over an index that holds `refs`."""
    index = InMemoryVectorIndex(dimensions=8)
    await index.upsert([VectorEntry(ref=each, vector=axis(number)) for number, each in enumerate(refs)])
    return VectorCache(index), index


async def test_scores_are_exact_for_what_the_index_has() -> None:
    """The identical vector scores 1, an orthogonal one 0, and a key without a vector is absent."""
    cache, _ = await filled(ref(1), ref(2))
    await cache.fill(_ANA, [ref(1), ref(2), ref(3)])

    assert cache.similarities(_ANA, axis(0), [ref(1), ref(2), ref(3)]) == {ref(1).key: 1.0, ref(2).key: 0.0}


async def test_only_the_keys_that_are_asked_for_are_scored() -> None:
    """What the record no longer names is not seen, though its vector is still cached."""
    cache, _ = await filled(ref(1), ref(2))
    await cache.fill(_ANA, [ref(1), ref(2)])

    assert set(cache.similarities(_ANA, axis(0), [ref(2)])) == {ref(2).key}


async def test_a_hit_needs_no_index() -> None:
    """Once filled, the index may be empty."""
    cache, index = await filled(ref(1))
    await cache.fill(_ANA, [ref(1)])
    await index.clear()
    await cache.fill(_ANA, [ref(1)])

    assert cache.similarities(_ANA, axis(0), [ref(1)]) == {ref(1).key: 1.0}


async def test_forgetting_a_person_drops_their_vectors_only() -> None:
    """Another person's stay."""
    cache, index = await filled(ref(1), ref(2, _BOB))
    await cache.fill(_ANA, [ref(1)])
    await cache.fill(_BOB, [ref(2, _BOB)])
    cache.drop(_ANA)
    await index.clear()

    assert cache.similarities(_ANA, axis(0), [ref(1)]) == {}
    assert cache.similarities(_BOB, axis(1), [ref(2, _BOB)]) == {ref(2).key: 1.0}


async def test_the_least_recently_filled_person_goes_first() -> None:
    """The cache is bounded by bytes."""
    index = InMemoryVectorIndex(dimensions=8)
    await index.upsert([VectorEntry(ref=ref(1), vector=axis(0)), VectorEntry(ref=ref(2, _BOB), vector=axis(1))])
    cache = VectorCache(index, max_bytes=600)
    await cache.fill(_ANA, [ref(1)])
    await cache.fill(_BOB, [ref(2, _BOB)])

    assert cache.similarities(_ANA, axis(0), [ref(1)]) == {}
    assert cache.similarities(_BOB, axis(1), [ref(2, _BOB)]) == {ref(2).key: 1.0}


async def test_rows_that_the_record_no_longer_names_are_shed() -> None:
    """A person who forgot much does not fill the cache with it."""
    refs = [ref(number) for number in range(60)]
    cache, _ = await filled(*refs)
    await cache.fill(_ANA, refs)
    await cache.fill(_ANA, refs[:5])

    assert len(cache.similarities(_ANA, axis(0), refs)) == 5


async def test_a_reader_may_be_given_memories_that_another_owns() -> None:
    """An episode of several people is scored for each of them, whoever it is kept under."""
    cache, _ = await filled(ref(1), ref(2, _BOB))
    await cache.fill(_ANA, [ref(1), ref(2, _BOB)])

    assert len(cache.similarities(_ANA, axis(0), [ref(1), ref(2, _BOB)])) == 2


async def test_what_was_just_indexed_is_there_for_people_who_are_cached() -> None:
    """The next question needs no index for it; a person who is not cached takes no room."""
    cache, index = await filled(ref(1))
    await cache.fill(_ANA, [ref(1)])
    cache.add([VectorEntry(ref=ref(3), vector=axis(3)), VectorEntry(ref=ref(4, _BOB), vector=axis(4))])
    await index.clear()

    assert cache.similarities(_ANA, axis(3), [ref(3)]) == {ref(3).key: 1.0}
    assert cache.similarities(_BOB, axis(4), [ref(4, _BOB)]) == {}


class CountingIndex(InMemoryVectorIndex):
    """Counts how often vectors are fetched, and lets others run meanwhile."""

    fetched = 0

    async def vectors(self, refs: Collection[VectorRef]) -> Mapping[MemoryKey, Vector]:
        self.fetched += 1
        await asyncio.sleep(0)
        return await super().vectors(refs)


async def test_two_who_need_the_same_vectors_fetch_them_once() -> None:
    """The second waits for the first and finds everything here."""
    index = CountingIndex(dimensions=8)
    await index.upsert([VectorEntry(ref=ref(1), vector=axis(0))])
    cache = VectorCache(index)

    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(cache.fill(_ANA, [ref(1)]))

    assert index.fetched == 1
    assert cache.holds(_ANA)
    assert not cache.holds(_BOB)
