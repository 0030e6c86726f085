"""Replies that repeat what is forgotten because it stood in the history of their thread. Reads only.

No key says so: such a reply was given the turns before it, not a memory. So its words decide: a later reply of the same
thread goes when it has a word of what is forgotten that nobody's remaining message in the thread has. That takes rather
a reply too many than one too few.
"""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.lexical import content_terms
from memory.stores.sql.rows import AnyRow
from memory.stores.sql.schema import messages


async def echoes(
    connection: AsyncConnection, *, said: Mapping[int, AnyRow], chosen: Collection[int], fact_texts: Iterable[str]
) -> set[int]:
    """Return the row numbers of replies that repeat what is forgotten.

    Args:
        connection: Where to read.
        said: The messages whose text goes, by row number.
        chosen: Those of them that are forgotten for themselves: all their words count.
        fact_texts: The facts that go: their words count.
    """
    told = _terms(fact_texts)
    found: set[int] = set()
    for session_id in sorted({row.session_id for row in said.values()}):
        gone = {row_id for row_id, row in said.items() if row.session_id == session_id}
        found |= await _echoes_in(connection, session_id, gone=gone, chosen=gone & set(chosen), told=told)
    return found


async def _echoes_in(
    connection: AsyncConnection, session_id: str, *, gone: set[int], chosen: set[int], told: frozenset[str]
) -> set[int]:
    rows = await connection.execute(
        select(messages.c.id, messages.c.author_id, messages.c.text).where(
            messages.c.session_id == session_id, messages.c.text.is_not(None)
        )
    )
    people: list[AnyRow] = []
    replies: list[AnyRow] = []
    for row in rows:
        (replies if row.author_id is None else people).append(row)
    remaining = _terms(row.text for row in people if row.id not in gone)
    forgotten = (told | _terms(row.text for row in people if row.id in chosen)) - remaining
    first = min(gone)
    return {row.id for row in replies if row.id > first and forgotten & _terms([row.text])}


def _terms(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(term for text in texts for term in content_terms(text))
