"""Sheets as people see them in Discord: an embed, and buttons below it. Pure.

Words of people stand escaped, so that nothing in them is live; a link is one only where it is Discord's own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bots.desk.sheets import Announcement, Export, Home, Line, MemoryList, Offer, Origin, Reasons, Sheet, Words
from bots.discord import ids
from bots.discord.press import written
from bots.discord.render import Button, plain
from bots.press import Button as NeutralButton
from bots.wording import one_line

TEXT_CHARS = 3_900
"""Of an embed's 4,096."""
_MEMORY_CHARS, _AUTHOR_CHARS, _TITLE_CHARS = 240, 40, 60
_LINK = re.compile(r"https://discord\.com/channels/[@a-z0-9/]{1,80}")
_LINE_WIDTHS = (2_000, 300, 150, 75)
_CUT = " …"


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
            return View(text=_fitting(sheet.text))
        case Offer():
            return _with_buttons([sheet.note, sheet.text], sheet.buttons)
        case Announcement():
            return View(text=f"<@{ids.user_of(sheet.by)[1]}> {_cut(plain(sheet.text))}", is_for_all=True)
        case MemoryList():
            return _listed([sheet.note, sheet.heading], sheet.lines, sheet.turn)
        case Reasons():
            return _listed([sheet.note, sheet.heading], sheet.lines, [sheet.keep], after=sheet.more)
        case Home():
            return _home(sheet)
        case Export():
            return view(sheet.then)


def _home(sheet: Home) -> View:
    lines = [line for group in sheet.groups for line in group.lines]
    return _listed(
        [sheet.note, sheet.state, sheet.empty, sheet.span], lines, [*sheet.turn, sheet.switch], after=sheet.usage
    )


def _listed(above: Sequence[str], lines: Sequence[Line], more: Sequence[NeutralButton], *, after: str = "") -> View:
    """Return lines with all that can be done with each; five rows of five buttons hold ten lines and what is more."""
    forgets = [_numbered(line, line.forget) for line in lines if line.forget is not None]
    reaches = [_numbered(line, line.reach) for line in lines if line.reach is not None]
    texts = [*(plain(text) for text in above if text), *map(_line, lines), *([plain(after)] if after else [])]
    return _made("\n".join(texts), [*forgets, *reaches, *more])


def _numbered(line: Line, button: NeutralButton) -> NeutralButton:
    return NeutralButton(f"{button.label} #{line.number}", button.press, is_grave=button.is_grave)


def _with_buttons(texts: Sequence[str], buttons: Sequence[NeutralButton]) -> View:
    return _made(_fitting("\n".join(text for text in texts if text)), buttons)


def _made(text: str, buttons: Sequence[NeutralButton]) -> View:
    all_written = [written(button.press) for button in buttons]
    made = [
        Button(custom_id=carried.custom_id, label=button.label, style="danger" if button.is_grave else "secondary")
        for button, carried in zip(buttons, all_written, strict=True)
    ]
    footers = [carried.footer for carried in all_written if carried.footer]
    return View(text=_cut(text), footer=footers[0] if footers else "", buttons=tuple(made))


def _line(line: Line) -> str:
    text = replace(line, text=one_line(line.text)).shown
    return f"{plain(_shortened(text, _MEMORY_CHARS))}\n-# {_origin(line.origin)}"


def _origin(origin: Origin) -> str:
    link = f"[source]({origin.link})" if origin.link and _LINK.fullmatch(origin.link) else ""
    by, thread = origin.by[:_AUTHOR_CHARS], origin.thread[:_TITLE_CHARS]
    parts = [plain(by), origin.day, link, plain(thread), origin.until, origin.reach]
    return " · ".join(filter(None, parts))


def _fitting(text: str) -> str:
    """Return all lines of a text, each cut where they would not fit: a question stands in the last one."""
    lines = text.split("\n")
    shown = ("\n".join(plain(_shortened(line, width)) for line in lines) for width in _LINE_WIDTHS)
    return next((each for each in shown if len(each) <= TEXT_CHARS), _cut(plain(text)))


def _shortened(line: str, most: int) -> str:
    return line if len(line) <= most else line[: most - 1] + "…"


def _cut(text: str) -> str:
    """Return a text that an embed holds, without its end."""
    return text if len(text) <= TEXT_CHARS else text[: TEXT_CHARS - len(_CUT)] + _CUT
