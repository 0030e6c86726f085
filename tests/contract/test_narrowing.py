"""The contract of narrowing: a source has the narrowest audience its channel ever had, with all that came of it."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select

from memory.audience import members_of, scope_for
from memory.errors import StoreConflictError
from memory.model import (
    Audience,
    ChannelId,
    InboundMessage,
    MemoryKey,
    Person,
    Place,
    SessionId,
    UserId,
    episode_key,
    fact_key,
    key_kind,
    turn_key,
)
from memory.model.work import Outcome
from memory.stores.sql import inbox
from memory.stores.sql.narrowing import narrow_channel
from memory.stores.sql.recall import SqlRecallStore
from memory.stores.sql.schema import episodes, fact_sources, facts, messages, threads
from tests.contract.record import (
    ANNA,
    BOB,
    CHANNEL,
    PUBLIC,
    TENANT,
    Record,
    episode_of,
    fact_from,
    public_thread,
    remembered,
)
from tests.fakes.values import inbound

NARROW = members_of(CHANNEL)
CARL = Person(user_id=UserId("test:T1:carl"), name="Carl")


def narrow_thread(name: str = "one") -> Place:
    """Return a thread of the public channel after it has become private."""
    return replace(public_thread(name), audience=NARROW)


def elsewhere() -> Place:
    """Return a thread of another public channel."""
    channel = ChannelId("test:T1:other")
    return replace(public_thread(), session_id=SessionId(f"{channel}:one"), channel_id=channel)


async def audiences(record: Record) -> set[Audience]:
    """Return every audience in the record."""
    found: set[Audience] = set()
    async with record.database.read() as connection:
        for table in (threads, messages, facts, fact_sources, episodes):
            found.update(await connection.scalars(select(table.c.audience)))
    return found


async def found_by(record: Record, place: Place, words: str) -> set[MemoryKey]:
    """Return what somebody who said nothing is shown for words, by the search and by the record itself."""
    found = await record.found(place, CARL, words)
    assert set(await record.recalled(place, CARL, words)) == found
    return found


async def _learn_from_public(record: Record) -> set[MemoryKey]:
    """Let two people talk in a public channel and learn a fact and an episode; return all keys."""
    said = await record.talk("Prod is zanzibar.")
    theirs = await record.talk("Zanzibar indeed.", person=BOB)
    new = fact_from("Prod is zanzibar.", said, theirs, subject="team")
    await record.learn(Outcome(added=(new,), episode=episode_of(said, theirs, words="The zanzibar night")))
    return {fact_key(1), episode_key(1), turn_key(said.message_id, 1), turn_key(theirs.message_id, 1)}


async def test_a_narrowed_channel_takes_all_that_came_of_it_along(record: Record) -> None:
    """Threads, messages, facts, their sources and episodes; the search finds them in the channel and nowhere else."""
    keys = await _learn_from_public(record)
    assert await found_by(record, elsewhere(), "zanzibar") == keys
    await record.messages.narrow_channel(CHANNEL, NARROW, tenant_id=TENANT)
    assert await audiences(record) == {NARROW}
    assert await found_by(record, elsewhere(), "zanzibar") == set()
    assert await found_by(record, narrow_thread(), "zanzibar") == keys


async def test_a_message_from_a_narrower_place_narrows_the_channel(record: Record) -> None:
    """Also one in a new thread: the first word after a channel has turned private is enough."""
    await _learn_from_public(record)
    await record.talk("Hello.", place=narrow_thread("two"))
    assert await audiences(record) == {NARROW}
    assert await found_by(record, elsewhere(), "zanzibar") == set()


async def test_another_delivery_from_a_narrower_place_narrows_the_channel_too(record: Record) -> None:
    """The message is known, that its channel has turned private is not."""
    first = await record.deliver("p1", "Prod is zanzibar.")
    again = await record.deliver("p1", "Prod is zanzibar.", place=narrow_thread())
    assert (again.message_id, again.duplicate) == (first.message_id, True)
    assert await audiences(record) == {NARROW}


async def test_a_message_from_a_wider_place_widens_nothing(record: Record) -> None:
    """What was said among a few stays theirs when the channel is opened, and so does what is said there later."""
    said = await record.talk("Prod is zanzibar.", place=narrow_thread())
    await record.talk("Hello, zanzibar.", place=public_thread())
    await record.talk("Zanzibar once more.", place=public_thread("two"))
    claims = await record.claim()
    assert {claim.audience for claim in claims} == {NARROW}
    await record.messages.narrow_channel(CHANNEL, PUBLIC, tenant_id=TENANT)
    assert await audiences(record) == {NARROW}
    assert await found_by(record, elsewhere(), "zanzibar") == set()
    assert turn_key(said.message_id, 1) in await found_by(record, narrow_thread(), "zanzibar")


async def test_a_fact_that_was_also_said_in_public_stays_public(record: Record) -> None:
    """A fact is as wide as the widest of its sources that lives."""
    said = await record.talk("Prod is zanzibar.")
    await record.learn(Outcome(added=(fact_from("Prod is zanzibar.", said, subject="team"),)))
    again = await record.talk("Prod is zanzibar.", person=BOB, place=elsewhere())
    await record.learn(Outcome(confirmed=((1, fact_from("Prod is zanzibar.", again, subject="team")),)))
    await record.messages.narrow_channel(CHANNEL, NARROW, tenant_id=TENANT)
    assert await found_by(record, public_thread("of another"), "prod") == {fact_key(1), turn_key(again.message_id, 1)}
    await record.messages.narrow_channel(elsewhere().channel_id, members_of(elsewhere().channel_id), tenant_id=TENANT)
    assert PUBLIC not in await audiences(record)


async def test_other_channels_stay_as_they_are(record: Record) -> None:
    """One channel's change says nothing of another."""
    said = await record.talk("Prod is zanzibar.", place=elsewhere())
    await record.messages.narrow_channel(CHANNEL, NARROW, tenant_id=TENANT)
    await record.talk("Hello.", place=narrow_thread())
    assert await found_by(record, public_thread(), "zanzibar") == {turn_key(said.message_id, 1)}


async def test_an_extraction_that_began_before_stores_nothing(record: Record) -> None:
    """Its facts were meant for more readers; the thread is due again."""
    said = await record.talk("Prod is zanzibar.")
    claim, batch = await record.claim_one()
    await record.messages.narrow_channel(CHANNEL, NARROW, tenant_id=TENANT)
    with pytest.raises(StoreConflictError):
        await record.extraction.commit(claim, batch, Outcome(added=(fact_from("Prod is zanzibar.", said),)), shown=())
    await record.extraction.release(claim)
    assert [each.audience for each in await record.claim()] == [NARROW]


async def test_a_fact_remembered_in_a_turn_that_began_before_is_for_the_fewer_readers(record: Record) -> None:
    """The turn still thinks the channel public."""
    said = await record.say("Prod is zanzibar.")
    await record.messages.narrow_channel(CHANNEL, NARROW, tenant_id=TENANT)
    fact = await record.facts.add(fact_from("Prod is zanzibar.", said, subject="team"), author_epoch=0)
    assert (fact.tenant_id, fact.owner, fact.audience) == (TENANT, ANNA.user_id, NARROW)
    assert await audiences(record) == {NARROW}


async def test_a_reply_to_a_turn_that_began_before_is_for_the_fewer_readers(record: Record) -> None:
    """It is stored in the thread as the thread is by then."""
    claim = await record.messages.begin_turn((await record.say("Hello.")).message_id, holder="w", lease_s=60)
    await record.messages.narrow_channel(CHANNEL, NARROW, tenant_id=TENANT)
    assert claim is not None
    await record.answer_claim(claim, "Hello.")
    assert await audiences(record) == {NARROW}


async def _said_in_two_channels(record: Record, *, second: Person = BOB) -> None:
    """Let Anna say a fact of the team in one public channel, and Bob or somebody else in another."""
    said = await record.talk("Prod is zanzibar.")
    await record.learn(Outcome(added=(fact_from("Prod is zanzibar.", said, subject="team"),)))
    again = await record.talk("Prod is zanzibar.", person=second, place=elsewhere())
    await record.learn(Outcome(confirmed=((1, fact_from("Prod is zanzibar.", again, subject="team")),)))


async def test_a_fact_whose_last_public_source_goes_is_for_the_readers_of_what_is_left(record: Record) -> None:
    """Narrowing had left it public, since it was said in public elsewhere; then that message is deleted."""
    await _said_in_two_channels(record)
    await record.messages.narrow_channel(CHANNEL, NARROW, tenant_id=TENANT)
    await record.erasure.delete_message(elsewhere().session_id, "p2", actor=BOB.user_id)
    assert await found_by(record, public_thread("of another"), "zanzibar") == set()
    assert fact_key(1) in await found_by(record, narrow_thread(), "zanzibar")


@pytest.mark.parametrize("second", [ANNA, BOB])
@pytest.mark.parametrize("deleted", ["p1", "p2"])
async def test_a_fact_of_two_private_channels_is_never_for_the_readers_of_a_forgotten_source(
    record: Record, deleted: str, second: Person
) -> None:
    """Whichever of its sources goes, and whether the fact stays its owner's or is handed over."""
    await _said_in_two_channels(record, second=second)
    for place in (public_thread(), elsewhere()):
        await record.messages.narrow_channel(place.channel_id, members_of(place.channel_id), tenant_id=TENANT)
    gone, left = (public_thread(), elsewhere()) if deleted == "p1" else (elsewhere(), public_thread())
    await record.erasure.delete_message(gone.session_id, deleted, actor=ANNA.user_id)
    found = {
        place.channel_id: {
            key
            for key in await found_by(record, replace(place, audience=members_of(place.channel_id)), "zanzibar")
            if key_kind(key) == "fact"
        }
        for place in (gone, left)
    }
    assert not found[gone.channel_id]
    assert len(found[left.channel_id]) == 1


async def test_a_fact_handed_over_stays_as_wide_as_a_source_that_is_left(record: Record) -> None:
    """Its owner forgets it; of the two whose words still back it, only the second spoke in public."""
    await _said_in_two_channels(record)
    third = replace(public_thread(), session_id=SessionId("test:T1:dev:one"), channel_id=ChannelId("test:T1:dev"))
    again = await record.talk("Prod is zanzibar.", person=CARL, place=third)
    await record.learn(Outcome(confirmed=((1, fact_from("Prod is zanzibar.", again, subject="team")),)))
    await record.messages.narrow_channel(elsewhere().channel_id, members_of(elsewhere().channel_id), tenant_id=TENANT)
    await record.erasure.delete_message(public_thread().session_id, "p1", actor=ANNA.user_id)
    assert await found_by(record, public_thread("of another"), "prod") == {fact_key(2), turn_key(again.message_id, 1)}


async def test_a_fact_remembered_by_hand_is_narrowed_with_its_channel(record: Record) -> None:
    """Also where it was said in a thread without a message, and in a channel without any."""
    by_hand = remembered("My vault is in zanzibar.", record.clock, place=public_thread("of a command"))
    fact = await record.facts.add(by_hand)
    await record.messages.narrow_channel(CHANNEL, NARROW, tenant_id=TENANT)
    scope = scope_for(elsewhere(), ANNA.user_id)
    assert await SqlRecallStore(record.database).fetch(scope, [fact_key(fact.fact_id)]) == []
    assert await audiences(record) == {NARROW}


async def test_a_fact_remembered_by_hand_is_for_the_fewest_readers_the_channel_ever_had(record: Record) -> None:
    """The command came from a place that still thought the channel public."""
    await record.talk("Hello.", place=narrow_thread())
    by_hand = remembered("My vault is in zanzibar.", record.clock, place=public_thread("of a command"))
    assert (await record.facts.add(by_hand)).audience == NARROW


async def test_a_fact_remembered_by_hand_in_a_narrower_place_narrows_the_channel(record: Record) -> None:
    """A command tells as much of its channel as a message does."""
    await _learn_from_public(record)
    place = replace(public_thread("of a command"), audience=NARROW)
    await record.facts.add(remembered("My vault is in zanzibar.", record.clock, place=place))
    assert await audiences(record) == {NARROW}


async def test_a_channel_narrowed_before_its_first_message_is_narrow(record: Record) -> None:
    """The message may have been sent, and its place looked up, while the channel was public."""
    await record.messages.narrow_channel(CHANNEL, NARROW, tenant_id=TENANT)
    await record.talk("Hello.")
    assert await audiences(record) == {NARROW}


async def test_a_message_that_arrives_while_its_channel_is_narrowed_is_narrow(record: Record) -> None:
    """The first of a new thread, which no earlier row of the thread tells of; whichever of the two begins first."""
    await record.talk("Hello.")
    async with record.database.begin() as connection:
        await inbox.accept(connection, _arrival("one", record), now=record.clock.now())
        narrowing = asyncio.create_task(record.messages.narrow_channel(CHANNEL, NARROW, tenant_id=TENANT))
        await record.until_it_waits(narrowing)
    await narrowing
    assert await audiences(record) == {NARROW}


async def test_a_message_waits_for_a_narrowing_under_way(record: Record) -> None:
    """It comes in while nobody can see yet that the channel is narrow."""
    await record.talk("Hello.")

    async def arrive() -> None:
        await record.messages.accept(_arrival("two", record))

    async with record.database.begin() as connection:
        await narrow_channel(connection, CHANNEL, NARROW, tenant_id=TENANT)
        arriving = asyncio.create_task(arrive())
        await record.until_it_waits(arriving)
    await arriving
    assert await audiences(record) == {NARROW}


async def test_two_channels_narrowed_at_once_leave_no_fact_of_both_public(record: Record) -> None:
    """Each narrowing still sees the other channel's source as a public one when it begins."""
    await _said_in_two_channels(record)
    other = elsewhere().channel_id
    async with record.database.begin() as connection:
        await narrow_channel(connection, CHANNEL, NARROW, tenant_id=TENANT)
        narrowing = asyncio.create_task(record.messages.narrow_channel(other, members_of(other), tenant_id=TENANT))
        await record.until_it_waits(narrowing)
    await narrowing
    assert PUBLIC not in await audiences(record)


def _arrival(thread: str, record: Record) -> InboundMessage:
    """Return the first message of a new thread, sent while the channel was public."""
    return inbound(
        "Zanzibar!", place=public_thread(f"new {thread}"), author=ANNA, delivery=thread, sent_at=record.clock.now()
    )
