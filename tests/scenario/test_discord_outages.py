"""What is said while the record or a server is out is taken when it is back, however long that was."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from memory.stores.sql.database import Database, open_database
from tests.fakes.clock import FrozenClock
from tests.fakes.discord_server import lifecycle
from tests.fakes.flaky import FlakyDatabase
from tests.fixtures.discord import DiscordMachine
from tests.fixtures.discord_memory import HINT, holding, told
from tests.scenario.test_discord_gateway import record_of, texts
from tests.scenario.test_discord_lifecycle import settled

pytestmark = pytest.mark.timeout(120)

LEASE_S = 0.4


async def heard() -> None:
    """Let what was said reach the process, which gives no sign of it while the record is out."""
    await asyncio.sleep(0.2)


@pytest.fixture
async def database(database_url: str | Path, clock: FrozenClock) -> AsyncIterator[Database]:
    """An empty, migrated database that can be out of reach."""
    async with open_database(database_url, clock=clock, timeout_s=15) as opened:
        yield FlakyDatabase(opened)


@pytest.mark.parametrize("what", ["mention", "deletion"])
async def test_the_record_may_be_out_for_longer_than_a_lease(discord: DiscordMachine, what: str) -> None:
    """Nobody else holds the shard meanwhile, so nothing that was heard is thrown away."""
    process, record = await discord.start(lease_s=LEASE_S), record_of(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    said = await told(process, ana, ops)
    record.is_up = False
    with capture_logs() as lines:
        async with asyncio.timeout(20):
            while not any(line["event"] == "shard_not_claimed" for line in lines):
                await heard()
    mention = await ana.says(ops, "@recall one") if what == "mention" else said
    if what == "deletion":
        await ana.deletes(said)
    await heard()
    discord.clock.advance(61)
    record.is_up = True
    await settled(discord, process)
    if what == "mention":
        await (await ops.until_thread(mention)).until_answers(1)
    else:
        assert await holding(discord) == []


async def test_a_server_that_is_out_at_the_start_is_read_back_when_it_is_there(discord: DiscordMachine) -> None:
    """What was said in its threads meanwhile is answered then."""
    first = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    thread = await ops.until_thread(await ana.says(ops, "@recall zero"))
    await thread.until_answers(1)
    await first.stop()
    await ana.says(thread, "@recall one")
    lifecycle.begin_outage(discord.server.world, discord.guild.state)
    second = await discord.start()
    lifecycle.end_outage(discord.server.world, discord.guild.state)
    await thread.until_answers(2, within_s=30)

    assert texts(second) == ["one"]


async def test_an_edit_of_a_server_that_is_out_is_taken_as_it_is(discord: DiscordMachine) -> None:
    """Neither the old words nor the new ones are lost for it."""
    process, record = await discord.start(), record_of(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    said = await told(process, ana, ops)
    record.is_up = False
    discord.clock.advance(1)
    await ana.edits(said, f"@recall {HINT} nairobi")
    await heard()
    lifecycle.begin_outage(discord.server.world, discord.guild.state)
    record.is_up = True
    lifecycle.end_outage(discord.server.world, discord.guild.state)
    await settled(discord, process)

    assert await holding(discord, "nairobi") != []
