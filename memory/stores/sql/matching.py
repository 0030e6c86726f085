"""Which texts have all the words that somebody wants forgotten, by stems. Pure; made for scanning many texts."""

import re

from memory.lexical import content_terms, terms

_ODD = re.compile(r"[^\t\n\r -~]")
_SUFFIX_CHARS = 2  # what the stemmer may have changed at the end of a word, as in happy -> happi, hoping -> hope
_SHORT_CHARS = 4  # the stemmer has exceptions for short words, as in dying -> die


class Words:
    """The words of `/forget about`, ready to be looked for.

    Attributes:
        is_empty: There is no word; nothing matches then.
    """

    def __init__(self, words: str) -> None:
        self._wanted = frozenset(content_terms(words))
        self._beginnings = tuple(_beginning(term) for term in self._wanted)
        self.is_empty = not self._wanted

    def are_in(self, text: str | None) -> bool:
        """Whether `text` has all the words."""
        if not text or self.is_empty:
            return False
        folded = text.casefold()
        if not _ODD.search(folded) and not all(beginning in folded for beginning in self._beginnings):
            return False  # plain text without even the beginnings: no need to stem it
        return self._wanted <= set(terms(text))


def _beginning(term: str) -> str:
    """Return what every word with this stem begins with, in plain text."""
    return term[:1] if len(term) <= _SHORT_CHARS else term[:-_SUFFIX_CHARS]
