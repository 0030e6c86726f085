"""Which memories somebody may mean who has typed a little. Reads only; SQL finds them, newest numbers first."""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, String, cast, or_
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import Memory, UserId
from memory.stores.sql.memory_rows import episode_lines, fact_lines
from memory.stores.sql.schema import episode_people, episodes, facts

_EPISODE_TEXT = episodes.c.title + "\n" + episodes.c.happened + "\n" + episodes.c.outcome


async def suggested(
    connection: AsyncConnection, owner: UserId, *, number: str, parts: Sequence[str], limit: int
) -> list[Memory]:
    """Find memories as `FactStore.suggest` does."""
    wanted = [*_numbered(facts.c.number, number), *_having(facts.c.text, parts)]
    lines = await fact_lines(connection, owner, facts.c.valid_until.is_(None), *wanted, most=limit)
    wanted = [*_numbered(episode_people.c.number, number), *_having(_EPISODE_TEXT, parts)]
    lines += await episode_lines(connection, owner, *wanted, most=limit)
    return sorted(lines, key=lambda line: line.number, reverse=True)[:limit]


def _numbered(column: ColumnElement[int], number: str) -> Iterable[ColumnElement[bool]]:
    return [cast(column, String).startswith(number, autoescape=True)] if number else []


def _having(text: ColumnElement[str], parts: Sequence[str]) -> Iterable[ColumnElement[bool]]:
    for part in parts:
        # SQLite knows no case beyond ASCII
        written = [part] if part.isascii() else sorted({part, part.lower(), part.capitalize(), part.upper()})
        yield or_(*(text.icontains(each, autoescape=True) for each in written))
