"""What a process in Discord tells its operators: connections, rate limits, and what only they can mend."""

import asyncio
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bots.discord.gateway import NO_INTENT, REFUSED
from memory.errors import ConfigError
from tests.fixtures.discord import DiscordMachine, DiscordProcess

pytestmark = pytest.mark.timeout(120)
_LOOK_S = 0.05


def measured(process: DiscordProcess, name: str) -> float:
    """Return what a metric of the platform says, all its labels together."""
    families = text_string_to_metric_families(process.metrics.page().decode())
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and sample.labels.get("platform") == "discord"
    )


async def until_look(process: DiscordProcess, found: str | None) -> None:
    """Wait until the platform says this of itself."""
    while await process.platform.look() != found:
        await asyncio.sleep(_LOOK_S)


async def test_a_connection_that_is_cut_is_not_ready_until_it_is_resumed(discord: DiscordMachine) -> None:
    """The gauge follows; nothing about it is hopeless, and a message is answered afterwards."""
    process = await discord.start()
    ana = discord.guild.user("ana")
    await ana.says(ana.dm, "hello")
    await ana.dm.until_answers(1)
    assert (await process.platform.look(), measured(process, "recall_platform_socket_connected")) == (None, 1)
    discord.server.gateway.refusing = True
    discord.server.gateway.drop()
    await until_look(process, "Discord: not connected (shards 0)")
    assert measured(process, "recall_platform_socket_connected") == 0
    assert process.platform.hopeless() is None
    discord.server.gateway.refusing = False
    await ana.says(ana.dm, "are you back?")
    await ana.dm.until_answers(2, within_s=60)

    assert (await process.platform.look(), measured(process, "recall_platform_socket_connected")) == (None, 1)


async def test_rate_limits_are_counted(discord: DiscordMachine) -> None:
    """The answer comes all the same."""
    process = await discord.start()
    ana = discord.guild.user("ana")
    discord.server.faults.add("POST */messages", "ratelimited", times=2)
    await ana.says(ana.dm, "hello")
    await ana.dm.until_answers(1)

    assert measured(process, "recall_platform_rate_limited_total") == 2


async def test_a_token_that_is_reset_ends_it(discord: DiscordMachine) -> None:
    """With the line that says what to do, and without one session after another."""
    process = await discord.start()
    discord.server.reset_token()
    with pytest.raises(ConfigError) as raised:
        await process.serving

    assert raised.value.problems == (REFUSED,)
    assert len([each for each in discord.server.gateway.identifies if each.refused]) <= 1


async def test_an_intent_that_is_taken_away_ends_it(discord: DiscordMachine) -> None:
    """As a token that is reset."""
    process = await discord.start(follow_up=True)
    discord.server.switch_off("message_content")
    discord.server.gateway.invalidate()
    with pytest.raises(ConfigError) as raised:
        await process.serving

    assert raised.value.problems == (NO_INTENT,)


@pytest.mark.parametrize(
    ("api_url", "line"),
    [
        ("http://127.0.0.1:9/api/v10", "Discord cannot be reached: "),
        ("{}/nowhere", "DISCORD_API_URL: what answers there is not Discord's API. It ends with the version"),
    ],
)
async def test_an_address_where_discord_is_not(discord: DiscordMachine, api_url: str, line: str) -> None:
    """One line, and no session is begun."""
    settings = replace(discord.settings, api_url=api_url.format(discord.server.api_url))
    with pytest.raises(ConfigError) as raised:
        await discord.begin(settings).serving

    assert [problem.startswith(line) for problem in raised.value.problems] == [True]
    assert discord.server.gateway.identifies == []
