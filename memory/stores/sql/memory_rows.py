"""Facts and episodes as a person sees them: the lines of `/memories`. Reads only."""

from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import Memory, SessionId, UserId, episode_key, fact_key
from memory.stores.sql.lexicon import episode_text
from memory.stores.sql.rows import AnyRow
from memory.stores.sql.schema import episode_people, episodes, fact_sources, facts, threads

_newer = facts.alias("newer")
_first_source = (
    select(func.min(fact_sources.c.id)).where(fact_sources.c.fact_id == facts.c.id).correlate(facts).scalar_subquery()
)
_FACT_LINES = (
    select(
        facts,
        fact_sources.c.session_id,
        fact_sources.c.link,
        threads.c.title.label("thread"),
        _newer.c.number.label("superseded_by_number"),
    )
    .outerjoin(fact_sources, fact_sources.c.id == _first_source)
    .outerjoin(threads, threads.c.session_id == fact_sources.c.session_id)
    .outerjoin(_newer, (_newer.c.id == facts.c.superseded_by) & (_newer.c.owner_id == facts.c.owner_id))
)
_EPISODE_LINES = (
    select(episodes, episode_people.c.number, threads.c.title.label("thread"))
    .join(episode_people, episode_people.c.episode_id == episodes.c.id)
    .join(threads, threads.c.session_id == episodes.c.session_id)
)


async def fact_lines(
    connection: AsyncConnection, owner: UserId, *where: ColumnElement[bool], most: int | None = None
) -> list[Memory]:
    """Return the owner's facts that meet `where`; at most so many, those with the highest numbers."""
    wanted = _FACT_LINES.where(facts.c.owner_id == owner, *where)
    rows = await connection.execute(_newest(wanted, facts.c.number, most))
    return [_fact_line(row) for row in rows]


async def episode_lines(
    connection: AsyncConnection, owner: UserId, *where: ColumnElement[bool], most: int | None = None
) -> list[Memory]:
    """Return the owner's episodes that meet `where`; at most so many, those with the highest numbers."""
    wanted = _EPISODE_LINES.where(episode_people.c.user_id == owner, *where)
    rows = await connection.execute(_newest(wanted, episode_people.c.number, most))
    return [_episode_line(row) for row in rows]


def newest_first(lines: list[Memory]) -> list[Memory]:
    """Order lines as a person sees them; the first one is what `/forget last` means."""
    return sorted(lines, key=lambda line: (line.said_at, line.number), reverse=True)


def _newest(wanted: Select[Any], number: ColumnElement[int], most: int | None) -> Select[Any]:
    return wanted if most is None else wanted.order_by(number.desc()).limit(most)


def _fact_line(row: AnyRow) -> Memory:
    return Memory(
        key=fact_key(row.id),
        number=row.number,
        subject=row.subject,
        kind=row.kind,
        text=row.text,
        audience=row.audience,
        said_at=row.said_at,
        session_id=SessionId(row.session_id or ""),
        thread=row.thread or "",
        valid_until=row.valid_until,
        superseded_by_number=row.superseded_by_number,
        confirmations=row.confirmations,
        link=row.link,
        widened=row.widened,
    )


def _episode_line(row: AnyRow) -> Memory:
    return Memory(
        key=episode_key(row.id),
        number=row.number,
        subject="team",
        kind="episode",
        text=episode_text(row.title, row.happened, row.outcome),
        audience=row.audience,
        said_at=row.ended_at,
        session_id=row.session_id,
        thread=row.thread,
        link=row.link,
    )
