"""A clock that the test moves."""

from datetime import UTC, datetime, timedelta

from memory.ports import Clock


class FrozenClock(Clock):
    """Stands still until told otherwise."""

    def __init__(self, now: datetime = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`."""
        self._now += timedelta(seconds=seconds)
