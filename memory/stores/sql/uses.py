"""Which replies were given which memories, so that forgetting a memory finds every reply that used it, by an index."""

from collections.abc import Collection

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import MemoryKey, MessageId
from memory.stores.sql.rows import chunks
from memory.stores.sql.schema import messages, reply_uses, tombstones


async def record_uses(connection: AsyncConnection, reply_id: MessageId, keys: Collection[MemoryKey]) -> None:
    """Note which memories a new reply was given; call it wherever `messages.used` is written."""
    if keys:
        rows = [{"key": key, "message_id": reply_id} for key in sorted(set(keys))]
        await connection.execute(insert(reply_uses), rows)


async def replies_using(connection: AsyncConnection, keys: Collection[MemoryKey]) -> set[MessageId]:
    """Return the replies, of any thread and reader, that were given one of `keys` and still have their text."""
    found: set[MessageId] = set()
    for some in chunks(keys):
        rows = await connection.execute(
            select(reply_uses.c.message_id)
            .join(messages, messages.c.id == reply_uses.c.message_id)
            .where(reply_uses.c.key.in_(some), messages.c.text.is_not(None))
        )
        found.update(MessageId(row) for row in rows.scalars())
    return found


async def is_forgotten(connection: AsyncConnection, keys: Collection[MemoryKey]) -> bool:
    """Whether one of `keys` has been forgotten: a reply that was given it must be stored without its text."""
    for some in chunks(keys):
        if await connection.scalar(select(tombstones.c.key).where(tombstones.c.key.in_(some)).limit(1)):
            return True
    return False
