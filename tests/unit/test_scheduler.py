"""The clockwork: jobs that run, overlap, fail and are cut short."""

import asyncio

from memory.errors import StoreUnavailableError
from memory.jobs.scheduler import JobScheduler, ScheduledJob

_NEVER = 3_600.0
_OFTEN = 0.001


async def test_a_woken_job_runs_at_once_and_once_more_if_woken_meanwhile() -> None:
    """Waking a job that runs makes one more run, not two beside each other."""
    started: asyncio.Queue[int] = asyncio.Queue()
    go_on = asyncio.Event()
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        started.put_nowait(runs)
        await go_on.wait()

    scheduler = JobScheduler([ScheduledJob(name="work", every_s=_NEVER, run=work)])
    scheduler.start()
    scheduler.wake("work")
    assert await started.get() == 1
    scheduler.wake("work")
    scheduler.wake("work")
    assert started.empty()
    go_on.set()
    assert await started.get() == 2
    await scheduler.close()

    assert runs == 2


async def test_the_first_run_need_not_wait_for_an_interval() -> None:
    """A rare job is not left out by a process that never lives so long."""
    ran = asyncio.Event()

    async def work() -> None:
        ran.set()

    scheduler = JobScheduler([ScheduledJob(name="work", every_s=_NEVER, first_after_s=_OFTEN, run=work)])
    scheduler.start()
    await ran.wait()
    await scheduler.close()


async def test_a_failing_job_is_run_again() -> None:
    """An outage does not stop the clockwork."""
    runs: asyncio.Queue[None] = asyncio.Queue()

    async def fails() -> None:
        runs.put_nowait(None)
        raise StoreUnavailableError("sql", "sweep")

    scheduler = JobScheduler([ScheduledJob(name="fails", every_s=_OFTEN, run=fails)])
    scheduler.start()
    for _ in range(3):
        await runs.get()
    await scheduler.close()


async def test_closing_cancels_and_awaits_the_run_under_way() -> None:
    """No job outlives the scheduler."""
    started, ended = asyncio.Event(), []

    async def hangs() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("hangs")

    scheduler = JobScheduler([ScheduledJob(name="hangs", every_s=_NEVER, run=hangs)])
    scheduler.start()
    scheduler.wake("hangs")
    await started.wait()
    await scheduler.close()

    assert ended == ["hangs"]
