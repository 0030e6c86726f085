"""The contract of ExtractionStore, on every database that Recall runs on."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from memory.audience import members_of
from memory.errors import StoreConflictError
from memory.model import (
    ChannelId,
    Numbered,
    Person,
    Role,
    SessionId,
    TenantId,
    ThisThread,
    UserId,
    episode_key,
    fact_key,
)
from memory.model.work import Committed, ExtractionClaim, Outcome
from tests.contract.record import (
    ANNA,
    BOB,
    CHANNEL,
    LEASE_S,
    TENANT,
    Record,
    episode_of,
    fact_from,
    public_thread,
    remembered,
)
from tests.fakes.clock import FrozenClock

NOTHING = Outcome()
TEAM_CHANNEL = members_of(ChannelId("test:T1:team"))
ELSEWHERE = replace(public_thread(), session_id=SessionId("test:T1:dev:one"), channel_id=ChannelId("test:T1:dev"))
CARL = Person(user_id=UserId("test:T1:carl"), name="Carl")


async def _idle(record: Record, *, for_s: float, busy_turns: int = 100) -> list[str]:
    """Claim threads that have been quiet for so long; return which."""
    claims = await record.extraction.claim(
        idle_before=record.clock.now() - timedelta(seconds=for_s),
        busy_turns=busy_turns,
        holder="sweep",
        lease_s=LEASE_S,
        limit=10,
    )
    return [claim.session_id for claim in claims]


async def test_a_thread_is_due_once_it_is_quiet(record: Record, clock: FrozenClock) -> None:
    """Idle time counts from the last turn."""
    await record.talk("Prod is EKS.")
    clock.advance(100)
    assert await _idle(record, for_s=200) == []
    clock.advance(100)
    assert await _idle(record, for_s=200) == [public_thread().session_id]


async def test_a_busy_thread_is_due_after_enough_turns(record: Record) -> None:
    """A thread that never falls quiet is learned from too."""
    for number in range(3):
        await record.talk(f"Turn {number}.")
    assert await _idle(record, for_s=1_000, busy_turns=4) == []
    assert await _idle(record, for_s=1_000, busy_turns=3) == [public_thread().session_id]


async def test_unanswered_and_extracted_messages_do_not_make_a_thread_due(record: Record) -> None:
    """What waits for its answer is not history yet, and what was extracted is done."""
    await record.say("Prod is EKS.")
    assert await record.claim() == []
    await record.talk("Staging is kind.", place=public_thread("two"))
    await record.learn(NOTHING)
    assert await record.claim() == []


async def test_a_failed_turn_is_learned_from(record: Record) -> None:
    """The model's failure does not make what a person said unsaid."""
    message = await record.say("Prod is EKS.")
    await record.answer(message, None)
    _, batch = await record.claim_one()
    assert [each.text for each in batch.messages] == ["Prod is EKS."]


async def test_claims_come_longest_quiet_first_and_within_the_limit(record: Record) -> None:
    """The thread that has waited longest is first."""
    for name in ("a", "b", "c"):
        await record.talk("Prod is EKS.", place=public_thread(name))
    first = await record.claim(limit=2)
    assert [claim.session_id for claim in first] == [public_thread(name).session_id for name in ("a", "b")]
    (rest,) = await record.claim(limit=2)
    assert rest.session_id == public_thread("c").session_id


async def test_two_claimers_at_once_never_share_a_thread(record: Record) -> None:
    """Any number of replicas may sweep."""
    for number in range(6):
        await record.talk("Prod is EKS.", place=public_thread(str(number)))
    async with asyncio.TaskGroup() as group:
        sweeps = [group.create_task(record.claim(holder=f"sweep{number}", limit=4)) for number in range(4)]
    claimed = [claim.session_id for sweep in sweeps for claim in sweep.result()]
    claimed += [claim.session_id for claim in await record.claim(limit=10)]
    assert sorted(claimed) == sorted(public_thread(str(number)).session_id for number in range(6))


async def test_a_claimed_thread_is_not_claimed_again_not_even_by_its_holder(record: Record) -> None:
    """A lease keeps a sweep from meeting itself."""
    await record.talk("Prod is EKS.")
    (claim,) = await record.claim(holder="sweep")
    assert (claim.tenant_id, claim.audience, claim.attempts) == (TENANT, public_thread().audience, 0)
    assert await record.claim(holder="sweep") == []
    assert await record.claim(holder="other") == []


async def test_a_batch_holds_the_oldest_messages_with_the_replies_to_them(record: Record) -> None:
    """Each reply follows its question, also when it was given later."""
    first = await record.say("Prod is EKS.")
    second = await record.say("Staging is kind.", person=BOB)
    await record.answer(first, "Noted one.")
    await record.answer(second, "Noted two.")
    await record.talk("Dev is minikube.")
    (claim,) = await record.claim()
    batch = await record.extraction.load(claim, limit=2)
    assert [message.text for message in batch.messages] == [
        "Prod is EKS.",
        "Noted one.",
        "Staging is kind.",
        "Noted two.",
    ]
    assert [message.role for message in batch.messages][:2] == [Role.USER, Role.ASSISTANT]
    assert batch.versions == {first.message_id: 1, second.message_id: 1}
    assert batch.author_epochs == {ANNA.user_id: 0, BOB.user_id: 0}
    assert (batch.thread_epoch, batch.thread_title) == (0, "Prod is EKS.")


async def test_a_batch_names_the_memories_that_its_replies_were_given(record: Record, clock: FrozenClock) -> None:
    """What was recalled into a reply must not be learned as new."""
    fact = await record.facts.add(remembered("I deploy with ArgoCD.", clock))
    said = await record.talk("Prod is EKS.")
    await record.learn(Outcome(episode=episode_of(said)))
    await record.talk("What do I use?", "ArgoCD.", used=[fact_key(fact.fact_id), episode_key(1)])
    _, batch = await record.claim_one()
    assert batch.memory_texts == ("I deploy with ArgoCD.", "Rollout of EKS 1.30\nThey upgraded it.\nIt worked.")


async def test_a_commit_stores_what_was_learned_and_moves_the_watermark(record: Record) -> None:
    """After the commit the facts and the episode are memories and the thread has nothing left."""
    said = await record.talk("Prod is EKS.")
    committed = await record.learn(Outcome(added=(fact_from("Prod is EKS.", said),), episode=episode_of(said)))
    assert committed == Committed(added=1, episodes=1)
    assert {line.kind for line in await record.facts.memories(ANNA.user_id)} == {"environment", "episode"}
    assert await record.claim() == []


async def test_an_episode_is_numbered_for_each_of_its_people(record: Record) -> None:
    """Everyone who took part has the episode among their memories."""
    said = await record.talk("Prod is down.")
    answer = await record.talk("It was DNS.", person=BOB)
    await record.learn(Outcome(added=(fact_from("Prod runs CoreDNS.", answer),), episode=episode_of(said, answer)))
    (hers,) = await record.facts.memories(ANNA.user_id)
    assert hers.number == 1
    assert [(line.kind, line.number) for line in await record.facts.memories(BOB.user_id)] == [
        ("episode", 2),
        ("environment", 1),
    ]


async def test_a_second_commit_of_a_batch_is_refused(record: Record) -> None:
    """Each version of a message is extracted once."""
    said = await record.talk("Prod is EKS.")
    claim, batch = await record.claim_one()
    outcome = Outcome(added=(fact_from("Prod is EKS.", said),), episode=episode_of(said))
    await record.extraction.commit(claim, batch, outcome, shown=())
    with pytest.raises(StoreConflictError):
        await record.extraction.commit(claim, batch, outcome, shown=())
    assert len(await record.facts.memories(ANNA.user_id)) == 2


async def test_a_batch_that_another_holder_committed_is_refused(record: Record, clock: FrozenClock) -> None:
    """A slow sweep whose lease passed on stores nothing, also when the other one has finished."""
    said = await record.talk("Prod is EKS.")
    outcome = Outcome(added=(fact_from("Prod is EKS.", said),))
    (slow,) = await record.extraction.claim(idle_before=clock.now(), busy_turns=1, holder="slow", lease_s=0.0, limit=1)
    batch = await record.extraction.load(slow, limit=10)
    quick, same = await record.claim_one(holder="quick")
    with pytest.raises(StoreConflictError):
        await record.extraction.commit(slow, batch, outcome, shown=())
    await record.extraction.commit(quick, same, outcome, shown=())
    assert [line.confirmations for line in await record.facts.memories(ANNA.user_id)] == [0]


@pytest.mark.parametrize("forgets", ["the message", "everything elsewhere", "an edit"])
async def test_a_forget_during_extraction_wins(record: Record, forgets: str) -> None:
    """What was forgotten or edited between load and commit teaches nothing."""
    other = await record.talk("Zanzibar is far.", place=public_thread("two"))
    await record.learn(NOTHING)
    said = await record.talk("Prod is EKS.")
    claim, batch = await record.claim_one()
    if forgets == "the message":
        await record.erasure.delete_message(said.session_id, "p2", actor=ANNA.user_id)
    elif forgets == "an edit":
        await record.edit(said.session_id, "p2", "Prod is GKE.")
    else:
        plan = await record.erasure.plan(ANNA.user_id, ThisThread(session_id=other.session_id))
        await record.erasure.erase(plan, actor=ANNA.user_id)
    with pytest.raises(StoreConflictError):
        await record.extraction.commit(claim, batch, Outcome(added=(fact_from("Prod is EKS.", said),)), shown=())
    assert await record.facts.memories(ANNA.user_id, history=True) == []
    await record.extraction.back_off(claim, retry_at=record.clock.now())
    waiting = [message.text for message in (await record.claim_one())[1].messages] if forgets != "the message" else []
    assert (
        waiting
        == {
            "the message": [],
            "an edit": ["Prod is GKE.", "Noted."],
            "everything elsewhere": ["Prod is EKS.", "Noted."],
        }[forgets]
    )


async def test_somebody_elses_forget_in_the_thread_wins_too(record: Record) -> None:
    """A batch was read among words that are gone now, though not its own people's."""
    theirs = await record.talk("Zanzibar is far.", person=BOB)
    await record.learn(NOTHING)
    said = await record.talk("Prod is EKS.")
    claim, batch = await record.claim_one()
    assert list(batch.author_epochs) == [ANNA.user_id]
    await record.erasure.delete_message(theirs.session_id, "p1", actor=BOB.user_id)
    with pytest.raises(StoreConflictError):
        await record.extraction.commit(claim, batch, Outcome(added=(fact_from("Prod is EKS.", said),)), shown=())


@pytest.mark.parametrize("change", ["forgotten", "handed over", "edited", "narrowed"])
async def test_a_shown_fact_that_may_not_be_known_here_any_more_voids_what_was_learned(
    record: Record, change: str
) -> None:
    """What the model proposed may have its words; the thread is read again, without it."""
    theirs = await record.talk("Prod is zanzibar.", person=BOB, place=public_thread("two"))
    added = fact_from("Prod is zanzibar.", theirs, subject="team")
    await record.learn(Outcome(added=(added,)))
    if change == "handed over":
        again = await record.talk("Prod is zanzibar.", person=CARL, place=public_thread("three"))
        await record.learn(Outcome(confirmed=((1, fact_from("Prod is zanzibar.", again, subject="team")),)))
    said = await record.talk("Prod has moved.", place=ELSEWHERE)
    claim, batch = await record.claim_one()
    shown = await record.extraction.facts(claim, [1])
    if change == "edited":
        await record.edit(theirs.session_id, "p1", "Prod is secret.", person=BOB)
    elif change == "narrowed":
        await record.messages.narrow_channel(CHANNEL, members_of(CHANNEL), tenant_id=TENANT)
    else:
        await record.erasure.delete_message(theirs.session_id, "p1", actor=BOB.user_id)
    update = Outcome(updated=((1, fact_from("Zanzibar has moved.", said, subject="team")),))
    with pytest.raises(StoreConflictError):
        await record.extraction.commit(claim, batch, update, shown=shown)
    assert await record.facts.memories(ANNA.user_id, history=True) == []
    await record.extraction.release(claim)
    again_claim = next(each for each in await record.claim() if each.session_id == said.session_id)
    left = await record.extraction.facts(again_claim, [1])
    assert await record.extraction.commit(again_claim, batch, NOTHING, shown=left) == Committed()


async def test_a_shown_fact_that_ended_meanwhile_voids_nothing(record: Record) -> None:
    """Another thread took its place; what this one learned stands by itself."""
    first = await record.talk("Prod is EKS.")
    await record.learn(Outcome(added=(fact_from("Prod is EKS.", first, subject="team"),)))
    said = await record.talk("Prod is GKE.", place=ELSEWHERE)
    claim, batch = await record.claim_one()
    shown = await record.extraction.facts(claim, [1])
    newer = await record.talk("Prod is AKS.")
    await record.learn(Outcome(updated=((1, fact_from("Prod is AKS.", newer, subject="team")),)))
    update = Outcome(updated=((1, fact_from("Prod is GKE.", said, subject="team")),))
    assert await record.extraction.commit(claim, batch, update, shown=shown) == Committed(added=1)


async def test_a_batch_of_other_versions_than_the_records_is_refused(record: Record) -> None:
    """Only the very versions that were read are marked as extracted."""
    said = await record.talk("Prod is EKS.")
    claim, batch = await record.claim_one()
    with pytest.raises(StoreConflictError):
        await record.extraction.commit(claim, replace(batch, versions={said.message_id: 2}), NOTHING, shown=())
    assert await record.extraction.commit(claim, batch, NOTHING, shown=()) == Committed()


async def test_an_update_keeps_the_old_fact_as_history(record: Record) -> None:
    """The old fact ends when the new one was said, and is found by word no longer."""
    old = await record.talk("Prod is EKS 1.29.")
    await record.learn(Outcome(added=(fact_from("Prod is EKS 1.29.", old),)))
    new = await record.talk("Prod is EKS 1.30.")
    assert await record.learn(Outcome(updated=((1, fact_from("Prod is EKS 1.30.", new)),))) == Committed(updated=1)
    living, past = await record.facts.memories(ANNA.user_id, history=True)
    assert (living.valid_until, past.valid_until) == (None, new.sent_at)
    assert await record.rows("lexicon") == 3  # two turns, one living fact


async def test_a_narrower_statement_stands_beside_a_wider_one(record: Record) -> None:
    """A private channel's words never end what a public channel knows."""
    wide = await record.talk("Prod is EKS 1.29.")
    await record.learn(Outcome(added=(fact_from("Prod is EKS 1.29.", wide, subject="team"),)))
    said = await record.talk("Prod is EKS 1.30.")
    narrow = fact_from("Prod is EKS 1.30.", said, subject="team", audience=TEAM_CHANNEL)
    assert await record.learn(Outcome(updated=((1, narrow),))) == Committed(added=1)
    assert [line.valid_until for line in await record.facts.memories(ANNA.user_id)] == [None, None]


async def test_a_wider_statement_supersedes_a_narrower_one(record: Record) -> None:
    """What everyone may read takes the place of what a few could."""
    narrow = await record.talk("Prod is EKS 1.29.")
    await record.learn(Outcome(added=(fact_from("Prod is EKS 1.29.", narrow, subject="team", audience=TEAM_CHANNEL),)))
    wide = await record.talk("Prod is EKS 1.30.")
    await record.learn(Outcome(updated=((1, fact_from("Prod is EKS 1.30.", wide, subject="team")),)))
    assert [line.text for line in await record.facts.memories(ANNA.user_id)] == ["Prod is EKS 1.30."]


async def test_another_persons_word_confirms_a_team_fact_of_the_same_audience_only(record: Record) -> None:
    """A confirmation adds a source; one for other readers, or about somebody else, does not count."""
    said = await record.talk("Prod is EKS.")
    await record.learn(
        Outcome(added=(fact_from("Prod is EKS.", said, subject="team"), fact_from("Anna likes EKS.", said)))
    )
    theirs = await record.talk("Yes, EKS.", person=BOB)
    more = await record.talk("EKS indeed.", person=BOB)
    confirmed = (
        (1, fact_from("Prod is EKS.", more, subject="team", audience=TEAM_CHANNEL)),
        (1, fact_from("Prod is EKS.", theirs, subject="team")),
        (2, fact_from("Anna likes EKS.", theirs)),
    )
    assert await record.learn(Outcome(confirmed=confirmed)) == Committed(confirmed=1)
    counts = {line.text: line.confirmations for line in await record.facts.memories(ANNA.user_id)}
    assert counts == {"Prod is EKS.": 1, "Anna likes EKS.": 0}


async def test_a_retracted_fact_is_history(record: Record) -> None:
    """What is no longer true ends without a successor."""
    await record.learn(Outcome(added=(fact_from("Prod is EKS.", await record.talk("Prod is EKS.")),)))
    later = await record.talk("We shut prod down.")
    assert await record.learn(Outcome(retracted=(1,))) == Committed(retracted=1)
    assert await record.facts.memories(ANNA.user_id) == []
    (past,) = await record.facts.memories(ANNA.user_id, history=True)
    assert (past.valid_until, past.superseded_by_number) == (later.sent_at, None)


async def test_operations_on_unknown_or_foreign_facts_touch_nothing(record: Record) -> None:
    """Labels may have gone stale during the call; that is no error, and another tenant's fact stays as it is."""
    said = await record.talk("Prod is EKS.")
    foreign = replace(fact_from("Prod is EKS.", said), tenant_id=TenantId("test:T2"))
    stored = await record.facts.add(foreign)
    new = fact_from("Dev is back.", said)
    stale = Outcome(
        updated=((stored.fact_id, foreign),),
        confirmed=((99, new), (stored.fact_id, new)),
        retracted=(99, stored.fact_id),
        added=(replace(new, tenant_id=TenantId("test:T2")),),
    )
    assert await record.learn(stale) == Committed()
    assert [line.text for line in await record.facts.memories(ANNA.user_id)] == ["Prod is EKS."]


@pytest.mark.parametrize("end", ["superseded", "retracted", "forgotten"])
async def test_an_update_of_a_fact_that_ended_meanwhile_is_stored_alone(record: Record, end: str) -> None:
    """What a person said is not lost because somebody else's commit came first."""
    await _end_the_first_fact(record, end)
    said = await record.talk("I deploy with ArgoCD.")
    new = fact_from("Anna deploys with ArgoCD.", said)
    assert await record.learn(Outcome(updated=((1, new),))) == Committed(added=1)
    assert "Anna deploys with ArgoCD." in [line.text for line in await record.facts.memories(ANNA.user_id)]


@pytest.mark.parametrize(
    ("end", "committed"),
    [("superseded", Committed(added=1)), ("retracted", Committed(added=1)), ("forgotten", Committed())],
)
async def test_a_confirmation_brings_back_what_ended_but_not_what_was_forgotten(
    record: Record, end: str, committed: Committed
) -> None:
    """Said again after it had stopped being true, a fact is true again."""
    await _end_the_first_fact(record, end)
    said = await record.talk("I deploy with Jenkins.")
    again = fact_from("Anna deploys with Jenkins.", said)
    assert await record.learn(Outcome(confirmed=((1, again),))) == committed
    living = [line.text for line in await record.facts.memories(ANNA.user_id)]
    assert ("Anna deploys with Jenkins." in living) == (end != "forgotten")


async def test_a_confirmation_from_before_a_fact_ended_leaves_it_ended(record: Record) -> None:
    """Words that another thread's later words took the place of are history, whenever they are extracted."""
    early = await record.talk("I deploy with Jenkins, as always.", place=public_thread("early"))
    await record.learn(NOTHING)
    await _end_the_first_fact(record, "superseded")
    await record.talk("Hello.")
    confirmed = ((1, fact_from("Anna deploys with Jenkins.", early)),)
    assert await record.learn(Outcome(confirmed=confirmed)) == Committed()


async def _end_the_first_fact(record: Record, how: str) -> None:
    """Learn that Anna deploys with Jenkins, as fact 1, and let it end."""
    said = await record.talk("I deploy with Jenkins.", place=public_thread("old"))
    await record.learn(Outcome(added=(fact_from("Anna deploys with Jenkins.", said),)))
    later = await record.talk("Not any more.", place=public_thread("old"))
    if how == "superseded":
        await record.learn(Outcome(updated=((1, fact_from("Anna deploys with Flux.", later)),)))
    else:
        await record.learn(Outcome(retracted=(1,) if how == "retracted" else ()))
    if how == "forgotten":
        plan = await record.erasure.plan(ANNA.user_id, Numbered(number=1))
        await record.erasure.erase(plan, actor=ANNA.user_id)


async def test_facts_are_found_by_row_while_they_live_in_the_claims_tenant(record: Record) -> None:
    """The extractor is shown living facts of its own tenant only."""
    said = await record.talk("Prod is EKS.")
    mine = await record.facts.add(fact_from("Prod is EKS.", said))
    foreign = await record.facts.add(replace(fact_from("Prod is GKE.", said), tenant_id=TenantId("test:T2")))
    (claim,) = await record.claim()
    assert list(await record.extraction.facts(claim, [mine.fact_id, foreign.fact_id, 99])) == [mine]
    assert list(await record.extraction.facts(claim, [])) == []


async def _fail(record: Record, claim: ExtractionClaim, *, wait_s: float) -> int:
    return await record.extraction.back_off(claim, retry_at=record.clock.now() + timedelta(seconds=wait_s))


async def test_a_failed_attempt_waits_and_is_counted_until_one_succeeds(record: Record, clock: FrozenClock) -> None:
    """Backing off frees the thread for later, with its count of failures."""
    await record.talk("Prod is EKS.")
    (claim,) = await record.claim()
    assert await _fail(record, claim, wait_s=60) == 1
    assert await record.claim() == []
    clock.advance(60)
    (again,) = await record.claim()
    assert again.attempts == 1
    assert await _fail(record, again, wait_s=0) == 2
    await record.learn(NOTHING)
    await record.talk("Staging is kind.")
    assert [claim.attempts for claim in await record.claim()] == [0]


async def test_backing_off_with_a_lost_lease_changes_nothing(record: Record, clock: FrozenClock) -> None:
    """A slow sweep must not hold up the one that took over."""
    await record.talk("Prod is EKS.")
    (slow,) = await record.extraction.claim(idle_before=clock.now(), busy_turns=1, holder="slow", lease_s=0.0, limit=1)
    quick, batch = await record.claim_one(holder="quick")
    assert await _fail(record, slow, wait_s=60) == 0
    await record.extraction.park(slow, batch, reason="MalformedReplyError")
    assert await record.extraction.commit(quick, batch, NOTHING, shown=()) == Committed()


async def test_a_parked_batch_holds_nobody_up_and_comes_back_when_asked(record: Record) -> None:
    """Parked messages are out of the way until they are queued again."""
    await record.talk("Prod is EKS.")
    claim, batch = await record.claim_one()
    await record.extraction.park(claim, batch, reason="MalformedReplyError")
    assert await record.claim() == []
    await record.talk("Staging is kind.")
    _, later = await record.claim_one()
    assert [message.text for message in later.messages] == ["Staging is kind.", "Noted."]
    assert await record.extraction.unpark() == 1
    assert await record.extraction.unpark() == 0


async def test_unparking_ends_every_back_off(record: Record) -> None:
    """`/sweep` tries again at once."""
    await record.talk("Prod is EKS.")
    (claim,) = await record.claim()
    await _fail(record, claim, wait_s=3_600)
    assert await record.extraction.unpark() == 0
    assert [each.attempts for each in await record.claim()] == [0]
