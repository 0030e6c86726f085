"""Words as the full-text index knows them: stemmed terms, and exact tokens kept whole. Pure."""

import functools
import re

import snowballstemmer

_STEMMER = snowballstemmer.stemmer("english")
_WORD = re.compile(r"[^\W_]+(?:[._:/@-]*[^\W_]+)*")
_PART = re.compile(r"[^\W_]+")


def terms(text: str) -> list[str]:
    """Return the terms of `text`, in order, with repeats: a compound token whole, and its parts stemmed."""
    found: list[str] = []
    for token in _WORD.findall(text.casefold()):
        parts = _PART.findall(token)
        if len(parts) > 1:
            found.append(token)
        found.extend(_stem(part) for part in parts)
    return found


@functools.lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return str(_STEMMER.stemWord(word))
