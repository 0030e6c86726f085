"""The end of threads, channels and servers, and of who reads them; and what is none of these."""

import pytest

from memory.model import ExtractionReply, FactOperation
from tests.fakes.discord_server import Channel, lifecycle
from tests.fixtures.discord import DiscordMachine, DiscordProcess
from tests.fixtures.discord_memory import HINT, actions, asked, holding, recalls, told

pytestmark = pytest.mark.timeout(120)


async def settled(discord: DiscordMachine, process: DiscordProcess) -> None:
    """Wait until all that was told through the gateway is taken: a message after it is answered."""
    zoe = discord.server.user("zoe")
    before = len(zoe.dm.answers)
    await zoe.says(zoe.dm, "are you there?")
    await zoe.dm.until_answers(before + 1)
    await process.platform.idle()


async def restarted(discord: DiscordMachine, process: DiscordProcess) -> DiscordProcess:
    """Start another process after one has stopped, and let it read back."""
    await process.stop()
    second = await discord.start()
    await settled(discord, second)
    return second


def hide(discord: DiscordMachine, channel: Channel, how: str) -> None:
    """Let not everybody in the server see a channel any more."""
    world = discord.server.world
    if how == "overwrite":
        lifecycle.make_private(world, channel, discord.guild.user("ana").user)
    else:
        everyone = discord.guild.state.everyone
        lifecycle.permit(world, discord.guild.state, everyone, "send_messages", "send_messages_in_threads")


@pytest.mark.parametrize("how", ["overwrite", "role"])
@pytest.mark.parametrize("is_down", [False, True])
async def test_a_channel_that_is_made_private_keeps_what_was_said_there(
    discord: DiscordMachine, how: str, *, is_down: bool
) -> None:
    """Also while Recall was down; and for good, if it is made public again."""
    process = await discord.start()
    ana, ops, dev = discord.guild.user("ana"), discord.guild.channel("ops"), discord.guild.channel("dev")
    await told(process, ana, ops)
    assert await recalls(process, ana, dev)
    if how == "role":
        lifecycle.overwrite(discord.server.world, dev, discord.guild.state.everyone, allow=["view_channel"])
    if is_down:
        await process.stop()
        hide(discord, ops, how)
        process = await discord.start()
    else:
        hide(discord, ops, how)
    await settled(discord, process)
    assert not await recalls(process, ana, dev)

    lifecycle.overwrite(discord.server.world, ops, discord.guild.state.everyone, allow=["view_channel"])
    await settled(discord, process)
    assert not await recalls(process, ana, dev)
    assert "messages" in await holding(discord)


@pytest.mark.parametrize("kind", ["text", "announcement", "forum"])
@pytest.mark.parametrize("is_down", [False, True])
async def test_a_deleted_thread_is_forgotten(discord: DiscordMachine, kind: str, *, is_down: bool) -> None:
    """With all that was learned there; other threads of its channel keep theirs."""
    process = await discord.start()
    ana = discord.guild.user("ana")
    ops = discord.guild.channel("ops", kind=kind)  # type: ignore[arg-type]  # a name of one
    if kind == "forum":
        thread, _ = await ana.posts(ops, "zones", f"@recall {HINT}")
        await thread.until_answers(1)
        await process.learn("ana's staging cluster is called zanzibar")
    else:
        thread = await ops.until_thread(await told(process, ana, ops))
        await asked(process, ana, ops, "we are in nairobi")
    if is_down:
        await process.stop()
        lifecycle.delete_thread(discord.server.world, thread)
        process = await discord.start()
    else:
        lifecycle.delete_thread(discord.server.world, thread)
    await settled(discord, process)

    assert await holding(discord) == []
    assert await actions(discord) == ["forget a thread"]
    assert bool(await holding(discord, "nairobi")) is (kind != "forum")


@pytest.mark.parametrize("is_down", [False, True])
async def test_a_deleted_private_thread_is_forgotten(discord: DiscordMachine, *, is_down: bool) -> None:
    """It is a place of its own."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    thread = await ana.starts_thread(ops, "secret", ana, private=True)
    await ana.adds(thread, bot=True)
    await told(process, ana, thread)
    assert not await recalls(process, ana, ops)
    if is_down:
        await process.stop()
        lifecycle.delete_thread(discord.server.world, thread)
        process = await discord.start()
    else:
        lifecycle.delete_thread(discord.server.world, thread)
    await settled(discord, process)

    assert await holding(discord) == []


@pytest.mark.parametrize("is_down", [False, True])
async def test_a_deleted_channel_is_forgotten_with_its_threads(discord: DiscordMachine, *, is_down: bool) -> None:
    """Discord tells of the channel alone."""
    process = await discord.start()
    ana, ops, dev = discord.guild.user("ana"), discord.guild.channel("ops"), discord.guild.channel("dev")
    await told(process, ana, ops)
    await asked(process, ana, dev, "we are in nairobi")
    if is_down:
        await process.stop()
        lifecycle.delete_channel(discord.server.world, ops)
        process = await discord.start()
    else:
        lifecycle.delete_channel(discord.server.world, ops)
    await settled(discord, process)

    assert await holding(discord) == []
    assert "messages" in await holding(discord, "nairobi")


@pytest.mark.parametrize("is_down", [False, True])
async def test_a_server_that_recall_was_taken_out_of_is_forgotten(discord: DiscordMachine, *, is_down: bool) -> None:
    """With everybody's memories there; direct messages and other servers keep theirs."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    other = discord.server.guild("other")
    other.user("ana")
    await told(process, ana, ops)
    await asked(process, ana, other.channel("ops"), "we are in nairobi")
    await asked(process, ana, ana.dm, "I live in mombasa")
    if is_down:
        await process.stop()
        lifecycle.remove_app(discord.server.world, discord.guild.state)
        process = await discord.start()
    else:
        lifecycle.remove_app(discord.server.world, discord.guild.state)
    await settled(discord, process)

    assert await holding(discord) == []
    assert await actions(discord) == ["forget a workspace"]
    assert "messages" in await holding(discord, "nairobi")
    assert "messages" in await holding(discord, "mombasa")


@pytest.mark.parametrize("is_down", [False, True])
async def test_an_outage_of_a_server_forgets_and_narrows_nothing(discord: DiscordMachine, *, is_down: bool) -> None:
    """Also when Recall starts during it."""
    process = await discord.start()
    ana, ops, dev = discord.guild.user("ana"), discord.guild.channel("ops"), discord.guild.channel("dev")
    await told(process, ana, ops)
    if is_down:
        await process.stop()
    lifecycle.begin_outage(discord.server.world, discord.guild.state)
    if is_down:
        process = await discord.start()
    await settled(discord, process)
    lifecycle.end_outage(discord.server.world, discord.guild.state)
    await settled(discord, process)

    assert await recalls(process, ana, dev)
    assert await actions(discord) == []


async def test_an_archived_thread_is_not_forgotten(discord: DiscordMachine) -> None:
    """It can still be read, and come back."""
    process = await discord.start()
    ana, ops, dev = discord.guild.user("ana"), discord.guild.channel("ops"), discord.guild.channel("dev")
    thread = await ops.until_thread(await told(process, ana, ops))
    lifecycle.archive(discord.server.world, thread)
    process = await restarted(discord, process)
    assert await recalls(process, ana, dev)
    await asked(process, ana, thread, "still there?")

    assert process.model.asked[-1].history[0].text.endswith(HINT)


@pytest.mark.parametrize("code", [50001, 50013])
async def test_what_recall_may_not_read_is_not_forgotten(discord: DiscordMachine, code: int) -> None:
    """It was taken out of a channel: what was said there goes nowhere else, and is there when it comes back."""
    process = await discord.start()
    ana, ops, dev = discord.guild.user("ana"), discord.guild.channel("ops"), discord.guild.channel("dev")
    await told(process, ana, ops)
    await process.stop()
    discord.server.faults.add("GET /channels/*", "error", code=code, times=None)
    lifecycle.overwrite(discord.server.world, ops, discord.server.bot, deny=["view_channel"])
    process = await discord.start()
    await settled(discord, process)

    assert "facts" in await holding(discord)
    assert await actions(discord) == []
    assert await recalls(process, ana, dev)  # everybody in the server still reads that channel


@pytest.mark.parametrize("deleted", [False, True])
async def test_a_conversation_that_never_had_a_thread_is_not_forgotten(
    discord: DiscordMachine, *, deleted: bool
) -> None:
    """Its answers stand in the channel, also where a moderator removed one meanwhile."""
    process = await discord.start(auto_thread=False)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    await ana.says(ops, f"@recall {HINT}")
    [answer] = await ops.until_answers(1)
    await process.platform.idle()
    await process.learn("ana's staging cluster is called zanzibar")
    await process.stop()
    if deleted:
        lifecycle.delete(discord.server.world, answer)
    process = await discord.start()
    await settled(discord, process)

    assert "facts" in await holding(discord)
    assert await actions(discord) == []


async def test_failing_looks_forget_nothing(discord: DiscordMachine) -> None:
    """Discord is out of order when Recall starts; when it is back, what is gone is forgotten."""
    process = await discord.start()
    ana, ops, dev = discord.guild.user("ana"), discord.guild.channel("ops"), discord.guild.channel("dev")
    await told(process, ana, ops)
    await asked(process, ana, dev, "we are in nairobi")
    await process.stop()
    lifecycle.delete_channel(discord.server.world, dev)
    fault = discord.server.faults.add("GET /channels/*", "status", status=503, times=3)
    process = await discord.start()
    await discord.server.until(lambda: fault.hit == 3)
    await settled(discord, process)

    assert "facts" in await holding(discord)
    assert await holding(discord, "nairobi") == []


async def test_a_deleted_channel_takes_its_archived_private_threads_along(discord: DiscordMachine) -> None:
    """Discord does not tell of them one by one."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    thread = await ana.starts_thread(ops, "secret", ana, private=True)
    await ana.adds(thread, bot=True)
    await told(process, ana, thread)
    lifecycle.archive(discord.server.world, thread)
    lifecycle.delete_channel(discord.server.world, ops)
    await settled(discord, process)

    assert await holding(discord) == []


async def test_a_server_that_recall_left_while_its_session_was_lost_is_forgotten(discord: DiscordMachine) -> None:
    """The process goes on, and the next session does not tell of that server."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    await told(process, ana, ops)
    discord.clock.advance(8 * 86_400)
    discord.server.gateway.end_sessions()
    lifecycle.remove_app(discord.server.world, discord.guild.state)
    await discord.server.until(lambda: len(discord.server.gateway.identifies) == 2, within_s=20)
    await discord.server.gateway.until_connected()
    await settled(discord, process)

    assert await actions(discord) == ["forget a workspace"]
    assert await holding(discord) == []


async def test_a_404_without_discords_reason_forgets_nothing(discord: DiscordMachine) -> None:
    """It is a proxy's word, not Discord's."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    await told(process, ana, ops)
    await process.stop()
    discord.server.faults.add("GET /channels/*", "status", status=404, times=None)
    lifecycle.overwrite(discord.server.world, ops, discord.server.bot, deny=["view_channel"])
    await discord.start()
    await discord.server.until_called("GET /channels/*")

    assert "facts" in await holding(discord)


async def test_a_deleted_first_message_leaves_the_rest_of_a_conversation_in_the_channel(
    discord: DiscordMachine,
) -> None:
    """Without threads, what others said there stands there still."""
    process = await discord.start(auto_thread=False)
    ana, bob, ops = discord.guild.user("ana"), discord.guild.user("bob"), discord.guild.channel("ops")
    root = await bob.says(ops, "@recall hello")
    [answer] = await ops.until_answers(1)
    discord.clock.advance(1)
    await ana.says(ops, f"@recall {HINT}", reply_to=answer)
    await ops.until_answers(2)
    await process.platform.idle()
    fact = FactOperation(operation="add", subject="B", text="ana's staging cluster is called zanzibar", messages=[3])
    process.model.extractions = [ExtractionReply(facts=[fact])]
    await process.recall.sweep()
    assert "facts" in await holding(discord)
    await process.stop()
    lifecycle.delete(discord.server.world, root)
    await settled(discord, await discord.start(auto_thread=False))

    assert "facts" in await holding(discord)
