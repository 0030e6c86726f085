"""What recall begins while a message is still being taken in: a head start, not a crowd before the record."""

import asyncio
from collections.abc import Collection, Sequence

import pytest

from memory.audience import Scope
from memory.model import Candidates, MemoryKey, Recallable, UserId
from memory.model.recall import LexicalResult
from memory.ports import RecallStore
from memory.retrieval import Retriever
from memory.stores.in_memory import InMemoryVectorIndex
from memory.tasks import TaskTracker
from memory.vector_cache import VectorCache
from tests.fakes.clock import FrozenClock
from tests.fakes.embedder import HashingEmbedder
from tests.fakes.values import TENANT, person

_NOTHING = Candidates(own=(), lexical=LexicalResult(hits=(), document_frequency={}, documents=0), has_shared=False)


class SlowStore(RecallStore):
    """Finds nothing, once the gate is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.searched: list[UserId] = []

    async def search(self, scope: Scope, terms: Sequence[str], *, limit: int, own_turns: int) -> Candidates:  # noqa: ARG002  # the port's
        self.searched.append(scope.reader)
        await self.gate.wait()
        return _NOTHING

    async def fetch(self, scope: Scope, keys: Collection[MemoryKey]) -> Sequence[Recallable]:  # noqa: ARG002  # the port's
        return []


@pytest.fixture
def store() -> SlowStore:
    """Return a record whose gate is shut."""
    return SlowStore()


@pytest.fixture
def tasks() -> TaskTracker:
    """Return the tracker of what was begun."""
    return TaskTracker()


@pytest.fixture
def retriever(store: SlowStore, tasks: TaskTracker) -> Retriever:
    """Return a retriever whose cache holds nobody."""
    embedder = HashingEmbedder()
    index = InMemoryVectorIndex(dimensions=embedder.dimensions)
    return Retriever(
        store=store, index=index, embedder=embedder, cache=VectorCache(index), clock=FrozenClock(), tasks=tasks
    )


def asked_by(name: str) -> Scope:
    """Return a scope that shows nothing."""
    return Scope.nothing(tenant_id=TENANT, reader=person(name).user_id)


async def test_a_person_s_vectors_are_brought_in_once_however_much_they_say(
    retriever: Retriever, store: SlowStore, tasks: TaskTracker
) -> None:
    """A second message waits for nothing; one that comes later finds the way free again."""
    for number in range(50):
        retriever.prepare(f"why does pod number {number} restart?", asked_by("ana"))
    await asyncio.sleep(0)
    searched_at_once = list(store.searched)
    store.gate.set()
    await tasks.idle()
    retriever.prepare("and the other one?", asked_by("ana"))
    await tasks.idle()

    assert (len(searched_at_once), len(store.searched)) == (1, 2)


async def test_a_burst_of_many_people_does_not_crowd_the_record(
    retriever: Retriever, store: SlowStore, tasks: TaskTracker
) -> None:
    """Two are prepared at once; the others' turns do it themselves."""
    for number in range(50):
        retriever.prepare("why?", asked_by(f"person-{number}"))
    await asyncio.sleep(0)
    searched_at_once = list(store.searched)
    store.gate.set()
    await tasks.idle()

    assert len(searched_at_once) == 2
