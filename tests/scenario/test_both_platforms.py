"""Slack and Discord in one `recall run`: what happens in one is no concern of the other."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.discord_server import DiscordServer
from tests.fixtures.discord_process import discord_environ, open_discord
from tests.fixtures.process import CLUSTER, PATIENCE_S, says_what_it_was_given
from tests.fixtures.slack_process import SlackBot

pytestmark = pytest.mark.timeout(280)
_QUESTION = "What is my staging cluster called?"
_KNOWS, _DUNNO = f"It is {CLUSTER}.", "I do not know."


@pytest.fixture
async def discord(slack_bot: SlackBot) -> AsyncIterator[DiscordServer]:
    """Yield a Discord that the Slack bot's process serves, too."""
    async with open_discord() as discord:
        slack_bot.environ |= discord_environ(discord)
        yield discord
        slack_bot.kill()


async def said_in_slack(bot: SlackBot, text: str) -> str:
    """Say something in direct messages with Recall in Slack; return its answer."""
    ana = bot.team.user("ana")
    thread = bot.team.thread(await ana.says(ana.dm, text))
    return (await thread.until_answers(1, within_s=PATIENCE_S))[0].shown.splitlines()[0]


async def said_in_discord(discord: DiscordServer, text: str) -> str:
    """Say something in direct messages with Recall in Discord; return its answer."""
    ana = discord.guild("acme").user("ana")
    count = len(ana.dm.answers)
    await ana.says(ana.dm, text)
    return (await ana.dm.until_answers(count + 1, within_s=PATIENCE_S))[-1].shown.splitlines()[0]


async def test_forgetting_in_slack_does_not_touch_discord(slack_bot: SlackBot, discord: DiscordServer) -> None:
    """People of the same name are two people: each knows what was said there, and one forgets everything."""
    slack_bot.model.answers_by(says_what_it_was_given)
    await slack_bot.start()
    await discord.gateway.until_connected()
    ana = slack_bot.team.user("ana")
    await said_in_slack(slack_bot, f"My staging cluster is called {CLUSTER}.")
    before = await said_in_discord(discord, _QUESTION)
    await said_in_discord(discord, f"My staging cluster is called {CLUSTER}.")
    await slack_bot.learned(ana, CLUSTER)
    receipt = (await ana.slash("/forget", "everything", ana.dm)).text
    after = await said_in_slack(slack_bot, _QUESTION), await said_in_discord(discord, _QUESTION)

    assert before == _DUNNO
    assert "Forgotten: 1 fact" in receipt
    assert after == (_DUNNO, _KNOWS)
    assert (slack_bot.slack.refusals, discord.refusals) == ([], [])


async def test_one_that_is_down_does_not_hold_up_the_other(slack_bot: SlackBot, discord: DiscordServer) -> None:
    """Discord fails every call; Slack answers, and Discord does when it is back."""
    slack_bot.model.answers_by(says_what_it_was_given)
    await slack_bot.start()
    await discord.gateway.until_connected()
    discord.faults.add("*", "status", times=None)
    ana = discord.guild("acme").user("ana")
    await ana.says(ana.dm, _QUESTION)
    in_slack = await said_in_slack(slack_bot, _QUESTION)
    answered_meanwhile = list(ana.dm.answers)
    discord.faults.clear()
    await ana.dm.until_answers(1, within_s=2 * PATIENCE_S)

    assert (in_slack, answered_meanwhile) == (_DUNNO, [])
    assert [answer.shown.splitlines()[0] for answer in ana.dm.answers] == [_DUNNO]


async def test_a_token_of_one_that_is_reset_leaves_the_other_alone(slack_bot: SlackBot, discord: DiscordServer) -> None:
    """Slack goes on in the same process, which ends well when it is told to."""
    slack_bot.model.answers_by(says_what_it_was_given)
    process = await slack_bot.start()
    await discord.gateway.until_connected()
    discord.reset_token()
    await discord.until(lambda: any(each.refused == 4004 for each in discord.gateway.identifies))

    assert await said_in_slack(slack_bot, _QUESTION) == _DUNNO
    await slack_bot.end(process)
    assert "DISCORD_TOKEN: Discord refuses it" in (slack_bot.folder / "0.log").read_text()


async def test_only_the_platform_that_is_named_is_asked_and_served(slack_bot: SlackBot, discord: DiscordServer) -> None:
    """`recall run --platform slack` starts although Discord's token is refused, and opens no session there."""
    discord.world.app.token_valid = False
    await slack_bot.start("bots", "run", "--platform", "slack")

    assert await said_in_slack(slack_bot, "hello") != ""
    assert discord.calls == []
