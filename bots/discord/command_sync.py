"""Telling Discord which commands there are: only when they are others than it was told last, by any process."""

import hashlib
import json
from typing import Any

import discord
import structlog
from discord.app_commands import AppCommandError, CommandTree

from bots.discord.errors import DiscordRefusedError, DiscordUnavailableError
from bots.discord.rest import PATIENT_S, translated
from memory.errors import StoreUnavailableError
from memory.ports import NamedValues

_log = structlog.get_logger(__name__)


class CommandSync:
    """Keeps one bot's commands in Discord.

    Args:
        tree: The commands.
        values: Knows what Discord was told last.
    """

    def __init__(self, tree: CommandTree[Any], values: NamedValues) -> None:
        self._tree = tree
        self._values = values

    async def run(self) -> None:
        """Tell Discord, if it is not told yet; what fails is tried again at the next start."""
        name = f"discord commands {self._tree.client.application_id}"
        digest = digest_of(self._tree)
        try:
            if await self._values.find(name) == digest:
                return
            await translated("sync commands", self._tree.sync, within_s=PATIENT_S)
            await self._values.keep(name, digest)
        except (DiscordUnavailableError, DiscordRefusedError, StoreUnavailableError) as error:
            _log.warning("commands_not_synced", reason=str(error))
        except (AppCommandError, discord.DiscordException) as error:  # a description of ours that Discord does not take
            _log.exception("commands_not_synced", error=type(error).__name__)
        else:
            _log.info("commands_synced", commands=len(self._tree.get_commands()))


def digest_of(tree: CommandTree[Any]) -> str:
    """Return a word that is another one for any other commands."""
    payload = [command.to_dict(tree) for command in tree.get_commands()]
    return hashlib.blake2b(json.dumps(payload, sort_keys=True).encode(), digest_size=16).hexdigest()
