"""Whether somebody said just these words: whole ones, and with no "not" or "never" left out of them. Pure."""

import re

from memory.consolidation.words import APOSTROPHES, NEGATIONS, TOKEN

_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|\n[ \t]*\n|\n(?=[ \t]*(?:[-*\u2022]|\d{1,3}[.)])\s)")
_NO_NEGATION = re.compile(r"\b(?:do not|don't|dont|never) forget\b|^no\b[,.!]", re.IGNORECASE)
"""Turns nothing round: "Don't forget: ...", and the "No, ..." that begins an answer."""
_UNWRITTEN = frozenset(("dont", "doesnt", "didnt", "cant", "wont", "isnt", "arent", "wasnt", "shouldnt", "couldnt"))


def says(text: str, words: str) -> bool:
    """Whether `text` says `words`, give or take case and white space.

    They begin and end with whole words, and the sentences that they stand in deny nothing that they do not: "never use
    staging" does not say "use staging". When in doubt they are not said: they can be said again.
    """
    wanted = _plain(words).split()
    if not wanted:
        return False
    sentences = [" ".join(_plain(sentence).split()) for sentence in _SENTENCE_END.split(text)]
    said = "\n".join(sentences)
    edges = {edge for token in TOKEN.finditer(said) for edge in token.span()}
    return any(
        _is_whole(said, match, edges) and _negations(_sentences_around(said, match)) == _negations(" ".join(wanted))
        for match in re.finditer(r"\s".join(map(re.escape, wanted)), said)
    )


def _plain(text: str) -> str:
    return text.translate(APOSTROPHES).casefold()


def _is_whole(said: str, match: re.Match[str], edges: set[int]) -> bool:
    """Whether a passage cuts no word in two."""
    starts = match.start() in edges or not said[match.start()].isalnum()
    return starts and (match.end() in edges or not said[match.end() - 1].isalnum())


def _sentences_around(said: str, match: re.Match[str]) -> str:
    """Return the whole sentences that a passage is in."""
    end = said.find("\n", match.end())
    return said[said.rfind("\n", 0, match.start()) + 1 : end if end >= 0 else len(said)]


def _negations(text: str) -> int:
    words = (token[0] for token in TOKEN.finditer(_NO_NEGATION.sub(" ", text)))
    return sum(word in NEGATIONS or word in _UNWRITTEN or word.endswith("n't") for word in words)
