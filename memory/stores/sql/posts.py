"""Where the platform shows the end of a turn, and whether it does yet."""

from datetime import datetime

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.errors import StoreConflictError
from memory.model import Message, SessionId, TurnClaim
from memory.stores.sql.leases import check_lease, release_lease
from memory.stores.sql.pause import erase_unkept
from memory.stores.sql.schema import messages
from memory.stores.sql.threads import message_of
from memory.stores.sql.turns import lease_of

_NOTE = update(messages).where(messages.c.id == bindparam("message_id")).values(post=bindparam("new_post"))
_END = update(messages).where(
    messages.c.id == bindparam("message_id"),
    messages.c.unshown_since.is_not(None),
    func.coalesce(messages.c.settled_fence, 0) <= bindparam("fence"),  # not what a later turn made of it
)
_SHOWN = _END.values(unshown_since=None, show_at=None).returning(messages.c.kept)
_PUT_OFF = _END.values(show_at=bindparam("until"))
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


async def mark_shown(connection: AsyncConnection, claim: TurnClaim, *, now: datetime) -> None:
    """End a turn as `MessageStore.mark_shown` does, and erase what was not to be kept of it."""
    await release_lease(connection, lease_of(claim))
    message_id = claim.message.message_id
    if await connection.scalar(_SHOWN, {"message_id": message_id, "fence": claim.fence}) is False:
        await erase_unkept(connection, [message_id], now=now)


async def put_off(connection: AsyncConnection, claim: TurnClaim, *, until: datetime) -> None:
    """Let a turn's end be shown later as `MessageStore.put_off` does."""
    if await release_lease(connection, lease_of(claim)):
        values = {"message_id": claim.message.message_id, "fence": claim.fence, "until": until}
        await connection.execute(_PUT_OFF, values)
