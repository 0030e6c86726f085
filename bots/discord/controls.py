"""The memory commands in Discord: slash commands and message menus, answered to whoever used them alone.

What each does says `bots.desk`, what is shown `views`, and how `answering`; here stands how it comes in. Buttons are in
`presses`, and what people say in a message is in `spoken_commands`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import discord
import structlog
from discord import app_commands
from discord.app_commands import (
    AppCommandContext,
    AppCommandError,
    AppInstallationType,
    Choice,
    CommandNotFound,
    CommandSignatureMismatch,
    CommandTree,
)

from bots.desk.asking import Asker, Chosen
from bots.desk.desk import MemoryDesk
from bots.desk.outcome import BROKEN, failed
from bots.desk.sheets import Sheet
from bots.discord import asked, ids
from bots.discord.answering import Answering
from bots.discord.asked import AnyInteraction, guild_of
from bots.discord.channels import Channels
from bots.discord.ids import DiscordThread
from bots.discord.inbound import BotIdentity
from bots.discord.presses import ButtonsOf, IsOurs
from bots.discord.rest import translated
from bots.discord.suggestions import suggestions
from bots.platform import PlatformError
from memory.model import SessionId
from memory.ports import PlaceStore

_log = structlog.get_logger(__name__)

MENUS = ("Remember this", "Forget this", "Why did you say that?")
UNKNOWN = "I do not know that command any more. Reload Discord, and give it again."
THIS_THREAD = "this thread"
_FORGET_WORDS = ("last", THIS_THREAD, "everything")
_ALL = ("all",)
_REFUSE_WITHIN_S = 3.0

Typed = Callable[[MemoryDesk, Asker], Awaitable[Sheet]]
OfMessage = Callable[[MemoryDesk, Asker, Chosen], Awaitable[Sheet]]


class Controls:
    """What people command in Discord.

    Args:
        buttons: With the desks that do it.
        answering: Shows what came of it.
        channels: Who reads where.
        places: Knows which conversation a message is part of.
        identity: Says who Recall is.
        is_ours: Whether this process is to act.
    """

    def __init__(
        self,
        *,
        buttons: ButtonsOf,
        answering: Answering,
        channels: Channels,
        places: PlaceStore,
        identity: Callable[[], BotIdentity],
        is_ours: IsOurs,
    ) -> None:
        self._buttons = buttons
        self._answering = answering
        self._channels = channels
        self._places = places
        self._identity = identity
        self._is_ours = is_ours

    def register(self, client: discord.Client) -> CommandTree[Any]:
        """Listen to what people command; return the commands."""
        tree = _Tree(client, self._is_ours)
        self._on_lists(tree)
        tree.add_command(self._memory())
        self._on_menus(tree)
        return tree

    def _on_lists(self, tree: CommandTree[Any]) -> None:
        @tree.command(name="memories", description="List what I remember of you here. Only you see it.")
        @app_commands.describe(words="Only those that have all of these words")
        async def memories(interaction: AnyInteraction, words: str = "") -> None:
            self._do(interaction, lambda desk, who: desk.memories(who, words), name="memories")

        @tree.command(name="remember", description="Have me remember a sentence. Only you see it.")
        @app_commands.describe(text="One sentence")
        async def remember(interaction: AnyInteraction, text: str) -> None:
            self._do(interaction, lambda desk, who: desk.remember(who, text), name="remember")

        @tree.command(name="forget", description="Forget what I remember of you here. Only you see it.")
        @app_commands.describe(what="A number such as #7, last, this thread, about <words>, or everything")
        async def forget(interaction: AnyInteraction, what: str) -> None:
            self._do(interaction, lambda desk, who: desk.forget(who, what), name="forget")

        @forget.autocomplete("what")
        async def suggest(interaction: AnyInteraction, typed: str) -> list[Choice[str]]:
            return await self._suggested(interaction, typed, _FORGET_WORDS)

    def _memory(self) -> app_commands.Group:
        group = app_commands.Group(name="memory", description="What I keep of what you say.")

        def on(name: str, description: str) -> None:
            @group.command(name=name, description=description)
            async def plain(interaction: AnyInteraction) -> None:
                self._do(interaction, lambda desk, who: desk.memory(who, name), name=name)

        def on_pause(name: str, description: str) -> None:
            @group.command(name=name, description=description)
            @app_commands.describe(what="You alone, or everybody in this thread")
            @app_commands.choices(what=[Choice(name="me", value="me"), Choice(name=THIS_THREAD, value=THIS_THREAD)])
            async def pause(interaction: AnyInteraction, what: str = "me") -> None:
                self._do(interaction, lambda desk, who: desk.memory(who, f"{name} {what}"), name=name)

        def on_reach(name: str, description: str) -> None:
            @group.command(name=name, description=description)
            @app_commands.describe(what="A number such as #7, or all")
            async def reach(interaction: AnyInteraction, what: str) -> None:
                self._do(interaction, lambda desk, who: desk.memory(who, f"{name} {what}"), name=name)

            @reach.autocomplete("what")
            async def suggest(interaction: AnyInteraction, typed: str) -> list[Choice[str]]:
                return await self._suggested(interaction, typed, _ALL)

        on_pause("pause", "Keep nothing of what you say from now on.")
        on_pause("resume", "Keep again what you say.")
        on("settings", "Show what is paused, and what is kept.")
        on("export", "Get all that is kept of you here, as a file.")
        on_reach("widen", "Let a memory be used wherever you ask here.")
        on_reach("narrow", "Use a memory only for those who could read where you said it.")
        return group

    def _on_menus(self, tree: CommandTree[Any]) -> None:
        def on(name: str, run: OfMessage) -> None:
            @tree.context_menu(name=name)
            async def menu(interaction: AnyInteraction, message: discord.Message) -> None:
                async def work(desk: MemoryDesk, who: Asker) -> Sheet:
                    there = replace(who, session_id=await self._session_of(interaction, message))
                    return await run(desk, there, asked.chosen(interaction, message, self._identity()))

                self._do(interaction, work, name=name)

        remember, forget, why = MENUS
        on(remember, MemoryDesk.remember_message)
        on(forget, MemoryDesk.forget_message)
        on(why, MemoryDesk.why_message)

    def _do(self, interaction: AnyInteraction, work: Typed, *, name: str) -> None:
        desk = self._buttons.at(guild_of(interaction)).desk
        self._answering.start(asked.of_command(interaction), partial(work, desk), name=name)

    async def _session_of(self, interaction: AnyInteraction, message: discord.Message) -> SessionId:
        """Return the conversation that a message is part of; in a channel, what it would begin if it is of none."""
        guild, channel, name = guild_of(interaction), str(message.channel.id), str(message.id)
        here = asked.session_here(interaction)
        if here is not None:
            return here
        mark = asked.mark_of(message)
        if mark is not None and str(message.author.id) == self._identity().user_id:
            return ids.session_id(DiscordThread(guild, channel, mark.thread))
        known = await self._places.session_of(await self._channels.unit(guild, channel), name)
        return known or ids.session_id(DiscordThread(guild, channel, name))

    async def _suggested(self, interaction: AnyInteraction, typed: str, words: Sequence[str]) -> list[Choice[str]]:
        """Return what may be meant, while somebody types it."""
        desk, who = self._buttons.at(guild_of(interaction)).desk, asked.of_command(interaction).asker
        usable = [word for word in words if word != THIS_THREAD or who.session_id is not None]
        found = await suggestions(desk, who, typed, words=usable)
        return [Choice(name=name, value=value) for name, value in found]


class _Tree(CommandTree[Any]):
    """The commands of one bot: in servers that installed it, and in its direct messages."""

    def __init__(self, client: discord.Client, is_ours: IsOurs) -> None:
        super().__init__(
            client,
            allowed_installs=AppInstallationType(guild=True, user=False),
            allowed_contexts=AppCommandContext(guild=True, dm_channel=True, private_channel=False),
        )
        self._is_ours = is_ours

    async def interaction_check(self, interaction: AnyInteraction, /) -> bool:
        return await self._is_ours(interaction)

    async def on_error(self, interaction: AnyInteraction, error: AppCommandError, /) -> None:
        """Say in our words what broke before anything was done, such as a command of another version."""
        if isinstance(error, CommandNotFound | CommandSignatureMismatch):
            _log.warning("command_unknown", error=type(error).__name__)
            words = UNKNOWN
        else:
            words = failed(BROKEN, error, "command").text
        if not interaction.response.is_done():
            try:
                await translated(
                    "refuse a command",
                    lambda: interaction.response.send_message(words, ephemeral=True),
                    within_s=_REFUSE_WITHIN_S,
                )
            except PlatformError as refused:
                _log.warning("command_not_refused", reason=str(refused))
