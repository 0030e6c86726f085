"""Row locks, always taken in one order: channels, people, threads, messages, facts, each by id.

SQLite has one writer at a time and no row locks; there the same statements only read.
"""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import SessionId, UserId
from memory.stores.sql.rows import chunks
from memory.stores.sql.schema import people, threads


async def lock_threads(connection: AsyncConnection, session_ids: Collection[SessionId]) -> dict[SessionId, int]:
    """Hold threads until the transaction ends; return their forget epochs. Unknown threads are absent."""
    epochs: dict[SessionId, int] = {}
    for some in chunks(sorted(session_ids)):
        rows = await connection.execute(
            select(threads.c.session_id, threads.c.forget_epoch)
            .where(threads.c.session_id.in_(some))
            .order_by(threads.c.session_id)
            .with_for_update()
        )
        epochs.update({SessionId(row.session_id): row.forget_epoch for row in rows})
    return epochs


async def lock_people(connection: AsyncConnection, user_ids: Collection[UserId]) -> dict[UserId, int]:
    """Hold people's rows until the transaction ends; return their forget epochs. Unknown people are absent."""
    epochs: dict[UserId, int] = {}
    for some in chunks(sorted(user_ids)):
        rows = await connection.execute(
            select(people.c.user_id, people.c.forget_epoch)
            .where(people.c.user_id.in_(some))
            .order_by(people.c.user_id)
            .with_for_update()
        )
        epochs.update({UserId(row.user_id): row.forget_epoch for row in rows})
    return epochs
