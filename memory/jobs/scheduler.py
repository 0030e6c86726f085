"""APScheduler wiring: which job runs when. The job store is in memory; replicas share work through leases in SQL.

Nothing here knows what a job does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from memory.errors import RecallError

_log = structlog.get_logger(__name__)

Job = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledJob:
    """A job and its pace.

    Attributes:
        name: Its id; a job can be woken by it.
        every_s: Seconds between two runs; a run that is late is made once, and never beside itself.
    """

    name: str
    every_s: float
    run: Job


class JobScheduler:
    """Runs jobs until it is closed."""

    def __init__(self, jobs: list[ScheduledJob]) -> None:
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._jobs = {job.name: job for job in jobs}

    def start(self) -> None:
        """Start the clockwork; the first runs come after one interval each."""
        for job in self._jobs.values():
            self._scheduler.add_job(
                self._run,
                "interval",
                seconds=job.every_s,
                args=[job],
                id=job.name,
                replace_existing=True,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
                jitter=job.every_s * 0.1 if job.every_s > 1 else None,
            )
        self._scheduler.start()

    def wake(self, name: str) -> None:
        """Run a job as soon as possible; if it runs now, run it once more after that."""
        if name in self._running:
            self._again.add(name)
        elif self._scheduler.running:
            self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    async def close(self) -> None:
        """Start nothing more, cancel the runs under way (every job can bear that), and wait for them."""
        running = list(self._running.values())
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    async def _run(self, job: ScheduledJob) -> None:
        self._running[job.name] = cast("asyncio.Task[None]", asyncio.current_task())
        try:
            await job.run()
        except RecallError as error:
            _log.warning("job_failed", job=job.name, error=type(error).__name__, reason=str(error))
        except Exception:  # noqa: BLE001  # a boundary: a broken job must not end the clockwork, and must be seen
            _log.exception("job_broke", job=job.name)
        finally:
            del self._running[job.name]
            if job.name in self._again:
                self._again.discard(job.name)
                self.wake(job.name)
