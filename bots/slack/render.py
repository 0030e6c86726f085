"""A reply as Slack posts: split within Slack's limits, mass mentions made harmless, notices and buttons below. Pure.

Limits are those of docs.slack.dev where it states them, and below what others measured where it does not: a whole
message of blocks about 13,200 characters, `text` of chat.update 4,000 bytes, a streamed message 12,000 bytes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bots.platform import Reply
from bots.slack.press import Press, encoded
from bots.text import LONGEST_CLOSE, closed, split_text
from bots.wording import counted, kept_line
from memory.model import Fact

Block = dict[str, Any]

PART_CHARS = 10_500
"""Answer text of one post; notices, fixed words and buttons take at most 2,500 more."""
STREAM_BYTES = 9_000
"""What one streamed message may grow to."""
TEXT_BYTES = 3_000
"""The `text` beside the blocks: what a notification shows, and a client that knows no blocks."""
WHY_ACTION, FEEDBACK_ACTION = "recall_why", "recall_feedback"
RETRY_ACTION, FORGET_ACTION = "recall_retry", "recall_forget"
GOOD, BAD = "good", "bad"
PLACEHOLDER = "…"

_SECTION_CHARS = 3_000
_NOTICE_CHARS, _MOST_NOTICES, _MOST_REMEMBERED, _WORDS_CHARS = 200, 7, 3, 400
_BREAK = "\u200b"
_SURROGATE = re.compile("[\ud800-\udfff]")
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
    return _MASS.sub(f"<{_BREAK}", _SURROGATE.sub("\ufffd", text))


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
        pieces = [words[at : at + _SECTION_CHARS] for at in range(0, len(words), _SECTION_CHARS)]
        told = [_without_button(block) for block in self.below if block["type"] in {"section", "context"}]
        return [*({"type": "section", "text": _plain(piece)} for piece in pieces if piece.strip()), *told]


def _without_button(block: Block) -> Block:
    return {name: value for name, value in block.items() if name != "accessory"}


def parts(reply: Reply, *, message_id: str = "", asker: str = "", partial: str = "") -> Sequence[Post]:
    """Return the posts of a reply in order, at least one.

    Args:
        reply: What to show.
        message_id: The message it answers, which its buttons name; no buttons without one.
        asker: The user for whom there are buttons to try again and to take back; no such buttons when empty.
        partial: What was shown of an answer that then failed; it stays, above the words that say so.
    """
    text = escape_mass_mentions(partial if reply.failed else reply.text)
    pieces = [closed(piece) for piece in split_text(text, PART_CHARS - LONGEST_CLOSE)]
    posts = [Post(markdown=piece, text=fallback(piece), failed=reply.failed) for piece in pieces]
    if reply.failed or not posts:
        words = reply.text if reply.text.strip() else PLACEHOLDER
        posts = posts or [Post(markdown="", text=fallback(words), failed=reply.failed)]
        ending: list[Block] = [_words(words, reply.correlation_id)]
    else:
        ending = []
    ending += [*_notices(reply.notices), *_remembered(reply.remembered, asker)]
    if message_id and not reply.failed:
        ending += footer(message_id, used=reply.uses)
    if message_id and asker and reply.failed and reply.kept:
        ending.append(_try_again(Press(user=asker, message=message_id)))
    return [*posts[:-1], replace(posts[-1], below=tuple(ending))]


def so_far(text: str) -> Post | None:
    """Return the beginning of an answer as a post, mass mentions escaped already; None when one cannot hold it."""
    if len(text) > PART_CHARS - LONGEST_CLOSE or not text.strip():
        return None
    return Post(markdown=closed(text), text=fallback(text))


def footer(message_id: str, *, used: int) -> Sequence[Block]:
    """Return the row that shows which memories an answer used, if any, and the feedback buttons."""
    button = {
        "type": "button",
        "action_id": WHY_ACTION,
        "text": _plain(f"Used {counted(used, 'memory', 'memories')}"),
        "value": message_id,
    }
    feedback = {
        "type": "feedback_buttons",
        "action_id": FEEDBACK_ACTION,
        "positive_button": {"text": _plain("Good answer"), "value": f"{GOOD}:{message_id}"},
        "negative_button": {"text": _plain("Bad answer"), "value": f"{BAD}:{message_id}"},
    }
    row: list[Block] = [{"type": "actions", "elements": [button]}] if used else []
    return [*row, {"type": "context_actions", "elements": [feedback]}]


def undo(number: int, user: str) -> Block:
    """Return the button by which somebody takes back what was just stored of them."""
    press = Press(user=user, what=f"#{number}")
    action_id = f"{FORGET_ACTION}:{number}"  # Slack wants no two alike in one message
    return {"type": "button", "action_id": action_id, "text": _plain("Undo"), "value": encoded(press)}


def _remembered(facts: Sequence[Fact], asker: str) -> list[Block]:
    """Return what was stored at the asker's wish, each with a way to take it back."""
    blocks: list[Block] = []
    for fact in facts[:_MOST_REMEMBERED]:
        told: Block = {"type": "section", "text": _plain(_cut(kept_line(fact)))}
        blocks.append(told | ({"accessory": undo(fact.number, asker)} if asker else {}))
    return [*blocks, *_notices([f"… and {len(facts) - len(blocks)} more: /memories"] if facts[len(blocks) :] else [])]


def _try_again(press: Press) -> Block:
    """Return the button of a turn without an answer."""
    button = {"type": "button", "action_id": RETRY_ACTION, "text": _plain("Try again"), "value": encoded(press)}
    return {"type": "actions", "elements": [button]}


def fallback(text: str) -> str:
    """Return `text` for where no blocks are shown: every control character escaped, cut to `TEXT_BYTES`."""
    escaped = _SURROGATE.sub("\ufffd", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    data = escaped.encode()
    if len(data) <= TEXT_BYTES:
        return escaped
    cut = data[: TEXT_BYTES - len("…".encode())].decode(errors="ignore")
    return re.sub(r"&[a-z]*$", "", cut) + "…"


def _words(text: str, correlation_id: str | None) -> Block:
    """Return the fixed words of a turn without an answer, and under which name the log has the reason."""
    named = f"{text}\nError id: {correlation_id}" if correlation_id else text
    return {"type": "section", "text": _plain(named[:_WORDS_CHARS])}


def _notices(notices: Sequence[str]) -> list[Block]:
    """Return the lines beside an answer; plain text, in which nothing is live."""
    lines = [_cut(notice.strip()) for notice in notices if notice.strip()]
    if len(lines) > _MOST_NOTICES:
        more = f"… and {len(lines) - _MOST_NOTICES + 1} more."
        lines = [*lines[: _MOST_NOTICES - 1], more]
    return [{"type": "context", "elements": [_plain(line) for line in lines]}] if lines else []


def _cut(line: str) -> str:
    return line if len(line) <= _NOTICE_CHARS else line[: _NOTICE_CHARS - 1] + "…"


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": _SURROGATE.sub("\ufffd", text), "emoji": False}
