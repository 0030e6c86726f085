"""A reply as Slack posts: split within Slack's limits, mass mentions made harmless, notices and buttons below. Pure.

Limits are those of docs.slack.dev where it states them, and below what others measured where it does not: a whole
message of blocks about 13,200 characters, `text` of chat.update 4,000 bytes, a streamed message 12,000 bytes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bots.platform import Reply
from bots.press import Button
from bots.reply import Ending, Part
from bots.reply import parts as reply_parts
from bots.slack.blocks import SECTION_CHARS, Block, fallback, plain
from bots.slack.press import FEEDBACK, element, encoded
from bots.text import LONGEST_CLOSE, closed, sendable, split_text
from memory.model import UserId

PART_CHARS = 10_500
"""Answer text of one post; notices, fixed words and buttons take at most 2,500 more."""
STREAM_BYTES = 9_000
"""What one streamed message may grow to."""

_BREAK = "\u200b"
_MASS_NAMES = ("channel", "here", "everyone", "group", "subteam")
# Markdown drops a backslash before the exclamation mark, and decodes entities, after which the mention may be live.
# Slack was seen not to take decoded angle brackets for those of a mention, so these need no care.
_MASS_AFTER = (
    "&#",
    "&excl",
    *(f"!{name}" for name in _MASS_NAMES),
    *(f"!{name[:length]}&#" for name in _MASS_NAMES for length in range(len(name))),
)
_MASS_STARTS = tuple(f"<{backslash}{after}" for backslash in ("", "\\") for after in _MASS_AFTER)
_MASS = re.compile(rf"<(?=\\?(?:{'|'.join(_MASS_AFTER)}))", re.IGNORECASE)
_LONGEST_START = max(map(len, _MASS_STARTS))


def escape_mass_mentions(text: str) -> str:
    """Return text that looks the same and pings no channel and no user group; lone surrogates become U+FFFD."""
    return _MASS.sub(f"<{_BREAK}", sendable(text))


class StreamGuard:
    """Escapes text that comes in pieces: what may be the start of a mass mention waits for the next piece.

    What it gives out, joined, is `escape_mass_mentions` of what it was fed, joined.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """Take the next piece; return what can go out now."""
        text = self._held + piece
        safe = len(text) - _start_length(text)
        self._held = text[safe:]
        return escape_mass_mentions(text[:safe])

    def flush(self) -> str:
        """Return what still waits: nothing more comes."""
        text, self._held = self._held, ""
        return escape_mass_mentions(text)


def _start_length(text: str) -> int:
    """Return how many characters at the end may become a mass mention, or are one that is not seen whole yet."""
    tail = text[-_LONGEST_START:].lower()
    at = tail.rfind("<")
    if at < 0:
        return 0
    tail = tail[at:]
    return len(tail) if any(start.startswith(tail) and start != tail for start in _MASS_STARTS) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message of a reply.

    Attributes:
        markdown: The answer's text; empty when there is none.
        below: Blocks after it.
        text: What is shown where no blocks can be.
        failed: It is part of a reply that failed, in whose place there may be an answer later.
    """

    markdown: str
    below: tuple[Block, ...] = ()
    text: str
    failed: bool = False

    @property
    def blocks(self) -> list[Block]:
        """All of its blocks."""
        return [*([{"type": "markdown", "text": self.markdown}] if self.markdown.strip() else []), *self.below]

    @property
    def plain_blocks(self) -> list[Block]:
        """The same words in blocks that every Slack takes, without buttons."""
        words = self.markdown.strip()
        pieces = [words[at : at + SECTION_CHARS] for at in range(0, len(words), SECTION_CHARS)]
        told = [_without_button(block) for block in self.below if block["type"] in {"section", "context"}]
        return [*({"type": "section", "text": plain(piece)} for piece in pieces if piece.strip()), *told]


def _without_button(block: Block) -> Block:
    return {name: value for name, value in block.items() if name != "accessory"}


def parts(reply: Reply, *, message_id: str = "", asker: UserId | None = None, partial: str = "") -> Sequence[Post]:
    """Return the posts of a reply in order, at least one; see `bots.reply.parts`."""
    found = reply_parts(reply, split=_pieces, message=message_id, asker=asker, partial=partial)
    return [_post(part) for part in found]


def so_far(text: str) -> Post | None:
    """Return the beginning of an answer as a post, mass mentions escaped already; None when one cannot hold it."""
    if len(text) > PART_CHARS - LONGEST_CLOSE or not text.strip():
        return None
    return Post(markdown=closed(text), text=fallback(text))


def _pieces(text: str) -> Sequence[str]:
    return [closed(piece) for piece in split_text(escape_mass_mentions(text), PART_CHARS - LONGEST_CLOSE)]


def _post(part: Part) -> Post:
    below = () if part.ending is None else tuple(_below(part.ending))
    return Post(markdown=part.text, below=below, text=fallback(part.alone), failed=part.is_failed)


def _below(ending: Ending) -> Iterator[Block]:
    """Yield what stands below the text of an answer."""
    if ending.words:
        yield {"type": "section", "text": plain(ending.words)}
    if ending.notices:
        yield _small(*ending.notices)
    for kept in ending.kept:
        told: Block = {"type": "section", "text": plain(kept.text)}
        yield told | ({"accessory": element(kept.undo)} if kept.undo is not None else {})
    if ending.more:
        yield _small(ending.more)
    for button in filter(None, (ending.why, ending.retry)):
        yield {"type": "actions", "elements": [element(button)]}
    if ending.feedback:
        yield {"type": "context_actions", "elements": [_feedback(*ending.feedback)]}


def _small(*lines: str) -> Block:
    return {"type": "context", "elements": [plain(line) for line in lines]}


def _feedback(good: Button, bad: Button) -> Block:
    return {
        "type": "feedback_buttons",
        "action_id": FEEDBACK,
        "positive_button": {"text": plain(good.label), "value": encoded(good.press)},
        "negative_button": {"text": plain(bad.label), "value": encoded(bad.press)},
    }
