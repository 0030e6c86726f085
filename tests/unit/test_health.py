"""Health over HTTP, as a kubelet and Prometheus see it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import pytest

from bots.health import HealthServer, Look, Readiness, all_hopeless
from bots.metrics import Metrics
from memory.errors import ConfigError, StoreUnavailableError
from tests.fixtures.servers import free_port

HOST = "127.0.0.1"


async def fine() -> str | None:
    """Find nothing wrong."""
    return None


class Thing:
    """Something to look at.

    Attributes:
        problem: What is wrong with it.
        looks: How often it was looked at.
        gate: Looks end once it is set.
    """

    def __init__(self) -> None:
        self.problem: str | None = None
        self.looks = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def look(self) -> str | None:
        """Count the look."""
        self.looks += 1
        await self.gate.wait()
        return self.problem


@asynccontextmanager
async def serving(
    checks: Mapping[str, Look], *, hopeless: list[str] | None = None, timeout_s: float = 30
) -> AsyncIterator[aiohttp.ClientSession]:
    """Serve these checks, each request looking anew, and yield a client; what is in `hopeless` cannot be mended."""
    port = free_port()
    why = hopeless if hopeless is not None else []
    async with (
        HealthServer(
            port=port,
            host=HOST,
            readiness=Readiness(checks, timeout_s=timeout_s, fresh_s=0),
            metrics=Metrics(),
            hopeless=lambda: why[0] if why else None,
        ),
        aiohttp.ClientSession(f"http://{HOST}:{port}") as client,
    ):
        yield client


async def test_ready_while_nothing_is_wrong() -> None:
    """Each check is listed."""
    async with serving({"record": fine, "slack": fine}) as client, client.get("/readyz") as response:
        assert response.status == 200
        assert await response.json() == [
            {"name": "record", "ok": True, "problem": None},
            {"name": "slack", "ok": True, "problem": None},
        ]


async def test_not_ready_while_one_thing_is_wrong_and_ready_again() -> None:
    """What is wrong is said; the rest is looked at all the same; and it passes. Meanwhile the process lives."""
    socket = Thing()
    socket.problem = "silent for 31 s"
    async with serving({"slack": socket.look, "record": fine}) as client:
        async with client.get("/readyz") as response:
            assert response.status == 503
            assert await response.json() == [
                {"name": "slack", "ok": False, "problem": "silent for 31 s"},
                {"name": "record", "ok": True, "problem": None},
            ]
        async with client.get("/healthz") as response:
            assert response.status == 200

        socket.problem = None
        async with client.get("/readyz") as response:
            assert response.status == 200


async def test_a_check_that_fails_is_a_problem(capsys: pytest.CaptureFixture[str]) -> None:
    """An error of ours is shown, of any other only its kind, with the rest in the log; no check takes another along."""

    async def away() -> str | None:
        raise StoreUnavailableError("sql", "ping", "no answer in 1 s")

    async def bug() -> str | None:
        raise LookupError("token-like text")

    async with serving({"record": away, "bug": bug, "slack": fine}) as client, client.get("/readyz") as response:
        assert response.status == 503
        problems = {each["name"]: each["problem"] for each in await response.json()}

    assert problems == {
        "record": "sql: ping failed (no answer in 1 s)",
        "bug": "the check broke (LookupError)",
        "slack": None,
    }
    assert "check_broke" in capsys.readouterr().out


async def test_a_check_that_hangs_is_a_problem() -> None:
    """It gets its time, and the answer comes."""
    thing = Thing()
    thing.gate.clear()
    checks = {"chroma": thing.look, "record": fine}
    async with serving(checks, timeout_s=0.05) as client, client.get("/readyz") as response:
        problems = {each["name"]: each["problem"] for each in await response.json()}

    assert problems == {"chroma": "no answer in 0.05 s", "record": None}


async def test_one_look_serves_all_who_ask_at_once() -> None:
    """However many probes come, a slow store is asked once."""
    thing, now = Thing(), [0.0]
    thing.gate.clear()
    readiness = Readiness({"record": thing.look}, timeout_s=30, monotonic=lambda: now[0])
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(readiness.look()) for _ in range(20)]
        while not thing.looks:
            await asyncio.sleep(0)
        thing.gate.set()

    assert thing.looks == 1
    assert {results.result()[0].ok for results in asking} == {True}


async def test_a_result_stands_for_a_second() -> None:
    """Then it is looked at again."""
    thing, now = Thing(), [0.0]
    readiness = Readiness({"record": thing.look}, monotonic=lambda: now[0])
    assert (await readiness.look())[0].ok
    thing.problem = "away"
    now[0] = 0.9
    assert (await readiness.look())[0].ok
    now[0] = 1.0

    assert not (await readiness.look())[0].ok
    assert thing.looks == 2


async def test_who_gives_up_takes_nobody_along() -> None:
    """A probe that is cancelled while it looks leaves the next one its own look."""
    thing = Thing()
    thing.gate.clear()
    readiness = Readiness({"record": thing.look}, timeout_s=30)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(readiness.look())
        second = group.create_task(readiness.look())
        while not thing.looks:
            await asyncio.sleep(0)
        first.cancel()
        thing.gate.set()

    assert second.result()[0].ok


async def test_what_cannot_be_mended_asks_for_a_restart() -> None:
    """Only that makes the process count as dead."""
    hopeless: list[str] = []
    async with serving({}, hopeless=hopeless) as client:
        async with client.get("/healthz") as response:
            assert (response.status, await response.text()) == (200, "ok\n")
        hopeless.append("the delivery's worker has died")
        async with client.get("/healthz") as response:
            assert (response.status, await response.text()) == (503, "the delivery's worker has died\n")


async def test_metrics_are_served() -> None:
    """As Prometheus reads them, with the process's own figures."""
    async with serving({}) as client, client.get("/metrics") as response:
        page = await response.text()

        assert response.headers["Content-Type"] == Metrics.CONTENT_TYPE
        assert 'recall_forgets_total{target="last"} 0.0' in page
        assert "process_resident_memory_bytes" in page


async def test_nothing_else_is_served() -> None:
    """Other paths and methods are refused."""
    async with serving({}) as client:
        async with client.get("/") as response:
            assert response.status == 404
        async with client.post("/readyz") as response:
            assert response.status == 405


async def test_port_0_is_off() -> None:
    """Then nothing listens, and all else is as it is with a port."""
    async with HealthServer(port=0, readiness=Readiness({}), metrics=Metrics()) as server:
        assert server.address is None


async def test_a_taken_port_is_a_config_error() -> None:
    """One line that names the setting, and the other listener goes on."""
    port = free_port()
    readiness = Readiness({"record": fine})
    async with HealthServer(port=port, host=HOST, readiness=readiness, metrics=Metrics()):
        with pytest.raises(ConfigError, match=f"RECALL_HTTP_PORT: cannot listen on port {port} "):
            async with HealthServer(port=port, host=HOST, readiness=readiness, metrics=Metrics()):
                pass
        async with aiohttp.ClientSession() as client, client.get(f"http://{HOST}:{port}/readyz") as response:
            assert response.status == 200


@pytest.mark.parametrize(
    ("problems", "told"),
    [
        ([], None),
        ([None], None),
        (["Slack is"], "Slack is"),
        (["Slack is", None], None),
        (["Slack is", "Discord is"], "Slack is; Discord is"),
    ],
)
def test_one_platform_that_works_is_not_interrupted(problems: list[str | None], told: str | None) -> None:
    """Only when nothing can be served any more does a restart lose nothing."""
    assert all_hopeless(problems) == told
