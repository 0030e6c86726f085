"""Telling Discord which commands there are: only when they are others than it was told last, by any process."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import discord
import structlog
from discord.app_commands import AppCommandError, CommandTree

from bots.discord.errors import DiscordRefusedError, DiscordUnavailableError
from bots.discord.rest import PATIENT_S, translated
from memory.errors import StoreUnavailableError
from memory.ports import NamedValues
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)

RETRY_S = 30.0
"""Before Discord is told again what it gave no answer to."""


class CommandSync:
    """Keeps one bot's commands in Discord.

    Args:
        tree: The commands.
        values: Knows what Discord was told last.
        wait: Waits so many seconds.
    """

    def __init__(
        self,
        tree: CommandTree[Any],
        values: NamedValues,
        *,
        wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._tree = tree
        self._values = values
        self._wait = wait
        self._retries = TaskTracker()

    async def run(self) -> None:
        """Tell Discord, if it is not told yet; where that gets no answer, again and again behind this."""
        if not await self._is_over():
            self._retries.start(self._go_on(), name="sync commands again")

    async def close(self) -> None:
        """Try no more."""
        await self._retries.close(grace_s=0)

    async def _go_on(self) -> None:
        await self._wait(RETRY_S)
        while not await self._is_over():
            await self._wait(RETRY_S)

    async def _is_over(self) -> bool:
        """Tell Discord; False when it is to be tried again."""
        name = f"discord commands {self._tree.client.application_id}"
        digest = digest_of(self._tree)
        try:
            if await self._values.find(name) == digest:
                return True
            await translated("sync commands", self._tree.sync, within_s=PATIENT_S)
            await self._values.keep(name, digest)
        except (DiscordUnavailableError, StoreUnavailableError) as error:
            _log.warning("commands_not_synced_yet", reason=str(error))
            return False
        except DiscordRefusedError as error:
            _log.warning("commands_not_synced", reason=str(error))
        except (AppCommandError, discord.DiscordException) as error:  # a description of ours that Discord does not take
            _log.exception("commands_not_synced", error=type(error).__name__)
        else:
            _log.info("commands_synced", commands=len(self._tree.get_commands()))
        return True


def digest_of(tree: CommandTree[Any]) -> str:
    """Return a word that is another one for any other commands."""
    payload = [command.to_dict(tree) for command in tree.get_commands()]
    return hashlib.blake2b(json.dumps(payload, sort_keys=True).encode(), digest_size=16).hexdigest()
