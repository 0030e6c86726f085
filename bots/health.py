"""What a process tells its operators over HTTP: alive, ready, measured. It knows no store and no platform.

`/healthz` is for restarting it, so outages that it rides out do not count there; `/readyz` is for sending it work.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Self

import structlog
from aiohttp import web

from bots.metrics import Metrics
from memory.errors import ConfigError, RecallError

_log = structlog.get_logger(__name__)

Look = Callable[[], Awaitable[str | None]]
"""Looks at one thing; returns what is wrong with it, for operators and without secrets, or None."""

_CHECK_S = 2.0
_FRESH_S = 1.0
_SHUTDOWN_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What one look found; `problem` is None when nothing is wrong."""

    name: str
    ok: bool
    problem: str | None


class Readiness:
    """Looks at everything at once, and no more than once in `fresh_s`, however many ask.

    Args:
        checks: What to look at, by name.
        timeout_s: For each look, in seconds; one that is not done by then is a problem.
        fresh_s: For how long a result stands, in seconds.
        monotonic: Seconds that never go back; the event loop's when None.
    """

    def __init__(
        self,
        checks: Mapping[str, Look],
        *,
        timeout_s: float = _CHECK_S,
        fresh_s: float = _FRESH_S,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        self._checks = checks
        self._timeout_s = timeout_s
        self._fresh_s = fresh_s
        self._monotonic = monotonic or (lambda: asyncio.get_running_loop().time())
        self._looking = asyncio.Lock()
        self._results: Sequence[CheckResult] = ()
        self._stale_at = float("-inf")

    async def look(self) -> Sequence[CheckResult]:
        """Return what each look found, in the order of the checks."""
        async with self._looking:
            if self._monotonic() >= self._stale_at:
                self._results = await self._look_at_all()
                self._stale_at = self._monotonic() + self._fresh_s
            return self._results

    async def _look_at_all(self) -> Sequence[CheckResult]:
        async with asyncio.TaskGroup() as group:
            looking = {name: group.create_task(self._look_at(name, look)) for name, look in self._checks.items()}
        problems = {name: task.result() for name, task in looking.items()}
        return [CheckResult(name=name, ok=problem is None, problem=problem) for name, problem in problems.items()]

    async def _look_at(self, name: str, look: Look) -> str | None:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await look()
        except TimeoutError:
            return f"no answer in {self._timeout_s:g} s"
        except RecallError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  # a boundary: a look that breaks is a problem, and the others count
            _log.exception("check_broke", check=name)
            return f"the check broke ({type(error).__name__})"


def all_hopeless(problems: Sequence[str | None]) -> str | None:
    """Return why nothing can be served any more; None while one thing may be, which a restart would interrupt."""
    found = [problem for problem in problems if problem]
    return "; ".join(found) if found and len(found) == len(problems) else None


def _nothing() -> str | None:
    """Find nothing that only a restart would mend."""
    return None


class HealthServer:
    """Serves `/healthz`, `/readyz` and `/metrics` while it is entered.

    Args:
        port: Where to listen, on all addresses; 0 is nowhere.
        readiness: What `/readyz` looks at.
        metrics: What `/metrics` shows.
        hopeless: Says what only a restart would mend, None while the process can recover; it must return at once.
        host: The address to listen on; all when None.
    """

    def __init__(
        self,
        *,
        port: int,
        readiness: Readiness,
        metrics: Metrics,
        hopeless: Callable[[], str | None] = _nothing,
        host: str | None = None,
    ) -> None:
        self._port = port
        self._host = host
        self._readiness = readiness
        self._metrics = metrics
        self._hopeless = hopeless
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            ConfigError: The port is taken, or not allowed.
        """
        if not self._port:
            return self
        app = web.Application()
        app.add_routes(
            [web.get("/healthz", self._alive), web.get("/readyz", self._ready), web.get("/metrics", self._measured)]
        )
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as exc:
            await runner.cleanup()
            problem = f"RECALL_HTTP_PORT: cannot listen on port {self._port} ({exc.strerror or type(exc).__name__})."
            raise ConfigError([problem]) from exc
        self._runner = runner
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def address(self) -> tuple[str, int] | None:
        """Where it listens; None while it does not."""
        addresses = self._runner.addresses if self._runner is not None else []
        return addresses[0][:2] if addresses else None

    async def _alive(self, _request: web.Request) -> web.Response:
        problem = self._hopeless()
        return web.Response(text=f"{problem or 'ok'}\n", status=503 if problem else 200)

    async def _ready(self, _request: web.Request) -> web.Response:
        results = await self._readiness.look()
        status = 200 if all(result.ok for result in results) else 503
        return web.json_response([asdict(result) for result in results], status=status)

    async def _measured(self, _request: web.Request) -> web.Response:
        page = await asyncio.to_thread(self._metrics.page)  # it reads /proc
        return web.Response(body=page, headers={"Content-Type": Metrics.CONTENT_TYPE})
