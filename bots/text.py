"""Text in and out: cleaning what people send and share, splitting answers to a limit. Pure; knows no platform."""

import codecs
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from memory.errors import InputError

MAX_MESSAGE_CHARS = 200_000
EMPTY = "That message has no text, so there is nothing to answer. Say in the same message what you want of me."
_SURROGATE = re.compile("[\ud800-\udfff]")
_NEWLINES = re.compile(r"\r\n?|[\x85\u2028\u2029]")
# Controls but tab and newline; bidi overrides and isolates, which can show a command in another order than it runs in;
# zero-width spaces and marks that no script needs; lone surrogates; invisible tag letters outside of an emoji flag.
_UNWANTED = re.compile(
    "(?P<flag>\U0001f3f4[\U000e0030-\U000e007a]{1,6}\U000e007f)"
    "|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
# A joiner binds emoji and letters of scripts beyond ASCII; beside ASCII it only hides a word from a search.
_STRAY_JOINER = re.compile(r"(?<![^\x00-\x7f\u200c\u200d])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f\u200c\u200d])")
_INVISIBLE = re.compile(
    r"[\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200c-\u200f\u2800\u3164\ufe00-\ufe0f\uffa0]+"
)

_NEEDS_NO_GAP = "\n.,;:!?"
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]{0,30}[ -/]{0,5}[@-~]|\][^\x07\x1b]{0,300}(?:\x07|\x1b\\)|[@-Z\\^_])")
"""Colours and titles that programs write for a terminal."""
_BINARY = bytes({*range(32), 127} - {*b"\t\n\f\r\b\x1b"})
_BINARY_SHARE = 0.02

_FENCE = re.compile(
    r"^ {0,3}(?P<marker>`{3,8}(?=[^`\n]*$)|~{3,8}(?!~))[ \t]*(?P<language>[\w+#.-]{0,20})[^\n]*$", re.MULTILINE
)
LONGEST_CLOSE = 9  # a line break and eight marker characters
LEAST_LIMIT = 80
_BOUNDARIES = ("\n\n", "\n", ". ", " ")
_BOUNDARY_SHARE = 0.5  # a cut goes back to a boundary if that fills at least this much of the part


def clean_input(raw: bytes | str, *, may_be_empty: bool = False) -> str:
    """Return what a person sent as text that is safe to store, show and send on.

    Invalid UTF-8 is replaced, line breaks become newlines, control and direction-override characters go.

    Args:
        raw: What they sent.
        may_be_empty: Something came with it, so it needs no words; "" is returned when none is visible.

    Raises:
        InputError: Nothing visible is left, or it is longer than `MAX_MESSAGE_CHARS`.
    """
    text = raw.decode("utf-8", errors="replace") if isinstance(raw, bytes) else raw
    if len(text) > MAX_MESSAGE_CHARS:
        raise InputError(
            f"That message has {len(text):,} characters; I take at most {MAX_MESSAGE_CHARS:,}. Please send it in parts."
        )
    text = clean_text(text)
    if _INVISIBLE.sub("", text):
        return text
    if not may_be_empty:
        raise InputError(EMPTY)
    return ""


def file_text(data: bytes, *, is_whole: bool = True) -> str | None:
    """Return what a text file says, cleaned as people's messages are; None of a binary one.

    UTF-8, UTF-16 with its mark, or else Windows' Latin letters. A character that is cut where `is_whole` is False is
    left out.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = codecs.getincrementaldecoder("utf-16")("replace").decode(data, final=is_whole)
    elif len(data) - len(data.translate(None, _BINARY)) > len(data) * _BINARY_SHARE or b"\0" in data:
        return None
    else:
        try:
            text = codecs.getincrementaldecoder("utf-8-sig")().decode(data, final=is_whole)
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
    return _plain(_TERMINAL.sub("", text)).strip("\n")


def clean_text(text: str) -> str:
    """Return text with plain line breaks and without what only confuses who reads it; nothing may be left."""
    return _plain(text).strip()


def _plain(text: str) -> str:
    text = _UNWANTED.sub(lambda match: match["flag"] or "", _NEWLINES.sub("\n", text))
    return _STRAY_JOINER.sub("", text)


@dataclass(frozen=True, slots=True)
class _Fence:
    """A code block: where its opening line, its code and its closing line begin, and where it ends."""

    start: int
    code: int
    close: int
    end: int
    marker: str
    language: str


def without_address(text: str, address: str) -> str:
    """Leave out who is addressed, each time with the comma or colon after it and the space it would leave.

    Args:
        text: As a platform has it on the wire.
        address: A regular expression, without groups that capture, for a mention.
    """
    left_over, *rest = re.split(rf"{address}(?:[,:](?=\s|$))?", text)
    for after in rest:
        left, right = left_over.rstrip(" \t"), after.lstrip(" \t")
        needs_gap = left and not left.endswith("\n") and right and right[0] not in _NEEDS_NO_GAP
        left_over = left + (" " if needs_gap else "") + right
    return left_over


def sendable(text: str) -> str:
    """Return `text` with half characters, which cannot be encoded, replaced."""
    return _SURROGATE.sub("\ufffd", text)


def split_text(text: str, limit: int) -> list[str]:
    """Return `text` in parts of at most `limit` characters, none of them blank.

    Cuts fall on paragraphs, lines, sentences or words where such a boundary is near. A code block stays whole if it
    fits a part; else it is closed at the cut and opened again, with its language, in the next part. Apart from these
    repairs, and parts of white space alone, the parts joined are the text.

    Raises:
        ValueError: `limit` is below `LEAST_LIMIT`, which leaves no room for the repairs.
    """
    if limit < LEAST_LIMIT:
        raise ValueError(f"limit {limit} is below {LEAST_LIMIT}")
    fences = _fences(text)
    parts: list[str] = []
    position = 0
    while position < len(text):
        around = _fence_at(fences, position)
        opening = f"{around.marker}{around.language}\n" if around else ""
        end = _end_of_part(text, fences, position, limit - len(opening))
        body = text[position:end]
        cut_fence = _fence_at(fences, end) if end < len(text) else None
        if body.strip():
            parts.append(opening + body + (_closing(body, cut_fence) if cut_fence else ""))
        position = end
    return parts


def closed(text: str) -> str:
    """Return `text` with a code block that was left open closed; that adds at most `LONGEST_CLOSE` characters."""
    opened: re.Match[str] | None = None
    for match in _FENCE.finditer(text):
        if opened is None:
            opened = match
        elif _closes(match, opened):
            opened = None
    if opened is None:
        return text
    return text + ("" if text.endswith("\n") else "\n") + opened["marker"]


def code_and_prose(text: str) -> Iterator[tuple[str, bool]]:
    """Yield a text in pieces, each with whether it is a block of code; joined they are the text."""
    position = 0
    for fence in _fences(text):
        yield text[position : fence.start], False
        yield text[fence.start : fence.end], True
        position = fence.end
    yield text[position:], False


def _closing(body: str, fence: _Fence) -> str:
    return fence.marker if body.endswith("\n") else "\n" + fence.marker


def _end_of_part(text: str, fences: list[_Fence], position: int, room: int) -> int:
    """Return where the part that begins at `position` ends, so that it and its repairs take at most `room`."""
    if len(text) - position <= room:
        return len(text)
    end = _boundary(text, position, position + room - LONGEST_CLOSE)
    fence = _fence_at(fences, end)
    if fence is None:
        return end
    if fence.end - position <= room:
        return fence.end
    fits_elsewhere = fence.end - fence.start <= room
    if fence.start > position and text[position : fence.start].strip() and (fits_elsewhere or end <= fence.code):
        return fence.start
    # A part that would end on the bare opening line, or begin with the closing one, is cut in the code instead.
    return max(end, min(fence.code + 1, position + room - LONGEST_CLOSE))


def _boundary(text: str, start: int, end: int) -> int:
    """Return the best place to cut at or before `end`, after `start`."""
    least = start + int((end - start) * _BOUNDARY_SHARE)
    for boundary in _BOUNDARIES:
        found = text.rfind(boundary, least, end)
        if found >= 0:
            return found + len(boundary)
    return end


def _fences(text: str) -> list[_Fence]:
    """Return the code blocks in order; one that is never closed reaches to the end of the text."""
    found: list[_Fence] = []
    opened: re.Match[str] | None = None
    for match in _FENCE.finditer(text):
        if opened is None:
            opened = match
        elif _closes(match, opened):
            found.append(_fence(text, opened, close=match.start(), end=match.end() + 1))
            opened = None
    if opened is not None:
        found.append(_fence(text, opened, close=len(text), end=len(text)))
    return found


def _closes(match: re.Match[str], opened: re.Match[str]) -> bool:
    return match["marker"].startswith(opened["marker"]) and match[0].strip() == match["marker"]


def _fence(text: str, opened: re.Match[str], *, close: int, end: int) -> _Fence:
    code = min(opened.end() + 1, len(text))
    return _Fence(opened.start(), code, close, min(end, len(text)), opened["marker"], opened["language"])


def _fence_at(fences: list[_Fence], position: int) -> _Fence | None:
    """Return the code block that a cut at `position` would break."""
    index = bisect_right(fences, position, key=lambda fence: fence.start) - 1
    return fences[index] if index >= 0 and fences[index].start < position < fences[index].end else None
