"""What people see of their memories in Slack: lists, questions and receipts, as blocks. Pure.

Words of people stand in plain text, in which nothing is live; only links and what is around them are mrkdwn.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bots.commands import CommandResult, plan_digest
from bots.slack.press import Press, encoded
from bots.slack.render import FORGET_ACTION, Block, fallback, undo
from bots.wording import counted, one_line
from memory.audience import is_for_everyone
from memory.model import Memory, Recallable, WidenPlan, key_kind

FORGET, AGREE, KEEP, PAGE = FORGET_ACTION, "recall_agree", "recall_keep", "recall_page"
SEARCH, EXPORT = "recall_search", "recall_export"
WIDEN, NARROW = "recall_widen", "recall_narrow"
PAUSE, RESUME = "recall_pause", "recall_resume"
PAGE_SIZE = 10
MOST_RECALLED = 15
NOTHING_CHANGED = "Nothing was changed."
THANKS = "Thank you."

_SECTION_CHARS, _MEMORY_CHARS, _MOST_SECTIONS = 3_000, 600, 4
_LINK = re.compile(r"https?://[^\s<>|]{1,2000}")


@dataclass(frozen=True, slots=True)
class View:
    """An answer that only one person sees; `text` is for where no blocks can be.

    Attributes:
        is_for_all: Everybody in the thread is to see it.
    """

    text: str
    blocks: tuple[Block, ...]
    is_for_all: bool = False


def words(text: str, *more: Block) -> View:
    """Return words in which nothing is live, and what is below them."""
    return View(fallback(text), (*sections(text), *more))


def announcement(user: str, text: str) -> View:
    """Return words to everybody in a thread on what somebody did there; only that person is mentioned.

    Args:
        user: Who.
        text: What they did, after their name, and what follows from it.
    """
    line = f"<@{user}> {_escaped(text)}"
    block: Block = {"type": "section", "text": {"type": "mrkdwn", "text": line, "verbatim": True}}
    return View(line, (block,), is_for_all=True)


def memory_list(memories: Sequence[Memory], ask: Press, *, note: str = "") -> View:
    """Return one page of a person's memories.

    Args:
        memories: All of them, newest first; at least one.
        ask: For whom, which words, which page; the last page when there is no such page any more.
        note: What to say above.
    """
    count = -(-len(memories) // PAGE_SIZE)
    page = max(0, min(ask.page or 0, count - 1))
    shown = memories[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
    here = replace(ask, page=page)
    blocks: list[Block] = sections(note)
    blocks.append(context(_escaped(_heading(len(memories), page, ask.words))))
    for memory in shown:
        blocks += line(memory, here)
    if count > 1:
        blocks.append(pages(here, page, count))
    lines = [f"#{memory.number}  {one_line(memory.text)}" for memory in shown]
    return View(fallback("\n".join([note, *lines] if note else lines)), tuple(blocks))


def question(result: CommandResult, ask: Press) -> View:
    """Return the preview of a forget, or of widening all, with the buttons that answer it."""
    if result.question is None:
        return words(result.text)
    action_id, label = (WIDEN, "Use anywhere") if isinstance(result.question, WidenPlan) else (AGREE, "Forget")
    agree = button(action_id, label, replace(ask, digest=plan_digest(result.question)), style="danger")
    keep = button(KEEP, "Keep", replace(ask, what="", message=""))
    return words(result.text, {"type": "actions", "elements": [agree, keep]})


def remembered(result: CommandResult, user: str, *, note: str = "") -> View:
    """Return what was stored by hand, with a way to take it back; `note` says what else there is to know."""
    buttons: Block = {"type": "actions", "elements": [undo(each.number, user) for each in result.memories]}
    return words(f"{result.text}\n{note}".strip(), buttons)


def reasons(recalled: Sequence[Recallable], ask: Press, *, note: str = "") -> View:
    """Return the memories that an answer was given; the reader's own can be forgotten.

    Args:
        recalled: What the reader may see here, best first; at least one.
        ask: For whom, and which answer.
        note: What to say above.
    """
    blocks: list[Block] = sections(note)
    blocks.append(context("That answer was given:"))
    for memory in recalled[:MOST_RECALLED]:
        if memory.number is None:
            blocks += _memory(f"“{memory.text}”", _source(memory, by=memory.author), None)
        else:
            press = replace(ask, what=f"#{memory.number}")
            text = f"#{memory.number}  {memory.text}"
            blocks += _memory(text, _source(memory), _forget_button(memory.number, press))
    if len(recalled) > MOST_RECALLED:
        blocks.append(context(f"… and {len(recalled) - MOST_RECALLED} more."))
    blocks.append({"type": "actions", "elements": [button(KEEP, "Keep", Press(user=ask.user))]})
    lines = [one_line(memory.text) for memory in recalled]
    return View(fallback("\n".join([note, *lines] if note else lines)), tuple(blocks))


def _heading(count: int, page: int, searched: str) -> str:
    found = f' with "{searched}"' if searched else ""
    if count <= PAGE_SIZE:
        return f"{counted(count, 'memory', 'memories')}{found}, newest first. Only you see this."
    first, last = page * PAGE_SIZE + 1, min(count, (page + 1) * PAGE_SIZE)
    return f"{first} to {last} of {count} memories{found}, newest first. Only you see this."


def _memory(text: str, about: str, forget: Block | None) -> list[Block]:
    shown = text if len(text) <= _MEMORY_CHARS else text[: _MEMORY_CHARS - 1] + "…"
    block: Block = {"type": "section", "text": plain(shown)}
    return [block | ({"accessory": forget} if forget else {}), context(about)]


def managed_line(memory: Memory, here: Press) -> list[Block]:
    """Return a memory of the person with all that they can do with it."""
    press = replace(here, what=f"#{memory.number}")
    buttons = [_forget_button(memory.number, press)]
    if memory.widened:
        buttons.append(button(f"{NARROW}:{memory.number}", "Use only for those who could read it", press))
    elif key_kind(memory.key) == "fact" and not is_for_everyone(memory.audience):
        buttons.append(button(f"{WIDEN}:{memory.number}", "Use anywhere here", press))
    told = _memory(f"#{memory.number}  {memory.text}", _about(memory), None)
    return [*told, {"type": "actions", "elements": buttons}]


def line(memory: Memory, here: Press) -> list[Block]:
    """Return a memory of the person, where it comes from, and its Forget button."""
    press = replace(here, what=f"#{memory.number}")
    return _memory(f"#{memory.number}  {memory.text}", _about(memory), _forget_button(memory.number, press))


def _about(memory: Memory) -> str:
    past = f"until {memory.valid_until:%Y-%m-%d}" if memory.valid_until is not None else ""
    reach = "usable anywhere" if memory.widened and not past else ""
    return _joined(_day(memory.said_at), _link(memory.link), _thread(memory.thread), past, reach)


def _source(memory: Recallable, *, by: str = "") -> str:
    return _joined(_escaped(by), _day(memory.said_at), _link(memory.link), _thread(memory.thread))


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _link(url: str | None) -> str:
    return f"<{url}|source>" if url and _LINK.fullmatch(url) else ""


def _thread(title: str) -> str:
    return _escaped(f'thread "{one_line(title)}"') if title else ""


def pages(here: Press, page: int, count: int) -> Block:
    """Return the buttons that turn the page."""
    newer = [button(f"{PAGE}:newer", "Newer", replace(here, page=page - 1))] if page else []
    older = [button(f"{PAGE}:older", "Older", replace(here, page=page + 1))] if page + 1 < count else []
    return {"type": "actions", "elements": [*newer, *older]}


def _forget_button(number: int, press: Press) -> Block:
    """Return a button whose action id is its own: Slack wants no two alike in one message."""
    return button(f"{FORGET}:{number}", "Forget", press)


def button(action_id: str, label: str, press: Press, *, style: str = "") -> Block:
    """Return a button that carries a press."""
    made: Block = {"type": "button", "action_id": action_id, "text": plain(label), "value": encoded(press)}
    return made | ({"style": style} if style else {})


def context(mrkdwn: str) -> Block:
    """Return a small line; its text is live."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": mrkdwn, "verbatim": True}]}


def sections(text: str) -> list[Block]:
    """Return words as blocks in which nothing is live, without the middle of what is too long; none for no words."""
    pieces = list(_pieces(text))
    if len(pieces) > _MOST_SECTIONS:
        pieces = [*pieces[: _MOST_SECTIONS - 1], "…", pieces[-1][-_SECTION_CHARS:]]
    return [{"type": "section", "text": plain(piece)} for piece in pieces]


def _pieces(text: str) -> Iterator[str]:
    """Yield the text in pieces that fit into a block, cut between lines where it can be."""
    while len(text) > _SECTION_CHARS:
        at = text.rfind("\n", 1, _SECTION_CHARS)
        at = at if at > 0 else _SECTION_CHARS
        yield text[:at]
        text = text[at:].removeprefix("\n")
    if text.strip():
        yield text


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain(text: str) -> dict[str, Any]:
    """Return a text object in which nothing is live."""
    return {"type": "plain_text", "text": text, "emoji": False}
