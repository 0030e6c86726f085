"""How Recall begins in Discord: no session is spent on what is bound to fail, and nothing of before is lost."""

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bots.discord.gateway import NO_INTENT, REFUSED
from bots.wording import counted
from memory.errors import ConfigError, UnreachableError
from tests.fixtures.discord import DiscordMachine
from tests.fixtures.discord_memory import asked

pytestmark = pytest.mark.timeout(120)


async def test_a_missing_intent_is_said_before_a_session_is_spent(discord: DiscordMachine) -> None:
    """One line that says what to do."""
    process = discord.begin(replace(discord.settings, follow_up=True))
    with pytest.raises(ConfigError) as ended:
        await process.serving

    assert ended.value.problems == (NO_INTENT,)
    assert discord.server.gateway.identifies == []


async def test_a_refused_token_is_said_before_a_session_is_spent(discord: DiscordMachine) -> None:
    """One line that says what to do."""
    process = discord.begin(replace(discord.settings, token="another.token"))
    with pytest.raises(ConfigError) as ended:
        await process.serving

    assert ended.value.problems == (REFUSED,)
    assert discord.server.gateway.identifies == []


@pytest.mark.parametrize("what", ["token", "intent"])
async def test_what_is_taken_away_while_it_runs_ends_it_with_one_line(discord: DiscordMachine, what: str) -> None:
    """It does not try again: each try would count."""
    process = await discord.start(follow_up=True)
    if what == "token":
        discord.server.reset_token()
    else:
        discord.server.switch_off("message_content")
        discord.server.gateway.end_sessions()
    with pytest.raises(ConfigError) as ended:
        await asyncio.wait_for(process.serving, timeout=60)

    assert ended.value.problems == ((REFUSED if what == "token" else NO_INTENT),)
    assert len(discord.server.gateway.identifies) == 2


async def test_a_spent_budget_is_waited_for(discord: DiscordMachine) -> None:
    """It says so, begins no session, and can be stopped meanwhile."""
    discord.server.gateway.remaining = 400
    with capture_logs() as lines:
        process = discord.begin(discord.settings)
        async with asyncio.timeout(20):
            while not any(line["event"] == "sessions_nearly_spent" for line in lines):
                await asyncio.sleep(0.01)
    assert discord.server.gateway.identifies == []
    await asyncio.wait_for(process.stop(), timeout=20)

    assert process.serving.exception() is None


@pytest.mark.parametrize("route", ["GET /users/@me", "GET /gateway/bot"])
async def test_a_discord_that_is_down_at_the_start_is_one_line(discord: DiscordMachine, route: str) -> None:
    """And no session."""
    discord.server.faults.add(route, "status", status=503, times=None)
    process = discord.begin(discord.settings)
    with pytest.raises(UnreachableError, match="cannot be reached: status 503"):
        await asyncio.wait_for(process.serving, timeout=60)

    assert discord.server.gateway.identifies == []


@pytest.mark.parametrize("route", ["GET /users/@me", "GET /gateway/bot"])
async def test_a_discord_that_comes_late_is_waited_for(discord: DiscordMachine, route: str) -> None:
    """As the network does after a reboot: the message is answered."""
    discord.server.faults.add(route, "status", status=503)
    await discord.start()
    ana = discord.guild.user("ana")
    await ana.says(ana.dm, "hello")

    await ana.dm.until_answers(1)


async def test_an_answer_that_an_earlier_process_could_not_show_looks_like_any_other(discord: DiscordMachine) -> None:
    """It has its memories below it, and says what was removed from the message."""
    first = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    await asked(first, ana, ops, "My staging cluster is called blue-heron-42")
    await first.learn("ana's staging cluster is called blue-heron-42")
    discord.server.faults.add("POST */messages", "error", code=50013, times=None)
    said = await ana.says(ops, "@recall What is my staging cluster called? password=hunter2-Xk9qP")
    await discord.server.until(lambda: len(first.model.asked) == 2)
    await first.platform.idle()
    recalled = len(first.model.asked[-1].recalled)
    assert recalled
    thread = await ops.until_thread(said)
    assert thread.answers == []
    await first.stop()
    discord.server.faults.clear()
    discord.clock.advance(300)
    await discord.start()
    [answer] = await thread.until_answers(1)

    assert f"Used {counted(recalled, 'memory', 'memories')}" in answer.buttons
    assert "I removed what looks like a secret" in answer.shown


async def test_an_answer_in_a_thread_that_was_archived_meanwhile_is_shown_there(discord: DiscordMachine) -> None:
    """It was not shown before Recall went down, for hours; its first post cannot be changed any more."""
    first = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    discord.server.faults.add("PATCH */messages/*", "error", code=50013, times=None)
    thread = await ops.until_thread(await ana.says(ops, "@recall hello"))
    await discord.server.until(lambda: len(first.model.asked) == 1)
    await first.platform.idle()
    await first.stop()
    discord.server.faults.clear()
    thread.archived = True
    discord.clock.advance(2 * 3_600)
    await discord.start()
    await thread.until(lambda here: [each.shown for each in here.answers] == ["answer 1"])

    assert not thread.bot_is_typing


async def test_a_thread_is_not_named_by_a_secret(discord: DiscordMachine) -> None:
    """Everybody in the server reads the names of threads."""
    await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    thread = await ops.until_thread(await ana.says(ops, f"@recall is {'AKIA' + 'Z7QX2LMN4PRS6TUV'} still valid?"))
    await thread.until_answers(1)

    assert "Z7QX2" not in thread.name
    assert "still valid?" in thread.name


async def test_a_gateway_that_does_not_answer_is_one_clear_line(discord: DiscordMachine) -> None:
    """And the end: the library would try for ever, without a word that anybody understands."""
    process = discord.begin(replace(discord.settings, gateway_url="ws://127.0.0.1:9/"))
    await asyncio.wait([process.serving], timeout=20)

    with pytest.raises(UnreachableError) as refused:
        process.serving.result()
    assert refused.value.problems == ("Discord's gateway cannot be reached: connection refused.",)
    assert discord.server.gateway.identifies == []
