"""Work off the outbox: embed and index new texts, drop vectors, evict cached threads. Any process may, at any time."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import timedelta

import structlog

from memory.errors import ProviderError, StoreError
from memory.model import MemoryKey, VectorEntry
from memory.model.work import IndexTask
from memory.ports import Clock, Embedder, IndexQueue, SessionCache, VectorIndex
from memory.vector_cache import VectorCache

_log = structlog.get_logger(__name__)

_BATCH = 64
_FIRST_RETRY_S = 1.0
_LONGEST_RETRY_S = 60.0


class OutboxWorker:
    """Makes the index and the cache follow the record."""

    def __init__(
        self,
        *,
        queue: IndexQueue,
        index: VectorIndex,
        vectors: VectorCache,
        cache: SessionCache,
        embedder: Embedder,
        clock: Clock,
    ) -> None:
        self._queue = queue
        self._index = index
        self._vectors = vectors
        self._cache = cache
        self._embedder = embedder
        self._clock = clock
        self._working = asyncio.Lock()  # the job and a person's own command may both want to drain

    async def drain(self) -> int:
        """Work until nothing is due; return how many tasks were finished. What fails waits for its next time."""
        finished = 0
        while batch := await self.work_once():
            finished += batch
        return finished

    async def work_once(self) -> int:
        """Work off one batch; return how many tasks were finished, 0 when nothing is due or nothing could be done."""
        async with self._working:
            tasks = await self._queue.due(limit=_BATCH)
            finished = await self._run("evict", [task for task in tasks if task.operation == "evict"])
            dropped = {task.ref.key for task in tasks if task.operation == "drop" and task.ref}
            finished += await self._run("drop", [task for task in tasks if task.operation == "drop"])
            index = [task for task in tasks if task.operation == "index"]
            return finished + await self._run("index", index, skip=dropped)

    async def _run(self, operation: str, tasks: Sequence[IndexTask], *, skip: Collection[MemoryKey] = ()) -> int:
        """Do one kind of work for a batch; what fails is tried again later."""
        if not tasks:
            return 0
        task_ids = [task.task_id for task in tasks]
        try:
            if operation == "evict":
                await self._cache.evict([task.session_id for task in tasks if task.session_id])
            elif operation == "drop":
                await self._index.delete([task.ref for task in tasks if task.ref])
            else:
                await self._index_texts([task for task in tasks if task.ref and task.ref.key not in skip])
        except (StoreError, ProviderError) as error:
            attempts = min(task.attempts for task in tasks)
            wait_s = min(_FIRST_RETRY_S * 2**attempts, _LONGEST_RETRY_S)
            _log.warning("outbox_deferred", operation=operation, tasks=len(tasks), reason=str(error), wait_s=wait_s)
            await self._queue.defer(task_ids, retry_at=self._clock.now() + timedelta(seconds=wait_s))
            return 0
        await self._queue.done(task_ids)
        return len(tasks)

    async def _index_texts(self, tasks: Sequence[IndexTask]) -> None:
        """Embed and index those tasks whose row is still alive."""
        alive = {task.ref.key: (task.ref, task.text) for task in tasks if task.ref and task.text is not None}
        if not alive:
            return
        vectors = await self._embedder.embed_documents([text for _, text in alive.values()])
        entries = [
            VectorEntry(ref=ref, vector=vector) for (ref, _), vector in zip(alive.values(), vectors, strict=True)
        ]
        await self._index.upsert(entries)
        self._vectors.add(entries)
