"""A reply in the parts that a platform can post, with what stands below its text. Pure; knows no platform's markup."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bots.platform import Reply
from bots.press import Button, Press, undo
from bots.wording import counted, kept_line
from memory.model import Fact, UserId

PLACEHOLDER = "…"
"""What stands where there is no text (yet)."""
NOTICE_CHARS, MOST_NOTICES, MOST_KEPT, WORDS_CHARS = 200, 7, 3, 400


@dataclass(frozen=True, slots=True)
class Kept:
    """A line on what was stored at the asker's wish, and how to take it back."""

    text: str
    undo: Button | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What stands below a reply's text, in this order.

    Attributes:
        words: Fixed words that stand in place of an answer or after its beginning; "" below a whole answer.
        notices: Lines beside the answer, at most `MOST_NOTICES` of `NOTICE_CHARS`.
        kept: At most `MOST_KEPT`.
        more: How many more were stored; "" when there are none.
        why: Shows which memories it was given; None when there are none.
        feedback: Good and bad.
        retry: Has a message answered whose turn failed.
    """

    words: str = ""
    notices: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()
    more: str = ""
    why: Button | None = None
    feedback: tuple[Button, ...] = ()
    retry: Button | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One post of a reply.

    Attributes:
        text: Of the answer, in Markdown; empty when there is none.
        ending: What stands below it; None but for the last part.
        is_failed: It is part of a reply that failed, in whose place there may be an answer later.
    """

    text: str
    ending: Ending | None = None
    is_failed: bool = False

    @property
    def alone(self) -> str:
        """What it says where only one text can be shown, as in a notification."""
        return self.text or (self.ending.words if self.ending is not None else "")


def parts(
    reply: Reply,
    *,
    split: Callable[[str], Sequence[str]],
    message: str = "",
    asker: UserId | None = None,
    partial: str = "",
) -> Sequence[Part]:
    """Return the posts of a reply in order, at least one.

    Args:
        reply: What to show.
        split: Makes text harmless, and cuts it into pieces that a post can hold, none of them blank.
        message: The message it answers, which its buttons name; only Undo stands below a reply without one.
        asker: For whom there are buttons to try again and to take back; no such buttons when None.
        partial: What was shown of an answer that then failed; it stays, above the words that say so.
    """
    pieces = split(partial if reply.failed else reply.text)
    found = [Part(text=piece, is_failed=reply.failed) for piece in pieces or [""]]
    words = _words(reply) if reply.failed or not pieces else ""
    return [*found[:-1], replace(found[-1], ending=_ending(reply, words=words, message=message, asker=asker))]


def _ending(reply: Reply, *, words: str, message: str, asker: UserId | None) -> Ending:
    is_answer = bool(message) and not (reply.failed or reply.withheld)
    can_retry = bool(message) and reply.failed and reply.kept
    retry = Press(action="retry", user=asker, message=message)
    hidden = len(reply.remembered) - MOST_KEPT
    return Ending(
        words=words,
        notices=_notices(reply.notices),
        kept=tuple(_kept(fact, asker) for fact in reply.remembered[:MOST_KEPT]),
        more=f"… and {hidden} more: /memories" if hidden > 0 else "",
        why=_why(reply.uses, message) if is_answer and reply.uses else None,
        feedback=_feedback(message) if is_answer else (),
        retry=Button("Try again", retry) if can_retry and asker is not None else None,
    )


def _words(reply: Reply) -> str:
    """Return the fixed words of a turn without an answer, and under which name the log has the reason."""
    words = reply.text if reply.text.strip() else PLACEHOLDER
    named = f"{words}\nError id: {reply.correlation_id}" if reply.correlation_id else words
    return named[:WORDS_CHARS]


def _why(count: int, message: str) -> Button:
    return Button(f"Used {counted(count, 'memory', 'memories')}", Press(action="why", message=message))


def _feedback(message: str) -> tuple[Button, ...]:
    good, bad = Press(action="good", message=message), Press(action="bad", message=message)
    return Button("Good answer", good), Button("Bad answer", bad)


def _kept(fact: Fact, asker: UserId | None) -> Kept:
    return Kept(_cut(kept_line(fact)), undo(fact.number, asker) if asker is not None else None)


def _notices(notices: Sequence[str]) -> tuple[str, ...]:
    lines = [_cut(notice.strip()) for notice in notices if notice.strip()]
    if len(lines) > MOST_NOTICES:
        more = f"… and {len(lines) - MOST_NOTICES + 1} more."
        lines = [*lines[: MOST_NOTICES - 1], more]
    return tuple(lines)


def _cut(line: str) -> str:
    return line if len(line) <= NOTICE_CHARS else line[: NOTICE_CHARS - 1] + "…"
