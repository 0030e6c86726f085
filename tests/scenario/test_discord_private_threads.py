"""Threads that only some may read, below channels that everybody may."""

import pytest

from bots.desk import desk, pausing
from tests.fakes.discord_server import lifecycle
from tests.fixtures.discord import DiscordMachine
from tests.fixtures.discord_memory import asked, holding
from tests.scenario.test_discord_controls import listed, read, remember, replied, restarted, started

pytestmark = pytest.mark.timeout(120)

GET_CHANNEL = "GET /channels/{channel_id}"
SECRET = "I am leaving for blue-heron Ltd."


async def test_in_a_private_thread_without_recall_nothing_is_stored_or_paused(discord: DiscordMachine) -> None:
    """Commands and menus work there all the same, and who reads it is not known."""
    process = await started(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    thread = await ana.starts_thread(ops, "secret", ana, private=True)
    said = await ana.says(thread, SECRET)
    kept = await ana.menu("Remember this", said)
    paused = await ana.slash("/memory pause", thread, what="this thread")
    await asked(process, ana, ops, "where am I going?")

    assert desk.NO_PLACE in read(kept.text)
    assert pausing.NO_PLACE in read(paused.text)
    assert await holding(discord, "blue-heron") == []
    assert "paused" not in read((await ana.slash("/memory settings", thread)).text)
    assert [each for each in thread.messages if each.author.user_id == discord.guild.bot.user_id] == []


async def test_why_tells_nothing_in_a_private_thread_that_recall_has_left(discord: DiscordMachine) -> None:
    """Also of its own answers from before."""
    process = await started(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    await remember(ana, ops, "My cluster is called zanzibar.")
    thread = await ana.starts_thread(ops, "secret", ana, private=True)
    await ana.adds(thread, bot=True)
    await asked(process, ana, thread, "what is my cluster called, zanzibar?")
    answer = thread.answers[0]
    told = await ana.menu("Why did you say that?", answer)
    lifecycle.leave_thread(discord.server.world, thread, discord.guild.bot)
    await restarted(discord, process)
    refused = await ana.menu("Why did you say that?", answer)

    assert desk.NOT_HERE not in read(told.text)
    assert desk.NOT_HERE in read(refused.text)


async def test_discord_is_not_asked_for_threads_that_what_was_done_speaks_for(discord: DiscordMachine) -> None:
    """In a channel, a conversation without a thread has the id of a message, for which Discord knows no thread."""
    process = await discord.start(auto_thread=False)
    await process.platform.idle()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    await ana.says(ops, "@recall hello")
    [answer] = await ops.until_answers(1)
    await process.platform.idle()
    said = await ana.says(ops, "We deploy at noon.")
    await ana.menu("Why did you say that?", answer)
    await ana.menu("Remember this", said)
    await replied(ana, ops, await ana.says(ops, "@recall remember: I like tabs."))

    assert "We deploy at noon." in await listed(ana, ops)
    assert "I like tabs." in await listed(ana, ops)
    assert discord.server.calls_of(GET_CHANNEL) == []
