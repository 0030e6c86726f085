"""What people see of their memories in Slack: lists, questions and receipts, as blocks. Pure.

A button carries all that its press needs, so a press after a restart, or in another process, means the same.
"""

from dataclasses import dataclass
from typing import Any

from bots.slack.render import Block, fallback

_SECTION_CHARS = 3_000


@dataclass(frozen=True, slots=True)
class View:
    """An answer that only one person sees; `text` is for where no blocks can be."""

    text: str
    blocks: tuple[Block, ...]


def plain(text: str) -> View:
    """Return words in which nothing is live."""
    return View(fallback(text), (section(text),))


def section(text: str) -> Block:
    """Return a block of words in which nothing is live."""
    return {"type": "section", "text": plain_text(_cut(text, _SECTION_CHARS))}


def plain_text(text: str) -> dict[str, Any]:
    """Return a text object in which nothing is live."""
    return {"type": "plain_text", "text": text, "emoji": False}


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1] + "…"
