"""The full-text entries of turns, facts and episodes. What a term is, `memory.lexical` says; no engine's parser does.

SQLite: an FTS5 table whose tokenizer splits at spaces only. PostgreSQL: a `tsvector` made of the same terms as they
are. An entry carries labels of its audience (`memory.audience`), so that the engine itself filters by scope.
"""

from collections.abc import Collection

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from memory import lexical
from memory.model import MemoryKey

_TERM_CHARS = 128
"""A longer term is cut: PostgreSQL's lexemes and index items have limits, and both engines must agree."""

_DROP = text("DELETE FROM lexicon WHERE key IN :keys").bindparams(bindparam("keys", expanding=True))
_PUT = {
    "sqlite": text("INSERT INTO lexicon (key, labels, terms) VALUES (:key, :labels, :words)"),
    "postgresql": text(
        "INSERT INTO lexicon (key, labels, terms, words) VALUES (:key, string_to_array(:labels, ' '),"
        " array_to_tsvector(string_to_array(:words, ' ')), :words)"
        " ON CONFLICT (key) DO UPDATE SET labels = excluded.labels, terms = excluded.terms, words = excluded.words"
    ),
}


def index_terms(text_: str) -> list[str]:
    """Return the terms of a text as the index holds them."""
    return [term[:_TERM_CHARS] for term in lexical.terms(text_)]


def episode_text(title: str, happened: str, outcome: str) -> str:
    """Return the text of an episode: what is indexed, embedded and recalled."""
    return "\n".join(part for part in (title, happened, outcome) if part)


async def put_entry(connection: AsyncConnection, *, key: MemoryKey, labels: Collection[str], text: str) -> None:
    """Add the entry of a text that has none yet; a text without a term gets none."""
    words = " ".join(index_terms(text))
    if words:
        values = {"key": key, "labels": " ".join(sorted(labels)), "words": words}
        await connection.execute(_PUT[connection.dialect.name], values)


async def drop_entries(connection: AsyncConnection, keys: Collection[MemoryKey]) -> None:
    """Remove entries; unknown ones are fine."""
    if keys:
        await connection.execute(_DROP, {"keys": list(keys)})
