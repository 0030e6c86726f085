"""What people read of a command of Discord that broke before anything was done."""

from dataclasses import dataclass, field
from typing import Any

import discord
import pytest
from discord.app_commands import AppCommandError, CommandNotFound

from bots.desk.outcome import BROKEN
from bots.discord.asked import AnyInteraction
from bots.discord.controls import UNKNOWN, _Tree


@dataclass
class Answers:
    """Takes the one answer to an interaction."""

    said: list[str] = field(default_factory=list)

    def is_done(self) -> bool:
        """Whether it was answered."""
        return bool(self.said)

    async def send_message(self, words: str, *, ephemeral: bool) -> None:
        """Answer it, to one person alone."""
        assert ephemeral
        self.said.append(words)


@dataclass
class Commanded:
    """An interaction, as far as it can be answered."""

    response: Answers = field(default_factory=Answers)


async def _is_ours(_interaction: AnyInteraction) -> bool:
    return True


@pytest.mark.parametrize(
    ("error", "begins"), [(CommandNotFound("older", []), UNKNOWN), (AppCommandError("it broke"), BROKEN)]
)
async def test_only_who_gives_an_unknown_command_is_told_to_reload(error: AppCommandError, begins: str) -> None:
    """Of a mistake of ours people are told that it is one, and by which id the log has it."""
    commanded: Any = Commanded()
    tree = _Tree(discord.Client(intents=discord.Intents.none()), _is_ours)
    await tree.on_error(commanded, error)

    (said,) = commanded.response.said
    assert said.startswith(begins)
    assert ("Error id: " in said) == (begins == BROKEN)
