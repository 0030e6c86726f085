"""Accepting messages: what is committed here is accepted, nothing else is."""

from datetime import datetime

from sqlalchemy import bindparam, case, not_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.audience import entry_labels
from memory.errors import OutdatedMessageError, StoreConflictError
from memory.model import NO_MESSAGE, Accepted, Audience, InboundMessage, MessageId, MessageState, Role, turn_key
from memory.stores.sql.attachments import attachment_values
from memory.stores.sql.channels import add_channel, is_wider
from memory.stores.sql.database import inserts
from memory.stores.sql.early_changes import early_change
from memory.stores.sql.index_queue import enqueue
from memory.stores.sql.lexicon import put_entry
from memory.stores.sql.pause import IS_PAUSED, IS_PERSON_PAUSED
from memory.stores.sql.people import ensure_person
from memory.stores.sql.rows import AnyRow
from memory.stores.sql.schema import channels, messages, threads

_TITLE_CHARS = 80

_DELIVERY = (messages.c.channel_id == channels.c.channel_id) & (
    messages.c.platform_message_id == bindparam("platform_message_id")
)
_FIND_DELIVERY = (
    select(channels.c.audience, messages.c.id, messages.c.state)
    .outerjoin_from(channels, messages, _DELIVERY)
    .where(channels.c.channel_id == bindparam("channel_id"))
    .with_for_update(read=True, of=channels)  # as hold_channel does
)
_THREAD_COLUMNS = ("session_id", "tenant_id", "channel_id", "audience", "shared", "outsiders", "last_active_at")
_TITLE = case((IS_PERSON_PAUSED, ""), else_=bindparam("first_words"))
_TOUCH_THREAD = {
    dialect: plain.values(
        {name: bindparam(name) for name in _THREAD_COLUMNS} | {"title": _TITLE}
    ).on_conflict_do_update(
        index_elements=[threads.c.session_id],
        set_={name: plain.excluded[name] for name in ("last_active_at", "shared", "outsiders")},
    )
    for dialect, plain in inserts(threads).items()
}
_MESSAGE_COLUMNS = (
    "session_id",
    "tenant_id",
    "channel_id",
    "platform_message_id",
    "role",
    "author_id",
    "author_name",
    "text",
    "audience",
    "link",
    "sent_at",
    "state",
    "attachments",
    "edited_at",
)
_RECEIVE = {
    dialect: plain.values({name: bindparam(name) for name in _MESSAGE_COLUMNS} | {"kept": not_(IS_PAUSED)})
    .on_conflict_do_nothing(index_elements=[messages.c.channel_id, messages.c.platform_message_id])
    .returning(messages.c.id, messages.c.kept)
    for dialect, plain in inserts(messages).items()
}


def title_of(text: str) -> str:
    """Return the title of a thread whose first message is `text`."""
    return " ".join(text.split())[:_TITLE_CHARS]


async def accept(connection: AsyncConnection, message: InboundMessage, *, now: datetime) -> Accepted | None:
    """Commit a message as `MessageStore.accept` does, in the caller's transaction.

    Returns:
        None, with nothing written, when the message's channel is known for wider: it has to be narrowed first.

    Raises:
        OutdatedMessageError: It was edited before it came.
    """
    known = await _find_delivery(connection, message)
    place, dialect, audience = message.place, connection.dialect.name, Audience(known.audience)
    if is_wider(audience, place.audience):
        return None
    if known.id is not None:
        return _duplicate(known)
    early = await early_change(connection, place.channel_id, message.platform_message_id)
    if early is not None and early.is_deleted:
        return Accepted(message_id=NO_MESSAGE, duplicate=True, state=MessageState.FAILED)
    if early is not None and (message.edited_at or message.sent_at) < early.changed_at:
        raise OutdatedMessageError(f"{message.platform_message_id} was edited before it came")
    await ensure_person(connection, message.author, place.tenant_id)
    values = _thread_values(message) | {"audience": audience, "last_active_at": now}
    await connection.execute(_TOUCH_THREAD[dialect], values)
    values = _message_values(message) | {"audience": audience}
    received = (await connection.execute(_RECEIVE[dialect], values)).first()
    if received is None:  # another process took the same delivery while this one looked
        known = await _find_delivery(connection, message)
        if known.id is None:
            raise StoreConflictError("sql", "accept a message")
        return _duplicate(known)
    if received.kept:
        key, owner = turn_key(received.id, 1), message.author.user_id
        labels = entry_labels(audience=audience, owner=owner, about_owner=False)
        await put_entry(connection, key=key, labels=labels, text=message.text)
        await enqueue(connection, operation="index", key=key, owner=owner, now=now)
    return Accepted(message_id=MessageId(received.id), duplicate=False, state=MessageState.RECEIVED)


async def _find_delivery(connection: AsyncConnection, message: InboundMessage) -> AnyRow:
    """Return the audience of the channel, held from here on, and of the message, if it is known, row and state."""
    place = message.place
    values = {"channel_id": place.channel_id, "platform_message_id": message.platform_message_id}
    known = (await connection.execute(_FIND_DELIVERY, values)).first()
    if known is None:
        await add_channel(connection, place.channel_id, place.audience)
        known = (await connection.execute(_FIND_DELIVERY, values)).one()
    return known


def _duplicate(row: AnyRow) -> Accepted:
    return Accepted(message_id=MessageId(row.id), duplicate=True, state=MessageState(row.state))


def _thread_values(message: InboundMessage) -> dict[str, object]:
    place = message.place
    return {
        "session_id": place.session_id,
        "tenant_id": place.tenant_id,
        "channel_id": place.channel_id,
        "shared": place.shared,
        "outsiders": place.outsiders,
        "said_by": message.author.user_id,
        "first_words": title_of(message.text),
    }


def _message_values(message: InboundMessage) -> dict[str, object]:
    return {
        "session_id": message.place.session_id,
        "tenant_id": message.place.tenant_id,
        "channel_id": message.place.channel_id,
        "platform_message_id": message.platform_message_id,
        "role": Role.USER.value,
        "author_id": message.author.user_id,
        "author_name": message.author.name,
        "text": message.text,
        "link": message.link,
        "sent_at": message.sent_at,
        "state": MessageState.RECEIVED.value,
        "said_by": message.author.user_id,
        "said_in": message.place.session_id,
        "attachments": attachment_values(message.attachments),
        "edited_at": message.edited_at,
    }
