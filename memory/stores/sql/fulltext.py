"""The two full-text engines: SQLite's FTS5 and PostgreSQL's `tsvector` with GIN. `lexicon` decides what to ask of them.

Terms and labels go in as they are; neither engine's parser sees a text. Each is looked for in its own column, so
nobody can write a label into a message.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import MemoryKey

_GIN_ENOUGH = 20_000
"""A PostgreSQL search in which every term and label has more entries than this sees a part of them."""


class FullText(Protocol):
    """What an engine does."""

    async def put(self, connection: AsyncConnection, key: MemoryKey, labels: Iterable[str], terms: str) -> None:
        """Write one entry."""
        ...

    async def documents(self, connection: AsyncConnection) -> int:
        """Return about how many entries there are."""
        ...

    async def frequencies(self, connection: AsyncConnection, terms: Sequence[str], documents: int) -> Mapping[str, int]:
        """Return in how many entries each term occurs; of a common one, an estimate."""
        ...

    async def matching(
        self, connection: AsyncConnection, labels: Sequence[str], terms: Sequence[str], *, limit: int
    ) -> Sequence[tuple[MemoryKey, str]]:
        """Return keys and terms of entries with one of `labels` and one of `terms`; the newest, if the engine knows."""
        ...

    async def any_of(self, connection: AsyncConnection, labels: Sequence[str]) -> bool:
        """Whether an entry has one of `labels`."""
        ...


class Fts5(FullText):
    """SQLite. Labels and terms are merged posting list by posting list, and a limit ends the merge."""

    _SAMPLE = 250
    """A term is counted this far; beyond, its frequency is taken from how densely it occurred until then."""

    _PUT = text("INSERT INTO lexicon (key, labels, terms) VALUES (:key, :labels, :terms)")
    _DOCUMENTS = text("SELECT coalesce(max(id), 0) FROM lexicon")
    _FREQUENCIES = text(
        "SELECT asked.key, (SELECT count(*) || ' ' || max(rowid) FROM"
        " (SELECT rowid FROM lexicon_index WHERE lexicon_index MATCH asked.value LIMIT :sample))"
        " FROM json_each(:asked) AS asked"
    )
    _MATCHING = text(
        "SELECT lexicon.key, lexicon.terms FROM lexicon JOIN"
        " (SELECT rowid FROM lexicon_index WHERE lexicon_index MATCH :wanted ORDER BY rowid DESC LIMIT :limit) AS found"
        " ON lexicon.id = found.rowid"
    )
    _ANY = text("SELECT 1 FROM lexicon_index WHERE lexicon_index MATCH :wanted LIMIT 1")

    async def put(self, connection: AsyncConnection, key: MemoryKey, labels: Iterable[str], terms: str) -> None:
        await connection.execute(self._PUT, {"key": key, "labels": " ".join(labels), "terms": terms})

    async def documents(self, connection: AsyncConnection) -> int:
        """Return the highest row number: erased entries count until newer ones take their place."""
        return int((await connection.execute(self._DOCUMENTS)).scalar_one())

    async def frequencies(self, connection: AsyncConnection, terms: Sequence[str], documents: int) -> Mapping[str, int]:
        asked = json.dumps({term: f'terms:"{term}"' for term in terms}, ensure_ascii=False)
        rows = (await connection.execute(self._FREQUENCIES, {"asked": asked, "sample": self._SAMPLE})).all()
        return {term: self._estimate(counted, documents) for term, counted in rows}

    def _estimate(self, counted: str | None, documents: int) -> int:
        count, _, reached = (counted or "0").partition(" ")
        if int(count) < self._SAMPLE:
            return int(count)
        return max(int(count), round(int(count) * documents / int(reached)))

    async def matching(
        self, connection: AsyncConnection, labels: Sequence[str], terms: Sequence[str], *, limit: int
    ) -> Sequence[tuple[MemoryKey, str]]:
        wanted = f"{_any('labels', labels)} AND {_any('terms', terms)}"
        rows = (await connection.execute(self._MATCHING, {"wanted": wanted, "limit": limit})).all()
        return [(MemoryKey(key), found) for key, found in rows]

    async def any_of(self, connection: AsyncConnection, labels: Sequence[str]) -> bool:
        return (await connection.execute(self._ANY, {"wanted": _any("labels", labels)})).first() is not None


class Gin(FullText):
    """PostgreSQL. One GIN index over terms and labels; it collects all matches before the first is read."""

    _SAMPLE = 1_000
    """A term is counted this far; beyond, ANALYZE knows its frequency, or it is taken to be this."""

    _PUT = text(
        "INSERT INTO lexicon (key, labels, terms, words) VALUES (:key, CAST(:labels AS text[]),"
        " array_to_tsvector(string_to_array(:terms, ' ')), :terms)"
    )
    _DOCUMENTS = text(
        "SELECT CASE WHEN reltuples >= :sample THEN CAST(reltuples AS bigint)"
        " ELSE (SELECT count(*) FROM (SELECT 1 FROM lexicon LIMIT :sample) AS counted) END"
        " FROM pg_class WHERE oid = CAST('lexicon' AS regclass)"
    )
    _FREQUENCIES = text(
        "SELECT term, (SELECT count(*) FROM"
        " (SELECT 1 FROM lexicon WHERE terms @@ CAST(quoted AS tsquery) LIMIT :sample) AS counted) AS entries"
        " FROM unnest(CAST(:terms AS text[]), CAST(:quoted AS text[])) AS asked (term, quoted)"
    )
    _COMMON = text(
        "SELECT term, share FROM pg_stats, unnest(CAST(CAST(most_common_elems AS text) AS text[]),"
        " most_common_elem_freqs) AS common (term, share) WHERE schemaname = current_schema()"
        " AND tablename = 'lexicon' AND attname = 'terms' AND term = ANY(CAST(:terms AS text[]))"
    )
    _LIMIT_WORK = text("SELECT set_config('gin_fuzzy_search_limit', :enough, true)")
    _MATCHING = text(
        "SELECT key, words FROM lexicon"
        " WHERE labels && CAST(:labels AS text[]) AND terms @@ CAST(:wanted AS tsquery) LIMIT :limit"
    )
    _ANY = text("SELECT 1 FROM lexicon WHERE labels && CAST(:labels AS text[]) LIMIT 1")

    async def put(self, connection: AsyncConnection, key: MemoryKey, labels: Iterable[str], terms: str) -> None:
        await connection.execute(self._PUT, {"key": key, "labels": list(labels), "terms": terms})

    async def documents(self, connection: AsyncConnection) -> int:
        """Return the planner's estimate; of a small table, which it may not know yet, the count."""
        return int((await connection.execute(self._DOCUMENTS, {"sample": self._SAMPLE})).scalar_one())

    async def frequencies(self, connection: AsyncConnection, terms: Sequence[str], documents: int) -> Mapping[str, int]:
        values = {"terms": list(terms), "quoted": [f"'{term}'" for term in terms], "sample": self._SAMPLE}
        rows = (await connection.execute(self._FREQUENCIES, values)).all()
        counts: dict[str, int] = {row.term: row.entries for row in rows}
        common = [term for term, count in counts.items() if count == self._SAMPLE]
        if common:
            shares = (await connection.execute(self._COMMON, {"terms": common})).all()
            counts |= {term: max(self._SAMPLE, round(share * documents)) for term, share in shares}
        return counts

    async def matching(
        self, connection: AsyncConnection, labels: Sequence[str], terms: Sequence[str], *, limit: int
    ) -> Sequence[tuple[MemoryKey, str]]:
        await connection.execute(self._LIMIT_WORK, {"enough": str(_GIN_ENOUGH)})
        values = {"labels": list(labels), "wanted": " | ".join(f"'{term}'" for term in terms), "limit": limit}
        rows = (await connection.execute(self._MATCHING, values)).all()
        return [(MemoryKey(key), words) for key, words in rows]

    async def any_of(self, connection: AsyncConnection, labels: Sequence[str]) -> bool:
        return (await connection.execute(self._ANY, {"labels": list(labels)})).first() is not None


def _any(column: str, words: Sequence[str]) -> str:
    """Return FTS5's query for entries that have one of `words` in `column`."""
    quoted = " OR ".join(f'"{word}"' for word in words)
    return f"{column}:({quoted})"
