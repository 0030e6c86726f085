"""What operators see of Slack: a silent connection is not ready, whatever the library says, and ready again later."""

import asyncio

import aiohttp
import pytest

from bots.health import HealthServer, Readiness
from bots.metrics import Metrics
from tests.fixtures.servers import free_port
from tests.fixtures.slack import SlackMachine

pytestmark = pytest.mark.timeout(120)
_LOOK_S = 0.05


async def test_a_dead_socket_is_not_ready_and_recovers(slack: SlackMachine) -> None:
    """`/readyz` says 503 while Slack is silent, `/healthz` stays 200, and a message is answered afterwards."""
    process = await slack.start(ping_every_s=0.1)
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


async def test_an_address_that_has_run_out_is_not_tried_for_ever(slack: SlackMachine) -> None:
    """Connections are refused until the address is of no use any more; afterwards a message is answered."""
    process = await slack.start(ping_every_s=0.1)
    slack.server.socket.refusing = True
    asked = len(slack.server.calls_of("apps.connections.open"))
    slack.server.socket.drop()
    await slack.server.until(lambda: len(slack.server.calls_of("apps.connections.open")) > asked)
    assert await process.platform.look() == "Slack: not connected"
    slack.server.socket.expire_tickets()
    slack.server.socket.refusing = False
    await slack.server.socket.until_connected()
    ana = slack.team.user("ana")
    await slack.team.thread(await ana.says(ana.dm, "hello")).until_answers(1)

    assert process.platform.hopeless() is None


async def test_a_revoked_token_cannot_be_waited_out(slack: SlackMachine) -> None:
    """Once Slack refuses a call for it, the process is neither ready nor worth keeping, until a call succeeds."""
    process = await slack.start()
    ana = slack.team.user("ana")
    slack.server.faults.add("*", "error", error="token_revoked", times=None)
    await ana.opens_home()
    await slack.server.until_called("views.publish")
    await process.platform.idle()
    refused = "Slack: SLACK_BOT_TOKEN is refused (token_revoked)"
    assert (process.platform.hopeless(), await process.platform.look()) == (refused, refused)
    slack.server.faults.clear()
    await ana.opens_home()
    await slack.server.until_called("views.publish", times=2)
    await process.platform.idle()

    assert (process.platform.hopeless(), await process.platform.look()) == (None, None)
