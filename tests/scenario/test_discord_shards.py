"""Who acts for a shard: of two processes that hear everything one does, and the other takes over."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from memory.stores.sql.database import Database, open_database
from tests.fakes.clock import FrozenClock
from tests.fakes.flaky import FlakyDatabase
from tests.fixtures.discord import DiscordMachine, DiscordProcess

pytestmark = pytest.mark.timeout(120)

LEASE_S = 1.5


@pytest.fixture
async def database(database_url: object, clock: FrozenClock) -> AsyncIterator[Database]:
    """The record, from which a process can be cut off."""
    async with open_database(database_url, clock=clock, timeout_s=15) as opened:  # type: ignore[arg-type]  # of the fixture's kind
        yield opened


async def started(discord: DiscordMachine) -> tuple[DiscordProcess, FlakyDatabase]:
    """Start a process with a record of its own to be cut off from."""
    shared = discord.stores
    own = FlakyDatabase(shared.database)
    discord.stores = replace(shared, database=own)
    process = await discord.start(lease_s=LEASE_S)
    discord.stores = shared
    return process, own


def texts(*processes: DiscordProcess) -> list[str]:
    """Return what models were asked."""
    return [request.message.text for process in processes for request in process.model.asked]


async def test_each_message_has_one_answer(discord: DiscordMachine) -> None:
    """In threads and direct messages, whichever process holds the lease."""
    (first, _), (second, _) = await started(discord), await started(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    threads = []
    for number in range(5):
        said = await ana.says(ops, f"@recall {number}")
        threads.append(await ops.until_thread(said))
        await ana.says(ana.dm, f"dm {number}")
    for thread in threads:
        await thread.until_answers(1)
    await ana.dm.until_answers(5)
    for process in (first, second):
        await process.platform.idle()

    assert sorted(texts(first, second)) == sorted(f"{kind}{number}" for kind in ("", "dm ") for number in range(5))
    assert [len(thread.answers) for thread in threads] == [1] * 5


@pytest.mark.parametrize("end", ["stopped", "killed"])
async def test_another_process_takes_over(discord: DiscordMachine, end: str) -> None:
    """What the first one heard last and did not take is taken by the second, in order, before what is newer."""
    first, record = await started(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    await ana.says(ana.dm, "one")
    await ana.dm.until_answers(1)
    await first.platform.idle()
    second, _ = await started(discord)
    record.is_up = False
    await ana.says(ana.dm, "two")
    mention = await ana.says(ops, "@recall three")
    if end == "stopped":
        await asyncio.wait_for(first.stop(), timeout=60)
    else:
        await asyncio.wait_for(first.kill(), timeout=60)
    await ana.says(ana.dm, "four")
    await ana.dm.until_answers(3, within_s=30)
    await (await ops.until_thread(mention)).until_answers(1)
    await second.platform.idle()

    assert texts(first) == ["one"]
    assert [text for text in texts(second) if text != "three"] == ["two", "four"]
    assert texts(second).count("three") == 1


async def test_a_process_that_hears_nothing_leaves_its_shard_to_the_other(discord: DiscordMachine) -> None:
    """Its connection is gone and does not come back; the other one answers, also what was said meanwhile."""
    first, _ = await started(discord)
    ana = discord.guild.user("ana")
    await ana.says(ana.dm, "one")
    await ana.dm.until_answers(1)
    [mine] = discord.server.gateway.connections
    second, _ = await started(discord)
    discord.server.gateway.refusing = True
    assert mine.transport is not None
    mine.ended.set()
    mine.transport.abort()
    await ana.says(ana.dm, "two")
    await ana.dm.until_answers(2, within_s=30)
    await ana.says(ana.dm, "three")
    await ana.dm.until_answers(3, within_s=30)

    assert texts(first) == ["one"]
    assert texts(second) == ["two", "three"]


async def test_an_answer_that_was_never_shown_is_shown_by_the_other_process(discord: DiscordMachine) -> None:
    """Also by one that holds no shard: it has the same channels before it."""
    first, _ = await started(discord)
    second = await discord.start(recover_every_s=0.1)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    discord.server.faults.add("POST */messages", "error", code=50013, times=None)
    said = await ana.says(ops, "@recall hello")
    await first.model.waiting.wait()
    await first.platform.idle()
    thread = await ops.until_thread(said)
    assert thread.answers == []
    discord.server.faults.clear()
    discord.clock.advance(300)
    await thread.until_answers(1)

    assert [answer.shown for answer in thread.answers] == ["answer 1"]
    assert texts(second) == []


async def test_two_shards_over_two_processes(discord: DiscordMachine) -> None:
    """Each server's messages come through its own shard, direct messages through the first."""
    discord.server.world.app.shards = 2
    guilds = [discord.server.guild(f"shard {number}", shard=number) for number in range(2)]
    ana = discord.server.user("ana")
    processes = []
    for count in (1, 2):
        process, _ = await started(discord)
        await discord.server.gateway.until_connected(2 * count, within_s=30)
        processes.append(process)
    threads = []
    for guild in guilds:
        guild.user("ana")
        ops = guild.channel("ops")
        threads.append(await ops.until_thread(await ana.says(ops, f"@recall {guild.state.name}"), within_s=30))
    await ana.says(ana.dm, "dm")
    for thread in threads:
        await thread.until_answers(1)
    await ana.dm.until_answers(1)

    assert sorted(texts(*processes)) == ["dm", "shard 0", "shard 1"]
    assert discord.server.refusals == []
