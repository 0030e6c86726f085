"""Chroma in a folder of our own: chromadb's synchronous client behind two small thread pools.

One process owns the folder (two corrupt it). Writes and compactions go through one thread, in order, so that a call
given up after its timeout is over before the next write begins. Reads have threads of their own and go on during a
compaction, from the old generation; writes wait for it, and go to the new one.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from memory.errors import StoreCorruptError, StoreUnavailableError
from memory.stores.chroma.client import ChromaClient, PanicError, Records, translate
from memory.stores.chroma.generation import Generation
from memory.stores.chroma.generations import Generations, remove
from memory.stores.chroma.index import ChromaVectorIndex
from memory.stores.chroma.names import collection_names
from memory.stores.chroma.soundness import seal
from memory.stores.chroma.spare_slots import zero_spare_slots

_READERS = 2
_OPEN_TIMEOUT_S = 30.0  # importing chromadb takes 1.3 s, on a busy machine several
_T = TypeVar("_T")


@asynccontextmanager
async def open_chroma_folder(
    folder: Path, *, model_name: str, dimensions: int, timeout_s: float = 5.0
) -> AsyncIterator[ChromaVectorIndex]:
    """Open the index in a folder that this process owns; Chroma starts when it is first used.

    Args:
        folder: Made when there is none.
        model_name: The embedding model; each has collections of its own.
        dimensions: Of its vectors.
        timeout_s: For each batch of a call, without the wait for a compaction.
    """
    names = collection_names(model_name, dimensions)
    client = EmbeddedChroma(folder, collections=list(names.values()), timeout_s=timeout_s)
    try:
        yield ChromaVectorIndex(client, collections=names, dimensions=dimensions)
    finally:
        await client.aclose()


class EmbeddedChroma(ChromaClient):
    """Collections in a folder, opened when first used."""

    def __init__(self, folder: Path, *, collections: Sequence[str], timeout_s: float) -> None:
        self._generations = Generations(folder)
        self._names = tuple(collections)
        self._timeout_s = timeout_s
        self._writer = ThreadPoolExecutor(1, "chroma-write")
        self._readers = ThreadPoolExecutor(_READERS, "chroma-read")
        self._writing = asyncio.Lock()
        self._opening: Future[None] | None = None
        self._current: _Shared | None = None  # set in the writer's thread alone, as is the next
        self._superseded: list[_Shared] = []
        self._damage: StoreCorruptError | None = None  # found once, it holds until a clear: finding it is slow
        self._stopped = threading.Event()

    async def upsert(self, collection: str, records: Records) -> None:
        await self._write("upsert", lambda generation: generation.upsert(collection, records))

    async def delete(self, collection: str, ids: Sequence[str]) -> None:
        await self._write("delete", lambda generation: generation.delete(collection, ids))

    async def get(self, collection: str, ids: Sequence[str]) -> tuple[list[str], npt.NDArray[np.float32]]:
        return await self._read("vectors", lambda generation: generation.get(collection, ids))

    async def query(self, collection: str, vector: npt.NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        return await self._read("nearest", lambda generation: generation.query(collection, vector, limit))

    async def count(self, collection: str) -> int:
        return await self._read("count", lambda generation: generation.count(collection))

    async def ping(self) -> None:
        await self._read("ping", lambda generation: [generation.count(name) for name in self._names])

    async def compact(self) -> None:
        async with self._writing:
            await self._opened("compact")
            await self._replace("compact", partial(self._renew, copy=True))

    async def clear(self) -> None:
        async with self._writing:
            await self._replace("clear", partial(self._renew, copy=False))
            self._damage = None

    async def aclose(self) -> None:
        """Close the files; a running compaction is given up and leaves the old generation as it was."""
        self._stopped.set()
        await asyncio.to_thread(self._shut)

    async def _read(self, operation: str, work: Callable[[Generation], _T]) -> _T:
        shared = await self._opened(operation)
        with shared.used():
            return await self._call(self._readers, operation, partial(work, shared.generation))

    async def _write(self, operation: str, work: Callable[[Generation], None]) -> None:
        async with self._writing:
            await self._opened(operation)
            await self._call(self._writer, operation, partial(self._on_current, work))

    async def _replace(self, operation: str, renew: Callable[[], None]) -> None:
        """Put a new generation in the place of the old one, which goes when no read is on it any more."""
        await self._call(self._writer, operation, renew, timeout_s=None)
        for old in self._superseded:
            await old.idle()
        await self._call(self._writer, operation, self._retire, timeout_s=None)

    async def _opened(self, operation: str) -> "_Shared":
        if self._current is None:
            self._check_open(operation)
            if self._damage:
                raise self._damage.with_traceback(None)
            if self._opening is None:
                self._opening = self._writer.submit(_contained, self._open)
            opening = self._opening
            try:
                await self._settled(operation, opening, _OPEN_TIMEOUT_S, shield=True)
            except StoreCorruptError as exc:
                self._damage = exc
                raise
            finally:
                if opening.done():
                    self._opening = None
        if self._current is None:
            raise StoreUnavailableError("chroma", operation, "closed")
        return self._current

    async def _call(
        self, executor: Executor, operation: str, work: Callable[[], _T], *, timeout_s: float | None = -1
    ) -> _T:
        self._check_open(operation)
        timeout_s = self._timeout_s if timeout_s == -1 else timeout_s
        return await self._settled(operation, executor.submit(_contained, work), timeout_s)

    async def _settled(
        self, operation: str, future: "Future[_T]", timeout_s: float | None, *, shield: bool = False
    ) -> _T:
        waiting = asyncio.wrap_future(future)
        try:
            async with asyncio.timeout(timeout_s):
                return await (asyncio.shield(waiting) if shield else waiting)
        except TimeoutError as exc:
            raise StoreUnavailableError("chroma", operation, f"no answer in {timeout_s:g} s") from exc
        except Exception as exc:  # chromadb raises what it likes, down to a bare Exception
            raise translate(exc, operation, embedded=True) from exc

    def _check_open(self, operation: str) -> None:
        if self._stopped.is_set():
            raise StoreUnavailableError("chroma", operation, "closed")

    def _open(self) -> None:
        """Open the current generation, or make the first one. Runs in the writer's thread, as all below."""
        folder = self._generations.current()
        if folder is None:
            self._renew(copy=False)
        else:
            self._current = _Shared(Generation(folder, self._names))
        self._generations.sweep()

    def _on_current(self, work: Callable[[Generation], None]) -> None:
        if self._current is None:
            raise StoreUnavailableError("chroma", "write", "closed")
        work(self._current.generation)  # looked up in the thread: a compaction may have ended just before

    def _renew(self, *, copy: bool) -> None:
        """Make a new generation, with the rows of the current one or empty, and make it the current one."""
        folder = self._generations.create()
        generation = None
        try:
            generation = Generation(folder, self._names)
            if copy and self._current:
                generation.copy_from(self._current.generation, stopped=self._stopped)
                generation.close()
                _leave_in_order(folder)
                generation = Generation(folder, self._names)
            self._generations.point_at(folder)
        except BaseException:
            if generation:
                generation.close()
            remove(folder)
            raise
        if self._current:
            self._superseded.append(self._current)
        self._current = _Shared(generation)

    def _retire(self) -> None:
        while self._superseded:
            self._superseded.pop().generation.close()
        self._generations.sweep()

    def _shut(self) -> None:
        self._readers.shutdown(cancel_futures=True)
        self._writer.shutdown(cancel_futures=True)
        for superseded in self._superseded:
            superseded.generation.close()
        if self._current:
            self._current.generation.close()
            _leave_in_order(self._current.generation.folder)
            self._current = None


class _Shared:
    """A generation, and how many reads are on it. Counted on the event loop only."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self._users = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def used(self) -> Iterator[None]:
        self._users += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._idle.set()

    async def idle(self) -> None:
        await self._idle.wait()


def _leave_in_order(folder: Path) -> None:
    """Finish the files of a generation that has just been closed."""
    zero_spare_slots(folder)
    seal(folder)


def _contained(work: Callable[[], _T]) -> _T:
    """Run `work` with a panic of Chroma's Rust code turned into an ordinary exception."""
    try:
        return work()
    except BaseException as exc:
        if type(exc).__name__ == "PanicException":
            raise PanicError(str(exc)) from exc
        raise
