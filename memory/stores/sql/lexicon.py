"""The full-text entries of turns, facts and episodes. What a term is, `memory.lexical` says; no engine's parser does.

An entry carries labels of its audience (`memory.audience`), so that the engine itself filters by scope.
"""

import heapq
import math
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from memory import lexical
from memory.audience import Scope, scope_labels, shared_labels
from memory.model import LexicalResult, MemoryKey
from memory.stores.sql.fulltext import Fts5, FullText, Gin, Postings

_MOST_TERMS = 48
"""Of a longer question the longest terms are asked for: a longer word is the rarer one as a rule."""
_WHOLE = re.compile(r"[\w.:/@-]+")
"""What a term can be; anything else is in no entry, and would be syntax to an engine."""

_ENGINES: dict[str, FullText] = {"sqlite": Fts5(), "postgresql": Gin()}
_DROP = text("DELETE FROM lexicon WHERE key IN :keys").bindparams(bindparam("keys", expanding=True))


def episode_text(title: str, happened: str, outcome: str) -> str:
    """Return the text of an episode: what is indexed, embedded and recalled."""
    return "\n".join(part for part in (title, happened, outcome) if part)


async def put_entry(connection: AsyncConnection, *, key: MemoryKey, labels: Collection[str], text: str) -> None:
    """Add the entry of a text that has none yet; a text without a term gets none."""
    terms = " ".join(lexical.terms(text))
    if terms:
        await _ENGINES[connection.dialect.name].put(connection, key, sorted(labels), terms)


async def drop_entries(connection: AsyncConnection, keys: Collection[MemoryKey]) -> None:
    """Remove entries; unknown ones are fine."""
    if keys:
        await connection.execute(_DROP, {"keys": list(keys)})


async def search(connection: AsyncConnection, scope: Scope, terms: Sequence[str], *, limit: int) -> LexicalResult:
    """Return entries inside the scope that have at least one of `terms`, best by the rarity of what they share.

    Frequencies and the number of entries are those of the whole index: counting inside a scope would cost as much as
    the search does. For common terms they are estimates.
    """
    engine = _ENGINES[connection.dialect.name]
    asked = _most_telling({term for term in terms if _WHOLE.fullmatch(term)})
    documents = await engine.documents(connection)
    labels = sorted(scope_labels(scope))
    if not (asked and documents and labels):
        return LexicalResult(hits=(), document_frequency=dict.fromkeys(terms, 0), documents=documents)
    postings = await engine.postings(connection, labels, asked, documents)
    chosen = _best(postings.values(), documents, limit)
    return LexicalResult(
        hits=tuple(await engine.read(connection, chosen)) if chosen else (),
        document_frequency=dict.fromkeys(terms, 0) | {term: found.frequency for term, found in postings.items()},
        documents=documents,
    )


async def has_shared(connection: AsyncConnection, scope: Scope) -> bool:
    """Whether there is any entry that others than the reader may see too."""
    labels = sorted(shared_labels(scope))
    return bool(labels) and await _ENGINES[connection.dialect.name].any_of(connection, labels)


def _most_telling(terms: Collection[str]) -> Sequence[str]:
    return sorted(terms, key=len, reverse=True)[:_MOST_TERMS]


def _best(postings: Collection[Postings], documents: int, limit: int) -> Sequence[Any]:
    """Return the entries whose shared terms are rarest in sum."""
    weights: defaultdict[Any, float] = defaultdict(float)
    for found in postings:
        for entry in found.entries:
            weights[entry] += math.log1p(documents / max(found.frequency, 1))
    return heapq.nlargest(limit, weights, key=lambda entry: weights[entry])
