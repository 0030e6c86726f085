"""A reply as Discord posts: split within Discord's limits, notices in small print, buttons below. Pure.

A message holds 2,000 characters, five rows of five buttons, and no mass mention that works: the client allows none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bots.discord import ids
from bots.discord.marks import Action, Mark
from bots.discord.tables import tables_in_code
from bots.platform import Reply
from bots.press import Button as NeutralButton
from bots.reply import PLACEHOLDER, Ending
from bots.reply import parts as reply_parts
from bots.text import LONGEST_CLOSE, closed, sendable, split_text
from memory.model import UserId

CONTENT_CHARS = 2_000
PART_CHARS = 1_900
"""Of an answer in one post."""
THINKING = "Thinking …"

_SMALL = "-# "
_CUT = " …"
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
        guild: The server; `ids.DM` in direct messages.
    """

    thread: str
    message: str
    asker: str
    guild: str

    @property
    def asker_id(self) -> UserId | None:
        """The asker as memory knows them."""
        return ids.user_id(self.guild, self.asker) if self.asker else None

    def button_of(self, neutral: NeutralButton, *, part: int) -> Button:
        """Return a button of every platform's replies as it is here."""
        press = neutral.press
        is_own = press.user is not None
        if press.action == "forget":
            number = press.what.removeprefix("#")
            return self.button("undo", neutral.label, part=part, own=is_own, number=number)
        return self.button(press.action, neutral.label, part=part, own=is_own)  # type: ignore[arg-type]  # no other stands there

    def button(self, action: Action, label: str, *, part: int, own: bool = False, number: str = "") -> Button:
        """Return a button; `own` when only the asker may press it."""
        user = self.asker if own else ""
        mark = Mark(action=action, thread=self.thread, message=self.message, part=part, user=user, number=number)
        return Button(custom_id=mark.encoded(), label=label, disabled=action in {"waiting", "part", "broken", "ended"})


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
    neutral = reply_parts(
        reply,
        split=_pieces,
        message=answered.message,
        asker=answered.asker_id,
        partial=partial,
    )
    ending = neutral[-1].ending or Ending()
    pieces = _with_lines([part.text for part in neutral if part.text], _lines(ending)) or [PLACEHOLDER]
    is_one = len(pieces) == 1
    posts = [
        Post(
            content=piece, buttons=() if is_one else (_part(answered, part, failed=reply.failed),), failed=reply.failed
        )
        for part, piece in enumerate(pieces)
    ]
    last = len(posts) - 1
    controls = tuple(answered.button_of(each, part=last) for each in _buttons(ending))
    if (reply.failed or reply.withheld) and ending.retry is None:
        controls = (answered.button("ended", "No answer", part=last), *controls)
    return [*posts[:-1], replace(posts[-1], buttons=posts[-1].buttons + controls)]


def _lines(ending: Ending) -> list[str]:
    """Return what stands below the text: fixed words, and in small print what is told beside."""
    words = [plain(ending.words)] if ending.words else []
    told = [*(kept.text for kept in ending.kept), ending.more, *ending.notices]
    return [*words, *(small(" ".join(line.split())) for line in told if line.strip())]


def _buttons(ending: Ending) -> list[NeutralButton]:
    undos = [kept.undo for kept in ending.kept if kept.undo is not None]
    if len(undos) > 1:
        undos = [replace(each, label=f"{each.label} {each.press.what}") for each in undos]
    return [each for each in (ending.retry, ending.why, *ending.feedback, *undos) if each is not None]


def small(text: str) -> str:
    """Return lines in small print, in which nothing is live."""
    return "\n".join(f"{_SMALL}{plain(line)}" for line in text.splitlines() if line.strip())


def plain(text: str) -> str:
    """Return text in which no markup works."""
    return _MARKDOWN.sub(r"\\\1", sendable(text))


def units(text: str) -> int:
    """Return how long a text is, whichever way Discord counts: a letter outside of the basic plane may be two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, most: int) -> str:
    """Return a text of at most so many units, without its end where it has more."""
    if units(text) <= most:
        return text
    return text.encode("utf-16-le", "replace")[: 2 * (most - len(_CUT))].decode("utf-16-le", "ignore") + _CUT


def _pieces(text: str) -> list[str]:
    """Return a text in parts that fit, none of them blank."""
    text = tables_in_code(sendable(text))
    return [closed(piece) for piece in split_text(text, _part_chars(text) - LONGEST_CLOSE)]


def _part_chars(text: str) -> int:
    """Return how much of a text fits into a post, whichever way Discord counts."""
    return PART_CHARS if units(text) - len(text) <= CONTENT_CHARS - PART_CHARS else CONTENT_CHARS // 2


def _with_lines(pieces: Sequence[str], lines: Sequence[str]) -> list[str]:
    """Return the parts with lines below the last, or in parts of their own."""
    made = list(pieces)
    for line in lines:
        longer = f"{made[-1]}\n{line}" if made else line
        if made and units(longer) <= CONTENT_CHARS:
            made[-1] = longer
        else:
            made.append(line)
    return made


def _stop(answered: Answered, part: int) -> Button:
    return answered.button("stop", "Stop", part=part, own=True)


def _part(answered: Answered, part: int, *, failed: bool = False) -> Button:
    return answered.button("broken" if failed else "part", f"Part {part + 1}", part=part)
