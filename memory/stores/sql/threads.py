"""Reading threads back from the record: messages in their order, the summary, and lists of threads."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    FromClause,
    Select,
    String,
    bindparam,
    func,
    literal_column,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import (
    ChannelId,
    Message,
    MessageId,
    MessageState,
    Person,
    Pin,
    Place,
    Role,
    SessionId,
    Summary,
    TenantId,
    ThreadHead,
    ThreadInfo,
    ThreadState,
    UserId,
)
from memory.stores.sql.attachments import attachments_of
from memory.stores.sql.rows import AnyRow
from memory.stores.sql.schema import messages, threads


def _in_states(rows: FromClause, *states: MessageState) -> ColumnElement[bool]:
    """Return a condition that spells the states out: for the partial index, and cheaper than parameters."""
    return rows.c.state.in_([literal_column(f"'{state.value}'", String) for state in states])


def is_settled(rows: FromClause) -> ColumnElement[bool]:
    """Return the condition for history; a reply is always settled."""
    return _in_states(rows, MessageState.ANSWERED, MessageState.FAILED)


SETTLED = is_settled(messages)
turn_of = func.coalesce(messages.c.reply_to, messages.c.id)
"""The message that a row belongs to: itself, or the one it answers. By (turn, id) a reply follows its question."""

_covered = messages.alias("covered")
_COVERED_TURN = func.coalesce(
    select(func.coalesce(_covered.c.reply_to, _covered.c.id))
    .where(_covered.c.id == threads.c.summary_through)
    .scalar_subquery(),
    threads.c.summary_through,
)
_HEAD = select(threads, _COVERED_TURN.label("covered_turn")).where(threads.c.session_id == bindparam("session_id"))
_NEWEST = (
    select(messages)
    .where(
        messages.c.session_id == bindparam("session_id"),
        messages.c.id > bindparam("covered_turn"),  # a range of the index; what follows decides
        (turn_of > bindparam("covered_turn"))
        | ((turn_of == bindparam("covered_turn")) & (messages.c.id > bindparam("covered"))),
        SETTLED,
        messages.c.text.is_not(None),
        messages.c.kept,
    )
    .order_by(turn_of.desc(), messages.c.id.desc())
    .limit(bindparam("limit"))
)
_SAVE_SUMMARY = (
    update(threads)
    .where(
        threads.c.session_id == bindparam("b_session_id"),
        threads.c.forget_epoch == bindparam("b_epoch"),
        threads.c.summary_version <= bindparam("b_version"),
    )
    .values(
        summary=bindparam("new_summary"),
        pins=bindparam("new_pins"),
        summary_through=bindparam("new_through"),
        version=threads.c.version + 1,
        summary_version=threads.c.version + 1,
    )
    .returning(threads.c.version)
)
_HAS_MESSAGES = select(messages.c.id).where(messages.c.session_id == threads.c.session_id).correlate(threads).exists()
_PLACE = select(threads).where(threads.c.session_id == bindparam("session_id"), _HAS_MESSAGES)
_HIS_THREADS = (
    select(messages.c.session_id)
    .where(messages.c.author_id == bindparam("user_id"), messages.c.text.is_not(None), messages.c.kept)
    .distinct()
)
_MESSAGE_COUNT = (
    select(func.count())
    .where(messages.c.session_id == threads.c.session_id, messages.c.text.is_not(None), messages.c.kept)
    .correlate(threads)
    .scalar_subquery()
)
_THREADS = (
    select(threads.c.session_id, threads.c.channel_id, threads.c.title, threads.c.last_active_at, _MESSAGE_COUNT)
    .where(threads.c.session_id.in_(_HIS_THREADS))
    .order_by(threads.c.last_active_at.desc(), threads.c.session_id)
    .limit(bindparam("limit"))
)


def is_waiting(rows: FromClause) -> ColumnElement[bool]:
    """Return the condition for messages that still want an answer."""
    return _in_states(rows, MessageState.RECEIVED, MessageState.ANSWERING) & rows.c.text.is_not(None)


def is_to_show(rows: FromClause) -> ColumnElement[bool]:
    """Return the condition for messages whose turn was settled, and whose end is to be shown by `now`."""
    is_due = rows.c.show_at.is_(None) | (rows.c.show_at <= bindparam("now"))
    return rows.c.unshown_since.is_not(None) & is_due


def _open(rank: str, *conditions: ColumnElement[bool]) -> Select[Any]:
    return select(messages.c.id, messages.c.session_id, messages.c.sent_at, literal_column(rank).label("rank")).where(
        *conditions
    )


def _open_turns(rows: ColumnElement[bool]) -> CompoundSelect[Any]:
    """Return what is not over, each kind by its own partial index."""
    return union_all(_open("0", rows, is_to_show(messages)), _open("1", rows, is_waiting(messages)))


_here = _open_turns(messages.c.session_id == bindparam("session_id"))
_WAITING = _here.order_by(_here.selected_columns.rank, _here.selected_columns.sent_at, _here.selected_columns.id)
_anywhere = _open_turns(messages.c.tenant_id == bindparam("tenant_id")).subquery()
_OPEN_THREADS = (
    select(_anywhere.c.session_id, func.count().label("turns"))
    .group_by(_anywhere.c.session_id)
    .order_by(func.min(_anywhere.c.id))
)


def message_of(row: AnyRow) -> Message:
    """Return the message that a row of `messages` holds."""
    author = None if row.author_id is None else Person(user_id=UserId(row.author_id), name=row.author_name)
    return Message(
        message_id=MessageId(row.id),
        session_id=SessionId(row.session_id),
        role=Role(row.role),
        author=author,
        text=row.text or "",
        sent_at=row.sent_at,
        version=row.version,
        reply_to=row.reply_to,
        used=tuple(row.used),
        link=row.link,
        platform_message_id=row.platform_message_id,
        post=row.post,
        kept=row.kept,
        attachments=attachments_of(row.attachments),
    )


async def waiting(connection: AsyncConnection, session_id: SessionId, *, now: datetime) -> list[MessageId]:
    """Return a thread's turns that are not over as `MessageStore.waiting` does."""
    rows = (await connection.execute(_WAITING, {"session_id": session_id, "now": now})).all()
    return [MessageId(row.id) for row in rows]


async def open_threads(connection: AsyncConnection, tenant_id: TenantId, *, now: datetime) -> dict[SessionId, int]:
    """Count turns that are not over as `MessageStore.open_threads` does."""
    rows = (await connection.execute(_OPEN_THREADS, {"tenant_id": tenant_id, "now": now})).all()
    return {SessionId(row.session_id): row.turns for row in rows}


async def place_of(connection: AsyncConnection, session_id: SessionId) -> Place | None:
    """Return where a thread is."""
    row = (await connection.execute(_PLACE, {"session_id": session_id})).first()
    if row is None:
        return None
    return Place(
        session_id=session_id,
        channel_id=row.channel_id,
        tenant_id=row.tenant_id,
        audience=row.audience,
        shared=row.shared,
        outsiders=row.outsiders,
    )


async def load_thread(connection: AsyncConnection, session_id: SessionId, *, limit: int) -> ThreadState:
    """Return a thread past its summary."""
    head = (await connection.execute(_HEAD, {"session_id": session_id})).first()
    if head is None:
        nothing = ThreadHead(session_id=session_id, version=0, forget_epoch=0)
        return ThreadState(head=nothing, summary=Summary(), messages=())
    values = {
        "session_id": session_id,
        "covered_turn": head.covered_turn,
        "covered": head.summary_through,
        "limit": limit,
    }
    rows = (await connection.execute(_NEWEST, values)).all()
    return ThreadState(
        head=ThreadHead(session_id=session_id, version=head.version, forget_epoch=head.forget_epoch),
        summary=Summary(text=head.summary, pins=_pins_of(head.pins), through=MessageId(head.summary_through)),
        messages=tuple(message_of(row) for row in reversed(rows)),
    )


async def save_summary(connection: AsyncConnection, head: ThreadHead, summary: Summary) -> ThreadHead | None:
    """Store a summary made from the thread as it stood at `head`."""
    values = {
        "b_session_id": head.session_id,
        "b_epoch": head.forget_epoch,
        "b_version": head.version,
        "new_summary": summary.text,
        "new_pins": [_pin_values(pin) for pin in summary.pins],
        "new_through": summary.through,
    }
    version = (await connection.execute(_SAVE_SUMMARY, values)).scalar_one_or_none()
    if version is None:
        return None
    return ThreadHead(session_id=head.session_id, version=version, forget_epoch=head.forget_epoch)


async def threads_of(connection: AsyncConnection, user_id: UserId, *, limit: int) -> list[ThreadInfo]:
    """Return the threads that a person wrote in and did not forget all of, last active first."""
    rows = (await connection.execute(_THREADS, {"user_id": user_id, "limit": limit})).all()
    return [
        ThreadInfo(
            session_id=SessionId(session_id),
            channel_id=ChannelId(channel_id),
            title=title,
            last_active_at=last_active_at,
            message_count=count,
        )
        for session_id, channel_id, title, last_active_at, count in rows
    ]


def _pin_values(pin: Pin) -> dict[str, object]:
    return {"text": pin.text, "kind": pin.kind, "said_by": pin.said_by.value, "message_id": pin.message_id}


def _pins_of(values: Any) -> tuple[Pin, ...]:
    return tuple(
        Pin(
            text=value["text"],
            kind=value["kind"],
            said_by=Role(value["said_by"]),
            message_id=MessageId(value["message_id"]),
        )
        for value in values
    )
