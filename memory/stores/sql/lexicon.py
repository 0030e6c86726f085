"""The full-text entries of turns, facts and episodes. What a term is, `memory.lexical` says; no engine's parser does.

An entry carries labels of its audience (`memory.audience`), so that the engine itself filters by scope.
"""

import bisect
import heapq
import math
import re
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from memory import lexical
from memory.audience import Scope, scope_labels, shared_labels
from memory.model import LexicalHit, LexicalResult, MemoryKey
from memory.stores.sql.fulltext import Fts5, FullText, Gin

_MOST_TERMS = 48
"""Of a longer question the longest terms are asked for: a longer word is the rarer one as a rule."""
_TIERS = (64, 2_000)
"""Of the terms that have fewer entries together than the first, all are read; of the others', the newest `limit`."""
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


async def replace_entry(connection: AsyncConnection, *, key: MemoryKey, labels: Collection[str], text: str) -> None:
    """Give a text whose readers have changed the labels of those it is for now."""
    await drop_entries(connection, [key])
    await put_entry(connection, key=key, labels=labels, text=text)


async def search(connection: AsyncConnection, scope: Scope, terms: Sequence[str], *, limit: int) -> LexicalResult:
    """Return entries inside the scope that have at least one of `terms`, best by the rarity of what they share.

    Frequencies and the number of entries are those of the whole index, and for common terms estimates: to count inside
    a scope would cost as much as the search. Rare terms are looked for first, all of their entries; then the others.
    """
    engine = _ENGINES[connection.dialect.name]
    asked = _most_telling({term for term in terms if _WHOLE.fullmatch(term)})
    documents = await engine.documents(connection)
    frequency = dict.fromkeys(terms, 0)
    if asked and documents:
        frequency |= await engine.frequencies(connection, asked, documents)
    labels = sorted(scope_labels(scope))
    found: dict[MemoryKey, str] = {}
    for tier in _tiers(frequency) if labels and limit else ():
        if len(found) < limit:
            found |= dict(await engine.matching(connection, labels, tier, limit=max(limit, _TIERS[0])))
    hits = [LexicalHit(key=key, terms=tuple(text.split(" "))) for key, text in found.items()]
    return LexicalResult(
        hits=tuple(_best(hits, frequency, documents, limit)), document_frequency=frequency, documents=documents
    )


async def has_shared(connection: AsyncConnection, scope: Scope) -> bool:
    """Whether there is any entry that others than the reader may see too."""
    labels = sorted(shared_labels(scope))
    return bool(labels) and await _ENGINES[connection.dialect.name].any_of(connection, labels)


def _most_telling(terms: Collection[str]) -> Sequence[str]:
    return sorted(terms, key=len, reverse=True)[:_MOST_TERMS]


def _best(hits: Sequence[LexicalHit], frequency: Mapping[str, int], documents: int, limit: int) -> Sequence[LexicalHit]:
    """Return the hits whose shared terms are rarest in sum."""
    if len(hits) <= limit:
        return hits
    rarity = {term: math.log1p(documents / count) for term, count in frequency.items() if count}
    asked = frozenset(rarity)
    return heapq.nlargest(limit, hits, key=lambda hit: sum(map(rarity.__getitem__, asked.intersection(hit.terms))))


def _tiers(frequency: Mapping[str, int]) -> Sequence[Sequence[str]]:
    """Cut the terms that occur, rarest first, where the entries they have together pass the next of `_TIERS`."""
    tiers: list[list[str]] = [[] for _ in range(len(_TIERS) + 1)]
    total = 0
    for term, count in sorted(frequency.items(), key=lambda item: item[1]):
        total += count
        if count:
            tiers[bisect.bisect_left(_TIERS, total)].append(term)
    return [tier for tier in tiers if tier]
