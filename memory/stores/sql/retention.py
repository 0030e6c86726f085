"""Retention: old threads lose their texts, old episodes go. Facts stay until somebody forgets them.

Rows of messages stay without their text, as after a forget: they turn late deliveries away, and facts name them.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import case, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import MemoryKey, MessageState, Receipt, Role, SessionId, UserId, episode_key, turn_key
from memory.stores.sql.database import Database
from memory.stores.sql.erasure_apply import follow_up, note
from memory.stores.sql.locks import lock_threads
from memory.stores.sql.rows import AnyRow, chunks
from memory.stores.sql.schema import episode_people, episode_sources, episodes, messages, reply_uses, threads
from memory.stores.sql.thread_reset import reset_threads

_BATCH = 200
"""Threads or episodes in one transaction, so that people's messages are not held up for long."""
_TEXTS = 5_000
"""Texts in one transaction, for the same reason; on SQLite that many take 0.3 to 0.5 s."""
_ACTOR = UserId("recall")
_UNSETTLED = (MessageState.RECEIVED.value, MessageState.ANSWERING.value)


async def expire(
    database: Database, *, episodes_before: datetime, threads_before: datetime, texts_at_once: int = _TEXTS
) -> Receipt:
    """Remove what is older than its retention, in several transactions; going on later is fine.

    Args:
        database: The record.
        episodes_before: Episodes that ended before this go.
        threads_before: Texts of threads that have been quiet since before this go.
        texts_at_once: At most this many in one transaction; a longer thread takes several.
    """
    total = Receipt()
    while (done := await _expire_threads(database, threads_before, texts_at_once)) != Receipt():
        total += done
    while (done := await _expire_episodes(database, episodes_before)) != Receipt():
        total += done
    return total


async def _expire_threads(database: Database, before: datetime, limit: int) -> Receipt:
    now = database.clock.now()
    async with database.begin("expire threads") as connection:
        texts = await _oldest_texts(connection, await _old_threads(connection, before), limit)
        if not texts:
            return Receipt()
        sessions = sorted({row.session_id for row in texts})
        receipt = Receipt(
            messages=sum(row.role == Role.USER.value for row in texts),
            replies=sum(row.role != Role.USER.value for row in texts),
            summaries=await reset_threads(connection, sessions),
        )
        await connection.execute(update(threads).where(threads.c.session_id.in_(sessions)).values(title=""))
        await _clear_texts(connection, [row.id for row in texts])
        turns: dict[MemoryKey, UserId] = {
            turn_key(row.id, version): row.author_id
            for row in texts
            if row.role == Role.USER.value
            for version in range(1, row.version + 1)
        }
        await follow_up(connection, turns, sessions, owner=_ACTOR, now=now)
        await note(connection, receipt, actor=_ACTOR, action="expire", now=now)
        return receipt


async def _old_threads(connection: AsyncConnection, before: datetime) -> list[SessionId]:
    """Return the longest quiet threads that still have texts, and hold them, in the order that all locks have."""
    has_text = select(messages.c.id).where(messages.c.session_id == threads.c.session_id, messages.c.text.is_not(None))
    old = select(threads.c.session_id).where(threads.c.last_active_at < before, has_text.exists())
    found = list((await connection.execute(old.order_by(threads.c.last_active_at).limit(_BATCH))).scalars())
    await lock_threads(connection, found)
    still_old = await connection.execute(old.where(threads.c.session_id.in_(found)))
    return [SessionId(session_id) for session_id in still_old.scalars()]


async def _oldest_texts(connection: AsyncConnection, sessions: Collection[SessionId], limit: int) -> Sequence[AnyRow]:
    columns = (messages.c.id, messages.c.session_id, messages.c.role, messages.c.author_id, messages.c.version)
    here = select(*columns).where(messages.c.session_id.in_(sessions), messages.c.text.is_not(None))
    return (await connection.execute(here.order_by(messages.c.session_id, messages.c.id).limit(limit))).all()


async def _clear_texts(connection: AsyncConnection, message_ids: Sequence[int]) -> None:
    for some in chunks(message_ids):
        await connection.execute(delete(reply_uses).where(reply_uses.c.message_id.in_(some)))
        await connection.execute(
            update(messages)
            .where(messages.c.id.in_(some))
            .values(
                text=None,
                attachments=[],
                used=[],
                extracted_version=messages.c.version,
                parked_reason=None,
                state=case((messages.c.state.in_(_UNSETTLED), MessageState.FAILED.value), else_=messages.c.state),
            )
        )


async def _expire_episodes(database: Database, before: datetime) -> Receipt:
    now = database.clock.now()
    old = select(episodes.c.id, episodes.c.owner_id).where(episodes.c.ended_at < before).limit(_BATCH)
    async with database.begin("expire episodes") as connection:
        rows = (await connection.execute(old.with_for_update())).all()
        if not rows:
            return Receipt()
        ids = [row.id for row in rows]
        for part in (episode_people, episode_sources):
            await connection.execute(delete(part).where(part.c.episode_id.in_(ids)))
        await connection.execute(delete(episodes).where(episodes.c.id.in_(ids)))
        await follow_up(connection, {episode_key(row.id): row.owner_id for row in rows}, [], owner=_ACTOR, now=now)
        receipt = Receipt(episodes=len(ids))
        await note(connection, receipt, actor=_ACTOR, action="expire", now=now)
        return receipt
