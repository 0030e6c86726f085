"""Whether a sentence rests on what people said in their own words. Pure."""

import re
from collections.abc import Sequence

from memory.consolidation.words import own_words, says_the_same, value_tokens
from memory.lexical import content_terms
from memory.model import Message

_OWN_SHARE = 0.25  # of a sentence's words that its sources must have in their writers' own words
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")
_REMEMBER = re.compile(r"\b(?:remember|note|keep in mind|don't forget)\b", re.IGNORECASE)
_SIGNS = frozenset(("<not>", "<planned>", "<past>"))


def is_grounded(text: str, sources: Sequence[Message], memory_texts: Sequence[str]) -> bool:
    """Whether a sentence rests on the writers' own words, not on what they quoted or what Recall told them."""
    own = " ".join(_stated(own_words(source.text)) for source in sources)
    own_terms = set(content_terms(own))
    names = {term for source in sources if source.author for term in content_terms(source.author.name)}
    words = {term for term in content_terms(text) if not any(char.isdigit() for char in term)} - names
    values = {token for token in value_tokens(text) if any(char.isdigit() for char in token)}
    if not words and not values:
        return False
    quoted_terms = {term for source in sources for term in content_terms(source.text)} - own_terms
    quoted_values = {token for source in sources for token in value_tokens(source.text)} - value_tokens(own)
    if values & quoted_values or len(words & quoted_terms) > len(words & own_terms):
        return False
    if any(says_the_same(text, told) for told in memory_texts):
        return words | values <= own_terms | value_tokens(own)
    return _shares_enough(words, values, own_terms, value_tokens(own))


def _stated(text: str) -> str:
    """Return a text without its questions: who asks does not say; who asks to remember does."""
    sentences = _SENTENCE_END.split(text)
    return "\n".join(one for one in sentences if not one.rstrip().endswith("?") or _REMEMBER.search(one))


def _shares_enough(words: set[str], values: set[str], own_terms: set[str], own_values: frozenset[str]) -> bool:
    shared = len(words & own_terms) + len(values & own_values)
    return shared >= max(1.0, _OWN_SHARE * len(words))


def backs(said: str, text: str) -> bool:
    """Whether what was said may confirm a fact: same negation, and the fact's numbers and ids wherever it has any."""
    mine, its = value_tokens(said), value_tokens(text)
    numbers = {token for token in its if any(char.isdigit() for char in token)}
    return mine & _SIGNS == its & _SIGNS and numbers <= mine
