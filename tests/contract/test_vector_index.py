"""What every vector index must do."""

from pathlib import Path

import numpy as np
import pytest

from memory.errors import DimensionMismatchError, StoreUnavailableError
from memory.model import MemoryKey, UserId, VectorEntry, VectorRef, episode_key, fact_key, key_kind, turn_key
from memory.model.recall import Vector
from memory.ports import VectorIndex
from memory.stores.chroma import open_chroma_folder
from tests.fixtures.servers import DIMENSIONS, MODEL, OpenIndex

ANN, BOB = UserId("console:local:ann"), UserId("slack:T1/x:bob \u202e\U0001f600")


def axis(number: int) -> Vector:
    """Return a unit vector along one axis."""
    vector = np.zeros(DIMENSIONS, dtype=np.float32)
    vector[number] = 1
    return vector


def units(count: int, *, seed: int = 0) -> list[Vector]:
    """Return unit vectors that point anywhere."""
    rows = np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype(np.float32)
    return list(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def entry(key: MemoryKey, vector: Vector, owner: UserId = ANN) -> VectorEntry:
    """Return an entry."""
    return VectorEntry(ref=VectorRef(owner=owner, key=key), vector=vector)


def ref(key: MemoryKey, owner: UserId = ANN) -> VectorRef:
    """Return a reference."""
    return VectorRef(owner=owner, key=key)


async def test_identical_vector_scores_one_and_is_first(vector_index: VectorIndex) -> None:
    """The same text as was stored is the best there is."""
    vectors = units(50)
    await vector_index.upsert([entry(fact_key(n), vector) for n, vector in enumerate(vectors)])

    for number in (0, 17, 49):
        (key, similarity), *_ = await vector_index.nearest(vectors[number], limit=5)
        assert key == fact_key(number)
        assert similarity == pytest.approx(1, abs=1e-5)
        assert similarity <= 1


async def test_scores_are_cosines(vector_index: VectorIndex) -> None:
    """Orthogonal is 0, opposite is -1, and in between the cosine, highest first."""
    await vector_index.upsert(
        [
            entry(fact_key(1), axis(1)),
            entry(fact_key(2), -axis(0)),
            entry(fact_key(3), (0.6 * axis(0) + 0.8 * axis(1)).astype(np.float32)),
        ]
    )

    hits = await vector_index.nearest(axis(0), limit=3)

    assert [key for key, _ in hits] == [fact_key(3), fact_key(1), fact_key(2)]
    assert [similarity for _, similarity in hits] == pytest.approx([0.6, 0, -1], abs=1e-5)


async def test_nearest_takes_the_limit_of_each_kind_over_all_owners(vector_index: VectorIndex) -> None:
    """Facts never crowd out turns and episodes, and no owner is left out."""
    facts = [entry(fact_key(n), vector, (ANN, BOB)[n % 2]) for n, vector in enumerate(units(10))]
    await vector_index.upsert([*facts, entry(turn_key(1, 2), axis(0), BOB), entry(episode_key(5), axis(1))])

    hits = await vector_index.nearest(units(1)[0], limit=4)

    assert sorted(key_kind(key) for key, _ in hits) == ["episode", "fact", "fact", "fact", "fact", "turn"]
    assert [similarity for _, similarity in hits] == sorted((each for _, each in hits), reverse=True)
    assert {key for key, _ in hits} >= {turn_key(1, 2), episode_key(5)}


@pytest.mark.parametrize("limit", [0, 5])
async def test_nearest_in_an_empty_index_is_nothing(vector_index: VectorIndex, limit: int) -> None:
    """Nothing stored or nothing asked for gives nothing."""
    if limit == 0:
        await vector_index.upsert([entry(fact_key(1), axis(1))])

    assert list(await vector_index.nearest(axis(0), limit=limit)) == []


async def test_vectors_come_back_by_key(vector_index: VectorIndex) -> None:
    """What was written comes back, of every kind, to rounding; unknown keys and other owners' are absent."""
    vectors = units(4)
    await vector_index.upsert(
        [
            entry(fact_key(1), vectors[0]),
            entry(turn_key(1, 1), vectors[1]),
            entry(episode_key(1), vectors[2]),
            entry(fact_key(2), vectors[3], BOB),
        ]
    )

    asked = [ref(fact_key(1)), ref(turn_key(1, 1)), ref(episode_key(1)), ref(fact_key(2)), ref(fact_key(99))]
    found = await vector_index.vectors([*asked, *asked])

    assert set(found) == {fact_key(1), turn_key(1, 1), episode_key(1)}
    for key, vector in zip([fact_key(1), turn_key(1, 1), episode_key(1)], vectors, strict=False):
        assert found[key].dtype == np.float32
        np.testing.assert_allclose(found[key], vector, atol=1e-6)
    assert set(await vector_index.vectors([ref(fact_key(2), BOB)])) == {fact_key(2)}
    assert dict(await vector_index.vectors([])) == {}


async def test_upsert_replaces(vector_index: VectorIndex) -> None:
    """A key has one vector, the last one, within a call and between calls."""
    await vector_index.upsert([entry(fact_key(1), axis(0)), entry(fact_key(1), axis(1))])
    np.testing.assert_allclose((await vector_index.vectors([ref(fact_key(1))]))[fact_key(1)], axis(1), atol=1e-6)

    await vector_index.upsert([entry(fact_key(1), axis(2))])

    np.testing.assert_allclose((await vector_index.vectors([ref(fact_key(1))]))[fact_key(1)], axis(2), atol=1e-6)
    assert await vector_index.count() == 1
    assert [key for key, _ in await vector_index.nearest(axis(2), limit=5)] == [fact_key(1)]


async def test_upsert_of_nothing_is_fine(vector_index: VectorIndex) -> None:
    """An empty batch is no error."""
    await vector_index.upsert([])

    assert await vector_index.count() == 0


async def test_delete_removes_only_what_is_named(vector_index: VectorIndex) -> None:
    """Unknown keys are fine, twice is fine, the owner counts."""
    await vector_index.upsert(
        [entry(fact_key(1), axis(0)), entry(fact_key(2), axis(1)), entry(turn_key(1, 1), axis(2))]
    )

    for _ in range(2):
        await vector_index.delete([ref(fact_key(1)), ref(fact_key(99)), ref(turn_key(7, 1)), ref(fact_key(2), BOB)])
    await vector_index.delete([])

    assert set(await vector_index.vectors([ref(fact_key(1)), ref(fact_key(2))])) == {fact_key(2)}
    assert {key for key, _ in await vector_index.nearest(axis(0), limit=5)} == {fact_key(2), turn_key(1, 1)}
    assert await vector_index.count() == 2


async def test_more_rows_than_one_batch(vector_index: VectorIndex) -> None:
    """Callers need not know how much a store takes at once."""
    vectors = units(2100)
    entries = [entry(fact_key(n), vector) for n, vector in enumerate(vectors)]

    await vector_index.upsert(entries)

    assert await vector_index.count() == 2100
    assert len(await vector_index.vectors([one.ref for one in entries])) == 2100
    await vector_index.delete([one.ref for one in entries[5:]])
    assert {key for key, _ in await vector_index.nearest(vectors[0], limit=50)} == {fact_key(n) for n in range(5)}


async def test_wrong_dimension_is_refused(vector_index: VectorIndex) -> None:
    """A vector of another model is refused, and nothing of its batch is written."""
    with pytest.raises(DimensionMismatchError):
        await vector_index.upsert([entry(fact_key(1), axis(0)), entry(fact_key(2), axis(0)[:-1])])
    with pytest.raises(DimensionMismatchError):
        await vector_index.nearest(axis(0)[:-1], limit=1)

    assert await vector_index.count() == 0


async def test_clear_removes_all(vector_index: VectorIndex) -> None:
    """After a clear the index is empty and works."""
    await vector_index.upsert([entry(fact_key(1), axis(0)), entry(episode_key(1), axis(1), BOB)])

    await vector_index.clear()

    assert await vector_index.count() == 0
    await vector_index.upsert([entry(fact_key(2), axis(0))])
    assert [key for key, _ in await vector_index.nearest(axis(0), limit=5)] == [fact_key(2)]


async def test_compact_keeps_what_lives(vector_index: VectorIndex) -> None:
    """Compaction changes nothing that a caller sees, twice in a row too."""
    vectors = units(30)
    entries = [
        entry((fact_key, episode_key)[n % 2](n), vector, (ANN, BOB)[n % 3 == 0]) for n, vector in enumerate(vectors)
    ]
    await vector_index.upsert(entries)
    await vector_index.delete([one.ref for one in entries[:10]])

    for _ in range(2):
        await vector_index.compact()

        found = await vector_index.vectors([one.ref for one in entries])
        assert set(found) == {one.ref.key for one in entries[10:]}
        assert await vector_index.count() == 20
        (key, similarity), *_ = await vector_index.nearest(vectors[15], limit=3)
        assert key == entries[15].ref.key
        assert similarity == pytest.approx(1, abs=1e-5)
    await vector_index.upsert(entries[:1])
    assert await vector_index.count() == 21


async def test_ping_answers(vector_index: VectorIndex) -> None:
    """An index that works says so."""
    await vector_index.ping()


async def test_reopened_index_has_what_was_written(open_vector_index: OpenIndex) -> None:
    """What was written is there for the next process, before and after a compaction."""
    async with open_vector_index() as index:
        await index.clear()
        await index.upsert([entry(fact_key(1), axis(0)), entry(fact_key(2), axis(1))])
    async with open_vector_index() as index:
        assert await index.count() == 2
        await index.delete([ref(fact_key(1))])
        await index.compact()
        await index.upsert([entry(fact_key(3), axis(2))])
    async with open_vector_index() as index:
        assert {key for key, _ in await index.nearest(axis(1), limit=5)} == {fact_key(2), fact_key(3)}


async def test_models_never_mix(open_vector_index: OpenIndex, request: pytest.FixtureRequest) -> None:
    """Vectors of one embedding model are not seen under another, even one of a similar name."""
    if "in_memory" in request.node.name:
        return  # it lives with the process, and a process has one model
    async with open_vector_index("org/model-a") as index:
        await index.clear()
        await index.upsert([entry(fact_key(1), axis(0))])
    async with open_vector_index("org/model_a") as index:
        assert await index.count() == 0
        await index.clear()
    async with open_vector_index("org/model-a") as index:
        assert await index.count() == 0, "a clear is for all models: what is built anew is built for one"


async def test_closed_index_is_unavailable(tmp_path: Path) -> None:
    """Closed is like unreachable, for every operation."""
    async with open_chroma_folder(tmp_path, model_name=MODEL, dimensions=DIMENSIONS) as index:
        await index.upsert([entry(fact_key(1), axis(0))])

    for call in (index.count, index.ping, index.compact, index.clear, lambda: index.delete([ref(fact_key(1))])):
        with pytest.raises(StoreUnavailableError):
            await call()
    with pytest.raises(StoreUnavailableError):
        await index.nearest(axis(0), limit=1)
