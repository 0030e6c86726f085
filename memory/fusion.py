"""One order out of two kinds of similarity: meaning (dense) and words (BM25). Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from memory.lexical import bm25, content_terms, coverage, is_stop_term, rarities, terms
from memory.model import LexicalResult, MemoryKey, MessageId, Recallable, Recalled

_DAY_S = 86_400.0
_ECHO_TERMS = 2
"""A turn with at most this many words beyond its facts adds nothing to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What counts how much.

    Dense 1 to BM25 0.5 to 1 is what cross-validation chose on LoCoMo's turns (categories 1 to 4, all-MiniLM-L6-v2: R@10
    .61 against .45 for dense alone). BM25 is squashed, x / (x + half), so that a score does not hang on what else was
    found. The floors come from 24 DevOps questions and 21 lines of small talk against 24 facts (2026-11): every answer
    had a cosine of at least .34, small talk at most .27 but for one line, and a BM25 of at most 4.8.
    Recency and confirmation only break ties: together no more than a cosine step of .05.

    Attributes:
        half_bm25: The BM25 score that counts half.
        recency: Bonus of what was said just now.
        recency_days: The age at which that bonus has fallen to half.
        confirmation: Bonus of what was said again and again.
        dense_floor: Cosine from which a memory bears on the question.
        lexical_floor: Squashed BM25 from which it does so by rare words alone, however far its meaning.
        lexical_floor_alone: The same where the meaning is not known, as while the index is away.
        coverage_floor: Share of the question's words from which it does, however small the index and common the words.
        coverage_terms: Of so many different words at least, unless the meaning is not known: one is chance.
    """

    dense: float = 1.0
    lexical: float = 0.75
    half_bm25: float = 4.0
    recency: float = 0.03
    recency_days: float = 30.0
    confirmation: float = 0.02
    dense_floor: float = 0.30
    lexical_floor: float = 0.60
    lexical_floor_alone: float = 0.30
    coverage_floor: float = 0.5
    coverage_terms: int = 2


WEIGHTS = Weights()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A memory that may answer the question.

    Attributes:
        terms: All its terms as `memory.lexical.terms` makes them; empty when they are to be made from the text.
        similarity: Cosine with the question in [-1, 1]; None when its vector is not indexed yet.
    """

    memory: Recallable
    terms: tuple[str, ...]
    similarity: float | None


def bm25_scores(question_terms: Sequence[str], found: LexicalResult) -> dict[MemoryKey, float]:
    """Return the BM25 score of every hit; those that share no term with the question are absent."""
    average_length = _average_length([hit.terms for hit in found.hits])
    rarity = _rarities(question_terms, found)
    scores = {hit.key: bm25(rarity, hit.terms, average_length=average_length) for hit in found.hits}
    return {key: score for key, score in scores.items() if score > 0}


def fuse(
    question: str, candidates: Sequence[Candidate], found: LexicalResult, *, now: datetime, weights: Weights = WEIGHTS
) -> list[Recalled]:
    """Return the candidates that bear on the question, best first; the identical text always leads.

    Args:
        question: What was asked.
        candidates: Each memory once.
        found: The statistics of the whole index; the candidates alone would make every word look common.
        now: For recency.
        weights: Data, so that a benchmark can try others.
    """
    rarity = _rarities([term for term in terms(question) if not is_stop_term(term)], found)
    all_terms = [one.terms or tuple(terms(one.memory.text)) for one in candidates]
    average_length = _average_length(all_terms)
    scored: list[tuple[bool, Recalled]] = []
    for one, its_terms in zip(candidates, all_terms, strict=True):
        raw = bm25(rarity, its_terms, average_length=average_length)
        lexical = raw / (raw + weights.half_bm25)
        identical = _same(one.memory.text, question)
        if identical or _bears(one.similarity, lexical, weights) or _covers(one, rarity, its_terms, weights):
            score = _score(one, lexical, now, weights)
            scored.append((identical, Recalled(memory=one.memory, similarity=one.similarity, score=score)))
    scored.sort(
        key=lambda entry: (not entry[0], -entry[1].score, -entry[1].memory.said_at.timestamp(), entry[1].memory.key)
    )
    return [recalled for _, recalled in scored]


def without_echoes(ranked: Sequence[Recalled]) -> list[Recalled]:
    """Return the memories without the turns that say no more than a fact learned from them, in the same order."""
    learned: dict[MessageId, set[str]] = {}
    for one in ranked:
        if one.memory.kind == "fact":
            for source in one.memory.sources:
                learned.setdefault(source, set()).update(content_terms(one.memory.text))
    return [one for one in ranked if one.memory.kind != "turn" or not _is_echo(one.memory, learned)]


def _is_echo(turn: Recallable, learned: Mapping[MessageId, set[str]]) -> bool:
    told = set[str]().union(*(learned.get(source, ()) for source in turn.sources))
    return bool(told) and len(set(content_terms(turn.text)) - told) <= _ECHO_TERMS


def _average_length(documents: Sequence[Sequence[str]]) -> float:
    return sum(len(one) for one in documents) / len(documents) if documents else 0.0


def _rarities(words: Sequence[str], found: LexicalResult) -> Mapping[str, float]:
    return rarities(words, found.document_frequency, documents=max(found.documents, len(found.hits)))


def _bears(similarity: float | None, lexical: float, weights: Weights) -> bool:
    if similarity is None:
        return lexical >= weights.lexical_floor_alone
    return similarity >= weights.dense_floor or lexical >= weights.lexical_floor


def _covers(one: Candidate, rarity: Mapping[str, float], its_terms: Sequence[str], weights: Weights) -> bool:
    """Whether a memory has most of what the question asks about."""
    shared = len(rarity.keys() & set(its_terms))
    if shared < (1 if one.similarity is None else weights.coverage_terms):
        return False
    return coverage(rarity, its_terms) >= weights.coverage_floor


def _score(one: Candidate, lexical: float, now: datetime, weights: Weights) -> float:
    # A memory without a vector yet is judged by its words as if its meaning were as near as they are.
    dense = lexical if one.similarity is None else max(0.0, one.similarity)
    age_days = max(0.0, (now - one.memory.said_at).total_seconds() / _DAY_S)
    recency = weights.recency * math.pow(0.5, age_days / weights.recency_days)
    confirmed = weights.confirmation * (1 - math.pow(0.5, one.memory.confirmations))
    return weights.dense * dense + weights.lexical * lexical + recency + confirmed


def _same(left: str, right: str) -> bool:
    return " ".join(left.casefold().split()) == " ".join(right.casefold().split())
