"""What goes wrong on demand with calls of the REST API, and how often they are allowed.

Knows routes and times; nothing of what a route does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

Json = dict[str, Any]
FaultKind = Literal["ratelimited", "status", "error", "hold", "drop"]
Scope = Literal["user", "global", "shared"]

_GLOBAL_LIMIT = 50
_GENEROUS = 10_000


@dataclass(kw_only=True, eq=False)
class Fault:
    """Something that goes wrong with calls of one route.

    Attributes:
        route: A pattern, as in "PATCH /channels/*/messages/*"; of the path, or of the route with names for parameters.
        kind: "ratelimited" is a 429; "status" a plain HTTP error; "error" a refusal with a code of Discord's; "hold"
            waits for `release`; "drop" closes the connection without an answer.
        after_effect: The call takes effect, and only its answer is late ("hold"), lost ("drop") or wrong ("status").
        left: How many more calls; None for all until it is cleared.
        only: Which calls, by their bodies.
        hit: How often it struck.
    """

    route: str
    kind: FaultKind
    after_effect: bool = False
    left: int | None = 1
    retry_after_s: float = 0.05
    scope: Scope = "user"
    status: int = 500
    code: int = 50013
    only: Callable[[Any], bool] | None = None
    hit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How a call stands with its bucket; `wait_s` is None if it may go on."""

    limit: int
    remaining: int
    reset_after_s: float
    wait_s: float | None = None
    scope: Scope = "user"


class Faults:
    """The faults of one server, and its rate limits."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._rates: Rates | None = None

    def add(
        self,
        route: str,
        kind: FaultKind,
        *,
        times: int | None = 1,
        after_effect: bool = False,
        retry_after_s: float = 0.05,
        scope: Scope = "user",
        status: int = 500,
        code: int = 50013,
        only: Callable[[Any], bool] | None = None,
    ) -> Fault:
        """Let calls of a route go wrong: the next `times`, or with None all until `clear`; "*" is every route."""
        fault = Fault(
            route=route,
            kind=kind,
            after_effect=after_effect,
            left=times,
            retry_after_s=retry_after_s,
            scope=scope,
            status=status,
            code=code,
            only=only,
        )
        self._faults.append(fault)
        return fault

    def clear(self, route: str | None = None) -> None:
        """Let everything, or what one pattern names, work again."""
        self._faults = [fault for fault in self._faults if route not in {None, fault.route}]

    def take(self, route: str, path: str, body: Any) -> Fault | None:
        """Return the fault that strikes this call, if one does."""
        for fault in self._faults:
            named = matches(fault.route, route, path)
            if named and fault.left != 0 and (fault.only is None or fault.only(body)):
                fault.left = None if fault.left is None else fault.left - 1
                fault.hit += 1
                return fault
        return None

    def enforce_rates(self, clock: Callable[[], float], *, window_s: float = 5.0) -> None:
        """Answer 429 to more calls than a bucket takes within a window, by this clock's seconds."""
        self._rates = Rates(clock, window_s)

    def window(self, bucket: str, limit: int, *, counts_globally: bool) -> Window:
        """Count a call and return how it stands with its bucket, and with the limit over all calls."""
        if self._rates is None:
            return Window(limit=_GENEROUS, remaining=_GENEROUS - 1, reset_after_s=1.0)
        return self._rates.take(bucket, limit, counts_globally=counts_globally)


def matches(pattern: str, route: str, path: str) -> bool:
    """Whether a pattern names a call, by its route or by its path as it was."""
    method = route.partition(" ")[0]
    return fnmatchcase(route, pattern) or fnmatchcase(f"{method} {path}", pattern)


@dataclass(eq=False)
class Rates:
    """Calls per bucket in windows that begin with a first call."""

    clock: Callable[[], float]
    window_s: float
    begun: dict[str, tuple[float, int]] = field(default_factory=dict)

    def take(self, bucket: str, limit: int, *, counts_globally: bool) -> Window:
        """Count a call of a bucket; a call that may not go on counts nowhere."""
        every = self._left("*", _GLOBAL_LIMIT, 1.0) if counts_globally else None
        if every is not None and every[0] <= 0:
            return Window(limit=limit, remaining=0, reset_after_s=every[1], wait_s=every[1], scope="global")
        left, reset_after_s = self._left(bucket, limit, self.window_s)
        if left <= 0:
            return Window(limit=limit, remaining=0, reset_after_s=reset_after_s, wait_s=reset_after_s)
        for key in (bucket, "*") if counts_globally else (bucket,):
            began, count = self.begun[key]
            self.begun[key] = (began, count + 1)
        return Window(limit=limit, remaining=left - 1, reset_after_s=reset_after_s)

    def _left(self, key: str, limit: int, window_s: float) -> tuple[int, float]:
        now = self.clock()
        began, count = self.begun.get(key, (now, 0))
        if now - began >= window_s:
            began, count = now, 0
        self.begun[key] = (began, count)
        return limit - count, window_s - (now - began)
