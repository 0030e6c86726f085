"""A long text as a model can read it: repeats folded, the first error with its stack trace kept, then both ends. Pure.

A text within the limit stays as it is, so a digest of a digest is the same, and manifests keep their shape. Lines that
differ only in what counts or names something (times, numbers, ids, hex) are repeats; in a log wherever they stand,
elsewhere only where they follow one another. Whatever is left out is said, in its place.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAX_DIGEST_CHARS = 16_000
"""Of one file; some 5,000 to 8,000 tokens."""

_LEFT_OUT = "… {:,} lines left out"
_CUT = " … {:,} characters left out … "
_REPEATED = " [and {:,} more like this]"
_LEAST_CHARS = 300  # below this there is no room for marks
_LONGEST_LINE_SHARE = 8  # of several lines, one takes no more than an eighth of the digest
_ERROR_SHARE, _OTHER_ERRORS_SHARE, _HEAD_SHARE = 0.4, 0.55, 0.75  # of the digest, each including those before it
_LAST_ENTRIES = 10  # of a log stay as they are: how it ended, and when
_LOG_SHARE = 0.3  # of the lines begin as log lines do; the others are traces and wrapped text
_JUDGED_LINES = 400

_EVENT = re.compile(
    r"\s*(?:[\[(]?\d{4}[-/]\d\d[-/]\d\d[T ]?|\[?\d\d:\d\d:\d\d|[IWEF]\d{4} \d\d:|\d{10,13}[.\s]"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? +\d"
    r"|\d{1,3}(?:\.\d{1,3}){3} - |\[?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)\b"
    r"|(?:level|time|ts|msg)=|\{\"(?:level|time|ts|msg|timestamp|@timestamp|severity|log)\")"
)
_ERROR = re.compile(
    r"\b(?:ERROR|ERR|FATAL|CRITICAL|CRIT|PANIC|SEVERE|EMERG)\b"
    r"|(?i:level|severity)[\"']?\s*[=:]\s*[\"']?(?i:error|fatal|critical|panic|alert|emerg)"
    r"|\[(?:error|fatal|crit|alert|emerg)\]|^[EF]\d{4} \d\d:|^Traceback \(most recent call last\)|^\s*panic:"
    r"|^\s*(?i:error|fatal)\b\s*[:\[]|[a-z](?:Error|Exception)\b(?=:|\s|$)"
)
_TROUBLE = re.compile(
    r"\b(?:error|exception|failed|failure|refused|denied|oomkilled|out of memory|timed out|crashloopbackoff|panic)\b",
    re.IGNORECASE,
)
_NO_TROUBLE = re.compile(
    r"\b(?:0|no|without) (?:errors?|failures?|failed)\b|\berrors?[=:]\s*(?:0|nil|null|none)\b", re.IGNORECASE
)
_TRACE = re.compile(r"\s+\S|Traceback \(|Caused by:|at [\w.$<>]+\(|\.\.\. \d+ more|goroutine \d+|[\w./-]+\.go:\d+")
_TRACE_END = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Warning)\b")

_BLANK = re.compile(r"\n(?:[ \t]*\n)+")
_COUNTED = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z_]*+\d[A-Za-z0-9_]*")
_RUN_OF_COUNTED = re.compile(r"#(?:[-:.,/+ ]?#)+")
_MARK = re.compile(r"… (?P<left_out>[\d,]{1,15}) lines left out$|.* \[and (?P<more>[\d,]{1,15}) more like this\]$")


@dataclass(slots=True)
class _Line:
    """A line of the digest to be.

    Attributes:
        weight: How many lines of the text it stands for.
        entry: Number of the entry it belongs to: a log line with its stack trace, or a line by itself.
    """

    text: str
    weight: int
    entry: int


def digest(text: str, max_chars: int = MAX_DIGEST_CHARS) -> str:
    """Return `text` within `max_chars`: as it is, or folded, or with lines left out. Never longer; linear time."""
    if len(text) <= max_chars:
        return text
    if max_chars < _LEAST_CHARS:
        return text[: max(0, max_chars)]
    lines = _folded(_BLANK.sub("\n\n", text).splitlines())
    longest = max_chars if len(lines) == 1 else max_chars // _LONGEST_LINE_SHARE
    for line in lines:
        line.text = _shortened(line.text, longest)
    whole = "\n".join(line.text for line in lines)
    return whole if len(whole) <= max_chars else _chosen(lines, max_chars)


def first_trouble(text: str, max_chars: int) -> str:
    """Return the line that a log is looked at for: its first error; the beginning of a text without one."""
    lines = [_Line(line, 1, number) for number, line in enumerate(text.splitlines())]
    found = _first_error(lines)
    return (text if found is None else lines[found].text).strip()[:max_chars].strip()


def _folded(texts: list[str]) -> list[_Line]:
    """Return the lines with each repeated entry once, and how often it came."""
    is_log = _is_log(texts)
    entries = list(_entries(texts, is_log=is_log))
    last = len(entries) - _LAST_ENTRIES if is_log else len(entries)
    kept: list[_Line] = []
    known: dict[tuple[str, ...], tuple[_Line, int]] = {}
    repeats: dict[int, int] = {}
    for number, entry in enumerate(entries):
        shape = tuple(map(_shape, entry))
        if shape in known and number < last:
            first, size = known[shape]
            repeats[first.entry] = repeats.get(first.entry, 0) + 1
            first.weight += size
            continue
        lines = [_Line(line, _weight(line), number) for line in entry]
        kept += lines
        if not is_log:
            known.clear()
        known[shape] = (lines[0], len(entry))
    for line in kept:
        if count := repeats.pop(line.entry, 0):
            line.text += _REPEATED.format(count)
    return kept


def _entries(texts: list[str], *, is_log: bool) -> Iterator[list[str]]:
    """Yield what belongs together: in a log, a line and what follows it up to the next; elsewhere every line."""
    entry: list[str] = []
    for text in texts:
        if entry and (not is_log or _EVENT.match(text)):
            yield entry
            entry = []
        entry.append(text)
    if entry:
        yield entry


def _is_log(texts: list[str]) -> bool:
    judged = [text for text in texts[:_JUDGED_LINES] if text.strip()]
    return sum(_EVENT.match(text) is not None for text in judged) >= max(1, len(judged) * _LOG_SHARE)


def _shape(line: str) -> str:
    """Return what a line has in common with its repeats."""
    return _RUN_OF_COUNTED.sub("#", _COUNTED.sub("#", line.strip()))


def _weight(line: str) -> int:
    """Return how many lines of the first text a line stands for: more than one if it is a mark of an earlier digest."""
    mark = _MARK.match(line)
    if mark is None:
        return 1
    if mark["left_out"]:
        return int(mark["left_out"].replace(",", "") or 1)
    return 1 + int(mark["more"].replace(",", "") or 0)


def _shortened(line: str, longest: int) -> str:
    if len(line) <= longest:
        return line
    room = longest - len(_CUT.format(len(line)))
    head = room * 2 // 3
    tail = room - head
    return line[:head] + _CUT.format(len(line) - room) + line[len(line) - tail :]


def _chosen(lines: list[_Line], max_chars: int) -> str:
    """Return the lines that fit, by what matters: the first error, other errors, the beginning, the end."""
    choice = _Choice(lines, max_chars)
    first = _first_error(lines)
    if first is not None:
        choice.take([first], up_to=1.0)
        choice.take(_from_both_ends(*_block(lines, first)), up_to=_ERROR_SHARE)
        choice.take(_errors(lines), up_to=_OTHER_ERRORS_SHARE)
    choice.take(range(len(lines)), up_to=_HEAD_SHARE)
    choice.take(range(len(lines) - 1, -1, -1), up_to=1.0)
    return choice.render()


class _Choice:
    """Lines that are kept, and the room that is left; every gap between them takes a mark's."""

    def __init__(self, lines: list[_Line], max_chars: int) -> None:
        self._lines = lines
        self._max_chars = max_chars
        self._mark_chars = len(_LEFT_OUT.format(sum(line.weight for line in lines))) + 1
        self._kept: set[int] = set()
        self._spent = self._mark_chars

    def take(self, indexes: Iterable[int], *, up_to: float) -> None:
        """Keep lines in this order until one would take the digest past that share of it."""
        limit = int(self._max_chars * up_to)
        for index in indexes:
            if index in self._kept:
                continue
            cost = self._cost(index)
            if self._spent + cost > limit:
                return
            self._kept.add(index)
            self._spent += cost

    def render(self) -> str:
        """Return the kept lines, with marks for the others."""
        parts: list[str] = []
        left_out = 0
        for index, line in enumerate(self._lines):
            if index not in self._kept:
                left_out += line.weight
                continue
            if left_out:
                parts.append(_LEFT_OUT.format(left_out))
                left_out = 0
            parts.append(line.text)
        if left_out:
            parts.append(_LEFT_OUT.format(left_out))
        return "\n".join(parts)

    def _cost(self, index: int) -> int:
        """Return what a line takes: itself, and the gap that it splits in two or closes."""
        before = index > 0 and index - 1 not in self._kept
        after = index + 1 < len(self._lines) and index + 1 not in self._kept
        return len(self._lines[index].text) + 1 + self._mark_chars * (before + after - 1)


def _first_error(lines: list[_Line]) -> int | None:
    """Return the first line that is marked as an error; the first that tells of trouble when none is."""
    for index in _errors(lines):
        return index
    for index, line in enumerate(lines):
        if _TROUBLE.search(line.text) and not _NO_TROUBLE.search(line.text):
            return index
    return None


def _errors(lines: list[_Line]) -> Iterator[int]:
    return (index for index, line in enumerate(lines) if _ERROR.search(line.text))


def _block(lines: list[_Line], first: int) -> tuple[int, int]:
    """Return where an error's lines begin and end: the rest of its entry, and the stack trace that follows."""
    start, end = first, first + 1
    while start > 0 and lines[start - 1].entry == lines[first].entry:
        start -= 1
    while end < len(lines) and (lines[end].entry == lines[first].entry or _TRACE.match(lines[end].text)):
        end += 1
    is_trace = end > first + 1 and lines[end - 1].entry != lines[first].entry
    if is_trace and end < len(lines) and _TRACE_END.match(lines[end].text):
        end += 1  # Python names the error below its trace
    return start, end


def _from_both_ends(start: int, end: int) -> Iterator[int]:
    """Yield the first line, then by turns the last and the next: a trace says most at its ends."""
    last = end - 1
    while start <= last:
        yield start
        if last > start:
            yield last
        start, last = start + 1, last - 1
