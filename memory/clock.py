"""The time of day. Nothing else asks the machine for it."""

from datetime import UTC, datetime

from memory.ports import Clock


class SystemClock(Clock):
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)
