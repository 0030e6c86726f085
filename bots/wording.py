"""How memories and counts read, line by line, on every platform alike. Pure."""

from collections.abc import Mapping, Sequence

from memory.model import Fact, Memory, Recallable, Receipt

_SHOWN_CHARS = 300


def memory_line(memory: Memory) -> str:
    """Return a memory as one line that starts with its permanent number."""
    when = f"{memory.said_at:%Y-%m-%d}{_thread(memory.thread)}{_past(memory)}{_reach(memory)}"
    return f"#{memory.number}  {one_line(memory.text)}  ({when})"


def kept_line(fact: Fact) -> str:
    """Return what a person is told of a fact that was stored at their wish."""
    return f"I'll remember that: {one_line(fact.text)}"


def recalled_line(memory: Recallable) -> str:
    """Return a recalled memory as one line: the reader's own with its number, anything else with who said it."""
    where = f"{memory.said_at:%Y-%m-%d}{_thread(memory.thread)}"
    if memory.number is not None:
        return f"#{memory.number}  {one_line(memory.text)}  ({where})"
    return f'-  "{one_line(memory.text)}"  ({memory.author}, {where})'


def _thread(title: str) -> str:
    return f', thread "{one_line(title)}"' if title else ""


def _past(memory: Memory) -> str:
    if memory.valid_until is None:
        return ""
    by = f", now #{memory.superseded_by_number}" if memory.superseded_by_number else ""
    return f", until {memory.valid_until:%Y-%m-%d}{by}"


def _reach(memory: Memory) -> str:
    return ", usable anywhere" if memory.widened and memory.valid_until is None else ""


def one_line(text: str) -> str:
    """Return text on one line, cut where it is too long to be read in a list."""
    joined = " ".join(text.split())
    return joined if len(joined) <= _SHOWN_CHARS else joined[: _SHOWN_CHARS - 1] + "…"


def counted(count: int, singular: str, plural: str = "") -> str:
    """Return a count with its noun: "1 reply", "2 replies"."""
    return f"{count} {singular if count == 1 else plural or singular + 's'}"


def counted_kinds(findings: Mapping[str, int]) -> str:
    """Return removed secrets by kind: "2 x AWS key, 1 x JWT"."""
    return ", ".join(f"{count} x {kind}" for kind, count in sorted(findings.items()))


def receipt_line(receipt: Receipt) -> str:
    """Return what was removed, in counts."""
    parts = [
        counted(count, singular, plural)
        for count, singular, plural in (
            (receipt.facts, "fact", "facts"),
            (receipt.episodes, "episode", "episodes"),
            (receipt.messages, "message", "messages"),
            (receipt.replies, "reply", "replies"),
            (receipt.summaries, "summary", "summaries"),
        )
        if count
    ]
    return f"Forgotten: {', '.join(parts)}." if parts else "Nothing was left to forget."


def listed(parts: Sequence[str]) -> str:
    """Return parts as one enumeration: "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
