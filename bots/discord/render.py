"""A reply as Discord posts: split within Discord's limits, notices in small print, buttons below. Pure.

A message holds 2,000 characters, five rows of five buttons, and no mass mention that works: the client allows none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bots.discord.marks import Action, Mark
from bots.platform import Reply
from bots.text import LONGEST_CLOSE, closed, split_text
from bots.wording import counted, kept_line
from memory.model import Fact

CONTENT_CHARS = 2_000
PART_CHARS = 1_900
"""Of an answer in one post. A letter outside of the basic plane may count as two."""
THINKING = "Thinking …"

_NOTICE_CHARS, _MOST_NOTICES, _MOST_REMEMBERED, _WORDS_CHARS = 200, 7, 3, 400
_EMPTY = "…"
_SMALL = "-# "
_SURROGATE = re.compile("[\ud800-\udfff]")
_MARKDOWN = re.compile(r"([\\*_~`|>#\[\]<@-])")

Style = Literal["primary", "secondary", "danger"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button below a post.

    Attributes:
        custom_id: What comes back when it is pressed.
        label: What it says.
        style: Its colour.
        disabled: It cannot be pressed.
    """

    custom_id: str
    label: str
    style: Style = "secondary"
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message of a reply.

    Attributes:
        content: Its text, at most `CONTENT_CHARS`.
        buttons: Below it.
        failed: It is part of a reply that failed, in whose place there may be an answer later.
    """

    content: str
    buttons: tuple[Button, ...]
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the buttons of a reply name.

    Attributes:
        thread: The conversation.
        message: The message that is answered.
        asker: Whose message it is; "" when nobody is to stop it, try again or take back.
    """

    thread: str
    message: str
    asker: str

    def button(self, action: Action, label: str, *, part: int, own: bool = False, number: str = "") -> Button:
        """Return a button; `own` when only the asker may press it."""
        user = self.asker if own else ""
        mark = Mark(action=action, thread=self.thread, message=self.message, part=part, user=user, number=number)
        return Button(custom_id=mark.encoded(), label=label, disabled=action in {"waiting", "part", "ended"})


def waiting(text: str, answered: Answered) -> Post:
    """Return what stands in place of an answer whose turn has not come; `text` says why."""
    return Post(content=small(text), buttons=(answered.button("waiting", "Waiting", part=0),))


def thinking(answered: Answered) -> Post:
    """Return what stands in place of an answer that is being made, without a word of it."""
    return Post(content=small(THINKING), buttons=(_stop(answered, 0),))


def is_stand_in(content: str) -> bool:
    """Whether a first post shows nothing of an answer yet."""
    return all(line.startswith(_SMALL) for line in content.splitlines())


def so_far(text: str, answered: Answered) -> Sequence[Post]:
    """Return the beginning of an answer as posts; none while there is nothing to see."""
    pieces = _pieces(text)
    posts = [Post(content=piece, buttons=(_part(answered, part),)) for part, piece in enumerate(pieces)]
    return [*posts[:-1], replace(posts[-1], buttons=(_stop(answered, len(posts) - 1),))] if posts else []


def parts(reply: Reply, answered: Answered, *, partial: str = "") -> Sequence[Post]:
    """Return the posts of a reply in order, at least one.

    Args:
        reply: What to show.
        answered: Which message it answers.
        partial: What was shown of an answer that then failed; it stays, above the words that say so.
    """
    pieces = _pieces(partial if reply.failed else reply.text)
    below = [*_ending(reply), *_remembered(reply.remembered), *_notices(reply.notices)]
    if not pieces and not reply.failed:
        pieces = [_EMPTY]
    pieces = _with_lines(pieces, below)
    is_one = len(pieces) == 1
    posts = [
        Post(content=piece, buttons=() if is_one else (_part(answered, part),), failed=reply.failed)
        for part, piece in enumerate(pieces)
    ]
    return [*posts[:-1], replace(posts[-1], buttons=posts[-1].buttons + _controls(reply, answered, len(posts) - 1))]


def small(text: str) -> str:
    """Return lines in small print, in which nothing is live."""
    return "\n".join(f"{_SMALL}{plain(line)}" for line in text.splitlines() if line.strip())


def plain(text: str) -> str:
    """Return text in which no markup works."""
    return _MARKDOWN.sub(r"\\\1", _SURROGATE.sub("\ufffd", text))


def _pieces(text: str) -> list[str]:
    """Return a text in parts that fit, none of them blank."""
    text = _SURROGATE.sub("\ufffd", text)
    for limit in (PART_CHARS, CONTENT_CHARS // 2):
        pieces = [closed(piece) for piece in split_text(text, limit - LONGEST_CLOSE)]
        if all(len(piece.encode("utf-16-le")) // 2 <= CONTENT_CHARS for piece in pieces):
            break
    return pieces


def _with_lines(pieces: Sequence[str], lines: Sequence[str]) -> list[str]:
    """Return the parts with lines below the last, or in parts of their own."""
    made = list(pieces)
    for line in lines:
        longer = f"{made[-1]}\n{line}" if made else line
        if made and len(longer.encode("utf-16-le")) // 2 <= CONTENT_CHARS:
            made[-1] = longer
        else:
            made.append(line)
    return made


def _stop(answered: Answered, part: int) -> Button:
    return answered.button("stop", "Stop", part=part, own=True)


def _part(answered: Answered, part: int) -> Button:
    return answered.button("part", f"Part {part + 1}", part=part)


def _controls(reply: Reply, answered: Answered, part: int) -> tuple[Button, ...]:
    """Return what can be done with a reply."""
    undos = [
        answered.button("undo", f"Undo #{fact.number}", part=part, own=True, number=str(fact.number))
        for fact in reply.remembered[:_MOST_REMEMBERED]
        if answered.asker
    ]
    if reply.failed:
        may_retry = reply.kept and answered.asker
        again = (
            answered.button("retry", "Try again", part=part, own=True)
            if may_retry
            else answered.button("ended", "No answer", part=part)
        )
        return (again, *undos)
    used = f"Used {counted(reply.uses, 'memory', 'memories')}"
    why = [answered.button("why", used, part=part)] if reply.uses else []
    return (
        *why,
        answered.button("good", "Good answer", part=part),
        answered.button("bad", "Bad answer", part=part),
        *undos,
    )


def _ending(reply: Reply) -> list[str]:
    """Return the fixed words of a turn without an answer, and under which name the log has the reason."""
    if not reply.failed:
        return []
    named = f"{reply.text}\nError id: {reply.correlation_id}" if reply.correlation_id else reply.text
    return [plain(named[:_WORDS_CHARS]).strip() or _EMPTY]


def _remembered(facts: Sequence[Fact]) -> list[str]:
    """Return what was stored at the asker's wish."""
    lines = [small(_cut(kept_line(fact))) for fact in facts[:_MOST_REMEMBERED]]
    return [*lines, *([small(f"… and {len(facts) - len(lines)} more: /memories")] if facts[len(lines) :] else [])]


def _notices(notices: Sequence[str]) -> list[str]:
    """Return the lines beside an answer."""
    lines = [_cut(" ".join(notice.split())) for notice in notices if notice.strip()]
    if len(lines) > _MOST_NOTICES:
        lines = [*lines[: _MOST_NOTICES - 1], f"… and {len(lines) - _MOST_NOTICES + 1} more."]
    return [small(line) for line in lines]


def _cut(line: str) -> str:
    return line if len(line) <= _NOTICE_CHARS else line[: _NOTICE_CHARS - 1] + "…"
