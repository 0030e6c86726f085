"""The outbox: work on the index and the cache, queued in the transaction that makes it necessary."""

from datetime import datetime
from typing import Literal

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import MemoryKey, SessionId, UserId
from memory.stores.sql.schema import outbox

Operation = Literal["index", "drop", "evict"]

_ENQUEUE = insert(outbox).inline()


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
