"""The `Embedder` port over an exported model. One worker thread owns the model: it exports, loads and runs it."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Self

from memory.errors import ProviderUnavailableError
from memory.model.recall import Vector
from memory.ports import Embedder
from memory.providers.sentence_transformers.exported import Exported, discard_export, find_export
from memory.providers.sentence_transformers.exporter import Exporter, Progress
from memory.providers.sentence_transformers.jobs import Job, JobQueue
from memory.providers.sentence_transformers.source import DEFAULT_MODEL, PROVIDER, ModelSource, find_source

if TYPE_CHECKING:
    from memory.providers.sentence_transformers.runner import OnnxRunner

_RETRY_AFTER_S = 60.0
_CLOSE_WITHIN_S = 10.0


@asynccontextmanager
async def open_embedder(
    models_dir: Path, *, model: str = DEFAULT_MODEL, timeout_s: float = 60.0, on_progress: Progress | None = None
) -> AsyncIterator["OnnxEmbedder"]:
    """Find `model` and start loading it in the background.

    Raises:
        ConfigError: There is no such model.
    """
    source = await asyncio.to_thread(find_source, model)
    async with OnnxEmbedder(
        source, model=model, models_dir=models_dir, timeout_s=timeout_s, on_progress=on_progress
    ) as embedder:
        yield embedder


class OnnxEmbedder(Embedder):
    """Batches whatever waits when the worker is free; questions go before documents, so indexing delays no reply.

    A model that cannot be loaded fails its callers at once, and is tried again a minute later.
    """

    def __init__(
        self,
        source: ModelSource,
        *,
        model: str,
        models_dir: Path,
        timeout_s: float = 60.0,
        export_timeout_s: float = 1800.0,
        on_progress: Progress | None = None,
    ) -> None:
        """Prepare; nothing is loaded before `start`.

        Args:
            source: The model, found.
            model: The setting's value, by which the exporting process finds it again.
            models_dir: Where exports are kept.
            timeout_s: Longest wait for the next vector, loading included.
            export_timeout_s: Longest an export may take, a download included.
            on_progress: Told the stages of loading; called in the worker thread.
        """
        self._source = source
        self._model = model
        self._models_dir = models_dir
        self._timeout_s = timeout_s
        self._progress = on_progress or _ignore
        self._exporter = Exporter(models_dir, timeout_s=export_timeout_s)
        self._queue = JobQueue()
        self._worker = threading.Thread(target=self._work, name="embedder", daemon=True)
        self._ready = threading.Event()
        self._tried = threading.Event()
        self._problem = ProviderUnavailableError(PROVIDER, "not loaded")

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def start(self) -> None:
        """Begin loading; returns at once."""
        self._worker.start()

    async def aclose(self) -> None:
        """End an export that runs, fail what waits, and stop the worker after the batch it is in."""
        self._exporter.stop()
        self._queue.close()
        if self._worker.ident is not None:
            await asyncio.to_thread(self._worker.join, _CLOSE_WITHIN_S)

    @property
    def model_name(self) -> str:
        return self._source.name

    @property
    def dimensions(self) -> int:
        return self._source.dimensions

    @property
    def is_ready(self) -> bool:
        return self._ready.is_set()

    @property
    def problem(self) -> ProviderUnavailableError | None:
        """Why the model cannot be used, once loading it has failed; None while it loads and when it is ready."""
        return self._problem if self._tried.is_set() and not self._ready.is_set() else None

    async def embed_query(self, text: str) -> Vector:
        (vector,) = await self._embed([Job(text=text, is_query=True)])
        return vector

    async def embed_documents(self, texts: Sequence[str]) -> Sequence[Vector]:
        return await self._embed([Job(text=text, is_query=False) for text in texts])

    async def _embed(self, jobs: Sequence[Job]) -> list[Vector]:
        if not self._queue.put(jobs):
            raise ProviderUnavailableError(PROVIDER, "shut down")
        results = [asyncio.wrap_future(job.result) for job in jobs]
        try:
            return [await self._within_deadline(result) for result in results]
        finally:
            for result in results:
                _abandon(result)

    async def _within_deadline(self, result: asyncio.Future[Vector]) -> Vector:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await result
        except TimeoutError as exc:
            raise ProviderUnavailableError(PROVIDER, f"no vector within {self._timeout_s:g} s") from exc

    def _work(self) -> None:
        """Load, then answer batches until closed: all that the worker thread does."""
        runner = self._try_load()
        tried_at = time.monotonic()
        while jobs := self._queue.take():
            if runner is None and time.monotonic() - tried_at >= _RETRY_AFTER_S:
                runner = self._try_load()
                tried_at = time.monotonic()
            self._answer(jobs, runner)
        self._ready.clear()
        self._problem = ProviderUnavailableError(PROVIDER, "shut down")
        _fail(self._queue.drain(), self._problem)

    def _answer(self, jobs: Sequence[Job], runner: "OnnxRunner | None") -> None:
        wanted = [job for job in jobs if job.result.set_running_or_notify_cancel()]
        if not wanted:
            return
        if runner is None:
            _fail(wanted, self._problem)
            return
        try:
            vectors = runner.run([job.text for job in wanted], is_query=wanted[0].is_query)
        except Exception as exc:  # noqa: BLE001 - the runtime raises bare Exceptions; the worker has to outlive them
            _fail(wanted, ProviderUnavailableError(PROVIDER, f"a batch failed ({type(exc).__name__})"))
            return
        for job, vector in zip(wanted, vectors, strict=True):
            job.result.set_result(vector)

    def _try_load(self) -> "OnnxRunner | None":
        try:
            runner = self._load()
        except ProviderUnavailableError as exc:
            self._problem = exc
        except Exception as exc:  # noqa: BLE001 - disk, tokenizer or runtime: the worker has to outlive all of them
            self._problem = ProviderUnavailableError(PROVIDER, f"cannot be loaded ({type(exc).__name__}: {exc})")
        else:
            self._ready.set()
            self._tried.set()
            self._progress("ready")
            return runner
        self._tried.set()
        return None

    def _load(self) -> "OnnxRunner":
        exported = find_export(self._models_dir, self._source)
        if exported is not None:
            try:
                return self._open(exported)
            except Exception:  # noqa: BLE001 - damage that the sizes do not show; a new export mends it
                discard_export(self._models_dir, self._source)
        return self._open(self._export())

    def _export(self) -> Exported:
        self._exporter.run(self._source, self._model, self._progress)
        exported = find_export(self._models_dir, self._source)
        if exported is None:
            raise ProviderUnavailableError(PROVIDER, f"the export of {self._model!r} left no usable files")
        return exported

    def _open(self, exported: Exported) -> "OnnxRunner":
        self._progress("loading")
        # The runtime takes 0.2 s to import: here, not on the start-up path.
        module = import_module("memory.providers.sentence_transformers.runner")
        runner: OnnxRunner = module.OnnxRunner(exported.folder, exported.manifest)
        runner.run(["warm up"], is_query=True)
        return runner


def _abandon(result: asyncio.Future[Vector]) -> None:
    """Let the worker skip a job nobody waits for, and take note of a failure nobody will read."""
    if not result.cancel() and not result.cancelled():
        result.exception()


def _fail(jobs: Sequence[Job], problem: ProviderUnavailableError) -> None:
    for job in jobs:
        if job.result.running() or job.result.set_running_or_notify_cancel():
            job.result.set_exception(ProviderUnavailableError(PROVIDER, str(problem).partition(": ")[2]))


def _ignore(_stage: str) -> None:
    """Tell nobody."""
