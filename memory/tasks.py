"""Work behind a reply: every task is tracked, its failure is logged, and shutdown waits for it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import structlog

from memory.errors import RecallError

_log = structlog.get_logger(__name__)

_Result = TypeVar("_Result")


async def _leave(_result: object) -> None:
    """Want nothing more of a result."""


async def see_through(
    work: Coroutine[Any, Any, _Result], *, if_cancelled: Callable[[_Result], Awaitable[None]] = _leave
) -> _Result:
    """Return what `work` returns; who is cancelled meanwhile sees it to its end all the same.

    Args:
        work: What must not be broken off, since nobody could tell how far it came.
        if_cancelled: Gets the result that the caller does not.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is None:
            await if_cancelled(task.result())
        raise


class TaskTracker:
    """Owns the tasks that nobody awaits."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, object], *, name: str) -> None:
        """Run `work` in the background; a RecallError of it is logged, any other error is a bug and logged as one."""
        task = asyncio.create_task(self._run(work, name), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Wait until no task is left, those started meanwhile included."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self, *, grace_s: float) -> None:
        """Wait up to `grace_s` seconds, then cancel what still runs, and wait for that."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_s)
        for task in self._tasks:
            task.cancel()
        await self.idle()

    async def _run(self, work: Coroutine[Any, Any, object], name: str) -> None:
        try:
            await work
        except RecallError as error:
            _log.warning("background_work_failed", task=name, error=type(error).__name__, reason=str(error))
        except Exception:  # noqa: BLE001  # a boundary: nobody else would ever see this error
            _log.exception("background_work_broke", task=name)
