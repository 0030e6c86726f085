"""Turns: claiming a message for an answer, and settling it, each in one transaction of the caller.

A turn is over once its end is shown: until then it keeps the thread's lease, and is claimed next if it loses it.
Locks go lease, people, threads, messages.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, case, exists, insert, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.errors import StoreConflictError
from memory.model import (
    Attachment,
    Failure,
    Message,
    MessageId,
    MessageState,
    NewReply,
    Place,
    Role,
    SessionId,
    ThreadHead,
    TurnClaim,
    TurnEnd,
)
from memory.model.work import Lease
from memory.stores.sql.attachments import attachment_values, attachments_of
from memory.stores.sql.database import inserts
from memory.stores.sql.leases import EXPIRES_AT, IS_FREE, check_lease, release_lease, turn_lease
from memory.stores.sql.people import share_with_forgetting
from memory.stores.sql.rows import AnyRow
from memory.stores.sql.schema import leases, messages, people, threads
from memory.stores.sql.thread_reset import reset_threads
from memory.stores.sql.threads import is_settled, is_to_show, is_waiting, message_of
from memory.stores.sql.uses import is_forgotten, record_uses

_earlier = messages.alias("earlier")
_IS_OF_THREAD = _earlier.c.session_id == messages.c.session_id
_IS_EARLIER = tuple_(_earlier.c.sent_at, _earlier.c.id) < tuple_(messages.c.sent_at, messages.c.id)
_IS_TO_ANSWER = (
    is_waiting(messages)
    & ~exists().where(_IS_OF_THREAD, _IS_EARLIER, is_waiting(_earlier))
    & ~exists().where(_IS_OF_THREAD, is_to_show(_earlier))
)
_IS_TO_SHOW = is_to_show(messages) & ~exists().where(_IS_OF_THREAD, _IS_EARLIER, is_to_show(_earlier))
_IS_NEXT = (messages.c.id == bindparam("message_id")) & (_IS_TO_ANSWER | _IS_TO_SHOW)
_LEASE_OF_MESSAGE: Select[*tuple[Any, ...]] = select(
    literal("turn:") + messages.c.session_id, bindparam("claimer"), literal(1), EXPIRES_AT
).where(_IS_NEXT)
_CLAIM_THREAD = {
    dialect: plain.from_select(["name", "holder", "fence", "expires_at"], _LEASE_OF_MESSAGE)
    .on_conflict_do_update(
        index_elements=[leases.c.name],
        set_={"holder": bindparam("claimer"), "fence": leases.c.fence + 1, "expires_at": EXPIRES_AT},
        where=IS_FREE,
    )
    .returning(leases.c.name, leases.c.fence)
    for dialect, plain in inserts(leases).items()
}
_START = (
    update(messages)
    .where(_IS_NEXT)
    .values(
        state=case((is_waiting(messages), MessageState.ANSWERING.value), else_=messages.c.state),
        attempts=case((is_waiting(messages), messages.c.attempts + 1), else_=messages.c.attempts),
    )
)
_CLAIMED = (
    select(
        messages,
        threads.c.channel_id.label("place_channel_id"),
        threads.c.audience.label("place_audience"),
        threads.c.shared,
        threads.c.outsiders,
        threads.c.version.label("thread_version"),
        threads.c.forget_epoch,
        people.c.forget_epoch.label("author_epoch"),
    )
    .join(threads, threads.c.session_id == messages.c.session_id)
    .join(people, people.c.user_id == messages.c.author_id)
    .where(messages.c.id == bindparam("message_id"))
)

_AUTHOR_EPOCH = select(people.c.forget_epoch).where(people.c.user_id == bindparam("user_id"))
_AUTHOR_EPOCH_HELD = {"sqlite": _AUTHOR_EPOCH, "postgresql": _AUTHOR_EPOCH.with_for_update(read=True)}
_SETTLED_BY_ME = (messages.c.id == bindparam("b_message_id")) & (messages.c.settled_fence == bindparam("fence"))
_later = messages.alias("later")
_IS_PASSED = exists().where(
    _later.c.session_id == threads.c.session_id,
    _later.c.id > bindparam("b_message_id"),
    _later.c.role == Role.USER.value,
    is_settled(_later),
)
_ADD_TURN = (
    update(threads)
    .where(threads.c.session_id == bindparam("b_session_id"), ~exists().where(_SETTLED_BY_ME))
    .values(
        # A turn that others have passed is not at the end of the history: a copy that adds it there is outdated at
        # once, and a summary that is being made without it is refused.
        version=threads.c.version + case((_IS_PASSED, 2), else_=1),
        summary_version=case((_IS_PASSED, threads.c.version + 2), else_=threads.c.summary_version),
        last_active_at=bindparam("now"),
    )
    .returning(threads.c.forget_epoch, threads.c.summary_through)
)
_SET_STATE = update(messages).where(messages.c.id == bindparam("message_id")).values(state=bindparam("new_state"))
_SETTLE = _SET_STATE.values(
    unshown_since=bindparam("now"),
    show_at=None,
    settled_fence=bindparam("fence"),
    failure=bindparam("new_failure"),
    attempts=0,
)
_GIVE_BACK = _SET_STATE.where(messages.c.state == MessageState.ANSWERING.value).values(attempts=messages.c.attempts - 1)
_AUDIENCE_NOW = select(threads.c.audience).where(threads.c.session_id == bindparam("b_session_id")).scalar_subquery()
_answered = messages.alias("answered")
_KEPT_NOW = select(_answered.c.kept).where(_answered.c.id == bindparam("b_reply_to")).scalar_subquery()
_REPLY = insert(messages).values(audience=_AUDIENCE_NOW, kept=_KEPT_NOW).returning(messages.c.id, messages.c.kept)
_ATTACHED = (
    select(messages.c.attachments)
    .where(messages.c.id == bindparam("message_id"), messages.c.text.is_not(None))
    .with_for_update()
)
_ATTACH = (
    update(messages).where(messages.c.id == bindparam("message_id")).values(attachments=bindparam("new_attachments"))
)
_SETTLED_BEFORE = select(messages.c.id).where(_SETTLED_BY_ME)
_ANSWER = select(messages).where(messages.c.reply_to == bindparam("message_id"))


async def begin_turn(
    connection: AsyncConnection, message_id: MessageId, *, holder: str, lease_s: float, now: datetime
) -> TurnClaim | None:
    """Claim a message as `MessageStore.begin_turn` does."""
    values: Mapping[str, object] = {"message_id": message_id, "claimer": holder, "lease_s": lease_s, "now": now}
    claimed = (await connection.execute(_CLAIM_THREAD[connection.dialect.name], values)).first()
    if claimed is None:
        return None
    lease = Lease(name=claimed.name, holder=holder, fence=claimed.fence)
    if (await connection.execute(_START, {"message_id": message_id, "now": now})).rowcount != 1:
        await release_lease(connection, lease)  # the former holder ended it while this one waited for the lease's row
        return None
    row = (await connection.execute(_CLAIMED, {"message_id": message_id})).one()
    end = None
    if row.unshown_since is not None:
        answer = await _answer(connection, message_id)
        end = TurnEnd(settled_at=row.unshown_since, answer=answer, failure=_failure_of(row.failure))
    return _claim_of(row, lease, end)


async def hand_over(connection: AsyncConnection, claim: TurnClaim) -> None:
    """Give a turn back as `MessageStore.hand_over` does."""
    if await release_lease(connection, lease_of(claim)):
        values = {"message_id": claim.message.message_id, "new_state": MessageState.RECEIVED.value}
        await connection.execute(_GIVE_BACK, values)


async def attach(connection: AsyncConnection, claim: TurnClaim, read: Sequence[Attachment]) -> tuple[Attachment, ...]:
    """Keep what was read as `MessageStore.attach` does."""
    if not await check_lease(connection, lease_of(claim)):
        raise StoreConflictError("sql", "attach what was read", "the lease passed to someone else")
    values: dict[str, object] = {"message_id": claim.message.message_id}
    row = (await connection.execute(_ATTACHED, values)).first()
    if row is None:
        return ()
    by_ref = {attachment.ref: attachment for attachment in read if attachment.ref}
    now = tuple(by_ref.get(attachment.ref, attachment) for attachment in attachments_of(row.attachments))
    await connection.execute(_ATTACH, values | {"new_attachments": attachment_values(now)})
    return now


async def settle(
    connection: AsyncConnection, claim: TurnClaim, end: NewReply | Failure, *, now: datetime
) -> Message | None:
    """Settle a turn as `MessageStore.settle` does.

    A reply that was given a memory which somebody has forgotten since is stored without its text, too.
    """
    forgotten = None
    if await check_lease(connection, lease_of(claim)):
        forgotten = await _has_forgotten(connection, claim, end, now=now)
    if forgotten is None:
        return await _settled_before(connection, claim)
    failure = _failure_values(end) if isinstance(end, Failure) else None
    values = {
        "message_id": claim.message.message_id,
        "new_state": (MessageState.ANSWERED if failure is None else MessageState.FAILED).value,
        "new_failure": failure,
        "now": now,
        "fence": claim.fence,
    }
    await connection.execute(_SETTLE, values)
    if isinstance(end, Failure):
        return None
    stored = NewReply(text="", sent_at=end.sent_at, tokens=end.tokens) if forgotten else end
    row = await _insert_reply(connection, claim, stored, forgotten=forgotten)
    return Message(
        message_id=MessageId(row.id),
        session_id=claim.place.session_id,
        role=Role.ASSISTANT,
        author=None,
        text=stored.text,
        sent_at=stored.sent_at,
        reply_to=claim.message.message_id,
        used=stored.used,
        kept=row.kept,
    )


async def _settled_before(connection: AsyncConnection, claim: TurnClaim) -> Message | None:
    """Return what an earlier attempt to settle the turn has stored.

    Raises:
        StoreConflictError: There was none: the lease passed to someone else.
    """
    values = {"b_message_id": claim.message.message_id, "fence": claim.fence}
    if (await connection.execute(_SETTLED_BEFORE, values)).first() is None:
        raise StoreConflictError("sql", "settle a turn", "the lease passed to someone else")
    return await _answer(connection, claim.message.message_id)


async def _answer(connection: AsyncConnection, message_id: MessageId) -> Message | None:
    row = (await connection.execute(_ANSWER, {"message_id": message_id})).first()
    return None if row is None else message_of(row)


def lease_of(claim: TurnClaim) -> Lease:
    """Return the lease that a claim holds."""
    return Lease(name=turn_lease(claim.place.session_id), holder=claim.holder, fence=claim.fence)


async def _has_forgotten(
    connection: AsyncConnection, claim: TurnClaim, end: NewReply | Failure, *, now: datetime
) -> bool | None:
    """Make the turn history, and say whether a forget came between: of the asker, the thread or a used memory.

    Returns:
        None when it is history already.
    """
    await share_with_forgetting(connection, claim.place.tenant_id)
    author = claim.message.author
    epoch = claim.author_epoch
    if author is not None:
        held = _AUTHOR_EPOCH_HELD[connection.dialect.name]
        epoch = (await connection.execute(held, {"user_id": author.user_id})).scalar_one()
    session_id, message_id = claim.place.session_id, claim.message.message_id
    values = {
        "b_session_id": session_id,
        "b_message_id": message_id,
        "fence": claim.fence,
        "now": now,
    }
    thread = (await connection.execute(_ADD_TURN, values)).first()
    if thread is None:
        return None
    thread_epoch, covered = thread
    if covered >= message_id:
        await reset_threads(connection, [session_id], is_forgotten=False)
    if (thread_epoch, epoch) != (claim.head.forget_epoch, claim.author_epoch):
        return True
    return isinstance(end, NewReply) and await is_forgotten(connection, end.used)


async def _insert_reply(connection: AsyncConnection, claim: TurnClaim, reply: NewReply, *, forgotten: bool) -> AnyRow:
    """Store a reply, to be kept if the message it answers is; return its number and whether it is."""
    place = claim.place
    values = {
        "b_session_id": place.session_id,
        "b_reply_to": claim.message.message_id,
        "session_id": place.session_id,
        "tenant_id": place.tenant_id,
        "channel_id": place.channel_id,
        "role": Role.ASSISTANT.value,
        "text": None if forgotten else reply.text,
        "sent_at": reply.sent_at,
        "state": MessageState.ANSWERED.value,
        "reply_to": claim.message.message_id,
        "used": list(reply.used),
        "tokens": reply.tokens,
    }
    row = (await connection.execute(_REPLY, values)).one()
    await record_uses(connection, MessageId(row.id), reply.used)
    return row


def _claim_of(row: AnyRow, lease: Lease, end: TurnEnd | None) -> TurnClaim:
    session_id = SessionId(row.session_id)
    return TurnClaim(
        message=message_of(row),
        place=Place(
            session_id=session_id,
            channel_id=row.place_channel_id,
            tenant_id=row.tenant_id,
            audience=row.place_audience,
            shared=row.shared,
            outsiders=row.outsiders,
        ),
        head=ThreadHead(session_id=session_id, version=row.thread_version, forget_epoch=row.forget_epoch),
        author_epoch=row.author_epoch,
        holder=lease.holder,
        fence=lease.fence,
        attempts=row.attempts,
        end=end,
    )


def _failure_values(failure: Failure) -> dict[str, object]:
    return {"words": failure.words, "id": failure.correlation_id}


def _failure_of(values: Mapping[str, Any] | None) -> Failure | None:
    return None if values is None else Failure(words=values["words"], correlation_id=values["id"])
