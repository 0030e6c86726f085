"""What retrieval reads of the record, with the audience law inside every query."""

from collections.abc import Collection, Sequence
from itertools import combinations
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Executable,
    Select,
    String,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.audience import Scope
from memory.model import (
    Candidates,
    MemoryKey,
    MessageId,
    Recallable,
    SessionId,
    UserId,
    VectorRef,
    key_kind,
    row_id,
)
from memory.ports import RecallStore
from memory.stores.sql import lexicon
from memory.stores.sql.database import Database
from memory.stores.sql.keys import EPISODE_KEY, FACT_KEY, TURN_KEY
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
    EPISODE_STAYS,
    EPISODE_VISIBLE,
    FACT_SOURCE_VISIBLE,
    FACT_STAYS,
    FACT_VISIBLE,
    OWN_FACT,
    OWN_TURN,
    TURN_STAYS,
    TURN_VISIBLE,
    scope_values,
)

_MOST_SHARED = 10_000

_READER: BindParameter[str] = bindparam("reader")
_NONE = cast(null(), BigInteger)
_ZERO: ColumnElement[int] = literal_column("0")
_LIVING_FACT = facts.c.valid_until.is_(None)
_LIVING_TURN = messages.c.text.is_not(None) & messages.c.kept & SETTLED & (messages.c.role == "user")

_NEWEST_TURNS = (
    select(messages.c.author_id.label("owner"), TURN_KEY.label("key"))
    .where(OWN_TURN, _LIVING_TURN, TURN_VISIBLE)
    .order_by(messages.c.id.desc())
    .limit(bindparam("turn_limit"))
    .subquery()
)
_OWN_KEYS = union_all(
    select(facts.c.owner_id, FACT_KEY).where(OWN_FACT, _LIVING_FACT, FACT_VISIBLE),
    select(episodes.c.owner_id, EPISODE_KEY)
    .join(episode_people, episode_people.c.episode_id == episodes.c.id)
    .where(episode_people.c.user_id == _READER, EPISODE_VISIBLE),
    select(_NEWEST_TURNS.c.owner, _NEWEST_TURNS.c.key),
)


def _numbers(column: ColumnElement[Any], of: ColumnElement[bool], outer: Any) -> ColumnElement[str]:
    """Return row numbers as '1,2,3'."""
    return select(func.aggregate_strings(cast(column, String), ",")).where(of).correlate(outer).scalar_subquery()


def _part(**columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """Return a SELECT whose columns stand in the order in which `_recallable_of` reads them."""
    return select(*(columns[name].label(name) for name in _COLUMNS))


_COLUMNS = (
    *("key", "owner", "number", "text", "author", "said_at"),
    *("session_id", "thread", "sources", "confirmations", "link"),
)
_first_source = fact_sources.alias("first_source")
_FIRST_SOURCE = (
    select(func.min(fact_sources.c.id))
    .where(fact_sources.c.fact_id == facts.c.id, FACT_SOURCE_VISIBLE)
    .correlate(facts)
    .scalar_subquery()
)
"""The thread and the link that are shown are those of a source that this reader may read here."""
_FACTS = (
    _part(
        key=FACT_KEY,
        owner=facts.c.owner_id,
        number=case((OWN_FACT, facts.c.number)),
        text=facts.c.text,
        author=people.c.name,
        said_at=facts.c.said_at,
        session_id=func.coalesce(_first_source.c.session_id, ""),
        thread=func.coalesce(threads.c.title, ""),
        sources=_numbers(fact_sources.c.message_id, fact_sources.c.fact_id == facts.c.id, facts),
        confirmations=facts.c.confirmations,
        link=_first_source.c.link,
    )
    .join_from(facts, people, people.c.user_id == facts.c.owner_id)
    .outerjoin(_first_source, _first_source.c.id == _FIRST_SOURCE)
    .outerjoin(threads, threads.c.session_id == _first_source.c.session_id)
    .where(facts.c.id.in_(bindparam("fact", expanding=True)), _LIVING_FACT, FACT_VISIBLE, FACT_STAYS)
)
_TURNS = (
    _part(
        key=TURN_KEY,
        owner=messages.c.author_id,
        number=_NONE,
        text=messages.c.text,
        author=messages.c.author_name,
        said_at=messages.c.sent_at,
        session_id=messages.c.session_id,
        thread=threads.c.title,
        sources=cast(messages.c.id, String),
        confirmations=_ZERO,
        link=messages.c.link,
    )
    .join_from(messages, threads, threads.c.session_id == messages.c.session_id)
    .where(
        messages.c.id.in_(bindparam("turn", expanding=True)),
        messages.c.text != "",
        _LIVING_TURN,
        TURN_VISIBLE,
        TURN_STAYS,
    )
)
_reader_number = episode_people.alias("reader_number")
_PEOPLE = (
    select(func.aggregate_strings(people.c.name, ", "))
    .join_from(people, episode_people, episode_people.c.user_id == people.c.user_id)
    .where(episode_people.c.episode_id == episodes.c.id)
    .correlate(episodes)
    .scalar_subquery()
)
_NEW_LINE: ColumnElement[str] = bindparam("new_line", "\n", String)
_EPISODES = (
    _part(
        key=EPISODE_KEY,
        owner=episodes.c.owner_id,
        number=_reader_number.c.number,
        text=episodes.c.title + _NEW_LINE + episodes.c.happened + _NEW_LINE + episodes.c.outcome,
        author=_PEOPLE,
        said_at=episodes.c.ended_at,
        session_id=episodes.c.session_id,
        thread=threads.c.title,
        sources=_numbers(episode_sources.c.message_id, episode_sources.c.episode_id == episodes.c.id, episodes),
        confirmations=_ZERO,
        link=episodes.c.link,
    )
    .join_from(episodes, threads, threads.c.session_id == episodes.c.session_id)
    .outerjoin(_reader_number, (_reader_number.c.episode_id == episodes.c.id) & (_reader_number.c.user_id == _READER))
    .where(episodes.c.id.in_(bindparam("episode", expanding=True)), EPISODE_VISIBLE, EPISODE_STAYS)
)
_PARTS = {"fact": _FACTS, "turn": _TURNS, "episode": _EPISODES}
_FETCH = {
    frozenset(kinds): union_all(*(_PARTS[kind] for kind in kinds))
    for count in range(1, len(_PARTS) + 1)
    for kinds in combinations(_PARTS, count)
}
"""A statement for each set of kinds that can be asked for together."""


class SqlRecallStore(RecallStore):
    """Recall as two transactions: what may bear on the question, and the texts of the best.

    Shared memories are looked for once: what was there when this process first looked may be gone, and is asked for
    nevertheless. A turn is recalled once it is settled. An episode is its people's: each is its owner before the law.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shared: set[frozenset[str]] = set()

    async def search(self, scope: Scope, terms: Sequence[str], *, limit: int, own_turns: int) -> Candidates:
        is_known = frozenset(scope.audiences) in self._shared
        found = await self._database.look(
            "search for memories", _search, scope, terms, limit=limit, own_turns=own_turns, seek_shared=not is_known
        )
        if found.has_shared and not is_known:
            if len(self._shared) >= _MOST_SHARED:
                self._shared.clear()
            self._shared.add(frozenset(scope.audiences))
        return found

    async def fetch(self, scope: Scope, keys: Collection[MemoryKey]) -> Sequence[Recallable]:
        if not keys:
            return []
        wanted: dict[str, list[int]] = {}
        for key in keys:
            wanted.setdefault(key_kind(key), []).append(row_id(key))
        rows = await self._database.look(
            "fetch memories", _rows, _FETCH[frozenset(wanted)], scope_values(scope) | wanted
        )
        asked = set(keys)
        return [_recallable_of(row) for row in rows if row.key in asked]  # not another version of a turn


async def _search(
    connection: AsyncConnection,
    scope: Scope,
    terms: Sequence[str],
    *,
    limit: int,
    own_turns: int,
    seek_shared: bool,
) -> Candidates:
    own = await _rows(connection, _OWN_KEYS, scope_values(scope) | {"turn_limit": own_turns})
    return Candidates(
        own=tuple(VectorRef(owner=owner, key=key) for owner, key in own),
        lexical=await lexicon.search(connection, scope, terms, limit=limit),
        has_shared=not seek_shared or await lexicon.has_shared(connection, scope),
    )


async def _rows(connection: AsyncConnection, statement: Executable, values: dict[str, Any]) -> Sequence[AnyRow]:
    return (await connection.execute(statement, values)).all()


def _recallable_of(row: AnyRow) -> Recallable:
    key, owner, number, text, author, said_at, session_id, thread, sources, confirmations, link = row
    kind = key_kind(key)
    return Recallable(
        key=MemoryKey(key),
        kind=kind,
        owner=UserId(owner),
        number=number,
        text=text.strip("\n") if kind == "episode" else text,
        author=author or "",
        said_at=said_at,
        session_id=SessionId(session_id),
        thread=thread,
        sources=tuple(sorted(MessageId(int(source)) for source in (sources or "").split(",") if source)),
        confirmations=confirmations,
        link=link,
    )
