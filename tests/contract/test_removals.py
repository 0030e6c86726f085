"""The contract of forgetting a whole channel or tenant: all that was said there, and nothing said elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.audience import everyone_in, members_of
from memory.errors import StoreConflictError, StoreUnavailableError
from memory.model import (
    Attachment,
    ChannelId,
    MemoryKey,
    Message,
    Person,
    Pin,
    Place,
    Receipt,
    Role,
    SessionId,
    Summary,
    TenantId,
    UserId,
    episode_key,
    fact_key,
    turn_key,
)
from memory.model.work import Outcome
from memory.stores.sql import removals
from memory.stores.sql.audit import SqlAuditLog
from memory.stores.sql.database import Database
from memory.stores.sql.erasure_places import STEPS
from memory.stores.sql.schema import disclosures, fact_sources, facts, messages, outbox, people, tombstones
from tests.contract.record import (
    ANNA,
    BOB,
    CHANNEL,
    PUBLIC,
    TENANT,
    Record,
    episode_of,
    fact_from,
    private_thread,
    public_thread,
    remembered,
)
from tests.fakes.values import inbound

ADMIN = UserId("test:T1:admin")
OTHER_CHANNEL = ChannelId("test:T1:dev")
OTHER_TENANT = TenantId("test:T2")
CARL = Person(user_id=UserId("test:T2:carl"), name="Carl")
FACT = "Prod is zanzibar."


class Interrupted(Database):
    """The same database, in which something happens before one of its long transactions."""

    def __init__(self, database: Database, *, after: int, by: Callable[[], Awaitable[object]]) -> None:
        self.__dict__.update(vars(database))
        self._after = after
        self._by = by

    @asynccontextmanager
    async def upkeep_transaction(self, operation: str) -> AsyncIterator[AsyncConnection]:
        if self._after == 0:
            await self._by()
        self._after -= 1
        async with super().upkeep_transaction(operation) as connection:
            yield connection


async def crash() -> None:
    """Be unreachable from now on, as far as the caller can tell."""
    raise StoreUnavailableError("sql", "forget a place")


def elsewhere(name: str = "one") -> Place:
    """Return a thread of another channel, a private one."""
    session_id = SessionId(f"{OTHER_CHANNEL}:{name}")
    return replace(public_thread(), session_id=session_id, channel_id=OTHER_CHANNEL, audience=members_of(OTHER_CHANNEL))


def other_tenant() -> Place:
    """Return a thread of another workspace."""
    channel_id = ChannelId("test:T2:ops")
    return Place(
        session_id=SessionId(f"{channel_id}:one"),
        channel_id=channel_id,
        tenant_id=OTHER_TENANT,
        audience=everyone_in(OTHER_TENANT),
        shared=True,
    )


async def learn_team_fact(record: Record, *said: Message, audience: str = PUBLIC) -> int:
    """Extract a fact of the team and an episode from messages of one thread; return the fact's row number."""
    wide = fact_from(FACT, *said, subject="team", audience=PUBLIC)
    new = replace(
        wide,
        audience=audience,  # type: ignore[arg-type]  # an audience as text
        sources=tuple(replace(source, audience=audience) for source in wide.sources),  # type: ignore[arg-type]
    )
    told = episode_of(*said, words="The zanzibar night", audience=new.audience)
    await record.learn(Outcome(added=(new,), episode=told))
    async with record.database.read() as connection:
        return int(await connection.scalar(select(facts.c.id).order_by(facts.c.id.desc()).limit(1)))  # type: ignore[arg-type]


async def recalled(record: Record, place: Place, reader: Person, words: str = "zanzibar") -> set[MemoryKey]:
    """Return what somebody is shown in a place."""
    return set(await record.recalled(place, reader, words, own_turns=10))


async def events(record: Record) -> list[tuple[str, str, dict[str, int]]]:
    """Return the audit log, oldest first."""
    found = await SqlAuditLog(record.database).read(limit=50)
    return [(event.actor, event.action, dict(event.counts)) for event in reversed(found)]


async def test_a_removed_channel_leaves_nothing_of_what_was_said_there(record: Record) -> None:
    """Texts, replies, titles, facts, episodes, entries, summaries and pins; other channels keep all of theirs."""
    said = await record.talk("Prod is zanzibar.", "Zanzibar, noted.")
    theirs = await record.talk("Zanzibar indeed.", person=BOB)
    await learn_team_fact(record, said, theirs)
    thread = await record.messages.load_thread(public_thread().session_id, limit=10)
    pin = Pin(text="zanzibar", kind="name", said_by=Role.USER, message_id=said.message_id)
    summary = Summary(text="About zanzibar.", pins=(pin,), through=said.message_id)
    assert await record.messages.save_summary(thread.head, summary) is not None
    await record.facts.add(remembered("My vault is in zanzibar.", record.clock, place=public_thread("of a command")))
    kept = await record.talk("Staging is nairobi.", place=elsewhere())
    receipt = await record.erasure.forget_channel(CHANNEL, actor=ADMIN)
    assert receipt == Receipt(facts=2, episodes=1, messages=2, replies=2, summaries=1)
    assert await record.holding("zanzibar") == []
    assert await events(record) == [
        (ADMIN, "forget a channel", {"facts": 2, "episodes": 1, "messages": 2, "replies": 2, "summaries": 1})
    ]
    assert await recalled(record, elsewhere(), BOB, "nairobi") == {turn_key(kept.message_id, 1)}


async def test_what_came_with_a_message_goes_with_it(record: Record) -> None:
    """Also the reply elsewhere that repeats a word of it."""
    log = Attachment(name="api.log", text="zanzibar is down")
    sent = inbound("Look at this.", place=public_thread(), author=ANNA, delivery="with a log")
    accepted = await record.messages.accept(replace(sent, attachments=(log,)))
    (asked,) = await record.unanswered()
    await record.answer(asked, "I see.")
    key = turn_key(accepted.message_id, 1)
    await record.talk("What was down?", "It was zanzibar.", person=BOB, place=private_thread(BOB), used=[key])
    await record.talk("Which?", "Zanzibar.", person=BOB, place=private_thread(BOB))
    await record.erasure.forget_channel(CHANNEL, actor=ADMIN)
    assert await record.holding("zanzibar") == []


async def test_forgetting_a_channel_twice_or_an_unknown_one_changes_nothing(record: Record) -> None:
    """Nor does it leave a second event."""
    await record.talk(FACT)
    await record.erasure.forget_channel(CHANNEL, actor=ADMIN)
    outbox, tombstones = await record.rows("outbox"), await record.rows("tombstones")
    for channel_id in (CHANNEL, ChannelId("test:T1:unknown")):
        assert await record.erasure.forget_channel(channel_id, actor=ADMIN) == Receipt()
    assert (await record.rows("outbox"), await record.rows("tombstones")) == (outbox, tombstones)
    assert len(await events(record)) == 1
    assert await record.rows("removals") == 0


async def test_a_fact_that_its_owner_also_said_elsewhere_lives_on_for_the_readers_there(record: Record) -> None:
    """Under its number, narrower than it was, with what is left of its confirmations; so does a widened one, wide."""
    fact_id = await learn_team_fact(record, await record.talk(FACT))
    again = await record.talk(FACT, place=elsewhere())
    await record.facts.widen(ANNA.user_id, [fact_id], wide=True)
    new = fact_from(FACT, again, subject="team", audience=elsewhere().audience)
    assert (await record.learn(Outcome(confirmed=((fact_id, new),)))).confirmed == 1
    await record.erasure.forget_channel(CHANNEL, actor=ADMIN)
    (line,) = [line for line in await record.facts.memories(ANNA.user_id) if line.key == fact_key(fact_id)]
    assert (line.audience, line.confirmations, line.widened) == (PUBLIC, 0, True)
    await record.facts.widen(ANNA.user_id, [fact_id], wide=False)
    assert fact_key(fact_id) not in await recalled(record, public_thread("later"), BOB)
    assert fact_key(fact_id) in await recalled(record, elsewhere(), BOB)


async def test_a_fact_that_only_another_said_elsewhere_becomes_theirs(record: Record) -> None:
    """A new memory of theirs, for their readers; the old key is gone for good."""
    fact_id = await learn_team_fact(record, await record.talk(FACT))
    again = await record.talk(FACT, person=BOB, place=elsewhere())
    await record.messages.narrow_channel(CHANNEL, members_of(CHANNEL), tenant_id=TENANT)
    async with record.database.begin() as connection:  # as it is once both channels were public and one is no more
        source = {"audience": elsewhere().audience, "channel_id": OTHER_CHANNEL, "session_id": again.session_id}
        said = {"author_id": BOB.user_id, "message_id": again.message_id, "said_at": again.sent_at}
        await connection.execute(insert(fact_sources).values(fact_id=fact_id, **source, **said))
    await record.erasure.forget_channel(CHANNEL, actor=ADMIN)
    assert await record.facts.memories(ANNA.user_id) == []
    (line,) = await record.facts.memories(BOB.user_id)
    assert (line.text, line.audience, line.key != fact_key(fact_id)) == (FACT, elsewhere().audience, True)
    assert line.key in await recalled(record, elsewhere(), ANNA)


async def test_replies_elsewhere_that_were_given_what_goes_lose_their_text(record: Record) -> None:
    """Given a fact, an episode or a turn of the channel; and the reply after that, which only repeats it."""
    said = await record.talk(FACT)
    fact_id = await learn_team_fact(record, said)
    for number, key in enumerate([fact_key(fact_id), episode_key(1), turn_key(said.message_id, 1)]):
        place = private_thread(BOB, f"asks {number}")
        await record.talk("Which one?", "It is zanzibar.", person=BOB, place=place, used=[key])
        await record.talk("Say it again.", "As I said: zanzibar.", person=BOB, place=place)
        await record.talk("Thanks.", "You are welcome.", person=BOB, place=place)
    receipt = await record.erasure.forget_channel(CHANNEL, actor=ADMIN)
    assert await record.holding("zanzibar") == []
    assert (receipt.messages, receipt.replies) == (1, 1 + 3 * 2)
    for number in range(3):
        thread = await record.messages.load_thread(private_thread(BOB, f"asks {number}").session_id, limit=10)
        assert thread.messages[-1].text == "You are welcome."
        assert thread.head.forget_epoch > 0


async def test_an_episode_elsewhere_that_repeats_such_a_reply_goes_too(record: Record) -> None:
    """It tells of the asker's own words, and of what the reply brought there."""
    fact_id = await learn_team_fact(record, await record.talk(FACT))
    place = private_thread(BOB)
    asked = await record.talk("Which one?", "It is zanzibar.", person=BOB, place=place, used=[fact_key(fact_id)])
    await record.learn(Outcome(episode=episode_of(asked, words="Asked for zanzibar", audience=place.audience)))
    later = await record.talk("And last week?", "Zanzibar.", person=BOB, place=elsewhere(), used=[episode_key(2)])
    receipt = await record.erasure.forget_channel(CHANNEL, actor=ADMIN)
    assert await record.holding("zanzibar") == []
    assert (receipt.episodes, later.text) == (2, "And last week?")


async def test_vectors_and_cached_threads_follow_and_nothing_is_indexed_any_more(record: Record) -> None:
    """By the outbox, and every key leaves a tombstone."""
    said = await record.talk(FACT)
    fact_id = await learn_team_fact(record, said)
    await record.erasure.forget_channel(CHANNEL, actor=ADMIN)
    async with record.database.read() as connection:
        rows = (await connection.execute(select(outbox))).all()
        stones = set(await connection.scalars(select(tombstones.c.key)))
    keys = {fact_key(fact_id), episode_key(1), turn_key(said.message_id, 1)}
    assert {(row.operation, row.key) for row in rows if row.operation != "evict"} == {("drop", key) for key in keys}
    assert {row.owner_id for row in rows if row.operation == "drop"} == {ANNA.user_id}
    assert {row.session_id for row in rows if row.operation == "evict"} == {public_thread().session_id}
    assert stones == keys


async def test_what_is_not_erased_yet_is_not_recalled_or_learned_from(record: Record) -> None:
    """A crash in the middle leaves no memory of the channel to anybody; whoever comes later erases the rest."""
    for number in range(5):
        await record.talk(f"Prod {number} is zanzibar.", place=public_thread(str(number)))
    by_hand = await record.facts.add(remembered("My vault is in zanzibar.", record.clock, place=public_thread("hand")))
    assert len(await recalled(record, public_thread(), ANNA)) == 6
    crashing = Interrupted(record.database, after=2, by=crash)
    with pytest.raises(StoreUnavailableError):
        await removals.forget_channel(crashing, CHANNEL, actor=ADMIN, at_once=2)
    assert await record.holding("zanzibar") != []
    assert await recalled(record, public_thread(), ANNA) == set()
    assert await recalled(record, private_thread(), ANNA) == set()
    assert await record.claim() == []
    assert await events(record) == []
    await record.erasure.finish_removals()
    assert await record.holding("zanzibar") == []
    assert await events(record) == [(ADMIN, "forget a channel", {"facts": 1, "messages": 5, "replies": 5})]
    assert by_hand.number == 1
    assert await record.erasure.finish_removals() == Receipt()


async def test_a_fact_also_said_elsewhere_is_not_recalled_until_it_is_known_for_whom_it_is(record: Record) -> None:
    """It was public because of the channel that goes; the other is private."""
    fact_id = await learn_team_fact(record, await record.talk(FACT))
    again = await record.talk(FACT, place=elsewhere())
    await record.facts.widen(ANNA.user_id, [fact_id], wide=True)
    new = fact_from(FACT, again, subject="team", audience=elsewhere().audience)
    await record.learn(Outcome(confirmed=((fact_id, new),)))
    with pytest.raises(StoreUnavailableError):
        await removals.forget_channel(Interrupted(record.database, after=0, by=crash), CHANNEL, actor=ADMIN)
    assert fact_key(fact_id) not in await recalled(record, elsewhere(), BOB)
    await record.erasure.finish_removals()
    assert fact_key(fact_id) in await recalled(record, elsewhere(), BOB)


async def test_two_processes_that_forget_the_same_channel_forget_it_once(record: Record) -> None:
    """Each sees what the other left, and one of them writes the event."""
    for number in range(6):
        await record.talk(f"Prod {number} is zanzibar.", place=public_thread(str(number)))
    async with asyncio.TaskGroup() as group:
        forgetting = [
            group.create_task(removals.forget_channel(record.database, CHANNEL, actor=ADMIN, at_once=2))
            for _ in range(2)
        ]
    assert forgetting[0].result() + forgetting[1].result() == Receipt(messages=6, replies=6)
    assert await events(record) == [(ADMIN, "forget a channel", {"messages": 6, "replies": 6})]


async def test_a_reply_under_way_that_was_given_what_goes_is_stored_without_its_text(record: Record) -> None:
    """In another thread, and begun before."""
    fact_id = await learn_team_fact(record, await record.talk(FACT))
    asked = await record.say("Which one?", person=BOB, place=private_thread(BOB))
    claim = await record.messages.begin_turn(asked.message_id, holder="w", lease_s=60)
    assert claim is not None
    await record.erasure.forget_channel(CHANNEL, actor=ADMIN)
    await record.answer_claim(claim, "It is zanzibar.", used=[fact_key(fact_id)])
    assert await record.holding("zanzibar") == []


async def test_an_extraction_under_way_stores_nothing(record: Record) -> None:
    """It read the thread before."""
    said = await record.talk(FACT)
    claim, batch = await record.claim_one()
    await record.erasure.forget_channel(CHANNEL, actor=ADMIN)
    with pytest.raises(StoreConflictError):
        await record.extraction.commit(claim, batch, Outcome(added=(fact_from(FACT, said),)), shown=())
    assert await record.holding("zanzibar") == []


async def test_a_late_delivery_of_what_was_forgotten_stays_forgotten_and_nobody_waits_for_an_answer(
    record: Record,
) -> None:
    """A message that was not answered yet is settled; a delivery of it again is known."""
    await record.say(FACT)
    await record.erasure.forget_channel(CHANNEL, actor=ADMIN)
    assert await record.unanswered() == []
    assert (await record.deliver("p1", FACT)).duplicate
    assert await record.holding("zanzibar") == []


async def test_history_goes_with_the_channel_it_was_said_in(record: Record) -> None:
    """The fact that took its place was said elsewhere, and stays as it is."""
    fact_id = await learn_team_fact(record, await record.talk(FACT))
    later = await record.talk("Prod is nairobi.", place=replace(elsewhere(), audience=PUBLIC))
    await record.learn(Outcome(updated=((fact_id, fact_from("Prod is nairobi.", later, subject="team")),)))
    await record.erasure.forget_channel(CHANNEL, actor=ADMIN)
    assert [line.text for line in await record.facts.memories(ANNA.user_id, history=True)] == ["Prod is nairobi."]


async def _fill_tenant(record: Record) -> None:
    """Let a tenant have all there is."""
    said = await record.talk(FACT, "Zanzibar, noted.")
    await learn_team_fact(record, said)
    await record.facts.add(remembered("My vault is in zanzibar.", record.clock))
    await record.talk("Zanzibar?", "Zanzibar.", person=BOB, place=private_thread(BOB), used=[fact_key(1)])
    await record.facts.set_preference(ANNA.user_id, "tone", "zanzibar")
    async with record.database.begin() as connection:
        await connection.execute(insert(disclosures).values(scope="zanzibar", message_id=said.message_id))
        await connection.execute(update(people).where(people.c.user_id == BOB.user_id).values(paused=True))


async def test_a_removed_tenant_leaves_nothing_of_anybody(record: Record) -> None:
    """Nor names, settings and what they were told; that somebody paused, and which numbers were given, is kept."""
    await _fill_tenant(record)
    kept = await record.talk("Staging is nairobi.", person=CARL, place=other_tenant())
    receipt = await record.erasure.forget_tenant(TENANT, actor=ADMIN)
    assert receipt == Receipt(facts=2, episodes=1, messages=2, replies=2)
    assert await record.holding("zanzibar") == []
    async with record.database.read() as connection:
        rows = {row.user_id: row for row in await connection.execute(select(people))}
        assert set(await connection.scalars(select(messages.c.author_name))) == {"", "Carl"}
    assert [(row.name, row.preferences, row.forget_epoch) for row in (rows[ANNA.user_id], rows[BOB.user_id])] == [
        ("", {}, 1),
        ("", {}, 1),
    ]
    assert (rows[BOB.user_id].paused, rows[ANNA.user_id].next_number > 1) == (True, True)
    assert await record.rows("disclosures") == 0
    assert await recalled(record, other_tenant(), CARL, "nairobi") == {turn_key(kept.message_id, 1)}
    assert (rows[CARL.user_id].name, [action for _, action, _ in await events(record)]) == (
        "Carl",
        ["forget a workspace"],
    )


async def test_a_removed_tenant_is_removed_once_and_what_is_said_there_later_is_kept(record: Record) -> None:
    """It may come back."""
    await _fill_tenant(record)
    await record.erasure.forget_tenant(TENANT, actor=ADMIN)
    assert await record.erasure.forget_tenant(TENANT, actor=ADMIN) == Receipt()
    assert len(await events(record)) == 1
    said = await record.talk("Prod is lima.")
    assert await recalled(record, public_thread(), BOB, "lima") == {turn_key(said.message_id, 1)}


async def test_a_tenant_that_is_being_forgotten_is_not_recalled_or_learned_from(record: Record) -> None:
    """After a crash between two transactions, until somebody erases the rest."""
    await _fill_tenant(record)
    with pytest.raises(StoreUnavailableError):
        await removals.forget_tenant(Interrupted(record.database, after=1, by=crash), TENANT, actor=ADMIN, at_once=1)
    for place, reader in ((public_thread(), ANNA), (private_thread(), ANNA), (private_thread(BOB), BOB)):
        assert await recalled(record, place, reader) == set()
    assert await record.claim() == []
    await record.erasure.finish_removals()
    assert await record.holding("zanzibar") == []
    assert [action for _, action, _ in await events(record)] == ["forget a workspace"]


async def test_what_is_said_just_before_the_end_goes_too(record: Record) -> None:
    """The last transaction looks once more, and the mark goes with the last of it."""
    await record.talk(FACT)

    async def speak() -> None:
        await record.talk("Zanzibar again.", place=public_thread("late"))

    steps_and_their_ends = len(STEPS) + 1
    busy = Interrupted(record.database, after=steps_and_their_ends, by=speak)
    assert await removals.forget_channel(busy, CHANNEL, actor=ADMIN) == Receipt(messages=2, replies=2)
    assert await record.holding("zanzibar") == []
    assert await record.rows("removals") == 0


async def test_a_removed_thread_leaves_nothing_of_what_anybody_said_there(record: Record) -> None:
    """Texts, facts, episodes, and answers elsewhere that were given them; other threads of the channel keep theirs."""
    said = await record.talk(FACT, "Zanzibar, noted.")
    theirs = await record.talk("Zanzibar indeed.", person=BOB)
    fact_id = await learn_team_fact(record, said, theirs)
    await record.facts.add(remembered("My vault is in zanzibar.", record.clock, place=public_thread()))
    place = public_thread("asks")
    await record.talk("Which one?", "It is zanzibar.", person=BOB, place=place, used=[fact_key(fact_id)])
    await record.talk("Say it again.", "As I said: zanzibar.", person=BOB, place=place)
    kept = await record.talk("Staging is nairobi.", place=public_thread("kept"))
    gone = Receipt(facts=2, episodes=1, messages=2, replies=4)
    assert await record.erasure.forget_thread(public_thread().session_id, actor=ADMIN) == gone
    assert await record.holding("zanzibar") == []
    assert await events(record) == [
        (ADMIN, "forget a thread", {"facts": 2, "episodes": 1, "messages": 2, "replies": 4})
    ]
    assert await recalled(record, elsewhere(), ANNA, "nairobi") == {turn_key(kept.message_id, 1)}
    assert (await record.deliver("p1", FACT)).duplicate
    assert await record.rows("removals") == 0


async def test_a_fact_also_said_in_another_thread_of_the_channel_outlives_the_removed_one(record: Record) -> None:
    """With the source that is left."""
    fact_id = await learn_team_fact(record, await record.talk(FACT))
    again = await record.talk(FACT, place=public_thread("two"))
    new = fact_from(FACT, again, subject="team")
    await record.learn(Outcome(confirmed=((fact_id, new),)))
    await record.erasure.forget_thread(public_thread().session_id, actor=ADMIN)
    (line,) = await record.facts.memories(ANNA.user_id)
    assert (line.key, line.confirmations) == (fact_key(fact_id), 0)
    assert fact_key(fact_id) in await recalled(record, elsewhere(), BOB)


async def test_a_thread_that_is_being_forgotten_is_not_recalled_or_learned_from(record: Record) -> None:
    """After a crash between two transactions, until somebody erases the rest; the threads beside it are."""
    for number in range(4):
        await record.talk(f"Prod {number} is zanzibar.")
    await record.facts.add(remembered("My vault is zanzibar.", record.clock, place=public_thread()))
    beside = await record.talk("Staging is zanzibar.", place=public_thread("two"))
    session_id = public_thread().session_id
    with pytest.raises(StoreUnavailableError):
        await removals.forget_thread(
            Interrupted(record.database, after=1, by=crash), session_id, actor=ADMIN, at_once=2
        )
    assert await recalled(record, public_thread("later"), ANNA) == {turn_key(beside.message_id, 1)}
    assert [claim.session_id for claim in await record.claim()] == [public_thread("two").session_id]
    assert await record.erasure.finish_removals() == Receipt(facts=1, messages=3, replies=3)
    assert [action for _, action, _ in await events(record)] == ["forget a thread"]


async def test_forgetting_an_unknown_thread_changes_nothing(record: Record) -> None:
    """Nor does forgetting one twice."""
    await record.talk(FACT)
    for session_id in (public_thread().session_id, public_thread().session_id, SessionId("test:T1:ops:unknown")):
        await record.erasure.forget_thread(session_id, actor=ADMIN)
    assert len(await events(record)) == 1
    assert await record.rows("removals") == 0
