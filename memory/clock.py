"""The time of day, and how it passes. Nothing else asks the machine for the time of day."""

import asyncio
import time
from datetime import UTC, datetime

from memory.ports import Clock, Timer


class SystemClock(Clock):
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SystemTimer(Timer):
    """The machine's time, which no change of its clock moves."""

    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
