"""The two full-text engines: SQLite's FTS5 and PostgreSQL's `tsvector` with GIN. `lexicon` decides what to ask of them.

Terms and labels go in as they are; neither engine's parser sees a text. A term or label found in the wrong column
matches nothing, so nobody can write a label into a message.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import LexicalHit, MemoryKey

SAMPLE = 1_000
"""A term is counted this far; beyond, its frequency is taken from how densely it occurred until then."""
PER_TERM = 64
"""So many entries are considered for one term, the newest where the engine knows them."""
_GIN_ENOUGH = 20_000
"""A PostgreSQL search in which every term and label has more entries than this sees a part of them."""


@dataclass(frozen=True, slots=True)
class Postings:
    """What an engine knows of one term: entries that have it, and some of those inside the scope, by engine's id."""

    frequency: int
    entries: Sequence[Any]


class FullText(Protocol):
    """What an engine does."""

    async def put(self, connection: AsyncConnection, key: MemoryKey, labels: Iterable[str], terms: str) -> None:
        """Write one entry."""
        ...

    async def documents(self, connection: AsyncConnection) -> int:
        """Return about how many entries there are."""
        ...

    async def postings(
        self, connection: AsyncConnection, labels: Sequence[str], terms: Sequence[str], documents: int
    ) -> Mapping[str, Postings]:
        """Return each term's frequency, and entries that have it and one of `labels`."""
        ...

    async def read(self, connection: AsyncConnection, entries: Collection[Any]) -> Sequence[LexicalHit]:
        """Return entries with their terms."""
        ...

    async def any_of(self, connection: AsyncConnection, labels: Sequence[str]) -> bool:
        """Whether an entry has one of `labels`."""
        ...


class Fts5(FullText):
    """SQLite. Labels and terms are merged posting list by posting list, and a limit ends the merge."""

    _PUT = text("INSERT INTO lexicon (key, labels, terms) VALUES (:key, :labels, :terms)")
    _DOCUMENTS = text("SELECT coalesce(max(id), 0) FROM lexicon")
    _POSTINGS = text(
        "SELECT asked.key AS term,"
        " (SELECT count(*) || ' ' || max(rowid) FROM"
        "   (SELECT rowid FROM lexicon_index"
        "    WHERE lexicon_index MATCH 'terms:' || asked.value LIMIT :sample)) AS counted,"
        " (SELECT group_concat(rowid, ' ') FROM (SELECT rowid FROM lexicon_index"
        "   WHERE lexicon_index MATCH :labels || ' AND terms:' || asked.value ORDER BY rowid DESC LIMIT :per_term))"
        "   AS entries"
        " FROM json_each(:asked) AS asked"
    )
    _READ = text("SELECT key, terms FROM lexicon WHERE id IN :entries").bindparams(bindparam("entries", expanding=True))
    _ANY = text("SELECT 1 FROM lexicon_index WHERE lexicon_index MATCH :labels LIMIT 1")

    async def put(self, connection: AsyncConnection, key: MemoryKey, labels: Iterable[str], terms: str) -> None:
        await connection.execute(self._PUT, {"key": key, "labels": " ".join(labels), "terms": terms})

    async def documents(self, connection: AsyncConnection) -> int:
        """Return the highest row number: erased entries count until newer ones take their place."""
        return int((await connection.execute(self._DOCUMENTS)).scalar_one())

    async def postings(
        self, connection: AsyncConnection, labels: Sequence[str], terms: Sequence[str], documents: int
    ) -> Mapping[str, Postings]:
        values = {
            "asked": json.dumps({term: _quoted(term) for term in terms}, ensure_ascii=False),
            "labels": _any_label(labels),
            "sample": SAMPLE,
            "per_term": PER_TERM,
        }
        rows = (await connection.execute(self._POSTINGS, values)).all()
        return {
            term: Postings(_estimate(counted, documents), [int(entry) for entry in (entries or "").split()])
            for term, counted, entries in rows
        }

    async def read(self, connection: AsyncConnection, entries: Collection[Any]) -> Sequence[LexicalHit]:
        rows = (await connection.execute(self._READ, {"entries": list(entries)})).all()
        return [LexicalHit(key=key, terms=tuple(terms.split(" "))) for key, terms in rows]

    async def any_of(self, connection: AsyncConnection, labels: Sequence[str]) -> bool:
        return (await connection.execute(self._ANY, {"labels": _any_label(labels)})).first() is not None


class Gin(FullText):
    """PostgreSQL. One GIN index over labels and terms; it collects all matches before the first is read."""

    _PUT = text(
        "INSERT INTO lexicon (key, labels, terms, words) VALUES (:key, CAST(:labels AS text[]),"
        " array_to_tsvector(string_to_array(:terms, ' ')), :terms)"
    )
    _DOCUMENTS = text(
        "SELECT CASE WHEN reltuples >= :sample THEN CAST(reltuples AS bigint)"
        " ELSE (SELECT count(*) FROM (SELECT 1 FROM lexicon LIMIT :sample) AS counted) END"
        " FROM pg_class WHERE oid = CAST('lexicon' AS regclass)"
    )
    _LIMIT_WORK = text("SELECT set_config('gin_fuzzy_search_limit', :enough, true)")
    _POSTINGS = text(
        "SELECT term, (SELECT count(*) FROM"
        "   (SELECT 1 FROM lexicon WHERE terms @@ CAST(quoted AS tsquery) LIMIT :sample) AS counted),"
        " ARRAY(SELECT key FROM lexicon"
        "   WHERE labels && CAST(:labels AS text[]) AND terms @@ CAST(quoted AS tsquery) LIMIT :per_term)"
        " FROM unnest(CAST(:terms AS text[]), CAST(:quoted AS text[])) AS asked (term, quoted)"
    )
    _READ = text("SELECT key, words FROM lexicon WHERE key = ANY(CAST(:entries AS text[]))")
    _ANY = text("SELECT 1 FROM lexicon WHERE labels && CAST(:labels AS text[]) LIMIT 1")

    async def put(self, connection: AsyncConnection, key: MemoryKey, labels: Iterable[str], terms: str) -> None:
        await connection.execute(self._PUT, {"key": key, "labels": list(labels), "terms": terms})

    async def documents(self, connection: AsyncConnection) -> int:
        """Return the planner's estimate; of a small table, which it may not know yet, the count."""
        return int((await connection.execute(self._DOCUMENTS, {"sample": SAMPLE})).scalar_one())

    async def postings(
        self, connection: AsyncConnection, labels: Sequence[str], terms: Sequence[str], documents: int
    ) -> Mapping[str, Postings]:
        """Return the postings; a frequency of `SAMPLE` means as many or more."""
        await connection.execute(self._LIMIT_WORK, {"enough": str(_GIN_ENOUGH)})
        values = {
            "terms": list(terms),
            "quoted": [_quoted(term, "'") for term in terms],
            "labels": list(labels),
            "sample": SAMPLE,
            "per_term": PER_TERM,
        }
        rows = (await connection.execute(self._POSTINGS, values)).all()
        return {term: Postings(min(count, documents), keys) for term, count, keys in rows}

    async def read(self, connection: AsyncConnection, entries: Collection[Any]) -> Sequence[LexicalHit]:
        rows = (await connection.execute(self._READ, {"entries": list(entries)})).all()
        return [LexicalHit(key=key, terms=tuple(words.split(" "))) for key, words in rows]

    async def any_of(self, connection: AsyncConnection, labels: Sequence[str]) -> bool:
        return (await connection.execute(self._ANY, {"labels": list(labels)})).first() is not None


def _quoted(term: str, mark: str = '"') -> str:
    """Return a term as a literal of the query language."""
    return f"{mark}{term.replace(mark, mark * 2)}{mark}"


def _any_label(labels: Sequence[str]) -> str:
    return f"labels:({' OR '.join(map(_quoted, labels))})"


def _estimate(counted: str | None, documents: int) -> int:
    """Return a frequency from the size of a sample and the row number it reached."""
    count, _, reached = (counted or "0").partition(" ")
    if int(count) < SAMPLE:
        return int(count)
    return max(int(count), round(int(count) * documents / int(reached)))
