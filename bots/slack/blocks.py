"""Slack's blocks, in which people's words are never live. Pure."""

import re
from collections.abc import Iterator
from typing import Any

from bots.text import sendable

Block = dict[str, Any]

TEXT_BYTES = 3_000
"""The `text` beside the blocks: what a notification shows, and a client that knows no blocks."""
SECTION_CHARS = 3_000

_MOST_SECTIONS = 4


def plain(text: str) -> dict[str, Any]:
    """Return a text object in which nothing is live."""
    return {"type": "plain_text", "text": sendable(text), "emoji": False}


def context(mrkdwn: str) -> Block:
    """Return a small line; its text is live."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": mrkdwn, "verbatim": True}]}


def sections(text: str) -> list[Block]:
    """Return words as blocks in which nothing is live, without the middle of what is too long; none for no words."""
    pieces = list(_pieces(text))
    if len(pieces) > _MOST_SECTIONS:
        pieces = [*pieces[: _MOST_SECTIONS - 1], "…", pieces[-1][-SECTION_CHARS:]]
    return [{"type": "section", "text": plain(piece)} for piece in pieces]


def _pieces(text: str) -> Iterator[str]:
    """Yield the text in pieces that fit into a block, cut between lines where it can be."""
    while len(text) > SECTION_CHARS:
        at = text.rfind("\n", 1, SECTION_CHARS)
        at = at if at > 0 else SECTION_CHARS
        yield text[:at]
        text = text[at:].removeprefix("\n")
    if text.strip():
        yield text


def fallback(text: str) -> str:
    """Return `text` for where no blocks are shown: every control character escaped, cut to `TEXT_BYTES`."""
    safe = escaped(sendable(text))
    data = safe.encode()
    if len(data) <= TEXT_BYTES:
        return safe
    cut = data[: TEXT_BYTES - len("…".encode())].decode(errors="ignore")
    return re.sub(r"&[a-z]*$", "", cut) + "…"


def escaped(text: str) -> str:
    """Return `text` with nothing live where mrkdwn is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
