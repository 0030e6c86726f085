"""What goes wrong on demand with calls of the Web API, and how often they are allowed.

Knows method names and times; nothing of what a method does.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
FaultKind = Literal["ratelimited", "status", "error", "hold", "drop"]

_PER_MINUTE = {1: 1.0, 2: 20.0, 3: 50.0, 4: 100.0}
_POSTS_PER_CHANNEL = (
    5.0,
    1.0,
)  # a short burst is tolerated, then one a second: docs.slack.dev/apis/web-api/rate-limits


@dataclass(kw_only=True, eq=False)
class Fault:
    """Something that goes wrong with calls of one method.

    Attributes:
        kind: "ratelimited" is a 429 with `Retry-After`; "status" a plain HTTP error; "error" an `ok: false`; "hold"
            waits for `Faults.release`; "drop" closes the connection without an answer.
        after_effect: The call takes effect, and only its answer is late ("hold"), lost ("drop") or wrong ("status").
        left: How many more calls; None for all until it is cleared.
        only: Which calls, by their arguments.
        hit: How often it struck.
    """

    method: str
    kind: FaultKind
    after_effect: bool = False
    left: int | None = 1
    retry_after_s: int = 1
    status: int = 500
    error: str = "internal_error"
    only: Callable[[Json], bool] | None = None
    hit: int = 0


class Faults:
    """The faults of one server, and its rate limits."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._rates: Rates | None = None

    def add(
        self,
        method: str,
        kind: FaultKind,
        *,
        times: int | None = 1,
        after_effect: bool = False,
        retry_after_s: int = 1,
        status: int = 500,
        error: str = "internal_error",
        only: Callable[[Json], bool] | None = None,
    ) -> Fault:
        """Let calls of a method go wrong: the next `times`, or with None all until `clear`; "*" is every method."""
        fault = Fault(
            method=method,
            kind=kind,
            after_effect=after_effect,
            left=times,
            retry_after_s=retry_after_s,
            status=status,
            error=error,
            only=only,
        )
        self._faults.append(fault)
        return fault

    def clear(self, method: str | None = None) -> None:
        """Let everything, or one method, work again."""
        self._faults = [fault for fault in self._faults if method not in {None, fault.method}]

    def take(self, method: str, args: Json) -> Fault | None:
        """Return the fault that strikes this call, if one does."""
        for fault in self._faults:
            if fault.method in {method, "*"} and fault.left != 0 and (fault.only is None or fault.only(args)):
                fault.left = None if fault.left is None else fault.left - 1
                fault.hit += 1
                return fault
        return None

    def enforce_rates(self, clock: Callable[[], float]) -> None:
        """Answer 429 to more calls than a method's tier allows, by this clock's seconds."""
        self._rates = Rates(clock)

    def retry_after_s(self, *, team_id: str, method: str, tier: int | None, channel: str | None) -> int | None:
        """Return how long a call must wait for its tier, None if it may go on."""
        if self._rates is None or tier is None:
            return None
        return self._rates.wait_s((team_id, method, channel if tier == 0 else None), tier)


@dataclass(eq=False)
class Rates:
    """A bucket of calls per workspace and method (per channel for posts), refilled as the clock goes."""

    clock: Callable[[], float]
    buckets: dict[tuple[str | None, ...], tuple[float, float]] = field(default_factory=dict)

    def wait_s(self, key: tuple[str | None, ...], tier: int) -> int | None:
        """Take one call from a bucket; return how long to wait if it is empty."""
        size, per_s = _POSTS_PER_CHANNEL if tier == 0 else (_PER_MINUTE[tier], _PER_MINUTE[tier] / 60)
        now = self.clock()
        left, at = self.buckets.get(key, (size, now))
        left = min(size, left + (now - at) * per_s)
        if left < 1:
            self.buckets[key] = (left, now)
            return max(1, math.ceil((1 - left) / per_s))
        self.buckets[key] = (left - 1, now)
        return None
