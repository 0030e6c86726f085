"""The outbox: work on the index and the cache, queued in the transaction that makes it necessary."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    delete,
    insert,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import MemoryKey, SessionId, UserId, VectorRef, episode_key, fact_key, key_kind, row_id, turn_key
from memory.model.work import IndexTask
from memory.ports import IndexQueue
from memory.stores.sql.database import Database
from memory.stores.sql.keys import EPISODE_KEY, FACT_KEY, TURN_KEY
from memory.stores.sql.lexicon import episode_text
from memory.stores.sql.rows import AnyRow
from memory.stores.sql.schema import episodes, facts, messages, outbox

Operation = Literal["index", "drop", "evict"]

_ENQUEUE = insert(outbox).inline()


def _due(operation: Operation) -> Select[*tuple[Any, ...]]:
    """Return what selects one operation's oldest tasks; its own range of the index, however many others wait."""
    of_kind = (
        select(outbox)
        .where(outbox.c.operation == operation, outbox.c.due_at <= bindparam("now"))
        .order_by(outbox.c.due_at, outbox.c.id)
        .limit(bindparam("limit"))
    )
    return select(of_kind.subquery())  # SQLite takes a limit inside a union only so


_EACH_DUE = union_all(*(_due(operation) for operation in get_args(Operation))).subquery()
_DUE = select(_EACH_DUE).order_by(_EACH_DUE.c.due_at, _EACH_DUE.c.id)
_LIVING_FACT = facts.c.valid_until.is_(None)
_LIVING_TURN = (messages.c.role == "user") & messages.c.text.is_not(None) & messages.c.kept


def _among(ids: ColumnElement[int], name: str) -> ColumnElement[bool]:
    return ids.in_(bindparam(name, expanding=True))


_TEXTS = union_all(
    select(
        literal("f").label("kind"),
        facts.c.id,
        literal(0).label("version"),
        facts.c.text.label("text"),
        literal("").label("happened"),
        literal("").label("outcome"),
    ).where(_LIVING_FACT, _among(facts.c.id, "facts")),
    select(literal("m"), messages.c.id, messages.c.version, messages.c.text, literal(""), literal("")).where(
        _LIVING_TURN, _among(messages.c.id, "turns")
    ),
    select(literal("e"), episodes.c.id, literal(0), episodes.c.title, episodes.c.happened, episodes.c.outcome).where(
        _among(episodes.c.id, "episodes")
    ),
)


async def enqueue(
    connection: AsyncConnection,
    *,
    operation: Operation,
    now: datetime,
    key: MemoryKey | None = None,
    owner: UserId | None = None,
    session_id: SessionId | None = None,
) -> None:
    """Queue one task: "index" and "drop" take a key and its owner, "evict" a session."""
    values = {"operation": operation, "key": key, "owner_id": owner, "session_id": session_id, "due_at": now}
    await connection.execute(_ENQUEUE, values)


class SqlIndexQueue(IndexQueue):
    """The outbox as a table. Two workers may get the same task; doing it twice changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, *, limit: int) -> Sequence[IndexTask]:
        values = {"now": self._database.clock.now(), "limit": limit}
        async with self._database.read("look for index tasks") as connection:
            rows = (await connection.execute(_DUE, values)).all()
            keys = [MemoryKey(row.key) for row in rows if row.operation == "index"]
            texts = await _living_texts(connection, keys) if keys else {}
        return [_task_of(row, texts) for row in rows]

    async def done(self, task_ids: Collection[int]) -> None:
        async with self._database.begin("finish index tasks") as connection:
            await connection.execute(delete(outbox).where(outbox.c.id.in_(task_ids)))

    async def defer(self, task_ids: Collection[int], *, retry_at: datetime) -> None:
        later = {"attempts": outbox.c.attempts + 1, "due_at": retry_at}
        async with self._database.begin("defer index tasks") as connection:
            await connection.execute(update(outbox).where(outbox.c.id.in_(task_ids)).values(later))

    async def enqueue_all(self) -> int:
        now = self._database.clock.now()
        async with self._database.upkeep_transaction("queue everything for indexing") as connection:
            await connection.execute(delete(outbox).where(outbox.c.operation == "index"))
            queued = 0
            for living in _everything(now):
                columns = ["operation", "key", "owner_id", "due_at"]
                fill = insert(outbox).from_select(columns, living).inline().execution_options(preserve_rowcount=True)
                queued += (await connection.execute(fill)).rowcount
            return queued


async def _living_texts(connection: AsyncConnection, keys: Collection[MemoryKey]) -> dict[MemoryKey, str]:
    wanted: dict[str, list[int]] = {"facts": [], "turns": [], "episodes": []}
    for key in keys:
        wanted[f"{key_kind(key)}s"].append(row_id(key))
    rows = (await connection.execute(_TEXTS, wanted)).all()
    return dict(_text_of(row) for row in rows)


def _text_of(row: AnyRow) -> tuple[MemoryKey, str]:
    if row.kind == "e":
        return episode_key(row.id), episode_text(row.text, row.happened, row.outcome)
    return (fact_key(row.id) if row.kind == "f" else turn_key(row.id, row.version)), row.text


def _task_of(row: AnyRow, texts: dict[MemoryKey, str]) -> IndexTask:
    ref = None if row.key is None else VectorRef(owner=UserId(row.owner_id), key=MemoryKey(row.key))
    return IndexTask(
        task_id=row.id,
        operation=row.operation,
        ref=ref,
        session_id=row.session_id,
        text=texts.get(ref.key) if ref else None,
        attempts=row.attempts,
    )


def _everything(now: datetime) -> Sequence[Select[*tuple[Any, ...]]]:
    """Return what selects every living text, as rows of the outbox."""

    def rows(key: ColumnElement[str], owner: ColumnElement[str]) -> Select[*tuple[Any, ...]]:
        return select(literal("index"), key, owner, literal(now, outbox.c.due_at.type))

    return (
        rows(FACT_KEY, facts.c.owner_id).where(_LIVING_FACT),
        rows(TURN_KEY, messages.c.author_id).where(_LIVING_TURN),
        rows(EPISODE_KEY, episodes.c.owner_id),
    )
