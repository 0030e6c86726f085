"""The mark that stands where a secret was. Pure."""

from collections import Counter


def mark(kind: str, found: Counter[str]) -> str:
    """Return the mark for one secret of a kind, and count it."""
    found[kind] += 1
    return f"[redacted: {kind}]"
