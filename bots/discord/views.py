"""Sheets as people see them in Discord: an embed, and buttons below it. Pure.

Words of people stand escaped, so that nothing in them is live; a link is one only where it is Discord's own.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bots.desk.sheets import Announcement, Export, Home, Line, MemoryList, Offer, Origin, Reasons, Sheet, Words
from bots.discord import ids
from bots.discord.press import written
from bots.discord.render import Button, cut, plain, units
from bots.press import Button as NeutralButton
from bots.wording import one_line

TEXT_CHARS = 3_900
"""Of an embed's 4,096."""
_MEMORY_CHARS, _AUTHOR_CHARS, _TITLE_CHARS = 240, 40, 60
_LINK = re.compile(r"https://discord\.com/channels/[@a-z0-9/]{1,80}")
_WIDTHS = (2_000, 300, 150, 75, 40, 20)
"""Of the words in a line: the first that lets all lines fit."""


Shown = Callable[[int], str]
"""Text for an embed, with so many characters of each line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A sheet in Discord.

    Attributes:
        text: In markup.
        footer: Small print that is no markup; a press reads it again.
        buttons: Below it, in order.
        is_for_all: Everybody there is to see it; else one person does.
    """

    text: str
    footer: str = ""
    buttons: tuple[Button, ...] = ()
    is_for_all: bool = False


def view(sheet: Sheet) -> View:
    """Return a sheet as Discord shows it; of an export, what is shown beside the file."""
    match sheet:
        case Words():
            return View(text=_fitting(lambda width: _lines([sheet.text], width)))
        case Offer():
            return _with_buttons([sheet.note, sheet.text], sheet.buttons)
        case Announcement():
            by = f"<@{ids.user_of(sheet.by)[1]}> "
            return View(text=by + _fitting(lambda width: _lines([sheet.text], width)), is_for_all=True)
        case MemoryList():
            return _listed([sheet.note, sheet.heading], sheet.lines, sheet.turn)
        case Reasons():
            return _listed([sheet.note, sheet.heading], sheet.lines, [sheet.keep], after=sheet.more)
        case Home():
            raise TypeError("Discord has no place for an overview")
        case Export():
            return view(sheet.then)


def _listed(above: Sequence[str], lines: Sequence[Line], more: Sequence[NeutralButton], *, after: str = "") -> View:
    """Return lines with all that can be done with each; five rows of five buttons hold ten lines and what is more."""
    forgets = [_numbered(line, line.forget) for line in lines if line.forget is not None]
    reaches = [_numbered(line, line.reach) for line in lines if line.reach is not None]

    def shown(width: int) -> str:
        listed = [_line(line, width) for line in lines]
        return "\n".join(filter(None, [_lines(above, width), *listed, _lines([after], width)]))

    return _made(shown, [*forgets, *reaches, *more])


def _numbered(line: Line, button: NeutralButton) -> NeutralButton:
    return NeutralButton(f"{button.label} #{line.number}", button.press, is_grave=button.is_grave)


def _with_buttons(texts: Sequence[str], buttons: Sequence[NeutralButton]) -> View:
    return _made(lambda width: _lines(texts, width), buttons)


def _made(shown: Shown, buttons: Sequence[NeutralButton]) -> View:
    all_written = [written(button.press) for button in buttons]
    made = [
        Button(custom_id=carried.custom_id, label=button.label, style="danger" if button.is_grave else "secondary")
        for button, carried in zip(buttons, all_written, strict=True)
    ]
    footers = [carried.footer for carried in all_written if carried.footer]
    return View(text=_fitting(shown), footer=footers[0] if footers else "", buttons=tuple(made))


def _line(line: Line, width: int) -> str:
    text = replace(line, text=one_line(line.text)).shown
    return f"{plain(_shortened(text, min(width, _MEMORY_CHARS)))}\n-# {_origin(line.origin, width)}"


def _origin(origin: Origin, width: int) -> str:
    link = f"[source]({origin.link})" if origin.link and _LINK.fullmatch(origin.link) else ""
    by, thread = origin.by[: min(width, _AUTHOR_CHARS)], origin.thread[: min(width, _TITLE_CHARS)]
    parts = [plain(by), origin.day, link, plain(thread), origin.until, origin.reach]
    return " · ".join(filter(None, parts))


def _lines(texts: Sequence[str], width: int) -> str:
    """Return all lines of texts, none of which is markup, each cut to a width."""
    lines = [line for text in texts if text for line in text.split("\n")]
    return "\n".join(plain(_shortened(line, width)) for line in lines)


def _fitting(shown: Shown) -> str:
    """Return all lines, as wide as they fit: a question stands in the last one, and buttons are for each of a list."""
    tried = (shown(width) for width in _WIDTHS)
    return next((text for text in tried if units(text) <= TEXT_CHARS), cut(shown(_WIDTHS[-1]), TEXT_CHARS))


def _shortened(line: str, most: int) -> str:
    return line if len(line) <= most else line[: most - 1] + "…"
