"""What operators see of Slack: a silent connection is not ready, whatever the library says, and ready again later."""

import asyncio

import aiohttp
import pytest

from bots.health import HealthServer, Readiness
from bots.metrics import Metrics
from memory.clock import SystemClock
from tests.fixtures.servers import free_port
from tests.fixtures.slack import SlackMachine

pytestmark = pytest.mark.timeout(120)
_LOOK_S = 0.05


async def test_a_dead_socket_is_not_ready_and_recovers(slack: SlackMachine) -> None:
    """`/readyz` says 503 while Slack is silent, `/healthz` stays 200, and a message is answered afterwards."""
    process = await slack.start(ping_every_s=0.1, clock=SystemClock())
    readiness = Readiness({"slack": process.platform.look}, fresh_s=0)
    ana = slack.team.user("ana")
    async with (
        HealthServer(port=free_port(), readiness=readiness, metrics=Metrics(), host="127.0.0.1") as server,
        aiohttp.ClientSession() as session,
    ):
        assert server.address is not None
        url = f"http://127.0.0.1:{server.address[1]}"

        async def until(status: int) -> None:
            while (await session.get(f"{url}/readyz")).status != status:
                await asyncio.sleep(_LOOK_S)

        await until(200)
        slack.server.socket.go_dead()
        await until(503)
        assert (await session.get(f"{url}/healthz")).status == 200
        slack.server.socket.revive()
        await until(200)
    thread = slack.team.thread(await ana.says(ana.dm, "hello"))
    await thread.until_answers(1)
