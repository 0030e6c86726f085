"""Work off the outbox: embed and index new texts, drop vectors, evict cached threads.

Any process may, one at a time: a text that one of them embeds must not reach the index after another removed it there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from functools import partial

import structlog

from memory.errors import ProviderError, RecallError, StoreConflictError, StoreError
from memory.leases import kept
from memory.model import MemoryKey, VectorEntry
from memory.model.work import IndexTask, Lease
from memory.ports import Clock, Embedder, IndexQueue, LeaseStore, MessageStore, SessionCache, VectorIndex
from memory.short_term import current_heads
from memory.vector_cache import VectorCache

_log = structlog.get_logger(__name__)

_BATCH = 64
_LEASE = "outbox"
_LEASE_S = 60.0
_LEASE_POLL_S = 0.2
_FIRST_RETRY_S = 1.0
_LONGEST_RETRY_S = 60.0
_LONGEST_ASIDE_S = 3_600.0  # for a text that the embedder fails over while it takes others
_MOST_DOUBLINGS = 16  # keeps the power a sensible number however long an outage lasts

_Work = Callable[[Sequence[IndexTask]], Awaitable[None]]


class OutboxWorker:
    """Makes the index and the cache follow the record."""

    def __init__(
        self,
        *,
        queue: IndexQueue,
        messages: MessageStore,
        leases: LeaseStore,
        index: VectorIndex,
        vectors: VectorCache,
        cache: SessionCache,
        embedder: Embedder,
        clock: Clock,
        holder: str,
    ) -> None:
        self._queue = queue
        self._messages = messages
        self._leases = leases
        self._index = index
        self._vectors = vectors
        self._cache = cache
        self._embedder = embedder
        self._clock = clock
        self._holder = holder
        self._working = asyncio.Lock()  # the job and a person's own command may both want to drain
        self._problem: RecallError | None = None

    @property
    def problem(self) -> RecallError | None:
        """What made work wait last; None when nothing has."""
        return self._problem

    async def drain(self, *, patient: bool = False) -> int:
        """Work until nothing is due; return how many tasks were finished. What fails waits for its next time.

        Args:
            patient: While another process works on it, wait instead of leaving it to that one.
        """
        finished = 0
        while batch := await self.work_once(patient=patient):
            finished += batch
        return finished

    async def work_once(self, *, patient: bool = False) -> int:
        """Work off one batch of each kind; return how many tasks were finished, 0 when there are none that can be."""
        async with self._working:
            while await self._queue.due(limit=1):
                lease = await self._leases.claim(_LEASE, holder=self._holder, lease_s=_LEASE_S)
                if lease is not None:
                    return await self._work(lease)
                if not patient:
                    break
                await asyncio.sleep(_LEASE_POLL_S)
            return 0

    async def _work(self, lease: Lease) -> int:
        try:
            async with kept(self._leases, lease, lease_s=_LEASE_S):
                tasks = await self._queue.due(limit=_BATCH)
                finished = await self._run([task for task in tasks if task.operation == "evict"], self._evict)
                drops = [task for task in tasks if task.operation == "drop"]
                finished += await self._run(drops, self._drop)
                dropped = {task.ref.key for task in drops if task.ref}
                index = partial(self._index_texts, lease=lease, skip=dropped)
                return finished + await self._run([task for task in tasks if task.operation == "index"], index)
        finally:
            await self._leases.release(lease)

    async def _run(self, tasks: Sequence[IndexTask], work: _Work) -> int:
        """Do one kind of work for a batch; what fails is tried again later."""
        if not tasks:
            return 0
        try:
            await work(tasks)
        except (StoreError, ProviderError) as error:
            if self._may_be_one_text(error) and len(tasks) > 1:
                return sum([await self._run([task], work) for task in tasks])
            await self._put_off(tasks, error)
            return 0
        await self._queue.done([task.task_id for task in tasks])
        return len(tasks)

    async def _put_off(self, tasks: Sequence[IndexTask], error: RecallError) -> None:
        self._problem = error
        longest_s = _LONGEST_ASIDE_S if self._may_be_one_text(error) else _LONGEST_RETRY_S
        attempts = min(_MOST_DOUBLINGS, *(task.attempts for task in tasks))
        wait_s = min(_FIRST_RETRY_S * 2.0**attempts, longest_s)
        operation = tasks[0].operation
        _log.warning("outbox_deferred", operation=operation, tasks=len(tasks), reason=str(error), wait_s=wait_s)
        retry_at = self._clock.now() + timedelta(seconds=wait_s)
        await self._queue.defer([task.task_id for task in tasks], retry_at=retry_at)

    def _may_be_one_text(self, error: RecallError) -> bool:
        """Whether the others of a batch may pass: the model is there, and does not take what it was given."""
        return isinstance(error, ProviderError) and self._embedder.is_ready

    async def _evict(self, tasks: Sequence[IndexTask]) -> None:
        session_ids = {task.session_id for task in tasks if task.session_id}
        await self._cache.evict(await current_heads(self._messages, session_ids))

    async def _drop(self, tasks: Sequence[IndexTask]) -> None:
        await self._index.delete([task.ref for task in tasks if task.ref])

    async def _index_texts(self, tasks: Sequence[IndexTask], *, lease: Lease, skip: Collection[MemoryKey]) -> None:
        """Embed and index those tasks whose row is still alive.

        Raises:
            StoreConflictError: The lease was lost meanwhile: another process may have dropped one of them.
        """
        refs = [(task.ref, task.text) for task in tasks if task.ref and task.ref.key not in skip]
        alive = {ref.key: (ref, text) for ref, text in refs if text is not None}
        if not alive:
            return
        vectors = await self._embedder.embed_documents([text for _, text in alive.values()])
        entries = [
            VectorEntry(ref=ref, vector=vector) for (ref, _), vector in zip(alive.values(), vectors, strict=True)
        ]
        if not await self._leases.renew(lease, lease_s=_LEASE_S):
            raise StoreConflictError("sql", "index", "the outbox passed to another process")
        await self._index.upsert(entries)
        self._vectors.add(entries)
