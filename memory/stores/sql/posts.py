"""Where the platform shows the end of a turn, and whether it does yet."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.errors import StoreConflictError
from memory.model import Message, MessageId, SessionId, TenantId, TurnClaim, Unshown
from memory.stores.sql.leases import check_lease
from memory.stores.sql.pause import erase_unkept
from memory.stores.sql.schema import messages
from memory.stores.sql.threads import message_of
from memory.stores.sql.turns import lease_of

_NOTE = update(messages).where(messages.c.id == bindparam("message_id")).values(post=bindparam("new_post"))
_SHOWN = (
    update(messages)
    .where(messages.c.id == bindparam("message_id"))
    .values(unshown_since=None)
    .returning(messages.c.kept)
)
_TAKE_UNSHOWN = (
    update(messages)
    .where(
        messages.c.tenant_id == bindparam("b_tenant_id"),
        messages.c.unshown_since <= bindparam("before"),
        messages.c.sent_at >= bindparam("after"),
    )
    .values(unshown_since=bindparam("now"))
    .returning(messages)
)
_SAID = select(messages).where(
    messages.c.session_id == bindparam("session_id"), messages.c.platform_message_id == bindparam("name")
)
_ASKED = messages.alias("asked")
_REPLY_AT = (
    select(messages)
    .join(_ASKED, messages.c.reply_to == _ASKED.c.id)
    .where(
        _ASKED.c.session_id == bindparam("session_id"),
        or_(_ASKED.c.post == bindparam("post"), _ASKED.c.platform_message_id == bindparam("post")),
    )
)
_NEWEST_REPLY = (
    select(messages)
    .where(messages.c.session_id == bindparam("session_id"), messages.c.reply_to.is_not(None))
    .order_by(messages.c.id.desc())
    .limit(1)
)
_ANSWERS = select(messages).where(messages.c.reply_to.in_(bindparam("message_ids", expanding=True)))


async def note_post(connection: AsyncConnection, claim: TurnClaim, post: str) -> None:
    """Keep a post as `MessageStore.note_post` does."""
    if not await check_lease(connection, lease_of(claim)):
        raise StoreConflictError("sql", "note a post", "the lease passed to someone else")
    await connection.execute(_NOTE, {"message_id": claim.message.message_id, "new_post": post})


async def find_message(connection: AsyncConnection, session_id: SessionId, name: str) -> Message | None:
    """Find a message as `MessageStore.find_message` does."""
    row = (await connection.execute(_SAID, {"session_id": session_id, "name": name})).first()
    return None if row is None else message_of(row)


async def reply_at(connection: AsyncConnection, session_id: SessionId, post: str) -> Message | None:
    """Find a reply as `MessageStore.reply_at` does."""
    row = (await connection.execute(_REPLY_AT, {"session_id": session_id, "post": post})).first()
    return None if row is None else message_of(row)


async def newest_reply(connection: AsyncConnection, session_id: SessionId) -> Message | None:
    """Find a reply as `MessageStore.newest_reply` does."""
    row = (await connection.execute(_NEWEST_REPLY, {"session_id": session_id})).first()
    return None if row is None else message_of(row)


async def mark_shown(connection: AsyncConnection, message_id: MessageId, *, now: datetime) -> None:
    """Mark a turn's end as shown, and erase what was not to be kept of it."""
    if await connection.scalar(_SHOWN, {"message_id": message_id}) is False:
        await erase_unkept(connection, [message_id], now=now)


async def take_unshown(
    connection: AsyncConnection, tenant_id: TenantId, *, after: datetime, before: datetime, now: datetime
) -> Sequence[Unshown]:
    """Take unshown turns as `MessageStore.take_unshown` does."""
    values: dict[str, Any] = {"b_tenant_id": tenant_id, "after": after, "before": before, "now": now}
    taken = [message_of(row) for row in (await connection.execute(_TAKE_UNSHOWN, values)).all()]
    if not taken:
        return []
    asked = {"message_ids": [message.message_id for message in taken]}
    answers = {row.reply_to: message_of(row) for row in (await connection.execute(_ANSWERS, asked)).all()}
    return [Unshown(message=message, answer=answers.get(message.message_id)) for message in taken]
