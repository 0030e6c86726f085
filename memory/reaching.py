"""How a start reaches what it needs: again for a while, since a network may come up late."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from memory.clock import SystemTimer
from memory.errors import ConfigError, UnreachableError, together
from memory.ports import Timer

T = TypeVar("T")

REACH_WITHIN_S = 15.0
"""What does not answer for so long at the start is a problem; later outages are ridden out."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 4.0
_LAST_ATTEMPT_S = 1.0
"""Kept for the last attempt."""
_TIMER = SystemTimer()
_log = structlog.get_logger(__name__)


async def until_reached(
    attempt: Callable[[float], Awaitable[T]], *, within_s: float = REACH_WITHIN_S, timer: Timer = _TIMER
) -> T:
    """Make an attempt until it is answered, with growing pauses; when the time is over, its last failure goes on.

    Args:
        attempt: Given how long it may take, in seconds. Only its `UnreachableError` is a reason for another.
        within_s: For all attempts together.
        timer: How time passes.
    """
    end, pause_s = timer.now() + within_s, _FIRST_PAUSE_S
    while True:
        try:
            return await attempt(end - timer.now())
        except UnreachableError as error:
            wait_s = min(pause_s, end - timer.now() - _LAST_ATTEMPT_S)
            if wait_s <= 0:
                raise
            _log.warning("not_reached_yet", reason=str(error), again_in_s=round(wait_s, 1))
        await timer.sleep(wait_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


async def all_reached(*checks: Awaitable[object]) -> None:
    """Make all checks at once.

    Raises:
        UnreachableError: With the lines of all that failed; all of it may pass by itself.
        ConfigError: The same, where somebody has to mend some of it.
    """
    async with asyncio.TaskGroup() as group:
        checking = [group.create_task(_failure(check)) for check in checks]
    errors = [error for task in checking if (error := task.result()) is not None]
    if errors:
        raise together(errors)


async def _failure(check: Awaitable[object]) -> ConfigError | None:
    try:
        await check
    except ConfigError as error:
        return error
    return None
