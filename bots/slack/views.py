"""Sheets as people see them in Slack, as blocks. Pure.

Words of people stand in plain text, in which nothing is live; only links and what is around them are mrkdwn.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from bots.desk.sheets import (
    Announcement,
    Export,
    Home,
    Line,
    MemoryList,
    Offer,
    Origin,
    Reasons,
    Sheet,
    Words,
)
from bots.press import MOST_WORDS, Button
from bots.slack import ids
from bots.slack.blocks import Block, context, escaped, fallback, plain, sections
from bots.slack.press import SEARCH, element
from bots.wording import one_line

TITLE = "What I remember of you"
HINT = (
    "Only you see this. To store something: /remember. To forget more at once: /forget about, this thread, everything."
)

_MEMORY_CHARS = 600
_LINK = re.compile(r"https?://[^\s<>|]{1,2000}")


@dataclass(frozen=True, slots=True)
class View:
    """A sheet in Slack; `text` is for where no blocks can be.

    Attributes:
        is_for_all: Everybody in the thread is to see it; else one person does.
    """

    text: str
    blocks: tuple[Block, ...]
    is_for_all: bool = False


def view(sheet: Sheet) -> View:
    """Return a sheet as Slack shows it; of an export, which is sent elsewhere, what is shown then."""
    match sheet:
        case Words():
            return View(fallback(sheet.text), tuple(sections(sheet.text)))
        case Offer():
            blocks = (*sections(sheet.note), *sections(sheet.text), *_actions(sheet.buttons))
            return View(fallback(sheet.text), blocks)
        case Announcement():
            return _announcement(sheet)
        case MemoryList():
            return _memory_list(sheet)
        case Reasons():
            return _reasons(sheet)
        case Home():
            return _home(sheet)
        case Export():
            return view(sheet.then)


def _announcement(sheet: Announcement) -> View:
    line = f"<@{ids.user_of(sheet.by)[1]}> {escaped(sheet.text)}"
    block: Block = {"type": "section", "text": {"type": "mrkdwn", "text": line, "verbatim": True}}
    return View(line, (block,), is_for_all=True)


def _memory_list(sheet: MemoryList) -> View:
    blocks = [*sections(sheet.note), context(escaped(sheet.heading))]
    blocks += chain.from_iterable(map(_line, sheet.lines))
    texts = [f"#{line.number}  {one_line(line.text)}" for line in sheet.lines]
    return View(_lines(sheet.note, texts), (*blocks, *_actions(sheet.turn)))


def _reasons(sheet: Reasons) -> View:
    blocks = [*sections(sheet.note), context(sheet.heading)]
    blocks += chain.from_iterable(map(_line, sheet.lines))
    blocks += [context(sheet.more)] if sheet.more else []
    texts = [one_line(line.text) for line in sheet.lines]
    return View(_lines(sheet.note, texts), (*blocks, *_actions([sheet.keep])))


def _home(sheet: Home) -> View:
    state: Block = {"type": "section", "text": plain(sheet.state), "accessory": element(sheet.switch)}
    blocks: list[Block] = [{"type": "header", "text": plain(TITLE)}, context(HINT)]
    blocks += [*sections(sheet.note), state, _search(sheet.words)]
    for group in sheet.groups:
        blocks.append({"type": "header", "text": plain(group.kind)})
        blocks += chain.from_iterable(map(_managed, group.lines))
    blocks += sections(sheet.empty)
    blocks += [context(sheet.span)] if sheet.span else []
    blocks += [*_actions(sheet.turn), {"type": "divider"}, *sections(sheet.usage)]
    return View(TITLE, (*blocks, *_actions(sheet.buttons)))


def _managed(line: Line) -> list[Block]:
    """Return a memory of the person with all that they can do with it."""
    return [*_memory(line), *_actions([button for button in (line.forget, line.reach) if button is not None])]


def _line(line: Line) -> list[Block]:
    """Return a memory, where it comes from, and its Forget button when it is the reader's own."""
    told, about = _memory(line)
    return [told | ({"accessory": element(line.forget)} if line.forget is not None else {}), about]


def _memory(line: Line) -> tuple[Block, Block]:
    text = line.shown if len(line.shown) <= _MEMORY_CHARS else line.shown[: _MEMORY_CHARS - 1] + "…"
    return {"type": "section", "text": plain(text)}, context(_origin(line.origin))


def _origin(origin: Origin) -> str:
    link = f"<{origin.link}|source>" if origin.link and _LINK.fullmatch(origin.link) else ""
    parts = [escaped(origin.by), origin.day, link, escaped(origin.thread), origin.until, origin.reach]
    return " · ".join(filter(None, parts))


def _actions(buttons: Sequence[Button]) -> list[Block]:
    return [{"type": "actions", "elements": [element(button) for button in buttons]}] if buttons else []


def _search(words: str) -> Block:
    """Return the search field."""
    field: Block = {
        "type": "plain_text_input",
        "action_id": SEARCH,
        "max_length": MOST_WORDS,
        "placeholder": plain("Words that a memory has"),
    }
    return {
        "type": "input",
        "dispatch_action": True,
        "optional": True,
        "label": plain("Search"),
        "element": field | ({"initial_value": words} if words else {}),
    }


def _lines(note: str, lines: Sequence[str]) -> str:
    return fallback("\n".join([note, *lines] if note else lines))
