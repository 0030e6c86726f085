"""Letting a message whose turn failed wait for another one, in a transaction of the caller."""

from sqlalchemy import bindparam, literal_column, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import MessageId, MessageState, SessionId, UserId
from memory.stores.sql.locks import lock_threads
from memory.stores.sql.schema import messages, threads

_WAIT_AGAIN = (
    update(messages)
    .where(
        messages.c.session_id == bindparam("b_session_id"),
        messages.c.platform_message_id == bindparam("name"),
        messages.c.author_id == bindparam("asker"),
        messages.c.state == literal_column(f"'{MessageState.FAILED.value}'"),
        messages.c.text.is_not(None),
    )
    .values(state=MessageState.RECEIVED.value, unshown_since=None, show_at=None)
    .returning(messages.c.id)
)
_LEAVE_HISTORY = (
    update(threads).where(threads.c.session_id == bindparam("b_session_id")).values(version=threads.c.version + 1)
)


async def retry(connection: AsyncConnection, session_id: SessionId, name: str, *, asker: UserId) -> MessageId | None:
    """Let a message wait again, as `MessageStore.retry` does."""
    await lock_threads(connection, [session_id])
    values = {"b_session_id": session_id, "name": name, "asker": asker}
    message_id = (await connection.execute(_WAIT_AGAIN, values)).scalar_one_or_none()
    if message_id is None:
        return None
    await connection.execute(_LEAVE_HISTORY, {"b_session_id": session_id})
    return MessageId(message_id)
