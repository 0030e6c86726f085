"""The contract of widening: one fact of one owner is for the whole tenant, until the owner takes that back."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from memory.audience import everyone_in, members_of, private_to
from memory.errors import NoCommunityError, StoreConflictError
from memory.model import (
    Audience,
    ChannelId,
    Fact,
    Memory,
    MemoryKey,
    Message,
    NewFact,
    Person,
    Place,
    Recallable,
    SessionId,
    TenantId,
    UserId,
    fact_key,
    row_id,
)
from memory.model.work import Outcome
from memory.stores.sql.audit import SqlAuditLog
from tests.contract.record import (
    ANNA,
    BOB,
    CHANNEL,
    DORA,
    EVE,
    NOBODYS,
    PUBLIC,
    TENANT,
    Record,
    episode_of,
    fact_from,
    private_thread,
    public_thread,
    remembered,
)
from tests.fakes.clock import FrozenClock

CARL = Person(user_id=UserId("test:T1:carl"), name="Carl")
OURS = private_to(ANNA.user_id)


def private_channel(name: str = "secret") -> Place:
    """Return a thread of a private channel."""
    channel_id = ChannelId(f"test:T1:{name}")
    return replace(
        public_thread(),
        session_id=SessionId(f"{channel_id}:one"),
        channel_id=channel_id,
        audience=members_of(channel_id),
    )


async def team_fact(record: Record, place: Place, *, words: str = "Prod is zanzibar.") -> int:
    """Let Anna say a fact about the team; return its row number."""
    said = await record.talk(words, place=place)
    await record.learn(Outcome(added=(fact_from(words, said, subject="team", audience=place.audience),)))
    return await row_of(record, words)


async def row_of(record: Record, words: str) -> int:
    """Return the row number of Anna's fact with these words."""
    (line,) = [line for line in await record.facts.memories(ANNA.user_id) if line.text == words]
    return row_id(line.key)


async def widen(record: Record, *fact_ids: int, wide: bool = True) -> int:
    """Let Anna widen facts, or take that back."""
    return await record.facts.widen(ANNA.user_id, fact_ids, wide=wide)


async def audience_of(record: Record, fact_id: int) -> Audience:
    """Return for whom a fact is."""
    async with record.database.read() as connection:
        found = await connection.scalar(text("SELECT audience FROM facts WHERE id = :fact_id"), {"fact_id": fact_id})
    return Audience(found)


async def shown(record: Record, place: Place, reader: Person, words: str = "zanzibar") -> dict[MemoryKey, Recallable]:
    """Return the facts that somebody is shown in a place, by the search and by the record itself."""
    recalled = await record.recalled(place, reader, words)
    assert set(recalled) == await record.found(place, reader, words)
    return {key: memory for key, memory in recalled.items() if memory.kind == "fact"}


async def line_of(record: Record, fact_id: int) -> Memory:
    """Return a fact as Anna sees it."""
    (line,) = await record.facts.memories_by_key(ANNA.user_id, [fact_key(fact_id)])
    return line


async def confirm(record: Record, fact_id: int, new: NewFact) -> int:
    """Extract that a fact was said again; return how many facts that confirmed."""
    return (await record.learn(Outcome(confirmed=((fact_id, new),)))).confirmed


async def test_a_widened_fact_is_recalled_by_everybody_anywhere_in_the_tenant(record: Record) -> None:
    """In a public channel, a private one, and another person's DM; not before, and not in another tenant."""
    fact_id = await team_fact(record, private_thread())
    places = [(public_thread(), BOB), (private_channel(), BOB), (private_thread(BOB), BOB)]
    assert [await shown(record, place, reader) for place, reader in places] == [{}, {}, {}]
    assert await widen(record, fact_id) == 1
    assert [set(await shown(record, place, reader)) for place, reader in places] == [{fact_key(fact_id)}] * 3
    other = TenantId("test:T2")
    assert await shown(record, replace(public_thread(), tenant_id=other, audience=everyone_in(other)), BOB) == {}


async def test_a_widened_fact_about_a_person_stays_one_for_that_person(record: Record, clock: FrozenClock) -> None:
    """Wherever they ask, and nobody else."""
    fact = await record.facts.add(remembered("I deploy with zanzibar.", clock))
    await widen(record, fact.fact_id)
    for place in (public_thread(), private_channel()):
        assert set(await shown(record, place, ANNA)) == {fact_key(fact.fact_id)}
        assert await shown(record, place, BOB) == {}


async def direct_fact(record: Record, clock: FrozenClock) -> tuple[int, Place, Place]:
    """Let Dora say a fact about the team where people have nothing in common; return it, her place and Eve's."""
    mine, others = (replace(private_thread(person), tenant_id=NOBODYS) for person in (DORA, EVE))
    new = remembered("Prod is zanzibar.", clock, person=DORA, place=mine)
    fact = await record.facts.add(replace(new, subject="team", tenant_id=NOBODYS))
    return fact.fact_id, mine, others


async def test_nothing_is_for_everybody_where_people_have_nothing_in_common(record: Record, clock: FrozenClock) -> None:
    """Whoever asks for it: the record refuses, changes nothing and notes nothing."""
    fact_id, mine, others = await direct_fact(record, clock)
    with pytest.raises(NoCommunityError):
        await record.facts.widen(DORA.user_id, [fact_id], wide=True)
    assert await audience_of(record, fact_id) == private_to(DORA.user_id)
    assert await SqlAuditLog(record.database).read(limit=10) == []
    assert set(await shown(record, mine, DORA)) == {fact_key(fact_id)}
    assert await shown(record, others, EVE) == {}


async def test_what_a_record_says_is_for_everybody_there_is_for_nobody_until_it_is_taken_back(
    record: Record, clock: FrozenClock
) -> None:
    """Of a record that was written before this was refused; its owner gets it back."""
    fact_id, mine, others = await direct_fact(record, clock)
    widened = text("UPDATE facts SET audience = 'workspace:test:dm', widened = true WHERE id = :fact_id")
    async with record.database.begin() as connection:
        await connection.execute(widened, {"fact_id": fact_id})
    assert await shown(record, others, EVE) == {}
    assert await record.facts.widen(DORA.user_id, [fact_id], wide=False) == 1
    assert set(await shown(record, mine, DORA)) == {fact_key(fact_id)}
    assert await shown(record, others, EVE) == {}


async def test_what_is_widened_can_be_taken_back(record: Record) -> None:
    """It is for the readers of its sources again, and the owner's list says so both times."""
    fact_id = await team_fact(record, private_thread())
    await widen(record, fact_id)
    widened = await line_of(record, fact_id)
    assert await widen(record, fact_id, wide=False) == 1
    narrow = await line_of(record, fact_id)
    assert [(line.widened, line.audience) for line in (widened, narrow)] == [(True, PUBLIC), (False, OURS)]
    assert await shown(record, public_thread(), BOB) == {}
    assert set(await shown(record, private_thread(), ANNA)) == {fact_key(fact_id)}


async def test_widening_says_nothing_of_where_it_was_said(record: Record) -> None:
    """The thread's title is the first words of a DM; only its own reader is shown it, and the link."""
    await record.talk("My password manager is down.", place=private_thread())
    fact_id = await team_fact(record, private_thread())
    await widen(record, fact_id)
    (public,) = (await shown(record, public_thread(), ANNA)).values()
    (private,) = (await shown(record, private_thread(), ANNA)).values()
    assert (public.thread, public.link, public.session_id) == ("", None, "")
    assert (private.thread, private.link) == ("My password manager is down.", "https://chat.test/p2")


async def test_only_the_owners_living_facts_are_widened(record: Record) -> None:
    """Not another person's, not an ended one, not an unknown one; and nothing that changed nothing is noted."""
    fact_id = await team_fact(record, private_thread())
    later = await record.talk("Prod is nairobi.", place=private_thread())
    new = fact_from("Prod is nairobi.", later, subject="team", audience=OURS)
    await record.learn(Outcome(updated=((fact_id, new),)))
    assert await record.facts.widen(BOB.user_id, [fact_id, fact_id + 1], wide=True) == 0
    assert await widen(record, fact_id, 99) == 0
    assert await shown(record, public_thread(), BOB) == {}
    assert await SqlAuditLog(record.database).read(limit=10) == []


async def test_widening_twice_changes_nothing_and_each_change_is_noted_once(record: Record) -> None:
    """In counts, in the name of the owner."""
    fact_id = await team_fact(record, private_thread())
    assert [await widen(record, fact_id), await widen(record, fact_id)] == [1, 0]
    assert [await widen(record, fact_id, wide=False), await widen(record, fact_id, wide=False)] == [1, 0]
    events = await SqlAuditLog(record.database).read(limit=10)
    assert [(event.actor, event.action, event.counts) for event in events] == [
        (ANNA.user_id, "narrow", {"facts": 1}),
        (ANNA.user_id, "widen", {"facts": 1}),
    ]


async def test_narrowing_a_channel_does_not_undo_the_owners_decision(record: Record) -> None:
    """Nor does the owner, taking it back later, undo the narrowing."""
    fact_id = await team_fact(record, public_thread())
    await widen(record, fact_id)
    await record.messages.narrow_channel(CHANNEL, members_of(CHANNEL), tenant_id=TENANT)
    assert set(await shown(record, private_channel(), BOB)) == {fact_key(fact_id)}
    await widen(record, fact_id, wide=False)
    assert await audience_of(record, fact_id) == members_of(CHANNEL)
    assert await shown(record, private_channel(), BOB) == {}


async def test_a_widened_fact_that_loses_a_source_stays_wide_and_goes_with_the_last(record: Record) -> None:
    """A fact lives while one of its sources lives, widened or not."""
    fact_id = await team_fact(record, private_thread())
    again = await record.talk("Prod is zanzibar.", place=private_channel())
    await widen(record, fact_id)
    new = fact_from("Prod is zanzibar.", again, subject="team", audience=private_channel().audience)
    assert await confirm(record, fact_id, new) == 1
    await record.erasure.delete_message(private_thread().session_id, "p1", actor=ANNA.user_id)
    assert set(await shown(record, public_thread(), BOB)) == {fact_key(fact_id)}
    await record.erasure.delete_message(private_channel().session_id, "p2", actor=ANNA.user_id)
    assert await shown(record, public_thread(), BOB) == {}
    assert await record.rows("facts") == 0


async def test_a_source_that_went_while_a_fact_was_wide_does_not_count_when_it_is_taken_back(record: Record) -> None:
    """The readers of what is left, not those of the forgotten message."""
    fact_id = await team_fact(record, private_thread())
    await widen(record, fact_id)
    again = await record.talk("Prod is zanzibar.", place=private_channel())
    await confirm(
        record, fact_id, fact_from("Prod is zanzibar.", again, subject="team", audience=private_channel().audience)
    )
    await record.erasure.delete_message(private_thread().session_id, "p1", actor=ANNA.user_id)
    await widen(record, fact_id, wide=False)
    assert await audience_of(record, fact_id) == private_channel().audience


async def test_what_others_say_in_private_never_backs_a_widened_fact(record: Record) -> None:
    """Their words stand beside it, for their own readers; the owner's own words do back it, wherever they say them."""
    fact_id = await team_fact(record, private_thread())
    await widen(record, fact_id)
    theirs = await record.talk("Prod is zanzibar.", person=BOB, place=private_thread(BOB))
    new = fact_from("Prod is zanzibar.", theirs, subject="team", audience=private_thread(BOB).audience)
    assert await confirm(record, fact_id, new) == 0
    mine = await record.talk("Prod is zanzibar.", place=private_thread())
    assert await confirm(record, fact_id, fact_from("Prod is zanzibar.", mine, subject="team", audience=OURS)) == 1


async def test_a_widened_fact_said_again_in_a_dm_is_not_stored_twice(record: Record, clock: FrozenClock) -> None:
    """It is the same sentence of the same person, whoever may read it."""
    fact = await record.facts.add(remembered("I deploy with zanzibar.", clock))
    await widen(record, fact.fact_id)
    clock.advance(60)
    again = await record.facts.add(remembered("I deploy with zanzibar.", clock))
    assert (again.fact_id, again.confirmations, again.widened) == (fact.fact_id, 1, True)


async def test_a_public_statement_takes_the_place_of_a_widened_fact_and_a_private_one_stands_beside(
    record: Record,
) -> None:
    """As with any fact of the whole tenant; what takes its place is not widened by anybody."""
    fact_id = await team_fact(record, private_thread())
    await widen(record, fact_id)
    private = await record.talk("Prod is nairobi.", place=private_thread())
    new = fact_from("Prod is nairobi.", private, subject="team", audience=OURS)
    committed = await record.learn(Outcome(updated=((fact_id, new),)))
    assert (committed.added, committed.updated) == (1, 0)
    assert await shown(record, public_thread(), BOB, "nairobi") == {}
    public = await record.talk("Prod is lima.", person=BOB)
    committed = await record.learn(Outcome(updated=((fact_id, fact_from("Prod is lima.", public, subject="team")),)))
    assert (committed.added, committed.updated) == (0, 1)
    assert await shown(record, public_thread(), BOB) == {}


async def _shown_to_the_model(record: Record, fact_id: int) -> tuple[Message, Fact]:
    """Let Anna speak in public; return her message and the fact as it would be shown with it."""
    said = await record.talk("Hello, zanzibar.")
    (claim,) = await record.claim(holder="looks")
    (fact,) = await record.extraction.facts(claim, [fact_id])
    await record.extraction.release(claim)
    return said, fact


async def test_an_extraction_that_was_shown_a_fact_before_it_was_taken_back_stores_nothing(record: Record) -> None:
    """Its words may be in what was learned, and they are for the owner alone by now."""
    fact_id = await team_fact(record, private_thread())
    await widen(record, fact_id)
    said, fact = await _shown_to_the_model(record, fact_id)
    claim, batch = await record.claim_one()
    await widen(record, fact_id, wide=False)
    outcome = Outcome(added=(fact_from("Zanzibar is prod.", said, subject="team"),))
    with pytest.raises(StoreConflictError):
        await record.extraction.commit(claim, batch, outcome, shown=[fact])


async def test_the_heir_of_a_widened_fact_is_for_the_readers_of_its_own_sources(record: Record) -> None:
    """Another person backs it in public or in a channel; the decision was the owner's alone."""
    fact_id = await team_fact(record, private_channel())
    again = await record.talk("Prod is zanzibar.", person=BOB, place=private_channel())
    new = fact_from("Prod is zanzibar.", again, subject="team", audience=private_channel().audience)
    assert await confirm(record, fact_id, new) == 1
    await widen(record, fact_id)
    await record.erasure.delete_message(private_channel().session_id, "p1", actor=ANNA.user_id)
    assert await shown(record, public_thread(), CARL) == {}
    assert [memory.text for memory in (await shown(record, private_channel(), CARL)).values()] == ["Prod is zanzibar."]


async def test_an_export_says_what_is_widened(record: Record) -> None:
    """It is a part of what is kept of a person."""
    fact_id = await team_fact(record, private_thread())
    said = await record.talk("Prod again.", place=private_thread())
    await record.learn(Outcome(episode=episode_of(said, audience=OURS)))
    await widen(record, fact_id)
    data = await record.facts.export(ANNA.user_id)
    facts: Any = data["facts"]
    assert [fact["widened"] for fact in facts] == [True]
