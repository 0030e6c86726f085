"""Pausing: whose words and which threads' words are not kept, and erasing those once their answer has been shown.

What is said while paused is a row like any other until its turn is over, so that it is answered once whatever crashes.
It never has a full-text entry, an index task or a place in a history: every query that feeds one asks for `kept`.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, false, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import MessageId, Place, SessionId, TenantId, UserId
from memory.stores.sql.channels import hold_channel, is_wider
from memory.stores.sql.database import inserts
from memory.stores.sql.fact_rows import ensure_owner
from memory.stores.sql.rows import chunks
from memory.stores.sql.schema import messages, people, reply_uses, threads
from memory.stores.sql.threads import SETTLED
from memory.stores.sql.upkeep import note_event

_IS_PERSON_PAUSED = select(people.c.paused).where(people.c.user_id == bindparam("said_by"))
_IS_THREAD_PAUSED = select(threads.c.paused).where(threads.c.session_id == bindparam("said_in"))
IS_PERSON_PAUSED: ColumnElement[bool] = _IS_PERSON_PAUSED.scalar_subquery()
IS_PAUSED: ColumnElement[bool] = or_(IS_PERSON_PAUSED, _IS_THREAD_PAUSED.scalar_subquery())
"""Whether what `said_by` says in `said_in` is not to be kept; both have rows, which no pause can change meanwhile."""

_PAUSE_PERSON = (
    update(people)
    .where(people.c.user_id == bindparam("b_user_id"), people.c.paused != bindparam("now_paused"))
    .values(paused=bindparam("now_paused"))
)
_PAUSE_THREAD = (
    update(threads)
    .where(threads.c.session_id == bindparam("b_session_id"), threads.c.paused != bindparam("now_paused"))
    .values(paused=bindparam("now_paused"))
)
_ADD_THREAD = {dialect: plain.on_conflict_do_nothing() for dialect, plain in inserts(threads).items()}

# A literal, as the partial index has it: with parameters neither planner can tell that these are its rows.
_UNKEPT: ColumnElement[bool] = literal_column("NOT messages.kept AND messages.text IS NOT NULL").self_group()
_LEFT_OVER = (
    select(messages.c.id)
    .where(
        _UNKEPT,
        messages.c.author_id.is_not(None),
        SETTLED,
        or_(messages.c.unshown_since.is_(None), messages.c.unshown_since < bindparam("settled_before")),
    )
    .order_by(messages.c.id)
    .limit(bindparam("limit"))
)


async def pause_person(connection: AsyncConnection, user_id: UserId, tenant_id: TenantId, *, paused: bool) -> bool:
    """Pause or resume a person as `FactStore.pause_person` does."""
    if paused:
        await ensure_owner(connection, user_id, tenant_id)
    changed = await connection.execute(_PAUSE_PERSON, {"b_user_id": user_id, "now_paused": paused})
    return changed.rowcount > 0


async def is_paused(connection: AsyncConnection, user_id: UserId) -> bool:
    """Whether a person is paused."""
    return bool(await connection.scalar(_IS_PERSON_PAUSED, {"said_by": user_id}))


async def is_thread_paused(connection: AsyncConnection, session_id: SessionId) -> bool:
    """Whether a thread is paused."""
    return bool(await connection.scalar(_IS_THREAD_PAUSED, {"said_in": session_id}))


async def pause_thread(connection: AsyncConnection, place: Place, *, paused: bool, now: datetime) -> bool | None:
    """Pause or resume a thread as `MessageStore.pause_thread` does.

    Returns:
        None, with nothing written, when the thread's channel is known for wider: it has to be narrowed first.
    """
    if paused:
        audience = await hold_channel(connection, place.channel_id, place.audience)
        if is_wider(audience, place.audience):
            return None
        values = {
            "session_id": place.session_id,
            "tenant_id": place.tenant_id,
            "channel_id": place.channel_id,
            "audience": audience,
            "shared": place.shared,
            "outsiders": place.outsiders,
            "last_active_at": now,
        }
        await connection.execute(_ADD_THREAD[connection.dialect.name], values)
    changed = await connection.execute(_PAUSE_THREAD, {"b_session_id": place.session_id, "now_paused": paused})
    return changed.rowcount > 0


async def may_keep(connection: AsyncConnection, user_id: UserId, session_id: SessionId) -> bool:
    """Whether what a person says in a thread now is to be kept."""
    return not await connection.scalar(select(IS_PAUSED), {"said_by": user_id, "said_in": session_id})


async def erase_unkept(connection: AsyncConnection, message_ids: Collection[MessageId], *, now: datetime) -> None:
    """Erase messages that were not to be kept, with the replies to them; which memories those used stays.

    Only ids are left, so a person can still ask why. Nothing else has anything of them.
    """
    for some in chunks(sorted(message_ids)):
        for row in (messages.c.id, messages.c.reply_to):  # in the order in which forgetting takes them
            erased = update(messages).where(row.in_(some), messages.c.kept == false())
            await connection.execute(
                erased.values(text=None, attachments=[], extracted_version=messages.c.version, parked_reason=None)
            )
        replies = select(messages.c.id).where(messages.c.reply_to.in_(some), messages.c.kept == false())
        await connection.execute(delete(reply_uses).where(reply_uses.c.message_id.in_(replies)))
    if message_ids:
        await note_event(connection, "texts_erased_at", at=now)


async def erase_left_over(connection: AsyncConnection, *, settled_before: datetime, now: datetime, limit: int) -> int:
    """Erase what was not to be kept and will not be shown any more; return how many turns, at most `limit`."""
    values: dict[str, Any] = {"settled_before": settled_before, "limit": limit}
    left = (await connection.execute(_LEFT_OVER, values)).scalars().all()
    await erase_unkept(connection, left, now=now)
    return len(left)
