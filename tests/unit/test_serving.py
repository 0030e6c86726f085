"""Platforms side by side: which errors end the process, and what it tells operators meanwhile."""

import asyncio

import pytest

from bots.platform import Platform
from bots.serving import Serving
from memory.errors import ConfigError, RecallError, UnreachableError


class Scripted(Platform):
    """A platform that runs until it is stopped, or fails when it is told to."""

    def __init__(self) -> None:
        self.ending: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        await self.ending

    def stop(self) -> None:
        if not self.ending.done():
            self.ending.set_result(None)

    async def look(self) -> str | None:
        return None


async def until_ended(platform: Scripted) -> None:
    """Let the others hear of an end."""
    await asyncio.wait([platform.ending])
    for _ in range(3):
        await asyncio.sleep(0)


async def test_one_that_cannot_go_on_leaves_the_other_alone() -> None:
    """It is not ready, the process is worth keeping, and it ends well when it is told to."""
    slack, discord = Scripted(), Scripted()
    serving = Serving({"slack": slack, "discord": discord})
    running = asyncio.create_task(serving.run())
    await asyncio.sleep(0)
    discord.ending.set_exception(ConfigError(["DISCORD_TOKEN: no"]))
    await until_ended(discord)
    looks = serving.looks()

    assert not running.done()
    assert (await looks["slack"](), await looks["discord"]()) == (None, "DISCORD_TOKEN: no")
    assert serving.hopeless() is None
    serving.stop()
    await running


async def test_when_none_can_go_on_the_process_ends_with_all_reasons() -> None:
    """One line each."""
    slack, discord = Scripted(), Scripted()
    serving = Serving({"slack": slack, "discord": discord})
    slack.ending.set_exception(ConfigError(["SLACK_BOT_TOKEN: no"]))
    discord.ending.set_exception(ConfigError(["DISCORD_TOKEN: no"]))
    with pytest.raises(ConfigError) as raised:
        await serving.run()

    assert sorted(raised.value.problems) == ["DISCORD_TOKEN: no", "SLACK_BOT_TOKEN: no"]
    assert serving.hopeless() == "SLACK_BOT_TOKEN: no; DISCORD_TOKEN: no"


async def test_one_that_cannot_be_reached_at_its_start_ends_the_process() -> None:
    """It would never be tried again; another start may reach it."""
    slack, discord = Scripted(), Scripted()
    discord.ending.set_exception(UnreachableError(["Discord cannot be reached: connection refused."]))
    with pytest.raises(UnreachableError):
        await Serving({"slack": slack, "discord": discord}).run()

    assert slack.ending.cancelled()


async def test_any_other_failure_ends_the_process() -> None:
    """A restart may help there, and the other platform is closed in order."""
    slack, discord = Scripted(), Scripted()
    slack.ending.set_exception(RecallError("broken"))
    with pytest.raises(RecallError, match="broken"):
        await Serving({"slack": slack, "discord": discord}).run()

    assert discord.ending.cancelled()
