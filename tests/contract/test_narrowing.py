"""The contract of narrowing: a source has the narrowest audience its channel ever had, with all that came of it."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from memory.audience import members_of, scope_for
from memory.errors import StoreConflictError
from memory.lexical import terms
from memory.model import (
    Audience,
    ChannelId,
    MemoryKey,
    Person,
    Place,
    SessionId,
    UserId,
    episode_key,
    fact_key,
    turn_key,
)
from memory.model.work import Outcome
from memory.stores.sql.database import Database
from memory.stores.sql.recall import SqlRecallStore
from memory.stores.sql.schema import episodes, fact_sources, facts, messages, threads
from tests.contract.record import ANNA, BOB, CHANNEL, PUBLIC, TENANT, Record, episode_of, fact_from, public_thread
from tests.fakes.clock import FrozenClock

NARROW = members_of(CHANNEL)
CARL = Person(user_id=UserId("test:T1:carl"), name="Carl")


@pytest.fixture
def record(database: Database, clock: FrozenClock) -> Record:
    """The stores over an empty database."""
    return Record(database, clock)


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
    store, scope = SqlRecallStore(record.database), scope_for(place, CARL.user_id)
    hits = {hit.key for hit in (await store.search(scope, terms(words), limit=50, own_turns=0)).lexical.hits}
    assert {memory.key for memory in await store.fetch(scope, hits)} == hits
    return hits


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
