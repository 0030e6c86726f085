"""Row locks, always taken in one order: channels, people, threads, messages, facts, each by id.

SQLite has one writer at a time and no row locks; there the same statements only read.
"""

from collections.abc import Collection
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import SessionId, UserId
from memory.stores.sql.rows import chunks
from memory.stores.sql.schema import people, threads

_Id = TypeVar("_Id", SessionId, UserId)


async def lock_threads(connection: AsyncConnection, session_ids: Collection[SessionId]) -> dict[SessionId, int]:
    """Hold threads until the transaction ends; return their forget epochs. Unknown threads are absent."""
    return await _lock(connection, threads.c.session_id, threads.c.forget_epoch, session_ids)


async def lock_people(connection: AsyncConnection, user_ids: Collection[UserId]) -> dict[UserId, int]:
    """Hold people's rows until the transaction ends; return their forget epochs. Unknown people are absent."""
    return await _lock(connection, people.c.user_id, people.c.forget_epoch, user_ids)


async def _lock(
    connection: AsyncConnection, key: ColumnElement[Any], epoch: ColumnElement[int], wanted: Collection[_Id]
) -> dict[_Id, int]:
    epochs: dict[_Id, int] = {}
    for some in chunks(sorted(wanted)):
        rows = await connection.execute(select(key, epoch).where(key.in_(some)).order_by(key).with_for_update())
        epochs.update(iter(rows))
    return epochs
