"""What retrieval reads of the record, with the audience law inside every query."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import BigInteger, BindParameter, String, bindparam, cast, func, literal, null, select, union_all

from memory.audience import Scope
from memory.model import (
    LexicalResult,
    MemoryKey,
    MessageId,
    Recallable,
    SessionId,
    UserId,
    VectorRef,
    episode_key,
    fact_key,
    key_kind,
    row_id,
    turn_key,
)
from memory.ports import RecallStore
from memory.stores.sql import lexicon
from memory.stores.sql.database import Database
from memory.stores.sql.rows import AnyRow
from memory.stores.sql.schema import (
    episode_people,
    episode_sources,
    episodes,
    fact_sources,
    facts,
    messages,
    people,
    threads,
)
from memory.stores.sql.threads import SETTLED
from memory.stores.sql.visibility import (
    EPISODE_VISIBLE,
    FACT_VISIBLE,
    OWN_FACT,
    OWN_TURN,
    TURN_VISIBLE,
    scope_values,
)

_READER: BindParameter[str] = bindparam("reader")
_LIVING_FACT = facts.c.valid_until.is_(None)
_LIVING_TURN = messages.c.text.is_not(None) & SETTLED & (messages.c.role == "user")

_OWN_FACTS = select(literal("f").label("kind"), facts.c.owner_id, facts.c.id, literal(0).label("version")).where(
    OWN_FACT, _LIVING_FACT, FACT_VISIBLE
)
_OWN_EPISODES = (
    select(literal("e"), episodes.c.owner_id, episodes.c.id, literal(0))
    .join(episode_people, episode_people.c.episode_id == episodes.c.id)
    .where(episode_people.c.user_id == _READER, EPISODE_VISIBLE)
)
_NEWEST_TURNS = (
    select(messages.c.author_id, messages.c.id, messages.c.version)
    .where(OWN_TURN, _LIVING_TURN, TURN_VISIBLE)
    .order_by(messages.c.id.desc())
    .limit(bindparam("turn_limit"))
    .subquery()
)
_OWN_KEYS = union_all(
    _OWN_FACTS,
    _OWN_EPISODES,
    select(literal("m"), _NEWEST_TURNS.c.author_id, _NEWEST_TURNS.c.id, _NEWEST_TURNS.c.version),
)


def _ids(column: Any) -> Any:
    """Return an aggregate of row numbers as '1,2,3'."""
    return func.aggregate_strings(cast(column, String), ",")


_first_source = fact_sources.alias("first_source")
_FACT_SOURCES = (
    select(_ids(fact_sources.c.message_id))
    .where(fact_sources.c.fact_id == facts.c.id)
    .correlate(facts)
    .scalar_subquery()
)
_FACTS = (
    select(
        literal("f").label("kind"),
        facts.c.id,
        literal(0).label("version"),
        facts.c.owner_id.label("owner"),
        facts.c.number.label("number"),
        facts.c.text.label("text"),
        people.c.name.label("author"),
        facts.c.said_at.label("said_at"),
        func.coalesce(_first_source.c.session_id, "").label("session_id"),
        func.coalesce(threads.c.title, "").label("thread"),
        _FACT_SOURCES.label("sources"),
        facts.c.confirmations.label("confirmations"),
        _first_source.c.link.label("link"),
    )
    .join(people, people.c.user_id == facts.c.owner_id)
    .outerjoin(
        _first_source,
        _first_source.c.id
        == select(func.min(fact_sources.c.id))
        .where(fact_sources.c.fact_id == facts.c.id)
        .correlate(facts)
        .scalar_subquery(),
    )
    .outerjoin(threads, threads.c.session_id == _first_source.c.session_id)
    .where(facts.c.id.in_(bindparam("facts", expanding=True)), _LIVING_FACT, FACT_VISIBLE)
)
_TURNS = (
    select(
        literal("m"),
        messages.c.id,
        messages.c.version,
        messages.c.author_id,
        cast(null(), BigInteger),
        messages.c.text,
        messages.c.author_name,
        messages.c.sent_at,
        messages.c.session_id,
        threads.c.title,
        cast(messages.c.id, String),
        literal(0),
        messages.c.link,
    )
    .join(threads, threads.c.session_id == messages.c.session_id)
    .where(messages.c.id.in_(bindparam("turns", expanding=True)), _LIVING_TURN, TURN_VISIBLE)
)
_reader_number = episode_people.alias("reader_number")
_EPISODE_PEOPLE = (
    select(func.aggregate_strings(people.c.name, ", "))
    .join(episode_people, episode_people.c.user_id == people.c.user_id)
    .where(episode_people.c.episode_id == episodes.c.id)
    .correlate(episodes)
    .scalar_subquery()
)
_EPISODE_SOURCES = (
    select(_ids(episode_sources.c.message_id))
    .where(episode_sources.c.episode_id == episodes.c.id)
    .correlate(episodes)
    .scalar_subquery()
)
_EPISODE_TEXT = episodes.c.title + literal("\n") + episodes.c.happened + literal("\n") + episodes.c.outcome
_EPISODES = (
    select(
        literal("e"),
        episodes.c.id,
        literal(0),
        episodes.c.owner_id,
        _reader_number.c.number,
        _EPISODE_TEXT,
        _EPISODE_PEOPLE,
        episodes.c.ended_at,
        episodes.c.session_id,
        threads.c.title,
        _EPISODE_SOURCES,
        literal(0),
        episodes.c.link,
    )
    .join(threads, threads.c.session_id == episodes.c.session_id)
    .outerjoin(_reader_number, (_reader_number.c.episode_id == episodes.c.id) & (_reader_number.c.user_id == _READER))
    .where(episodes.c.id.in_(bindparam("episodes", expanding=True)), EPISODE_VISIBLE)
)
_FETCH = union_all(_FACTS, _TURNS, _EPISODES)

_MAKE_KEY: dict[str, Callable[[int, int], MemoryKey]] = {
    "f": lambda number, _version: fact_key(number),
    "m": turn_key,
    "e": lambda number, _version: episode_key(number),
}


class SqlRecallStore(RecallStore):
    """Recall as three kinds of statement, each one round trip.

    A turn is recalled once it is settled. An episode is its people's: each of them is its owner before the law.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def own_keys(self, scope: Scope, *, turn_limit: int) -> Sequence[VectorRef]:
        values = scope_values(scope) | {"turn_limit": turn_limit}
        async with self._database.read("list a reader's memories") as connection:
            rows = (await connection.execute(_OWN_KEYS, values)).all()
        return [
            VectorRef(owner=UserId(owner), key=_MAKE_KEY[kind](number, version))
            for kind, owner, number, version in rows
        ]

    async def lexical(self, scope: Scope, terms: Sequence[str], *, limit: int) -> LexicalResult:
        async with self._database.read("search by words") as connection:
            return await lexicon.search(connection, scope, terms, limit=limit)

    async def fetch(self, scope: Scope, keys: Collection[MemoryKey]) -> Sequence[Recallable]:
        if not keys:
            return []
        wanted: dict[str, list[int]] = {"fact": [], "turn": [], "episode": []}
        for key in keys:
            wanted[key_kind(key)].append(row_id(key))
        values = scope_values(scope) | {f"{kind}s": numbers for kind, numbers in wanted.items()}
        async with self._database.read("fetch memories") as connection:
            rows = (await connection.execute(_FETCH, values)).all()
        found = [_recallable_of(row) for row in rows]
        asked = set(keys)
        return [memory for memory in found if memory.key in asked]  # not another version of a turn

    async def has_shared(self, scope: Scope) -> bool:
        async with self._database.read("look for shared memories") as connection:
            return await lexicon.has_shared(connection, scope)


def _recallable_of(row: AnyRow) -> Recallable:
    key: MemoryKey = _MAKE_KEY[row.kind](row.id, row.version)
    return Recallable(
        key=key,
        kind=key_kind(key),
        owner=UserId(row.owner),
        number=row.number,
        text=row.text.strip("\n") if row.kind == "e" else row.text,
        author=row.author or "",
        said_at=row.said_at,
        session_id=SessionId(row.session_id),
        thread=row.thread,
        sources=tuple(sorted(MessageId(int(number)) for number in (row.sources or "").split(",") if number)),
        confirmations=row.confirmations,
        link=row.link,
    )
