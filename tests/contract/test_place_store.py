"""The contract of PlaceStore: which tenants, channels and threads the record knows of."""

from datetime import timedelta

import pytest

from memory.audience import everyone_in, members_of, private_to
from memory.model import ChannelId, Person, Place, SeenThread, SessionId, TenantId, ThisMessage, UserId
from memory.stores.sql.places import SqlPlaceStore
from tests.contract.record import (
    ANNA,
    BOB,
    CHANNEL,
    LEASE_S,
    PUBLIC,
    TENANT,
    Record,
    private_thread,
    public_thread,
    remembered,
)

CARL = Person(user_id=UserId("test:T1_2:carl"), name="Carl")
ALIKE = TenantId("test:T1_2")
HERE = public_thread().session_id


@pytest.fixture
def places(record: Record) -> SqlPlaceStore:
    """What is asked, over the same record."""
    return SqlPlaceStore(record.database)


def alike_tenant() -> Place:
    """Return a thread of a tenant whose id looks like a pattern for the other's."""
    channel_id = ChannelId(f"{ALIKE}:ops")
    return Place(
        session_id=SessionId(f"{channel_id}:one"),
        channel_id=channel_id,
        tenant_id=ALIKE,
        audience=everyone_in(ALIKE),
        shared=True,
    )


async def test_tenants_are_found_by_how_their_ids_begin(record: Record, places: SqlPlaceStore) -> None:
    """To the letter; a command in one is enough."""
    assert await places.tenants("test:") == []
    await record.facts.add(remembered("My vault is in lima.", record.clock))
    await record.talk("Prod is zanzibar.", person=CARL, place=alike_tenant())
    assert await places.tenants("test:") == [TENANT, ALIKE]
    assert await places.tenants("test:T1_") == [ALIKE]
    assert await places.tenants("tes_") == await places.tenants("other:") == []


async def test_a_forgotten_tenant_is_known_again_once_something_is_said_there(
    record: Record, places: SqlPlaceStore
) -> None:
    """Its rows stay, and tell nothing."""
    await record.talk("Prod is zanzibar.")
    await record.facts.add(remembered("My vault is in lima.", record.clock, person=BOB))
    await record.erasure.forget_tenant(TENANT, actor=ANNA.user_id)
    assert await places.tenants("test:") == []
    await record.talk("Prod is lima.")
    assert await places.tenants("test:") == [TENANT]


async def test_known_channels_are_a_tenants_own_with_their_audiences(record: Record, places: SqlPlaceStore) -> None:
    """The narrowest each ever had; also of a channel in which only a command was given."""
    await record.talk("Prod is zanzibar.")
    await record.talk("Prod is zanzibar.", place=public_thread("two"))
    await record.facts.add(remembered("My vault is in lima.", record.clock))
    await record.talk("Prod is lima.", person=CARL, place=alike_tenant())
    dm = private_thread().channel_id
    assert await places.known_channels(TENANT) == {CHANNEL: PUBLIC, dm: private_to(ANNA.user_id)}
    await record.messages.narrow_channel(CHANNEL, members_of(CHANNEL), tenant_id=TENANT)
    assert (await places.known_channels(TENANT))[CHANNEL] == members_of(CHANNEL)
    assert await places.known_channels(TenantId("test:T9")) == {}


async def test_seen_threads_name_the_newest_message_of_each(record: Record, places: SqlPlaceStore) -> None:
    """By when it was sent, whatever became of it, and never an answer; last active first."""
    old = await record.talk("Long ago.", place=public_thread("old"))
    record.clock.advance(3_600)
    since = record.clock.now()
    asked = await record.talk("Prod is zanzibar.")
    dm = await record.say("Staging is lima.", place=private_thread())
    await record.talk("Elsewhere.", person=CARL, place=alike_tenant())
    seen = await places.seen_threads(TENANT, since=since)
    assert seen == [
        SeenThread(session_id=private_thread().session_id, platform_message_id="p3", sent_at=dm.sent_at),
        SeenThread(session_id=HERE, platform_message_id="p2", sent_at=asked.sent_at),
    ]
    everything = await places.seen_threads(TENANT, since=old.sent_at - timedelta(days=1))
    assert [thread.platform_message_id for thread in everything] == ["p3", "p2", "p1"]


async def test_a_late_delivery_does_not_hide_what_was_sent_after_it(record: Record, places: SqlPlaceStore) -> None:
    """The record may get them in another order."""
    await record.talk("Prod is zanzibar.")
    now = record.clock.now()
    record.clock.advance(-60)
    await record.deliver("late", "Sent before that.")
    (seen,) = await places.seen_threads(TENANT, since=now - timedelta(days=1))
    assert seen.platform_message_id == "p1"


async def test_what_was_deleted_or_forgotten_was_seen(record: Record, places: SqlPlaceStore) -> None:
    """Nobody is to read it again."""
    since = record.clock.now()
    await record.talk("Prod is zanzibar.")
    await record.talk("Prod is lima.")
    await record.erasure.delete_message(HERE, "p2", actor=ANNA.user_id)
    (seen,) = await places.seen_threads(TENANT, since=since)
    assert seen.platform_message_id == "p2"
    plan = await record.erasure.plan(ANNA.user_id, ThisMessage(session_id=HERE, platform_message_id="p1"))
    await record.erasure.erase(plan, actor=ANNA.user_id)
    assert (await places.seen_threads(TENANT, since=since))[0].platform_message_id == "p2"


async def test_a_message_and_the_post_of_its_answer_lead_to_their_thread(record: Record, places: SqlPlaceStore) -> None:
    """Also after the message was forgotten; what is unknown, or of another channel, leads nowhere."""
    asked = await record.say("Prod is zanzibar.", place=public_thread("two"))
    claim = await record.messages.begin_turn(asked.message_id, holder="w", lease_s=LEASE_S)
    assert claim is not None
    await record.messages.note_post(claim, "post-1")
    await record.answer_claim(claim, "Noted.")
    two = public_thread("two").session_id
    assert await places.session_of(CHANNEL, "p1") == await places.session_of(CHANNEL, "post-1") == two
    await record.erasure.delete_message(two, "p1", actor=ANNA.user_id)
    assert await places.session_of(CHANNEL, "p1") == await places.session_of(CHANNEL, "post-1") == two
    assert await places.session_of(CHANNEL, "p2") is None
    assert await places.session_of(ChannelId("test:T1:dev"), "p1") is None
