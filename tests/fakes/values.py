"""Ready-made people, places and messages for tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from memory.audience import everyone_in, members_of, private_to
from memory.forgetting import PlatformChange
from memory.model import (
    ChannelId,
    Fact,
    FactKind,
    InboundMessage,
    Memory,
    MemoryKey,
    Message,
    MessageId,
    Person,
    Place,
    Recallable,
    Role,
    SessionId,
    TenantId,
    UserId,
)

TENANT = TenantId("test:acme")
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def person(name: str, *, tenant: TenantId = TENANT) -> Person:
    """Return a person of the tenant."""
    return Person(user_id=UserId(f"{tenant}:{name}"), name=name)


def dm(name: str, thread: str = "main", *, tenant: TenantId = TENANT) -> Place:
    """Return a thread in a person's DM."""
    user = person(name, tenant=tenant)
    return Place(
        session_id=SessionId(f"{tenant}:dm-{name}:{thread}"),
        channel_id=ChannelId(f"{tenant}:dm-{name}"),
        tenant_id=tenant,
        audience=private_to(user.user_id),
        shared=False,
    )


def changed(place: Place, platform_message_id: str, *, by: Person, at: datetime) -> PlatformChange:
    """Return a person's change of a message that they sent a minute before."""
    return PlatformChange(
        session_id=place.session_id,
        channel_id=place.channel_id,
        platform_message_id=platform_message_id,
        sent_at=at - timedelta(minutes=1),
        at=at,
        actor=by.user_id,
    )


def public_channel(name: str, thread: str = "main", *, tenant: TenantId = TENANT) -> Place:
    """Return a thread in a public channel."""
    return _channel(name, thread, tenant, public=True)


def private_channel(name: str, thread: str = "main", *, tenant: TenantId = TENANT) -> Place:
    """Return a thread in a private channel."""
    return _channel(name, thread, tenant, public=False)


def _channel(name: str, thread: str, tenant: TenantId, *, public: bool) -> Place:
    channel_id = ChannelId(f"{tenant}:{name}")
    return Place(
        session_id=SessionId(f"{channel_id}:{thread}"),
        channel_id=channel_id,
        tenant_id=tenant,
        audience=everyone_in(tenant) if public else members_of(channel_id),
        shared=True,
    )


def inbound(
    text: str, *, place: Place, author: Person, delivery: str, sent_at: datetime = NOON, link: str | None = None
) -> InboundMessage:
    """Return a message as a platform would deliver it."""
    return InboundMessage(
        place=place, platform_message_id=delivery, author=author, text=text, sent_at=sent_at, link=link
    )


def said(message_id: int, text: str, *, by: str | None = "ana", reply_to: int | None = None) -> Message:
    """Return a message of the record; `by` None is Recall."""
    return Message(
        message_id=MessageId(message_id),
        session_id=dm("ana").session_id,
        role=Role.ASSISTANT if by is None else Role.USER,
        author=None if by is None else person(by),
        text=text,
        sent_at=NOON,
        reply_to=None if reply_to is None else MessageId(reply_to),
    )


def stored_fact(number: int, text: str, *, owner: str = "ana") -> Fact:
    """Return a fact of the record."""
    return Fact(
        fact_id=number,
        number=number,
        tenant_id=TENANT,
        owner=person(owner).user_id,
        subject="person",
        kind=FactKind.OTHER,
        text=text,
        audience=dm(owner).audience,
        said_at=NOON,
    )


def shown_memory(number: int = 7, text: str = "I run EKS.", **more: Any) -> Memory:
    """Return a memory as its owner sees it; `more` takes the place of what is not said here."""
    values: dict[str, Any] = {
        "key": MemoryKey(f"f{number}"),
        "subject": "person",
        "kind": "other",
        "audience": dm("ana").audience,
        "said_at": NOON,
        "session_id": dm("ana").session_id,
        "thread": "main",
    }
    return Memory(number=number, text=text, **(values | more))


def recallable(number: int | None, text: str = "I run EKS.", **more: Any) -> Recallable:
    """Return a turn that an answer was given, the reader's own when it has a number; `more` as above."""
    values: dict[str, Any] = {
        "key": MemoryKey("m1.1"),
        "kind": "turn",
        "owner": person("ana").user_id,
        "author": "bob",
        "said_at": NOON,
        "session_id": dm("ana").session_id,
        "thread": "main",
    }
    return Recallable(number=number, text=text, **(values | more))
