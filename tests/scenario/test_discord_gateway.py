"""What the gateway and the record do to a conversation: nothing is lost, nothing is answered twice, order is kept."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bots.discord.inbox import MOST_EVENTS
from memory.stores.sql.database import Database, open_database
from tests.fakes.clock import FrozenClock
from tests.fakes.discord_server import DiscordServer, lifecycle
from tests.fakes.flaky import FlakyDatabase
from tests.fixtures.discord import DiscordMachine, DiscordProcess

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def database(database_url: object, clock: FrozenClock) -> AsyncIterator[Database]:
    """The record, which can be away."""
    async with open_database(database_url, clock=clock, timeout_s=15) as opened:  # type: ignore[arg-type]  # of the fixture's kind
        yield FlakyDatabase(opened)


def record_of(discord: DiscordMachine) -> FlakyDatabase:
    """Return the record, to be switched off."""
    record = discord.stores.database
    assert isinstance(record, FlakyDatabase)
    return record


def texts(*processes: DiscordProcess) -> list[str]:
    """Return what models were asked."""
    return [request.message.text for process in processes for request in process.model.asked]


DROPS: list[Callable[[DiscordServer], None]] = [
    lambda server: server.gateway.drop(),
    lambda server: server.gateway.reconnect(),
    lambda server: server.gateway.invalidate(resumable=True),
]


@pytest.mark.parametrize("drop", DROPS, ids=["dropped", "reconnect", "invalid, resumable"])
@pytest.mark.parametrize("is_answering", [False, True])
async def test_a_resumed_session_loses_and_doubles_nothing(
    discord: DiscordMachine, drop: Callable[[DiscordServer], None], *, is_answering: bool
) -> None:
    """Messages of before, during and after it, in order, in a thread and elsewhere; an answer under way goes on."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    if is_answering:
        process.model.gate.clear()
    await ana.says(ana.dm, "one")
    await process.model.waiting.wait()
    drop(discord.server)
    await ana.says(ana.dm, "two")
    mention = await ana.says(ops, "@recall three")
    await discord.server.until(lambda: discord.server.gateway.sessions[0].resumes == 1)
    process.model.gate.set()
    await ana.says(ana.dm, "four")
    await ana.dm.until_answers(3)
    await (await ops.until_thread(mention)).until_answers(1)
    await process.platform.idle()

    assert [text for text in texts(process) if text != "three"] == ["one", "two", "four"]
    assert texts(process).count("three") == 1
    assert len(discord.server.gateway.identifies) == 1


async def test_a_gateway_that_acknowledges_nothing_is_connected_to_again(discord: DiscordMachine) -> None:
    """It is dead while TCP lives: the session is resumed, and what was said meanwhile is answered once."""
    discord.server.gateway.heartbeat_ms = 50
    process = discord.begin(replace(discord.settings, silent_after_s=0.5))
    await discord.server.gateway.until_connected()
    ana = discord.guild.user("ana")
    await ana.says(ana.dm, "one")
    await ana.dm.until_answers(1)
    discord.server.gateway.stop_acking()
    await ana.says(ana.dm, "two")
    await discord.server.until(lambda: discord.server.gateway.sessions[0].resumes == 1, within_s=30)
    await ana.says(ana.dm, "three")
    await ana.dm.until_answers(3)
    await process.platform.idle()

    assert texts(process) == ["one", "two", "three"]
    assert len(discord.server.gateway.identifies) == 1


async def test_a_session_is_resumed_through_the_proxy(discord: DiscordMachine) -> None:
    """What Discord says of where to resume leads past it, and maybe nowhere."""
    discord.server.gateway.resume_url = "ws://127.0.0.1:9/"
    process = await discord.start()
    ana = discord.guild.user("ana")
    await ana.says(ana.dm, "one")
    await ana.dm.until_answers(1)
    discord.server.gateway.drop()
    await ana.says(ana.dm, "two")
    await ana.dm.until_answers(2)

    assert texts(process) == ["one", "two"]
    assert (discord.server.gateway.sessions[0].resumes, len(discord.server.gateway.identifies)) == (1, 1)


async def test_it_says_once_whom_it_serves(discord: DiscordMachine) -> None:
    """As whom, in how many servers, and on which shards."""
    with capture_logs() as lines:
        await discord.start()
        async with asyncio.timeout(20):
            while not any(line["event"] == "serving_discord" for line in lines):
                await asyncio.sleep(0.01)
    [told] = [line for line in lines if line["event"] == "serving_discord"]

    assert (told["servers"], told["shards"]) == (1, [0])
    assert told["bot"] and told["application"]


async def test_a_session_that_is_lost_is_read_back(discord: DiscordMachine) -> None:
    """What was said in direct messages and threads meanwhile is answered before what is said then, once."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    thread = await ops.until_thread(await ana.says(ops, "@recall zero"))
    await thread.until_answers(1)
    await ana.says(ana.dm, "one")
    await ana.dm.until_answers(1)
    discord.server.gateway.invalidate()
    for channel, mention in ((ana.dm, ""), (thread, "@recall ")):
        for text in ("two", "three"):
            await ana.says(channel, f"{mention}{text}")
    await discord.server.until(lambda: len(discord.server.gateway.identifies) == 2, within_s=20)
    await discord.server.gateway.until_connected()
    await ana.says(ana.dm, "four")
    await ana.dm.until_answers(4)
    await thread.until_answers(3)
    await process.platform.idle()

    asked = {text: texts(process).count(text) for text in texts(process)}
    assert asked == {"zero": 1, "one": 1, "two": 2, "three": 2, "four": 1}
    in_dm = [request.message.text for request in process.model.asked if request.message.text != "zero"]
    assert in_dm.index("two") < in_dm.index("three")
    assert in_dm[-1] == "four" or in_dm.index("three") < in_dm.index("four")


async def test_an_event_that_comes_again_is_answered_once(discord: DiscordMachine) -> None:
    """At once, while it is answered, and after."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    process.model.gate.clear()
    asked = await ana.says(ops, "@recall hello")
    discord.server.resend(asked, times=3)
    await process.model.waiting.wait()
    discord.server.resend(asked, times=3)
    process.model.gate.set()
    thread = await ops.until_thread(asked)
    await thread.until_answers(1)
    discord.server.resend(asked, times=3)
    await ana.says(ana.dm, "and now?")
    await ana.dm.until_answers(1)
    await process.platform.idle()

    assert texts(process) == ["hello", "and now?"]
    assert len(thread.answers) == 1


async def test_events_wait_while_the_record_is_away(discord: DiscordMachine) -> None:
    """Then they are taken in the order in which they came, edits and deletions with them."""
    process, record = await discord.start(), record_of(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    record.is_up = False
    for text in ("one", "two", "three"):
        await ana.says(ana.dm, text)
    wrong = await ana.says(ana.dm, "wrong")
    await ana.deletes(wrong)
    mention = await ana.says(ops, "@recall four")
    record.is_up = True
    await ana.dm.until_answers(3)
    await (await ops.until_thread(mention)).until_answers(1)
    await process.platform.idle()

    assert [text for text in texts(process) if text not in {"four", "wrong"}] == ["one", "two", "three"]


async def test_what_is_said_while_recall_is_down_is_answered_after_the_start(discord: DiscordMachine) -> None:
    """In threads and direct messages, in order, before what is newer; archived threads too."""
    first = await discord.start(follow_up=True)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    thread = await ops.until_thread(await ana.says(ops, "@recall zero"))
    await thread.until_answers(1)
    old = await ops.until_thread(await ana.says(ops, "@recall zero"))
    await old.until_answers(1)
    await ana.says(ana.dm, "zero")
    await ana.dm.until_answers(1)
    await first.platform.idle()
    await first.stop()
    for text in ("one", "two", "three"):
        for channel in (thread, ana.dm, old):
            await ana.says(channel, text)
    lifecycle.archive(discord.server.world, old)
    second = await discord.start(follow_up=True)
    await ana.says(thread, "four")
    await thread.until_answers(5)
    await ana.dm.until_answers(4)
    await old.until_answers(4)
    await second.platform.idle()

    of_thread = [request.message.text for request in second.model.asked if len(request.history) % 2 == 0]
    assert texts(second).count("four") == 1
    assert sorted(of_thread) == sorted(["one", "two", "three"] * 3 + ["four"])
    assert max(index for index, text in enumerate(texts(second)) if text == "one") < texts(second).index("four")


async def test_many_messages_while_recall_is_down_are_all_read_back(discord: DiscordMachine) -> None:
    """More than Discord gives at once; those of others in between count too."""
    first = await discord.start()
    ana, bob, ops = discord.guild.user("ana"), discord.guild.user("bob"), discord.guild.channel("ops")
    thread = await ops.until_thread(await ana.says(ops, "@recall zero"))
    await thread.until_answers(1)
    await first.platform.idle()
    await first.stop()
    for number in range(220):
        await bob.says(thread, f"chat {number}")
    await ana.says(thread, "@recall are you there?")
    second = await discord.start()
    await thread.until_answers(2)
    await second.platform.idle()

    assert texts(second) == ["are you there?"]


async def test_a_crowd_while_the_record_is_away_is_bounded_and_read_back(discord: DiscordMachine) -> None:
    """What had no room to wait in is read from Discord when there is room again."""
    process, record = await discord.start(follow_up=True), record_of(discord)
    ana, zoe, ops = discord.guild.user("ana"), discord.guild.user("zoe"), discord.guild.channel("ops")
    await zoe.says(zoe.dm, "zero")
    await zoe.dm.until_answers(1)
    root = await ana.says(ops, "lunch?")
    await process.platform.idle()
    record.is_up = False
    with capture_logs() as lines:
        for number in range(MOST_EVENTS):
            await ana.says(ops, f"chat {number}", reply_to=root, ping=False)
        await zoe.says(zoe.dm, "one")
        await zoe.says(zoe.dm, "two")
        async with asyncio.timeout(30):
            while not any(line["event"] == "events_dropped" for line in lines):
                await asyncio.sleep(0)
    record.is_up = True
    await zoe.dm.until_answers(3, within_s=60)
    await process.platform.idle()

    assert texts(process) == ["zero", "one", "two"]


async def test_a_process_ends_cleanly_while_it_answers(discord: DiscordMachine) -> None:
    """What runs is handed over, nobody is left typing, and the next process answers in the same place, once."""
    first = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    first.model.gate.clear()
    asked = await ana.says(ops, "@recall hello")
    thread = await ops.until_thread(asked)
    await thread.until(lambda here: bool(here.answers))
    first.serving.cancel()
    await asyncio.wait([first.serving])
    second = await discord.start()
    await thread.until_answers(1)
    await second.platform.idle()

    assert [answer.shown for answer in thread.answers] == ["answer 1"]
    assert not thread.bot_is_typing
    assert discord.server.pings == []


@pytest.mark.parametrize("how", ["user", "role"])
async def test_a_mention_of_recalls_role_is_read_back_as_it_is_heard(discord: DiscordMachine, how: str) -> None:
    """Clients offer the role that came with Recall beside its user."""
    first = await discord.start(follow_up=True)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    thread = await ops.until_thread(await ana.says(ops, "@recall zero"))
    await thread.until_answers(1)
    await first.stop()
    own = next(role for role in discord.guild.state.roles.values() if role.bot_id)
    mention = f"<@&{own.role_id}>" if how == "role" else "@recall"
    await ana.says(thread, f"{mention} one")
    second = await discord.start(follow_up=True)
    await thread.until_answers(2)

    assert texts(second) == ["one"]
