"""The contract of FactStore, on every database that Recall runs on."""

import asyncio
import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from memory.errors import StoreConflictError
from memory.model import Everything, Usage, UserId, episode_key, fact_key
from memory.model.work import Outcome
from memory.stores.sql.schema import people
from tests.contract.record import ANNA, BOB, TENANT, Record, episode_of, fact_from, private_thread, remembered
from tests.fakes.clock import FrozenClock


async def test_a_remembered_fact_is_listed_with_number_audience_and_source(record: Record, clock: FrozenClock) -> None:
    """What a person has remembered is a line of their memories, and nobody else's."""
    stored = await record.facts.add(remembered("I deploy with ArgoCD.", clock))
    (line,) = await record.facts.memories(ANNA.user_id)
    assert (line.key, line.number, line.text) == (fact_key(stored.fact_id), 1, "I deploy with ArgoCD.")
    assert line.session_id == private_thread().session_id
    assert await record.facts.memories(BOB.user_id) == []


async def test_a_new_fact_has_a_full_text_entry_and_an_index_task(record: Record, clock: FrozenClock) -> None:
    """A fact is findable by word at once, and its vector is queued in the same transaction."""
    await record.facts.add(remembered("I deploy with ArgoCD.", clock))
    assert (await record.rows("lexicon"), await record.rows("outbox")) == (1, 1)


async def test_the_same_text_again_confirms_the_fact(record: Record, clock: FrozenClock) -> None:
    """Case and spacing do not make a second fact; saying it again counts."""
    first = await record.facts.add(remembered("I deploy with ArgoCD.", clock))
    clock.advance(60)
    again = await record.facts.add(remembered("  i DEPLOY with  argocd.", clock))
    assert (again.fact_id, again.confirmations) == (first.fact_id, 1)
    assert len(await record.facts.memories(ANNA.user_id)) == 1


async def test_a_retried_add_counts_once(record: Record, clock: FrozenClock) -> None:
    """The same saying stored twice is one saying."""
    new = remembered("I deploy with ArgoCD.", clock)
    await record.facts.add(new)
    assert (await record.facts.add(new)).confirmations == 0


async def test_the_same_text_for_other_readers_or_of_another_person_is_another_fact(
    record: Record, clock: FrozenClock
) -> None:
    """Facts are the same only within one owner, subject and audience."""
    new = remembered("I deploy with ArgoCD.", clock)
    stored = [
        await record.facts.add(new),
        await record.facts.add(remembered("I deploy with ArgoCD.", clock, person=BOB)),
        await record.facts.add(replace(new, subject="team")),
        await record.facts.add(fact_from("I deploy with ArgoCD.", await record.talk("I deploy with ArgoCD."))),
    ]
    assert len({fact.fact_id for fact in stored}) == 4


async def test_two_adds_at_once_make_one_fact_and_numbers_are_never_shared(record: Record, clock: FrozenClock) -> None:
    """Concurrent adds of one person neither double a fact nor give a number twice."""
    async with asyncio.TaskGroup() as group:
        for number in range(6):
            group.create_task(record.facts.add(remembered(f"Fact {number % 3}.", clock)))
    lines = await record.facts.memories(ANNA.user_id)
    assert sorted(line.text for line in lines) == ["Fact 0.", "Fact 1.", "Fact 2."]
    assert len({line.number for line in lines}) == 3


async def test_a_forget_since_the_turn_began_refuses_the_fact(record: Record, clock: FrozenClock) -> None:
    """A fact on its way in when its owner forgets something is not stored."""
    await record.facts.add(remembered("I deploy with ArgoCD.", clock), author_epoch=0)
    message = await record.say("Hello.")
    await record.erasure.delete_message(message.session_id, "p1", actor=ANNA.user_id)
    with pytest.raises(StoreConflictError):
        await record.facts.add(remembered("I deploy with Flux.", clock), author_epoch=0)
    assert await record.holding("Flux") == []


async def test_memories_are_newest_first_and_history_only_on_request(record: Record) -> None:
    """A superseded fact is history: listed on request with the number of what took its place."""
    old = await record.facts.add(fact_from("Prod is EKS 1.29.", await record.talk("Prod is EKS 1.29.")))
    later = await record.talk("Prod is EKS 1.30 now.")
    await record.learn(Outcome(updated=((old.fact_id, fact_from("Prod is EKS 1.30.", later)),)))
    assert [line.text for line in await record.facts.memories(ANNA.user_id)] == ["Prod is EKS 1.30."]
    new, past = await record.facts.memories(ANNA.user_id, history=True)
    assert (past.text, past.valid_until, past.superseded_by_number) == ("Prod is EKS 1.29.", later.sent_at, new.number)


async def test_memories_by_key_finds_history_but_never_anothers(record: Record) -> None:
    """A key is answered for its owner only."""
    said = await record.talk("Prod is EKS 1.29.")
    await record.learn(Outcome(added=(fact_from("Prod is EKS 1.29.", said),), episode=episode_of(said)))
    keys = [line.key for line in await record.facts.memories(ANNA.user_id)]
    assert sorted(keys) == [episode_key(1), fact_key(1)]
    assert {line.key for line in await record.facts.memories_by_key(ANNA.user_id, keys)} == set(keys)
    assert await record.facts.memories_by_key(BOB.user_id, keys) == []


async def test_suggestions_are_what_a_number_or_pieces_of_words_may_mean(record: Record, clock: FrozenClock) -> None:
    """Facts and episodes of the owner alone, the highest number first, and no more than are asked for."""
    said = await record.talk("Prod is EKS 1.29.")
    await record.learn(Outcome(added=(fact_from("Prod is EKS 1.29.", said),), episode=episode_of(said)))
    for number in range(3, 13):
        await record.facts.add(remembered(f"Größe {number} is 100%_{number}.", clock))
    await record.facts.add(remembered("Größe 7 is mine.", clock, person=BOB))

    async def found(number: str = "", *parts: str, limit: int = 25) -> list[int]:
        lines = await record.facts.suggest(ANNA.user_id, number=number, parts=parts, limit=limit)
        return [line.number for line in lines]

    assert await found() == [*range(12, 0, -1)]
    assert await found(limit=3) == [12, 11, 10]
    assert await found(limit=0) == []
    assert await found("1") == [12, 11, 10, 1]
    assert await found("1", limit=2) == [12, 11]
    assert await found("", "eks", "pro") == [1]
    assert await found("", "GRÖSSE") == []
    assert await found("", "GRÖß", "12") == [12]
    assert await found("", "größ", "%_7") == [7]
    assert await found("", "_%") == []
    (episode,) = await record.facts.suggest(ANNA.user_id, parts=[episode_of(said).title.upper()], limit=25)
    assert episode.kind == "episode"


async def test_suggestions_leave_out_what_is_over(record: Record) -> None:
    """What was superseded is history."""
    old = await record.facts.add(fact_from("Prod is EKS 1.29.", await record.talk("Prod is EKS 1.29.")))
    later = await record.talk("Prod is EKS 1.30 now.")
    await record.learn(Outcome(updated=((old.fact_id, fact_from("Prod is EKS 1.30.", later)),)))

    assert [line.text for line in await record.facts.suggest(ANNA.user_id, limit=5)] == ["Prod is EKS 1.30."]


async def test_facts_and_episodes_share_one_row_of_numbers(record: Record) -> None:
    """A number names one memory of a person."""
    said = await record.talk("Prod is EKS 1.29.")
    await record.learn(Outcome(added=(fact_from("Prod is EKS 1.29.", said),), episode=episode_of(said)))
    assert sorted(line.number for line in await record.facts.memories(ANNA.user_id)) == [1, 2]


async def test_the_export_is_json_with_everything_of_the_person_and_nothing_of_others(record: Record) -> None:
    """An export holds own messages, replies to them, facts with history and sources, episodes and preferences."""
    said = await record.talk("Prod is EKS 1.29.", "Good to know.")
    theirs = await record.talk("Bob likes zanzibar.", "Zanzibar it is.", person=BOB)
    await record.facts.set_preference(ANNA.user_id, "language", "de")
    shared = fact_from("Prod is EKS 1.29.", said, theirs, subject="team")
    await record.learn(Outcome(added=(shared,), episode=episode_of(said)))
    later = await record.talk("Prod is EKS 1.30.")
    await record.learn(Outcome(updated=((1, fact_from("Prod is EKS 1.30.", later, subject="team")),)))
    data = await record.facts.export(ANNA.user_id)
    written = json.dumps(data)
    assert "zanzibar" not in written.casefold()
    assert BOB.user_id not in written
    facts = data["facts"]
    assert isinstance(facts, list)
    assert [(fact["text"], len(fact["sources"])) for fact in facts] == [
        ("Prod is EKS 1.30.", 1),
        ("Prod is EKS 1.29.", 1),
    ]
    assert facts[1]["valid_until"] == later.sent_at.isoformat()
    assert facts[1]["superseded_by"] == facts[0]["number"]
    for part in ("Good to know.", "Rollout", '"language": "de"', said.sent_at.isoformat()):
        assert part in written


async def test_the_export_of_a_stranger_is_empty(record: Record) -> None:
    """Nobody unknown has anything."""
    data = await record.facts.export(UserId("test:T1:nobody"))
    assert (data["messages"], data["facts"], data["episodes"], data["preferences"]) == ([], [], [], {})


async def test_preferences_are_kept_per_person_and_name(record: Record) -> None:
    """A preference is what was last set, also before the person has said anything."""
    assert await record.facts.preference(ANNA.user_id, "language") is None
    await record.facts.set_preference(ANNA.user_id, "language", "de")
    await record.facts.set_preference(ANNA.user_id, "tone", "short")
    await record.facts.set_preference(ANNA.user_id, "language", "en")
    await record.talk("Hello.")
    assert await record.facts.preference(ANNA.user_id, "language") == "en"
    assert await record.facts.preference(ANNA.user_id, "tone") == "short"
    assert await record.facts.preference(BOB.user_id, "language") is None


async def test_a_person_known_by_a_preference_alone_gets_a_tenant_with_the_first_words(
    record: Record, clock: FrozenClock
) -> None:
    """Forgetting waits for what is being stored in the person's tenant, so it has to be the right one."""
    await record.facts.set_preference(ANNA.user_id, "language", "de")
    await record.facts.set_preference(BOB.user_id, "language", "de")
    await record.say("Hello.")
    await record.facts.add(remembered("I deploy with ArgoCD.", clock, person=BOB))
    async with record.database.read() as connection:
        assert set(await connection.scalars(select(people.c.tenant_id))) == {TENANT}


async def test_usage_counts_what_somebody_asked_and_what_is_kept(record: Record) -> None:
    """Since a moment: questions, answered or not, answers, and the tokens of those; and all living memories by kind."""
    await record.answer(await record.say("long ago"), "Yes.", tokens=1_000)
    record.clock.advance(100)
    since = record.clock.now()
    first = await record.say("What is our shell?")
    await record.answer(first, "fish", tokens=700)
    await record.answer(await record.say("And our editor?"), "vim")
    await record.answer(await record.say("And why?"), None)
    await record.answer(await record.say("And mine?", person=BOB), "emacs", tokens=50)
    await record.facts.add(remembered("I like tabs.", record.clock))
    await record.facts.add(fact_from("Prod is EKS.", first))
    bob = await record.facts.usage(BOB.user_id, since)

    assert await record.facts.usage(ANNA.user_id, since) == Usage(
        questions=3, answers=2, tokens=700, kept={"other": 1, "environment": 1}
    )
    assert (bob.questions, bob.answers, bob.tokens, dict(bob.kept)) == (1, 1, 50, {})
    assert await record.facts.usage(UserId("test:T1:nobody"), since) == Usage()


async def test_usage_is_counted_although_it_is_forgotten_what_was_asked(record: Record) -> None:
    """It has no words; what is kept of somebody shrinks, what they have asked does not."""
    since = record.clock.now()
    asked = await record.say("What is our shell?")
    await record.answer(asked, "fish", tokens=700)
    await record.facts.add(fact_from("Our shell is fish.", asked))
    await record.erasure.erase(await record.erasure.plan(ANNA.user_id, Everything()), actor=ANNA.user_id)

    assert await record.facts.usage(ANNA.user_id, since) == Usage(questions=1, answers=1, tokens=700)


async def test_usage_counts_conversations(record: Record) -> None:
    """As one of the kinds."""
    said = await record.talk("EKS is upgraded.")
    await record.learn(Outcome(episode=episode_of(said)))

    assert (await record.facts.usage(ANNA.user_id, record.clock.now())).kept == {"episode": 1}
