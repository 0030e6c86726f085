"""Tables of Markdown, which Discord shows as typed, as blocks of code with columns in line. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from bots.text import code_and_prose

_RULE = re.compile(r" {0,3}+\|?[ \t]*+:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)*+\|?[ \t]*+")
_BETWEEN = re.compile(r"(?<!\\)\|")
_MARKED = re.compile(
    r"(?P<ticks>`++)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)"
    r"|(?<![\w/*])\*\*(?=[^\s*/])(?P<bold>(?:`[^`]*+`|[^`*])++)(?<=\S)\*\*(?![\w/*])"
)
"""Code and bold words: what they enclose is all that a block of code can show of them."""
_FENCE = re.compile(r"`{3,}")
"""It would end the block, wherever it stands."""
_GAP = "  "
_WIDEST = 40
"""Of a column; what is longer in it stands out of line."""


def tables_in_code(text: str) -> str:
    """Return Markdown with its tables as blocks of code; those in blocks of code are left as they are."""
    return "".join(piece if is_code else _prose(piece) for piece, is_code in code_and_prose(text))


def _prose(text: str) -> str:
    lines = text.split("\n")
    return "\n".join(_with_blocks(lines)) if any(map(_is_rule, lines)) else text


def _with_blocks(lines: Sequence[str]) -> Iterator[str]:
    at = 0
    while at < len(lines):
        end = _end_of_table(lines, at)
        if end == at:
            yield lines[at]
            end += 1
        else:
            header, _, *rows = (_cells(line) for line in lines[at:end])
            yield from ("```", *_aligned([header, *rows]), "```")
        at = end


def _end_of_table(lines: Sequence[str], at: int) -> int:
    """Return where a table ends whose header is line `at`; `at` itself if there is none."""
    if at + 1 >= len(lines) or "|" not in lines[at] or not _is_rule(lines[at + 1]):
        return at
    if len(_cells(lines[at])) != len(_cells(lines[at + 1])):
        return at
    end = at + 2
    while end < len(lines) and "|" in lines[end]:
        end += 1
    return end


def _is_rule(line: str) -> bool:
    return "|" in line and _RULE.fullmatch(line) is not None


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [_FENCE.sub("", _unmarked(cell.replace("\\|", "|"))).strip() for cell in _BETWEEN.split(inner)]


def _unmarked(cell: str) -> str:
    return _MARKED.sub(lambda found: found["code"] or _unmarked(found["bold"]), cell.strip()).strip()


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table, a rule below the first."""
    widths = [min(_WIDEST, max(map(_width, column))) for column in zip_longest(*rows, fillvalue="")]
    for number, row in enumerate(rows):
        yield _GAP.join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=False)).rstrip()
        if number == 0:
            yield _GAP.join("-" * width for width in widths)


def _width(text: str) -> int:
    """Return how many columns a text takes where all letters are equally wide."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else not unicodedata.combining(each) for each in text)
