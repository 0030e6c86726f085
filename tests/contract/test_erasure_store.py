"""The contract of ErasureStore, on every database that Recall runs on."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from memory.errors import OutdatedMessageError, StoreConflictError
from memory.model import (
    About,
    Accepted,
    Everything,
    ForgetPlan,
    ForgetTarget,
    InboundMessage,
    Last,
    MemoryKey,
    Message,
    MessageState,
    Numbered,
    Pin,
    Receipt,
    Role,
    Summary,
    ThisMessage,
    ThisThread,
    UserId,
    episode_key,
    fact_key,
    turn_key,
)
from memory.model.work import Outcome
from memory.stores.sql.early_changes import note_early
from memory.stores.sql.inbox import accept
from memory.stores.sql.people import ensure_person
from memory.stores.sql.schema import audit_log, early_changes, outbox, people, threads, tombstones, upkeep
from tests.contract.record import (
    ANNA,
    BOB,
    CHANNEL,
    TENANT,
    Record,
    episode_of,
    fact_from,
    private_thread,
    public_thread,
    remembered,
)
from tests.fakes.clock import FrozenClock

EVERYTHING = Everything()


async def _plan(record: Record, target: ForgetTarget, *, owner: UserId = ANNA.user_id) -> ForgetPlan:
    return await record.erasure.plan(owner, target)


async def _forget(record: Record, target: ForgetTarget, *, owner: UserId = ANNA.user_id) -> Receipt:
    return await record.erasure.erase(await _plan(record, target, owner=owner), actor=owner)


async def _texts(record: Record, *, owner: UserId = ANNA.user_id) -> list[str]:
    """Return the texts of a person's memories, history included, oldest first."""
    return [line.text for line in reversed(await record.facts.memories(owner, history=True))]


async def _tasks(record: Record, operation: str) -> Collection[str]:
    async with record.database.read() as connection:
        rows = await connection.execute(select(outbox).where(outbox.c.operation == operation))
        return {row.key or row.session_id for row in rows}


async def _transcript(record: Record, name: str = "one") -> list[str]:
    thread = await record.messages.load_thread(public_thread(name).session_id, limit=50)
    return [message.text for message in thread.messages]


async def test_forgetting_a_number_takes_the_messages_and_the_replies_to_them(record: Record) -> None:
    """A fact takes the text it came from and our answer to it; the rest of the thread stays."""
    said = await record.talk("My cluster is zanzibar.", "Noted: zanzibar.")
    await record.talk("The weather is fine.", "It is.")
    await record.learn(Outcome(added=(fact_from("Anna's cluster is zanzibar.", said),)))
    plan = await _plan(record, Numbered(number=1))
    assert [line.key for line in plan.memories] == [fact_key(1)]
    assert (plan.message_ids, len(plan.reply_ids)) == ((said.message_id,), 1)
    assert plan.session_ids == (said.session_id,)
    receipt = await record.erasure.erase(plan, actor=ANNA.user_id)
    assert receipt == Receipt(facts=1, messages=1, replies=1)
    assert await record.holding("zanzibar") == []
    assert await _transcript(record) == ["The weather is fine.", "It is."]


async def test_a_later_reply_that_repeats_the_forgotten_from_the_history_goes_too(record: Record) -> None:
    """It used no memory that could be looked up; its words give it away. Other replies of the thread stay."""
    said = await record.talk("My cluster is zanzibar.", "Noted.")
    await record.talk("How do I list nodes?", "Run kubectl --context zanzibar get nodes.")
    await record.talk("And pods?", "Run kubectl get pods.")
    await record.learn(Outcome(added=(fact_from("Anna's cluster is zanzibar.", said),)))
    await _forget(record, Numbered(number=1))
    assert await record.holding("zanzibar") == []
    assert await _transcript(record) == ["How do I list nodes?", "And pods?", "Run kubectl get pods."]


async def test_a_reply_that_repeats_one_that_goes_goes_too_where_nothing_was_said(
    record: Record, clock: FrozenClock
) -> None:
    """Remembered by hand, recalled into another thread, and repeated there from the history; other replies stay."""
    fact = await record.facts.add(remembered("My laptop is called zanzibar.", clock))
    place = private_thread(name="two")
    await record.talk("What is my laptop called?", "Zanzibar.", place=place, used=[fact_key(fact.fact_id)])
    await record.talk("In German?", "Ihr Rechner heisst Zanzibar.", place=place)
    await record.talk("And the weather?", "My laptop says it is fine.", place=place)
    assert await _forget(record, Last()) == Receipt(facts=1, replies=2)
    assert await record.holding("zanzibar") == []
    thread = await record.messages.load_thread(place.session_id, limit=9)
    assert [message.text for message in thread.messages][-1] == "My laptop says it is fine."


async def test_an_episode_that_tells_what_a_forgotten_reply_said_goes_with_all_that_used_it(
    record: Record, clock: FrozenClock
) -> None:
    """It names the question it came from, not the answer; a later answer elsewhere was given the episode."""
    fact = await record.facts.add(remembered("My laptop is called zanzibar.", clock))
    asked = await record.talk("What is it called?", "Zanzibar.", used=[fact_key(fact.fact_id)])
    await record.learn(Outcome(episode=episode_of(asked, words="Naming zanzibar")))
    weather = await record.talk("Is it raining?", "It is not.", place=public_thread("two"))
    await record.learn(Outcome(episode=episode_of(weather, words="Rain")))
    other = public_thread("three")
    await record.talk("What did we do?", "You named Zanzibar.", person=BOB, place=other, used=[episode_key(1)])
    await record.talk("Again?", "Zanzibar, once more.", person=BOB, place=other)
    assert await _forget(record, Numbered(number=fact.number)) == Receipt(facts=1, episodes=1, replies=3)
    assert await record.holding("zanzibar") == []
    assert [text.splitlines()[0] for text in await _texts(record)] == ["Rain"]


async def test_a_plan_changes_nothing(record: Record) -> None:
    """A preview is a preview."""
    said = await record.talk("My cluster is zanzibar.")
    await record.learn(Outcome(added=(fact_from("Anna's cluster is zanzibar.", said),)))
    before = await record.holding("zanzibar")
    await _plan(record, EVERYTHING)
    assert await record.holding("zanzibar") == before


async def test_a_number_that_is_anothers_or_nobodys_plans_nothing(record: Record) -> None:
    """Numbers are per owner."""
    said = await record.talk("Prod is EKS.", person=BOB)
    await record.learn(Outcome(added=(fact_from("Prod is EKS.", said),)))
    for target in (Numbered(number=1), Numbered(number=99), Last(), About(words="EKS"), About(words="?!"), EVERYTHING):
        assert (await _plan(record, target)).is_empty
        assert await _forget(record, target) == Receipt()
    assert await _texts(record, owner=BOB.user_id) == ["Prod is EKS."]


async def test_a_fact_takes_its_history_and_leaves_what_superseded_it(record: Record) -> None:
    """All that a fact ever took the place of goes with it, with the messages behind it."""
    first = await record.talk("Prod is zanzibar 1.")
    await record.learn(Outcome(added=(fact_from("Prod is zanzibar 1.", first),)))
    second = await record.talk("Prod is zanzibar 2.")
    await record.learn(Outcome(updated=((1, fact_from("Prod is zanzibar 2.", second)),)))
    third = await record.talk("Prod is EKS.")
    await record.learn(Outcome(updated=((2, fact_from("Prod is EKS.", third)),)))
    assert await _forget(record, Numbered(number=2)) == Receipt(facts=2, messages=2, replies=2)
    assert await record.holding("zanzibar") == []
    assert await _texts(record) == ["Prod is EKS."]


async def test_replies_that_used_a_forgotten_fact_go_wherever_and_to_whomever(record: Record) -> None:
    """An answer given to another person in another thread loses its text; their question stays."""
    said = await record.talk("Prod is zanzibar.", place=public_thread("one"))
    await record.learn(Outcome(added=(fact_from("Prod is zanzibar.", said, subject="team"),)))
    asked = await record.talk(
        "What is prod?", "It is zanzibar.", person=BOB, place=public_thread("two"), used=[fact_key(1)]
    )
    plan = await _plan(record, Numbered(number=1))
    assert set(plan.session_ids) == {said.session_id, asked.session_id}
    await record.erasure.erase(plan, actor=ANNA.user_id)
    assert await record.holding("zanzibar") == []
    assert await _transcript(record, "two") == ["What is prod?"]


async def test_replies_that_used_a_forgotten_turn_or_episode_go_too(record: Record) -> None:
    """What recall quoted from a past turn or a past conversation is forgotten with it."""
    said = await record.talk("Prod is zanzibar.", place=public_thread("one"))
    await record.learn(Outcome(episode=episode_of(said, words="The zanzibar night")))
    used: tuple[MemoryKey, ...] = (turn_key(said.message_id, 1), episode_key(1))
    for name, key in zip(("two", "three"), used, strict=True):
        await record.talk("What is prod?", "It is zanzibar.", place=public_thread(name), used=[key])
    assert await _forget(record, ThisThread(session_id=said.session_id)) == Receipt(episodes=1, messages=1, replies=3)
    assert await record.holding("zanzibar") == []


async def test_another_fact_of_the_same_message_stays(record: Record) -> None:
    """Forgetting one fact does not forget the other thing that was said in the same breath."""
    said = await record.talk("Prod is zanzibar and dev is kind.")
    await record.learn(Outcome(added=(fact_from("Prod is zanzibar.", said), fact_from("Dev is kind.", said))))
    await _forget(record, Numbered(number=1))
    assert await _texts(record) == ["Dev is kind."]
    assert await record.holding("zanzibar") == []


async def test_a_message_forgotten_for_itself_takes_the_fact_that_outlived_its_text(record: Record) -> None:
    """A fact whose message lost its text before still came from it."""
    said = await record.talk("Prod is zanzibar and dev is kind.")
    await record.learn(Outcome(added=(fact_from("Prod is zanzibar.", said), fact_from("Dev is kind.", said))))
    await _forget(record, Numbered(number=1))
    assert await _forget(record, ThisThread(session_id=said.session_id)) == Receipt(facts=1)
    assert await _texts(record) == []


async def test_forgetting_a_thread_keeps_what_was_also_said_elsewhere(record: Record) -> None:
    """A fact lives while one source lives."""
    here = await record.talk("Prod is EKS.", place=public_thread("one"))
    await record.learn(Outcome(added=(fact_from("Prod is EKS.", here), fact_from("Anna is on call.", here))))
    there = await record.talk("As I said, EKS.", place=public_thread("two"))
    await record.learn(Outcome(confirmed=((1, fact_from("Prod is EKS.", there)),)))
    assert await _forget(record, ThisThread(session_id=here.session_id)) == Receipt(facts=1, messages=1, replies=1)
    (line,) = await record.facts.memories(ANNA.user_id)
    assert (line.text, line.confirmations, line.session_id) == ("Prod is EKS.", 0, there.session_id)


async def test_forgetting_a_thread_takes_what_was_remembered_there_by_hand(record: Record, clock: FrozenClock) -> None:
    """`/remember` said in a thread belongs to it; said in two, it stays."""
    place, other = private_thread(name="one"), private_thread(name="two")
    await record.facts.add(remembered("I like zanzibar.", clock, place=place))
    await record.facts.add(remembered("I like tabs.", clock, place=place))
    clock.advance(1)
    await record.facts.add(remembered("I like tabs.", clock, place=other))
    assert await _forget(record, ThisThread(session_id=place.session_id)) == Receipt(facts=1)
    assert await _texts(record) == ["I like tabs."]


async def test_one_message_is_forgotten_with_what_came_from_it_alone(record: Record) -> None:
    """By its platform name, in its thread, and by who said it only; other messages of the thread stay."""
    said = await record.talk("I run Talos.", "Talos, noted.")
    await record.talk("I like tabs.", "Tabs, noted.")
    await record.facts.add(fact_from("Anna runs Talos.", said))
    this = ThisMessage(session_id=said.session_id, platform_message_id=said.platform_message_id or "")
    elsewhere = ThisMessage(session_id=private_thread().session_id, platform_message_id=this.platform_message_id)

    assert (await _plan(record, this, owner=BOB.user_id)).is_empty
    assert (await _plan(record, elsewhere)).is_empty
    assert await _forget(record, this) == Receipt(facts=1, messages=1, replies=1)
    assert await _transcript(record) == ["I like tabs.", "Tabs, noted."]
    assert (await _plan(record, this)).is_empty


async def test_other_peoples_messages_survive_a_forget(record: Record) -> None:
    """In a shared thread only the owner's words and the answers to them go."""
    await record.talk("Prod is zanzibar.", "Zanzibar, noted.")
    await record.talk("I prefer kind.", "Kind, noted.", person=BOB)
    assert await _forget(record, ThisThread(session_id=public_thread().session_id)) == Receipt(messages=1, replies=1)
    assert await _transcript(record) == ["I prefer kind.", "Kind, noted."]


@pytest.mark.parametrize("target", [Numbered(number=1), About(words="prod EKS"), EVERYTHING])
async def test_a_fact_that_anothers_words_back_passes_to_them(record: Record, target: ForgetTarget) -> None:
    """Gone for the one who forgets, it stays with the other's number, source and date."""
    said = await record.talk("Prod is EKS.", place=public_thread("one"))
    await record.learn(Outcome(added=(fact_from("Prod is EKS.", said, subject="team"),)))
    theirs = await record.talk("Yes, prod is EKS.", person=BOB, place=public_thread("two"))
    await record.learn(
        Outcome(
            added=(fact_from("Bob is on call.", theirs),),
            confirmed=((1, fact_from("Prod is EKS.", theirs, subject="team")),),
        )
    )
    assert (await _forget(record, target)).facts == 1
    assert await _texts(record) == []
    (line,) = [line for line in await record.facts.memories(BOB.user_id) if line.subject == "team"]
    assert (line.text, line.number, line.session_id) == ("Prod is EKS.", 2, theirs.session_id)
    assert (line.said_at, line.confirmations) == (theirs.sent_at, 0)
    assert line.key in await _tasks(record, "index")
    assert fact_key(1) in await _tasks(record, "drop")
    assert line.key not in await _tasks(record, "drop")


async def test_a_fact_goes_with_its_only_source_whoever_owns_it(record: Record) -> None:
    """A team fact that one person owns and another one's message alone backs is the other's to take back."""
    await record.talk("What is prod?")
    theirs = await record.talk("Prod is zanzibar.", person=BOB)
    new = replace(fact_from("Prod is zanzibar.", theirs, subject="team"), owner=ANNA.user_id)
    await record.learn(Outcome(added=(new,)))
    await _forget(record, ThisThread(session_id=theirs.session_id), owner=BOB.user_id)
    assert await record.holding("zanzibar") == []


async def test_withdrawing_a_confirmation_leaves_the_others_fact(record: Record) -> None:
    """One person's forget leaves another's fact standing, with one confirmation less."""
    said = await record.talk("Prod is EKS.", place=public_thread("one"))
    await record.learn(Outcome(added=(fact_from("Prod is EKS.", said, subject="team"),)))
    theirs = await record.talk("Yes, prod is EKS.", person=BOB, place=public_thread("two"))
    await record.learn(Outcome(confirmed=((1, fact_from("Prod is EKS.", theirs, subject="team")),)))
    assert await _forget(record, EVERYTHING, owner=BOB.user_id) == Receipt(messages=1, replies=1)
    (line,) = await record.facts.memories(ANNA.user_id)
    assert (line.text, line.confirmations) == ("Prod is EKS.", 0)


async def test_last_is_the_first_line_of_the_memories(record: Record, clock: FrozenClock) -> None:
    """The newest thing said, though an older thing may have been learned later."""
    said = await record.talk("Prod is EKS.")
    clock.advance(60)
    await record.facts.add(remembered("I like tabs.", clock))
    await record.learn(Outcome(added=(fact_from("Prod is EKS.", said),)))
    (newest, _) = await record.facts.memories(ANNA.user_id)
    plan = await _plan(record, Last())
    assert plan.memories == (newest,)
    await record.erasure.erase(plan, actor=ANNA.user_id)
    assert await _texts(record) == ["Prod is EKS."]


async def test_forgetting_an_episode_takes_the_owners_part_in_it(record: Record) -> None:
    """The story goes for everyone; of the messages it tells of, the owner's lose their text."""
    said = await record.talk("Prod is zanzibar.")
    theirs = await record.talk("It was DNS.", person=BOB)
    await record.learn(Outcome(episode=episode_of(said, theirs, words="The zanzibar night")))
    assert await _forget(record, Last()) == Receipt(episodes=1, messages=1, replies=1)
    assert await record.holding("zanzibar") == []
    assert await _texts(record, owner=BOB.user_id) == []
    assert await _transcript(record) == ["It was DNS.", "Noted."]


async def test_an_episode_goes_with_any_of_its_messages(record: Record) -> None:
    """A story cannot stand when a part of it is forgotten."""
    said = await record.talk("Prod is down.")
    theirs = await record.talk("It was zanzibar.", person=BOB)
    await record.learn(Outcome(episode=episode_of(said, theirs, words="The zanzibar night")))
    await record.erasure.delete_message(theirs.session_id, "p2", actor=BOB.user_id)
    assert await record.holding("zanzibar") == []
    assert await _texts(record) == []


async def test_an_episode_that_goes_along_takes_no_message_of_its_own(record: Record) -> None:
    """Forgetting a fact takes the story that tells of its message; the other messages of the story stay."""
    said = await record.talk("Prod is zanzibar.")
    other = await record.talk("Dev is kind.")
    new = fact_from("Prod is zanzibar.", said)
    await record.learn(Outcome(added=(new,), episode=episode_of(said, other, words="The zanzibar night")))
    assert await _forget(record, Numbered(number=1)) == Receipt(facts=1, episodes=1, messages=1, replies=1)
    assert await _transcript(record) == ["Dev is kind.", "Noted."]


async def test_about_takes_what_has_all_the_words_as_stems(record: Record, clock: FrozenClock) -> None:
    """Facts, episodes and messages match in any form of the words and any case; one word is not enough."""
    hit = await record.talk("We are DEPLOYING to the clusters.", "All right.")
    await record.talk("We deploy on Fridays.", "Bold.")
    await record.facts.add(remembered("My cluster deploys itself.", clock))
    await record.facts.add(remembered("My cluster is small.", clock))
    await record.learn(Outcome(episode=episode_of(hit, words="Deployment of a cluster")))
    assert (await _plan(record, About(words="deployed cluster moon"))).is_empty
    plan = await _plan(record, About(words="deployed cluster"))
    assert {line.text.splitlines()[0] for line in plan.memories} == {
        "My cluster deploys itself.",
        "Deployment of a cluster",
    }
    assert plan.message_ids == (hit.message_id,)
    await record.erasure.erase(plan, actor=ANNA.user_id)
    assert await _texts(record) == ["My cluster is small."]
    assert await _transcript(record) == ["We deploy on Fridays.", "Bold."]


async def test_about_takes_answers_that_have_the_words_though_the_question_has_not(record: Record) -> None:
    """What Recall repeated to the person is forgotten; their question and other people's answers stay."""
    await record.talk("What is my cluster?", "It is zanzibar 7.")
    await record.talk("And mine?", "It is zanzibar 7.", person=BOB)
    assert await _forget(record, About(words="zanzibar-7")) == Receipt()
    assert await _forget(record, About(words="Zanzibar 7")) == Receipt(replies=1)
    assert await _transcript(record) == ["What is my cluster?", "And mine?", "It is zanzibar 7."]


async def test_everything_takes_what_there_is_when_it_is_carried_out(record: Record, clock: FrozenClock) -> None:
    """What came after the preview goes too; settings stay."""
    await record.facts.set_preference(ANNA.user_id, "language", "de")
    await record.talk("Prod is zanzibar.")
    plan = await _plan(record, EVERYTHING)
    assert plan.everything
    later = await record.talk("Dev is zanzibar.", place=public_thread("two"))
    await record.facts.add(fact_from("Dev is zanzibar.", later))
    await record.facts.add(remembered("I like zanzibar.", clock))
    await record.say("Is zanzibar fine?", place=public_thread("three"))
    assert await record.erasure.erase(plan, actor=ANNA.user_id) == Receipt(facts=2, messages=3, replies=2)
    assert await record.holding("zanzibar") == []
    assert await record.facts.preference(ANNA.user_id, "language") == "de"


async def test_a_plan_takes_what_has_come_to_hang_on_it_meanwhile(record: Record) -> None:
    """A reply or a fact that came between the preview and the yes does not slip through."""
    said = await record.say("Prod is zanzibar.")
    plan = await _plan(record, ThisThread(session_id=said.session_id))
    await record.answer(said, "Zanzibar, noted.")
    await record.learn(Outcome(added=(fact_from("Prod is zanzibar.", said),), episode=episode_of(said)))
    await record.talk("And?", "Zanzibar.", person=BOB, place=public_thread("two"), used=[fact_key(1)])
    receipt = await record.erasure.erase(plan, actor=ANNA.user_id)
    assert receipt == Receipt(facts=1, episodes=1, messages=1, replies=2)
    assert await record.holding("zanzibar") == []


async def test_erasing_twice_changes_nothing(record: Record) -> None:
    """A plan carried out again removes nothing, raises no epoch and writes no event."""
    said = await record.talk("Prod is zanzibar.")
    await record.learn(Outcome(added=(fact_from("Prod is zanzibar.", said),)))
    for plan in (await _plan(record, Numbered(number=1)), await _plan(record, EVERYTHING)):
        await record.erasure.erase(plan, actor=ANNA.user_id)
        state = [await record.rows(name) for name in ("outbox", "tombstones", "audit_log")]
        head = (await record.messages.load_thread(said.session_id, limit=1)).head
        assert await record.erasure.erase(plan, actor=ANNA.user_id) == Receipt()
        assert [await record.rows(name) for name in ("outbox", "tombstones", "audit_log")] == state
        assert (await record.messages.load_thread(said.session_id, limit=1)).head == head


async def test_an_erasure_resets_the_thread_and_raises_the_epochs(record: Record) -> None:
    """Summary, pins and title go; every copy of the thread is out of date."""
    said = await record.talk("Prod is zanzibar.", "Zanzibar, noted.")
    thread = await record.messages.load_thread(said.session_id, limit=5)
    pin = Pin(text="zanzibar", kind="name", said_by=Role.USER, message_id=said.message_id)
    summary = Summary(text="About zanzibar.", pins=(pin,), through=said.message_id)
    before = await record.messages.save_summary(thread.head, summary)
    assert before is not None
    receipt = await _forget(record, ThisThread(session_id=said.session_id))
    assert receipt == Receipt(messages=1, replies=1, summaries=1)
    after = await record.messages.load_thread(said.session_id, limit=5)
    assert (after.summary, after.messages) == (Summary(), ())
    assert (after.head.version, after.head.forget_epoch) == (before.version + 1, before.forget_epoch + 1)
    assert await record.messages.save_summary(before, summary) is None
    assert await record.holding("zanzibar") == []
    async with record.database.read() as connection:
        assert await connection.scalar(select(people.c.forget_epoch).where(people.c.user_id == ANNA.user_id)) == 1


async def test_an_erasure_leaves_tombstones_an_event_and_work_for_the_copies(
    record: Record, clock: FrozenClock
) -> None:
    """Keys without content; counts without content; vectors and cached threads are queued for removal."""
    said = await record.talk("Prod is zanzibar.")
    await record.learn(Outcome(added=(fact_from("Prod is zanzibar.", said),), episode=episode_of(said)))
    assert await _tasks(record, "index") == {fact_key(1), episode_key(1), turn_key(said.message_id, 1)}
    clock.advance(60)
    await _forget(record, EVERYTHING)
    keys = {fact_key(1), episode_key(1), turn_key(said.message_id, 1)}
    assert await _tasks(record, "index") == set()
    assert await _tasks(record, "drop") == keys
    assert await _tasks(record, "evict") == {said.session_id}
    async with record.database.read() as connection:
        assert set(await connection.scalars(select(tombstones.c.key))) == keys
        (event,) = (await connection.execute(select(audit_log))).all()
        erased_at = await connection.scalar(select(upkeep.c.at).where(upkeep.c.name == "erased_at"))
    assert (event.actor_id, event.action) == (ANNA.user_id, "forget")
    assert event.counts == {"facts": 1, "episodes": 1, "messages": 1, "replies": 1}
    assert erased_at == clock.now()


async def test_a_forgotten_message_holds_nothing_back(record: Record, clock: FrozenClock) -> None:
    """Neither an unanswered nor a parked nor a failing message that is forgotten keeps later ones waiting."""
    await record.talk("Zanzibar one.")
    claim, batch = await record.claim_one()
    await record.extraction.park(claim, batch, reason="MalformedReplyError")
    await record.talk("Zanzibar two.")
    (claim,) = await record.claim()
    await record.extraction.back_off(claim, retry_at=clock.now() + timedelta(days=1))
    stuck = await record.say("Zanzibar three.")
    await _forget(record, About(words="zanzibar"))
    assert await record.unanswered() == []
    assert await record.messages.begin_turn(stuck.message_id, holder="w", lease_s=60) is None
    assert await record.extraction.unpark() == 0
    fresh = await record.talk("Prod is EKS.")
    (claim,) = await record.claim()
    assert claim.attempts == 0
    assert list((await record.extraction.load(claim, limit=9)).versions) == [fresh.message_id]


async def test_a_reply_in_flight_when_its_memory_is_forgotten_is_stored_without_text(record: Record) -> None:
    """Another person's answer that was given the fact does not bring it back."""
    said = await record.talk("Prod is zanzibar.")
    await record.learn(Outcome(added=(fact_from("Prod is zanzibar.", said, subject="team"),)))
    asked = await record.say("What is prod?", person=BOB, place=public_thread("two"))
    claim = await record.messages.begin_turn(asked.message_id, holder="w", lease_s=60)
    await _forget(record, Numbered(number=1))
    assert claim is not None
    await record.answer_claim(claim, "It is zanzibar.", used=[fact_key(1)])
    assert await record.holding("zanzibar") == []


async def test_forgetting_against_a_sweep_and_a_new_fact_at_once_leaves_nothing(
    record: Record, clock: FrozenClock
) -> None:
    """Whichever comes first, nothing said before the forget is left after it."""
    for turn in range(5):
        said = await record.talk(f"Zanzibar {turn}.", place=public_thread(str(turn)))
        claim, batch = await record.claim_one()
        plan = await _plan(record, EVERYTHING)
        new = fact_from(f"Zanzibar {turn}.", said)
        async with record.database.read() as connection:
            query = select(people.c.forget_epoch).where(people.c.user_id == ANNA.user_id)
            epoch = (await connection.execute(query)).scalar_one()
        async with asyncio.TaskGroup() as group:
            group.create_task(_or_conflict(record.extraction.commit(claim, batch, Outcome(added=(new,)), shown=())))
            group.create_task(record.erasure.erase(plan, actor=ANNA.user_id))
            group.create_task(_or_conflict(record.facts.add(remembered("Zanzibar!", clock), author_epoch=epoch)))
        assert await record.holding("zanzibar") == []


async def _or_conflict(work: object) -> None:
    try:
        await work  # type: ignore[misc]
    except StoreConflictError:
        return


async def test_an_edit_replaces_the_text_and_retracts_what_came_from_the_old_one(record: Record) -> None:
    """The new words are found and extracted; the old ones are nowhere, nor what came of them."""
    said = await record.talk("Prod is zanzibar.", "Understood.")
    await record.learn(Outcome(added=(fact_from("Prod is zanzibar.", said),), episode=episode_of(said)))
    await record.talk(
        "Which?", "Zanzibar.", person=BOB, place=public_thread("two"), used=[turn_key(said.message_id, 1)]
    )
    receipt = await record.edit(said.session_id, "p1", "Prod is EKS.")
    assert receipt == Receipt(facts=1, episodes=1, replies=1)
    assert await record.holding("zanzibar") == []
    assert await _transcript(record) == ["Prod is EKS.", "Understood."]
    claims = {claim.session_id: claim for claim in await record.claim()}
    batch = await record.extraction.load(claims[said.session_id], limit=9)
    assert batch.versions == {said.message_id: 2}
    assert batch.thread_title == "Prod is EKS."
    assert turn_key(said.message_id, 2) in await _tasks(record, "index")
    assert turn_key(said.message_id, 1) in await _tasks(record, "drop")


async def test_an_edit_takes_the_replies_that_used_a_fact_of_the_old_text(record: Record) -> None:
    """Also a reply to the edited message itself, when it was given such a fact."""
    said = await record.say("Prod is zanzibar.")
    fact = await record.facts.add(fact_from("Prod is zanzibar.", said))
    await record.answer(said, "Zanzibar it is.", used=[fact_key(fact.fact_id)])
    assert await record.edit(said.session_id, "p1", "Hello.") == Receipt(facts=1, replies=1)
    assert await _transcript(record) == ["Hello."]


async def test_an_edit_leaves_the_replies_under_way(record: Record) -> None:
    """Mending a typo while the answer streams loses neither that answer nor one in another thread."""
    asked = await record.say("Where is teh log?")
    elsewhere = await record.say("And the weather?", place=public_thread("two"))
    turns = [
        await record.messages.begin_turn(message.message_id, holder="w", lease_s=60) for message in (asked, elsewhere)
    ]
    await record.edit(asked.session_id, "p1", "Where is the log?")
    for claim in turns:
        assert claim is not None
        await record.answer_claim(claim, "In /var/log, where it rains.")
    assert await _transcript(record) == ["Where is the log?", "In /var/log, where it rains."]
    assert await _transcript(record, "two") == ["And the weather?", "In /var/log, where it rains."]


async def test_an_edit_voids_a_reply_under_way_that_was_given_what_came_of_the_old_text(record: Record) -> None:
    """Its memory is gone, or stands in the history in a reply that is."""
    said = await record.talk("Prod is zanzibar.")
    await record.learn(Outcome(added=(fact_from("Prod is zanzibar.", said, subject="team"),)))
    await record.talk("What is prod?", "Zanzibar.", person=BOB, place=public_thread("two"), used=[fact_key(1)])
    turns = {
        key: await record.messages.begin_turn(
            (await record.say("Again?", person=BOB, place=public_thread(name))).message_id, holder="w", lease_s=60
        )
        for name, key in (("two", None), ("three", fact_key(1)))
    }
    await record.edit(said.session_id, "p1", "Prod is EKS.")
    for key, claim in turns.items():
        assert claim is not None
        await record.answer_claim(claim, "Zanzibar, as I said.", used=[key] if key else [])
    assert await record.holding("zanzibar") == []


async def test_an_edit_outdates_every_copy_and_every_summary_under_way(record: Record) -> None:
    """What was made from the old text is refused; what is cached no longer matches."""
    said = await record.talk("Prod is zanzibar.")
    thread = await record.messages.load_thread(said.session_id, limit=5)
    await record.edit(said.session_id, "p1", "Prod is EKS.")
    after = await record.messages.load_thread(said.session_id, limit=5)
    assert after.head.version == thread.head.version + 1
    summary = Summary(text="About zanzibar.", through=said.message_id)
    assert await record.messages.save_summary(thread.head, summary) is None
    assert await _tasks(record, "evict") == {said.session_id}


async def test_a_fact_of_a_message_that_was_edited_meanwhile_is_refused(record: Record) -> None:
    """What the model wants to remember of the old words is not stored."""
    said = await record.say("Prod is zanzibar.")
    await record.edit(said.session_id, "p1", "Prod is EKS.")
    with pytest.raises(StoreConflictError):
        await record.facts.add(fact_from("Prod is zanzibar.", said), author_epoch=0)
    assert await record.holding("zanzibar") == []


async def test_a_fact_passes_to_its_heir_while_the_heir_writes(record: Record) -> None:
    """Somebody whose message is being accepted and the forget that makes them an owner do not block each other."""
    said = await record.talk("Prod is EKS.")
    theirs = await record.talk("Yes, prod is EKS.", person=BOB)
    await record.learn(Outcome(added=(fact_from("Prod is EKS.", said, theirs, subject="team"),)))
    plan = await _plan(record, Numbered(number=1))
    place, now = public_thread(), record.clock.now()
    delivery = InboundMessage(place=place, platform_message_id="new", author=BOB, text="Hello.", sent_at=now)
    async with asyncio.TaskGroup() as group, record.database.begin() as connection:
        await ensure_person(connection, BOB, TENANT)
        forgetting = group.create_task(record.erasure.erase(plan, actor=ANNA.user_id))
        await record.until_it_waits(forgetting)
        await accept(connection, delivery, now=now)
    assert forgetting.result().facts == 1
    assert await _texts(record, owner=BOB.user_id) == ["Prod is EKS."]


async def test_an_edit_keeps_a_fact_with_another_source(record: Record) -> None:
    """What was also said elsewhere stays true."""
    said = await record.talk("Prod is EKS.", place=public_thread("one"))
    await record.learn(Outcome(added=(fact_from("Prod is EKS.", said),)))
    again = await record.talk("Prod is EKS, yes.", place=public_thread("two"))
    await record.learn(Outcome(confirmed=((1, fact_from("Prod is EKS.", again)),)))
    assert await record.edit(said.session_id, "p1", "Hello.") == Receipt()
    assert await _texts(record) == ["Prod is EKS."]


async def test_an_edit_that_changes_nothing_or_comes_too_late_is_ignored(record: Record) -> None:
    """The same text, an unknown message, and one that was forgotten."""
    said = await record.talk("Prod is EKS.")
    head = (await record.messages.load_thread(said.session_id, limit=1)).head
    for platform_id, words in (("p1", "Prod is EKS."), ("p9", "Prod is zanzibar.")):
        await record.edit(said.session_id, platform_id, words)
    assert (await record.messages.load_thread(said.session_id, limit=1)).head == head
    await _forget(record, EVERYTHING)
    assert await record.edit(said.session_id, "p1", "zanzibar") == Receipt()
    assert await record.holding("zanzibar") == []


async def test_the_latest_edit_counts_however_late_the_others_come(record: Record) -> None:
    """Also when it put the first words back, and when one comes twice."""
    said = await record.talk("Prod is EKS.")
    first, second, third = (record.clock.now() + timedelta(seconds=n) for n in (10, 20, 30))
    for words, at in (("Prod is GKE.", second), ("Prod is AKS.", first), ("Prod is GKE.", second)):
        await record.edit(said.session_id, "p1", words, edited_at=at)
    assert await _transcript(record) == ["Prod is GKE.", "Noted."]
    await record.edit(said.session_id, "p1", "Prod is GKE.", edited_at=third)
    await record.edit(said.session_id, "p1", "Prod is OKE.", edited_at=third - timedelta(seconds=5))
    assert await _transcript(record) == ["Prod is GKE.", "Noted."]


async def test_a_message_that_was_deleted_before_it_came_is_not_stored(record: Record) -> None:
    """Its first delivery failed, and its author lost patience before the second."""
    await record.talk("Hello.")
    now = record.clock.now()
    await record.erasure.note_early(CHANNEL, "p2", is_deleted=True, changed_at=now)
    await record.erasure.note_early(CHANNEL, "p2", is_deleted=False, changed_at=now - timedelta(seconds=5))
    for _ in range(2):
        late = await record.deliver("p2", "Prod is zanzibar.")
        assert (late.duplicate, late.state.is_settled) == (True, True)
    assert await record.holding("zanzibar") == []


async def test_a_message_that_was_edited_before_it_came_is_not_taken_as_it_was(record: Record) -> None:
    """Its words of then are refused; those of now are taken, whether they come from that edit or from a later one."""
    await record.talk("Hello.")
    sent_at = record.clock.now()
    edits = [sent_at + timedelta(seconds=n) for n in (5, 9)]
    await record.erasure.note_early(CHANNEL, "p2", is_deleted=False, changed_at=edits[1])
    await record.erasure.note_early(CHANNEL, "p2", is_deleted=False, changed_at=edits[0])
    message = InboundMessage(
        place=public_thread(), platform_message_id="p2", author=ANNA, text="Prod is zanzibar.", sent_at=sent_at
    )
    for edited_at in (None, edits[0]):
        with pytest.raises(OutdatedMessageError):
            await record.messages.accept(replace(message, edited_at=edited_at))
    assert await record.holding("zanzibar") == []
    now = replace(message, text="Prod is EKS.", edited_at=edits[1])
    assert (await record.messages.accept(now)).duplicate is False
    assert await record.edit(public_thread().session_id, "p2", "Prod is zanzibar.", edited_at=edits[0]) == Receipt()


async def test_a_message_that_is_accepted_while_it_is_deleted_does_not_stay(record: Record) -> None:
    """The deletion finds nothing, waits for what is being accepted, and looks again."""
    said = await record.talk("Hello.")
    now = record.clock.now()
    message = InboundMessage(
        place=public_thread(), platform_message_id="p2", author=ANNA, text="Prod is zanzibar.", sent_at=now
    )
    async with record.database.begin() as connection:
        await accept(connection, message, now=now)
        noting = asyncio.create_task(record.erasure.note_early(CHANNEL, "p2", is_deleted=True, changed_at=now))
        await record.until_it_waits(noting)
    await noting
    assert await record.erasure.delete_message(said.session_id, "p2", actor=ANNA.user_id) == Receipt(messages=1)
    assert await record.holding("zanzibar") == []


async def test_a_message_that_waits_while_its_deletion_is_noted_is_not_stored(record: Record) -> None:
    """It comes in while the channel is held by the note, and sees it once it may go on."""
    await record.talk("Hello.")

    async def arrive() -> Accepted:
        return await record.deliver("p2", "Prod is zanzibar.")

    async with record.database.begin() as connection:
        now = record.clock.now()
        await note_early(connection, CHANNEL, "p2", is_deleted=True, changed_at=now, now=now)
        arriving = asyncio.create_task(arrive())
        await record.until_it_waits(arriving)
    assert (await arriving).duplicate
    assert await record.holding("zanzibar") == []


async def test_an_edit_waits_for_who_is_accepting_a_message_of_its_author(record: Record) -> None:
    """Both hold the person before the thread."""
    said = await record.talk("Prod is zanzibar.")
    now = record.clock.now()
    message = InboundMessage(place=public_thread(), platform_message_id="p2", author=ANNA, text="And?", sent_at=now)
    async with asyncio.TaskGroup() as group, record.database.begin() as connection:
        await ensure_person(connection, replace(ANNA, name="Anna B."), TENANT)
        editing = group.create_task(record.edit(said.session_id, "p1", "Prod is EKS.", attachments=[]))
        await record.until_it_waits(editing)
        await accept(connection, message, now=now)
    assert await record.holding("zanzibar") == []


async def test_early_changes_are_kept_no_longer_than_messages_are_delivered(record: Record) -> None:
    """Most of them are of messages that were never for Recall."""
    await record.talk("Hello.")
    await record.erasure.note_early(CHANNEL, "p8", is_deleted=True, changed_at=record.clock.now())
    record.clock.advance(7_200)
    await record.erasure.note_early(CHANNEL, "p9", is_deleted=True, changed_at=record.clock.now())
    async with record.database.read() as connection:
        kept = await connection.scalars(select(early_changes.c.platform_message_id))
        assert kept.all() == ["p9"]


async def test_an_edit_of_a_parked_message_is_extracted(record: Record) -> None:
    """New words deserve a new try."""
    said = await record.talk("Prod is EKS.")
    claim, batch = await record.claim_one()
    await record.extraction.park(claim, batch, reason="MalformedReplyError")
    await record.edit(said.session_id, "p1", "Prod is GKE.")
    assert (await record.claim_one())[1].versions == {said.message_id: 2}


async def test_deleting_a_message_forgets_it_down_to_its_facts(record: Record) -> None:
    """A platform's deletion is a forget of that message; a second one changes nothing."""
    said = await record.talk("Prod is zanzibar.", "Zanzibar.")
    await record.learn(Outcome(added=(fact_from("Prod is zanzibar.", said),)))
    receipt = await record.erasure.delete_message(said.session_id, "p1", actor=ANNA.user_id)
    assert receipt == Receipt(facts=1, messages=1, replies=1)
    assert await record.holding("zanzibar") == []
    assert await record.erasure.delete_message(said.session_id, "p1", actor=ANNA.user_id) == Receipt()
    assert await record.erasure.delete_message(said.session_id, "p9", actor=ANNA.user_id) is None


async def test_deleting_recalls_own_post_takes_the_reply_alone(record: Record) -> None:
    """Somebody removed our post: it is gone here too, and the question stays."""
    said = await record.say("What is prod?")
    claim = await record.messages.begin_turn(said.message_id, holder="w", lease_s=60)
    assert claim is not None
    await record.messages.note_post(claim, "r1")
    await record.answer_claim(claim, "It is zanzibar.")
    assert await record.erasure.delete_message(said.session_id, "r1", actor=BOB.user_id) == Receipt(replies=1)
    assert await _transcript(record) == ["What is prod?"]
    assert await record.erasure.delete_message(said.session_id, "r2", actor=BOB.user_id) is None


async def test_a_deleted_message_delivered_again_stays_deleted(record: Record) -> None:
    """A late delivery finds the row and brings nothing back."""
    said: Message = await record.talk("Prod is zanzibar.")
    await record.erasure.delete_message(said.session_id, "p1", actor=ANNA.user_id)
    again = await record.deliver("p1", "Prod is zanzibar.")
    assert (again.duplicate, again.state) == (True, MessageState.ANSWERED)
    assert await record.holding("zanzibar") == []


async def test_the_title_goes_with_the_first_message_only(record: Record) -> None:
    """A thread is named after its first message."""
    first = await record.talk("Prod is zanzibar.")
    await record.talk("Dev is kind.")

    async def title() -> str | None:
        async with record.database.read() as connection:
            found = await connection.scalar(select(threads.c.title).where(threads.c.session_id == first.session_id))
        return None if found is None else str(found)

    await record.erasure.delete_message(first.session_id, "p2", actor=ANNA.user_id)
    assert await title() == "Prod is zanzibar."
    await record.erasure.delete_message(first.session_id, "p1", actor=ANNA.user_id)
    assert await title() == ""
