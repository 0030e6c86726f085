"""What waits to be embedded: questions before documents, in batches small enough that a question never waits long."""

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from memory.model.recall import Vector

_MAX_QUERIES = 16
_MAX_DOCUMENTS = 16
_MAX_BATCH_TOKENS = 512
"""Of padded input in one batch of documents: about 40 ms on two cores, the longest a question waits behind one."""
_CHARS_PER_TOKEN = 4
_LONGEST_INPUT = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job:
    """One text, and where its vector goes."""

    text: str
    is_query: bool
    result: Future[Vector] = field(default_factory=Future)


class JobQueue:
    """Hands out jobs in batches to one worker thread. Thread-safe."""

    def __init__(self) -> None:
        self._queries: deque[Job] = deque()
        self._documents: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, jobs: Sequence[Job]) -> bool:
        """Add jobs; False when the queue is closed."""
        with self._changed:
            if self._closed:
                return False
            for job in jobs:
                (self._queries if job.is_query else self._documents).append(job)
            self._changed.notify()
        return True

    def take(self) -> list[Job]:
        """Wait for work and return the next batch, of one kind; empty when the queue is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._queries or self._documents)
            if self._closed:
                return []
            if self._queries:
                return [self._queries.popleft() for _ in range(min(_MAX_QUERIES, len(self._queries)))]
            return self._take_documents()

    def drain(self) -> list[Job]:
        """Remove and return all jobs that wait."""
        with self._changed:
            jobs = [*self._queries, *self._documents]
            self._queries.clear()
            self._documents.clear()
        return jobs

    def close(self) -> None:
        """Take no more jobs and wake the worker."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _take_documents(self) -> list[Job]:
        batch: list[Job] = []
        widest = 0
        while self._documents and len(batch) < _MAX_DOCUMENTS:
            widest = max(widest, _tokens(self._documents[0].text))
            if batch and widest * (len(batch) + 1) > _MAX_BATCH_TOKENS:
                break
            batch.append(self._documents.popleft())
        return batch


def _tokens(text: str) -> int:
    """Estimate the length of an input, up to what models cut it to at least."""
    return min(_LONGEST_INPUT, len(text) // _CHARS_PER_TOKEN + 2)
