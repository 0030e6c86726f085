"""How time passes, and what time it is."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The only source of the time of day."""

    def now(self) -> datetime:
        """Return the time: aware, UTC."""
        ...


class Timer(Protocol):
    """How time passes, for what waits or gives up after a while."""

    def now(self) -> float:
        """Return seconds since some moment; they only grow, whatever becomes of the time of day."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        ...
