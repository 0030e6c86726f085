"""Buttons, pressed: each carries what its press needs, so a restart, and any process, leaves them working."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import discord

from bots.delivery import Stops
from bots.desk.buttons import Buttons
from bots.discord import asked, marks, press
from bots.discord.answering import Answering
from bots.discord.asked import AnyInteraction, guild_of
from bots.discord.ids import DM
from bots.discord.marks import Mark
from bots.press import Press
from memory.model import UserId

AnyButton = discord.ui.Button[Any]
Pressed = Callable[[AnyInteraction, re.Match[str]], Awaitable[None]]
IsOurs = Callable[[AnyInteraction], Awaitable[bool]]
"""Whether this process is to act on an interaction; every connected one hears of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonsOf:
    """The desk's buttons, with the words of where they stand."""

    servers: Buttons
    dms: Buttons

    def at(self, guild: str) -> Buttons:
        """Return those of a server, or of direct messages."""
        return self.dms if guild == DM else self.servers


class Presses:
    """Takes presses for one bot.

    Args:
        buttons: Does what they are for.
        answering: Shows what came of it.
        stops: Stops answers.
        is_ours: Whether this process is to act.
    """

    def __init__(self, *, buttons: ButtonsOf, answering: Answering, stops: Stops, is_ours: IsOurs) -> None:
        self._buttons = buttons
        self._answering = answering
        self._stops = stops
        self._is_ours = is_ours

    def register(self, client: discord.Client) -> None:
        """Listen to presses of the desk's buttons, and of those below replies."""
        client.add_dynamic_items(_item(press.TEMPLATE, self._desk), _item(marks.TEMPLATE, self._below))

    async def _desk(self, interaction: AnyInteraction, found: re.Match[str]) -> None:
        """Take a press of a button of the desk."""
        if not await self._is_ours(interaction):
            return
        guild = guild_of(interaction)
        footer, channel = _footer(interaction.message), asked.channel_of(interaction)
        pressed = press.read(found, footer=footer, guild=guild, channel=channel)
        self._do(asked.of_press(interaction), pressed, guild)

    async def _below(self, interaction: AnyInteraction, found: re.Match[str]) -> None:
        """Take a press of a button below a reply."""
        if not await self._is_ours(interaction):
            return
        mark, guild = marks.of_match(found), guild_of(interaction)
        who = asked.of_mark(interaction, mark)
        if mark.user and mark.user != str(interaction.user.id):
            self._answering.start_refusing(who)
        elif mark.action == "stop":
            self._answering.start_acknowledging(interaction)
            self._stops.stop(asked.session_of(interaction, mark.thread), message=mark.message)
        else:
            self._do(who, pressed_below(mark, who.asker.user_id), guild)

    def _do(self, who: asked.Asked, pressed: Press | None, guild: str) -> None:
        work = partial(self._buttons.at(guild).pressed, press=pressed)
        self._answering.start(who, work, name=f"press {pressed.action if pressed is not None else 'unknown'}")


def pressed_below(mark: Mark, user: UserId) -> Press | None:
    """Return what a button below a reply stands for; None for one that cannot be pressed.

    Args:
        mark: What it carries.
        user: Who pressed it, whom it is for.
    """
    match mark.action:
        case "why" | "good" | "bad" as action:
            return Press(action=action, message=mark.message)
        case "retry":
            return Press(action="retry", user=user, message=mark.message)
        case "undo" if mark.number:
            return Press(action="forget", user=user, what=f"#{mark.number}")
    return None


def _footer(message: discord.Message | None) -> str:
    embeds = message.embeds if message is not None else []
    return next((embed.footer.text for embed in embeds if embed.footer.text), "")


def _item(pattern: re.Pattern[str], pressed: Pressed) -> type[discord.ui.DynamicItem[AnyButton]]:
    """Return a kind of button as the library knows kinds: by what their `custom_id` looks like."""

    class Item(discord.ui.DynamicItem[AnyButton], template=pattern):
        def __init__(self, button: AnyButton, found: re.Match[str]) -> None:
            super().__init__(button)
            self._found = found

        @classmethod
        async def from_custom_id(
            cls, _interaction: AnyInteraction, item: discord.ui.Item[Any], match: re.Match[str], /
        ) -> "Item":
            if not isinstance(item, discord.ui.Button):
                raise TypeError(type(item).__name__)
            return cls(item, match)

        async def callback(self, interaction: AnyInteraction) -> None:
            await pressed(interaction, self._found)

    return Item
