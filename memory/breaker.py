"""Stop asking a store that is down for a while, so that an outage costs one time-out and not one per turn."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from memory.errors import StoreError
from memory.ports import Clock


class Breaker:
    """Guards calls to one store.

    Closed, it lets calls through. A StoreError opens it for `cool_down_s`; while open, `allows` is False.
    """

    def __init__(self, clock: Clock, *, cool_down_s: float = 5.0) -> None:
        self._clock = clock
        self._cool_down = timedelta(seconds=cool_down_s)
        self._open_until: datetime | None = None

    @property
    def allows(self) -> bool:
        """Whether a call is worth trying now."""
        return self._open_until is None or self._clock.now() >= self._open_until

    @property
    def is_open(self) -> bool:
        """Whether the last call failed."""
        return self._open_until is not None

    @asynccontextmanager
    async def guard(self) -> AsyncIterator[None]:
        """Note how the enclosed call ends; its error passes on."""
        try:
            yield
        except StoreError:
            self._open_until = self._clock.now() + self._cool_down
            raise
        self._open_until = None
