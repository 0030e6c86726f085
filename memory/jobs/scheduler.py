"""APScheduler wiring: which job runs when. The job store is in memory; replicas share work through leases in SQL.

Nothing here knows what a job does.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from memory.tasks import TaskTracker

Job = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledJob:
    """A job and its pace.

    Attributes:
        name: Its id; a job can be woken by it.
        every_s: Seconds between two runs; a run that is late is made once, and never beside itself.
        first_after_s: Seconds until the first run; None for one interval.
    """

    name: str
    every_s: float
    run: Job
    first_after_s: float | None = None


class JobScheduler:
    """Runs jobs until it is closed. APScheduler says when; the runs are tasks of our own, so that we can await them."""

    def __init__(self, jobs: Sequence[ScheduledJob]) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._tasks = TaskTracker()
        self._running: set[str] = set()
        self._again: set[str] = set()

    def start(self) -> None:
        """Start the clockwork."""
        for job in self._jobs.values():
            first_s = job.every_s if job.first_after_s is None else job.first_after_s
            self._scheduler.add_job(
                self._begin,
                "interval",
                seconds=job.every_s,
                args=[job],
                id=job.name,
                next_run_time=datetime.now(UTC) + timedelta(seconds=first_s),
                replace_existing=True,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
                jitter=job.every_s * 0.1,
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
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        await self._tasks.close(grace_s=0)

    async def _begin(self, job: ScheduledJob) -> None:
        if job.name not in self._running:
            self._running.add(job.name)
            self._tasks.start(self._run(job), name=f"job {job.name}")

    async def _run(self, job: ScheduledJob) -> None:
        try:
            await job.run()
        finally:
            self._running.discard(job.name)
            if job.name in self._again:
                self._again.discard(job.name)
                self.wake(job.name)
