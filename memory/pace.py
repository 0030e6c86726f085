"""How often a person may ask: the rule, and keeping to it while the count that all processes share is away."""

from dataclasses import dataclass

import structlog

from memory.breaker import Breaker
from memory.errors import StoreUnavailableError
from memory.model import UserId
from memory.ports import Clock, Pace

_log = structlog.get_logger(__name__)

_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Rate:
    """So many turns a minute, and as many at once after a rest: the generic cell rate algorithm (ITU-T I.371).

    It keeps one number of a person: when their turns would be used up if they had come evenly.
    """

    per_min: int

    @property
    def interval_s(self) -> float:
        """Each turn's part of a minute."""
        return _MINUTE_S / self.per_min

    @property
    def tolerance_s(self) -> float:
        """How far ahead of an even pace a turn may be without a wait."""
        return _MINUTE_S - self.interval_s

    def take(self, used_until: float, now: float) -> tuple[float, float]:
        """Return the next turn's wait, and until when turns are used up then; all in seconds."""
        due = max(used_until, now)
        return max(0.0, due - self.tolerance_s - now), due + self.interval_s


class SteadyPace(Pace):
    """The pace that all processes share, and this process's own while that one cannot be reached.

    Args:
        shared: Over all processes.
        local: Of this process.
        clock: The time of day.
        cool_down_s: How long the shared one is left alone after it failed, in seconds.
    """

    def __init__(self, shared: Pace, local: Pace, *, clock: Clock, cool_down_s: float = 5.0) -> None:
        self._shared = shared
        self._local = local
        self._breaker = Breaker(clock, cool_down_s=cool_down_s)

    async def take(self, user_id: UserId) -> float:
        """Never raises for a store that is away."""
        if self._breaker.allows:
            try:
                async with self._breaker.guard():
                    return await self._shared.take(user_id)
            except StoreUnavailableError as error:
                _log.warning("pace_kept_by_this_process", reason=str(error))
        return await self._local.take(user_id)
