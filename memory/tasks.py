"""Work behind a reply: every task is tracked, its failure is logged, and shutdown waits for it."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from memory.errors import RecallError

_log = structlog.get_logger(__name__)


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
