"""Words as the full-text index knows them: stemmed terms, exact tokens kept whole, and BM25 over them. Pure."""

import functools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

import snowballstemmer

_STEMMER = snowballstemmer.stemmer("english")
_WORD = re.compile(r"[^\W_]+(?:[._:/@-]{1,3}[^\W_]+)*+")
_PART = re.compile(r"[^\W_]+")
_MAX_TOKEN_CHARS = 128  # longer runs are data, not words; their parts are still found
_INVISIBLE = {"Cc", "Cf", "Cs", "Co"}
_WHITE_CONTROL = frozenset("\t\n\v\f\r\x1c\x1d\x1e\x1f\x85")

STOP_WORDS = frozenset(
    """
    a about after again all also am an and any are as at be because been before being but by can could did do
    does doing down for from further had has have having he her here hers him his how i if in into is it its
    just let me more most my no nor not now of off on once only or other our ours out over own please same she
    should so some such than thank thanks that the their theirs them then there these they this those through
    to too under until up us very was we were what when where which while who whom why will with would you
    your yours s t d ll m re ve
    """.split()  # noqa: SIM905  # a list of 150 literals would not be read
)


def terms(text: str) -> list[str]:
    """Return the terms of `text`, in order, with repeats: a compound token whole, and its parts stemmed."""
    found: list[str] = []
    for token in _WORD.findall(_visible(text)):
        parts = _PART.findall(token)
        if len(parts) > 1 and len(token) <= _MAX_TOKEN_CHARS:
            found.append(token)
        found.extend(_stem(part) for part in parts)
    return found


def content_terms(text: str) -> list[str]:
    """Return the terms of `text` without stop words; all of them when it has nothing else."""
    everything = terms(text)
    return [term for term in everything if not is_stop_term(term)] or everything


def is_stop_term(term: str) -> bool:
    """Whether a term is a stop word's, and says nothing by itself."""
    return term in _STOP_TERMS


def _visible(text: str) -> str:
    """Fold case and compatibility forms; drop what nobody sees, so that it neither splits nor hides a word."""
    folded = unicodedata.normalize("NFKC", text.casefold())
    if folded.isascii() and folded.isprintable():
        return folded
    return "".join(
        " " if char in _WHITE_CONTROL else char
        for char in folded
        if char in _WHITE_CONTROL or unicodedata.category(char) not in _INVISIBLE
    )


@functools.lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return str(_STEMMER.stemWord(word)) if len(word) <= _MAX_TOKEN_CHARS else word[:_MAX_TOKEN_CHARS]


_STOP_TERMS = frozenset(_stem(word) for word in STOP_WORDS) | STOP_WORDS


def rarities(
    query_terms: Sequence[str], document_frequency: Mapping[str, int], *, documents: int
) -> Mapping[str, float]:
    """Return the weight of each of the question's terms; a term counts once however often it is asked."""
    return {term: idf(document_frequency.get(term, 1), documents=documents) for term in query_terms}


def idf(containing: int, *, documents: int) -> float:
    """Return the weight of a term that occurs in `containing` of `documents` entries, above 0."""
    documents = max(documents, 1)
    containing = min(max(containing, 1), documents)
    return math.log1p((documents - containing + 0.5) / (containing + 0.5))


def bm25(
    rarity: Mapping[str, float],
    document_terms: Sequence[str],
    *,
    average_length: float,
    k1: float = 1.2,
    b: float = 0.75,
) -> float:
    """Return the BM25 score of a document, 0 when it shares no term with the question.

    Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with Lucene's
    idf ln(1 + (N - n + 0.5) / (n + 0.5)), which is never negative.

    Args:
        rarity: The question's terms; see `rarities`.
        document_terms: In order, with repeats.
        average_length: Of documents, in terms.
        k1: How much a repeated term gains.
        b: How much a longer document loses.
    """
    counts = Counter(filter(rarity.__contains__, document_terms))
    length = len(document_terms) / average_length if average_length else 1.0
    damping = k1 * (1 - b + b * length)
    return sum(rarity[term] * frequency * (k1 + 1) / (frequency + damping) for term, frequency in counts.items())


def coverage(rarity: Mapping[str, float], document_terms: Sequence[str]) -> float:
    """Return the share in [0, 1] of the question's terms that a document has, each weighed by its rarity."""
    shared = rarity.keys() & set(document_terms)
    return sum(rarity[term] for term in shared) / sum(rarity.values()) if rarity else 0.0
