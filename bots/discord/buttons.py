"""Buttons as the library takes them, and what is below a message."""

from collections.abc import Sequence

import discord

from bots.discord import marks
from bots.discord.marks import Mark
from bots.discord.render import Button

_STYLES = {
    "primary": discord.ButtonStyle.primary,
    "secondary": discord.ButtonStyle.secondary,
    "danger": discord.ButtonStyle.danger,
}


def view_of(buttons: Sequence[Button]) -> discord.ui.View | None:
    """Return buttons as the library takes them, five in a row; None for none.

    The library is not to remember them: what is pressed carries all that its press needs.
    """
    if not buttons:
        return None
    view = discord.ui.View(timeout=None)
    for each in buttons:
        made: discord.ui.Button[discord.ui.View] = discord.ui.Button(
            custom_id=each.custom_id, label=each.label, style=_STYLES[each.style], disabled=each.disabled
        )
        view.add_item(made)
    view.stop()
    return view


def marks_of(message: discord.Message) -> list[Mark]:
    """Return the marks of a message's buttons."""
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    named = [each.custom_id for row in rows for each in row.children if isinstance(each, discord.Button)]
    return [mark for each in named if each and (mark := marks.decoded(each))]
