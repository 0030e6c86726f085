"""From idle threads to facts: when the sweep learns, what it learns once, and what stops it."""

import asyncio
from collections.abc import Collection, Sequence

import pytest
from sqlalchemy import update

from memory.errors import (
    MalformedReplyError,
    ProviderRefusedError,
    ProviderUnavailableError,
    Refusal,
    StoreUnavailableError,
)
from memory.extraction import ExtractionPolicy, Extractor, SweepReport
from memory.jobs.extract_idle import extract_idle
from memory.model import (
    About,
    Everything,
    ExtractionReply,
    Fact,
    FactOperation,
    Numbered,
    Place,
    ProposedEpisode,
    SessionId,
    Summary,
    ThisThread,
)
from memory.model.work import ExtractionClaim, Lease
from memory.ports import ExtractionStore, LeaseStore, MessageStore
from memory.retrieval import Retriever
from memory.stores.sql.database import Database
from memory.stores.sql.extraction import SqlExtractionStore
from memory.stores.sql.leases import SqlLeaseStore
from memory.stores.sql.messages import SqlMessageStore
from memory.stores.sql.recall import SqlRecallStore
from memory.stores.sql.schema import threads
from memory.tasks import TaskTracker
from memory.vector_cache import VectorCache
from tests.fakes.values import changed, dm, person, private_channel, public_channel
from tests.fixtures.core import Core

ANA = person("ana")
_IDLE_S = 1_000


def adds(text: str, *, messages: tuple[int, ...] = (1,), subject: str = "A") -> ExtractionReply:
    """Return a reply that proposes one new fact."""
    return ExtractionReply(facts=[FactOperation(operation="add", subject=subject, text=text, messages=list(messages))])


class FailsToFind(SqlMessageStore):
    """A record that gives no answer about one thread."""

    def __init__(self, database: Database, session_id: SessionId) -> None:
        super().__init__(database)
        self._missing = session_id

    async def place_of(self, session_id: SessionId) -> Place | None:
        if session_id == self._missing:
            raise StoreUnavailableError("sql", "find a thread")
        return await super().place_of(session_id)


class NarrowsFirst(SqlExtractionStore):
    """A record in which a channel is narrowed just before facts are looked up."""

    def __init__(self, database: Database, narrowed: Place) -> None:
        super().__init__(database)
        self._messages = SqlMessageStore(database)
        self._narrowed = narrowed

    async def facts(self, claim: ExtractionClaim, fact_ids: Collection[int]) -> Sequence[Fact]:
        place = self._narrowed
        await self._messages.narrow_channel(place.channel_id, place.audience, tenant_id=place.tenant_id)
        return await super().facts(claim, fact_ids)


class CountsRenewals(SqlLeaseStore):
    """Leases that say when they were renewed."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.renewed: asyncio.Queue[str] = asyncio.Queue()

    async def renew(self, lease: Lease, *, lease_s: float) -> bool:
        is_held = await super().renew(lease, lease_s=lease_s)
        self.renewed.put_nowait(lease.name)
        return is_held


def extractor_of(
    core: Core,
    *,
    store: ExtractionStore | None = None,
    messages: MessageStore | None = None,
    leases: LeaseStore | None = None,
    policy: ExtractionPolicy | None = None,
) -> Extractor:
    """Return an extractor on the core's stores, but for those given."""
    retriever = Retriever(
        store=SqlRecallStore(core.stores.database),
        index=core.index,
        embedder=core.stores.embedder,
        cache=VectorCache(core.index),
        clock=core.clock,
        tasks=TaskTracker(),
    )
    return Extractor(
        store=store or SqlExtractionStore(core.stores.database),
        messages=messages or SqlMessageStore(core.stores.database),
        leases=leases or SqlLeaseStore(core.stores.database),
        retriever=retriever,
        model=core.model,
        clock=core.clock,
        policy=policy or ExtractionPolicy(),
        holder="test",
    )


async def texts(core: Core, owner: str = "ana") -> list[str]:
    """Return what a person would see in /memories."""
    return [memory.text for memory in await core.recall.personal.memories(person(owner).user_id)]


async def forget_thread(core: Core) -> None:
    """Forget what Ana said in her thread."""
    plan = await core.recall.personal.plan_forget(ANA.user_id, ThisThread(session_id=dm("ana").session_id))
    await core.recall.personal.forget(plan)


async def test_a_quiet_thread_is_learned_from_once(core: Core) -> None:
    """One model call, one fact; the next sweep finds nothing to do."""
    await core.say("My shell is fish", place=dm("ana"), author=ANA)
    core.model.extractions = [adds("Ana's shell is fish")]
    core.clock.advance(_IDLE_S)

    assert await core.recall.extractor.sweep() == SweepReport(threads=1, added=1)
    assert await core.recall.extractor.sweep() == SweepReport()
    assert await texts(core) == ["Ana's shell is fish"]
    assert len(core.model.extracted) == 1


async def test_a_busy_thread_waits_until_it_is_quiet_or_long(core: Core) -> None:
    """Recent threads are left alone, but one that never falls quiet is learned from after so many turns."""
    for number in range(9):
        await core.say(f"turn {number}", place=dm("ana"), author=ANA)
    assert await core.recall.extractor.sweep() == SweepReport()

    await core.say("turn 9", place=dm("ana"), author=ANA)
    assert (await core.recall.extractor.sweep()).threads == 1


async def test_two_replicas_share_the_work(core: Core) -> None:
    """Sweeps at the same time read each thread once between them."""
    other = core.restart()
    for name in ("one", "two", "three", "four", "five"):
        await core.say(f"My host {name} is up", place=dm("ana", name), author=ANA)
    core.clock.advance(_IDLE_S)
    async with asyncio.TaskGroup() as group:
        sweeps = [group.create_task(each.recall.extractor.sweep()) for each in (core, other)]

    assert sum(sweep.result().threads for sweep in sweeps) == 5
    assert len(core.model.extracted) == 5


async def test_an_outage_of_the_model_delays_learning(core: Core) -> None:
    """The sweep backs off, longer each time, and learns when the model is back."""
    await core.say("My shell is fish", place=dm("ana"), author=ANA)
    down = ProviderUnavailableError("scripted", "down")
    core.model.extractions = [down, down, adds("Ana's shell is fish")]
    core.clock.advance(_IDLE_S)

    assert (await core.recall.extractor.sweep()).failed == 1
    assert await core.recall.extractor.sweep() == SweepReport()
    core.clock.advance(60)
    assert (await core.recall.extractor.sweep()).failed == 1
    core.clock.advance(60)
    assert await core.recall.extractor.sweep() == SweepReport()
    core.clock.advance(60)
    assert (await core.recall.extractor.sweep()).added == 1


@pytest.mark.parametrize("reason", ["access", "quota"])
async def test_a_quota_or_a_key_delays_learning(core: Core, reason: Refusal) -> None:
    """However often the provider refuses, the turns come back by themselves once an operator has seen to it."""
    await core.say("My shell is fish", place=dm("ana"), author=ANA)
    core.model.extractions = [ProviderRefusedError("scripted", "refused", reason=reason)] * 8
    for _ in range(8):
        core.clock.advance(3_600)
        assert (await core.recall.extractor.sweep()).failed == 1
    core.model.extractions = [adds("Ana's shell is fish")]
    core.clock.advance(3_600)

    assert (await core.recall.extractor.sweep()).added == 1


async def test_content_that_the_provider_declines_is_set_aside(core: Core) -> None:
    """A refusal that lies in the turns themselves is not asked for for ever."""
    await core.say("My shell is fish", place=dm("ana"), author=ANA)
    core.model.extractions = [ProviderRefusedError("scripted", "declined", reason="content")] * 9
    for _ in range(9):
        core.clock.advance(3_600)
        await core.recall.extractor.sweep()

    assert len(core.model.extracted) == 5


async def test_learning_survives_an_outage_of_two_months(core: Core) -> None:
    """The wait between attempts stops growing."""
    await core.say("My shell is fish", place=dm("ana"), author=ANA)
    async with core.stores.database.begin("fail often") as connection:
        await connection.execute(update(threads).values(extract_attempts=1_500))
    core.model.extractions = [ProviderUnavailableError("scripted", "down"), adds("Ana's shell is fish")]
    core.clock.advance(_IDLE_S)

    assert (await core.recall.extractor.sweep()).failed == 1
    core.clock.advance(3_600)
    assert (await core.recall.extractor.sweep()).added == 1


async def test_one_thread_that_cannot_be_read_does_not_stop_the_others(core: Core) -> None:
    """A store's failure over one thread is that thread's: it is tried again later, and the others are learned from."""
    for name in ("one", "two", "three"):
        await core.say(f"My host {name} is up", place=dm("ana", name), author=ANA)
    core.clock.advance(_IDLE_S)
    extractor = extractor_of(core, messages=FailsToFind(core.stores.database, dm("ana", "two").session_id))

    report = await extractor.sweep()

    assert (report.threads, report.failed) == (2, 1)
    core.clock.advance(_IDLE_S)
    assert (await core.recall.extractor.sweep()).threads == 1


async def test_a_sweep_that_is_cut_short_gives_its_threads_back(core: Core) -> None:
    """After a shutdown during the model call, another process learns at once."""
    await core.say("My shell is fish", place=dm("ana"), author=ANA)
    core.clock.advance(_IDLE_S)
    core.model.gate.clear()
    sweep = asyncio.create_task(core.recall.extractor.sweep())
    while not core.model.extracted:
        await asyncio.sleep(0)
    sweep.cancel()
    await asyncio.wait([sweep])
    core.model.gate.set()
    core.model.extractions = [adds("Ana's shell is fish")]

    assert (await core.restart().recall.extractor.sweep()).added == 1


async def test_a_thread_stays_leased_for_as_long_as_the_model_takes(core: Core) -> None:
    """The lease is renewed, so that no other replica asks the model about the same turns."""
    await core.say("My shell is fish", place=dm("ana"), author=ANA)
    core.clock.advance(_IDLE_S)
    core.model.extractions = [adds("Ana's shell is fish")]
    core.model.gate.clear()
    leases = CountsRenewals(core.stores.database)
    extractor = extractor_of(core, leases=leases, policy=ExtractionPolicy(lease_s=3.0))
    sweep = asyncio.create_task(extractor.sweep())
    while not core.model.extracted:
        await asyncio.sleep(0)
    assert await leases.renewed.get() == f"extract:{dm('ana').session_id}"
    assert await core.restart().recall.extractor.sweep() == SweepReport()
    core.model.gate.set()

    assert (await sweep).added == 1


async def test_long_messages_are_learned_from_in_several_calls(core: Core) -> None:
    """No call gets more than its tokens, and nothing is left out."""
    for number in range(4):
        await core.say(f"log {number}: " + "word " * 300, place=dm("ana"), author=ANA)
    core.clock.advance(_IDLE_S)
    extractor = extractor_of(core, policy=ExtractionPolicy(batch_tokens=1_500))

    assert await extractor.sweep() == SweepReport(threads=2)
    asked = [[each.message.text[:5] for each in one.messages if each.message.author] for one in core.model.extracted]
    assert asked == [["log 0", "log 1"], ["log 2", "log 3"]]


async def test_a_malformed_reply_is_asked_for_again(core: Core) -> None:
    """One slip of the model costs one more call and nothing else."""
    await core.say("My shell is fish", place=dm("ana"), author=ANA)
    core.model.extractions = [MalformedReplyError("scripted", "no JSON"), adds("Ana's shell is fish")]
    core.clock.advance(_IDLE_S)

    assert (await core.recall.extractor.sweep()).added == 1


async def test_what_never_fits_is_set_aside_and_holds_nothing_up(core: Core) -> None:
    """After the last attempt the batch is parked; later messages are learned from, and a person can try it again."""
    await core.say("My shell is fish", place=dm("ana"), author=ANA)
    core.model.extractions = [MalformedReplyError("scripted", "no JSON")] * 10
    core.clock.advance(_IDLE_S)
    for _ in range(5):
        await core.recall.extractor.sweep()
        core.clock.advance(3_600)
    assert len(core.model.extracted) == 10
    assert await core.recall.extractor.sweep() == SweepReport()

    await core.say("My editor is vim", place=dm("ana"), author=ANA)
    core.clock.advance(_IDLE_S)
    core.model.extractions = [adds("Ana's editor is vim")]
    assert (await core.recall.extractor.sweep()).added == 1
    assert len(core.model.extracted[-1].messages) == 2

    core.model.extractions = [adds("Ana's shell is fish")]
    assert (await core.recall.sweep()).added == 1


async def test_an_update_keeps_the_old_fact_as_history(core: Core) -> None:
    """The old one is no longer recalled, but what was true before can be seen."""
    await core.say("My shell is fish", place=dm("ana"), author=ANA)
    core.model.extractions = [adds("Ana's shell is fish")]
    await core.recall.sweep()
    await core.say("My shell is zsh now", place=dm("ana"), author=ANA)
    update = FactOperation(operation="update", label=1, subject="A", text="Ana's shell is zsh", messages=[1])
    core.model.extractions = [ExtractionReply(facts=[update])]

    assert (await core.recall.sweep()).updated == 1
    assert await texts(core) == ["Ana's shell is zsh"]
    history = await core.recall.personal.memories(ANA.user_id, history=True)
    assert [(memory.text, memory.valid_until is None) for memory in history] == [
        ("Ana's shell is zsh", True),
        ("Ana's shell is fish", False),
    ]
    reply = await core.say("what is my shell?", place=dm("ana", "other"), author=ANA)
    assert reply is not None
    assert all("fish" not in item.memory.text for item in reply.used if item.memory.kind == "fact")


async def test_an_episode_is_recalled_with_its_thread(core: Core) -> None:
    """What was worked on comes back in another thread."""
    await core.say("checkout-7f9c is OOMKilled since the deploy", place=dm("ana"), author=ANA)
    await core.say("raising the limit to 512Mi fixed checkout", place=dm("ana"), author=ANA)
    episode = ProposedEpisode(
        title="checkout OOMKilled", happened="checkout-7f9c was OOMKilled", outcome="limit 512Mi", messages=[1, 3]
    )
    core.model.extractions = [ExtractionReply(episode=episode)]
    assert (await core.recall.sweep()).episodes == 1

    reply = await core.say("has checkout been OOMKilled before?", place=dm("ana", "other"), author=ANA)
    assert reply is not None
    assert "episode" in {item.memory.kind for item in reply.used}


async def test_extraction_sees_only_what_may_be_recalled_there(core: Core) -> None:
    """A fact from a DM is not shown to the model that reads a channel."""
    await core.recall.personal.remember(dm("ana"), ANA, "my shell is fish")
    await core.say("my shell prints errors", place=public_channel("ops"), author=ANA)
    await core.recall.sweep()
    await core.say("my shell prints errors", place=dm("ana"), author=ANA)
    await core.recall.sweep()

    assert [[fact.text for fact in request.facts] for request in core.model.extracted] == [[], ["my shell is fish"]]


async def test_a_forget_during_the_model_call_wins(core: Core) -> None:
    """What the model returns about forgotten messages is dropped, and never asked for again."""
    place = dm("ana")
    await core.say("My shell is fish", place=place, author=ANA)
    core.model.extractions = [adds("Ana's shell is fish")]
    core.model.gate.clear()
    sweep = asyncio.create_task(core.recall.sweep())
    while not core.model.extracted:
        await asyncio.sleep(0)
    await forget_thread(core)
    core.model.gate.set()
    await sweep

    assert await texts(core) == []
    assert len(core.model.extracted) == 1


async def test_a_forgotten_fact_does_not_come_back(core: Core) -> None:
    """Not by another sweep, not by recall, not in the history of its own thread."""
    place = dm("ana")
    await core.say("My shell is fish", place=place, author=ANA)
    core.model.extractions = [adds("Ana's shell is fish")]
    await core.recall.sweep()
    await core.say("what is my shell?", place=dm("ana", "other"), author=ANA)
    await core.recall.personal.forget(await core.recall.personal.plan_forget(ANA.user_id, Numbered(number=1)))
    core.model.extractions = [adds("Ana's shell is fish")] * 3
    core.clock.advance(_IDLE_S)
    await core.recall.sweep()

    reply = await core.say("what is my shell?", place=dm("ana", "third"), author=ANA)
    assert await texts(core) == []
    assert reply is not None and "fish" not in core.model.asked[-1].memory_block
    await core.say("hello", place=place, author=ANA)
    assert all("fish" not in message.text for message in core.model.asked[-1].history)


async def test_a_thread_is_folded_from_the_old_summary_and_keeps_its_literals(core: Core) -> None:
    """Over 200 turns and many foldings, every pinned literal is still in the request, and the summary is bounded."""
    place = dm("ana")
    wanted = [f"PROD-{1000 + number}" for number in range(20)]
    for number in range(200):
        await core.say(f"see {wanted[number // 10]}" if number % 10 == 0 else "still looking", place=place, author=ANA)

    request = core.model.asked[-1]
    assert len(core.model.summarized) >= 5
    assert all(later.old_summary for later in core.model.summarized[1:])
    assert [literal for literal in wanted[:-1] if literal not in request.summary] == []
    folded = sum(len(each.leaving) for each in core.model.summarized)
    assert folded + len(request.history) >= 2 * 199


async def test_folding_waits_for_the_model(core: Core) -> None:
    """While the model is down, nothing is lost: turns stay verbatim, and are folded later."""
    core.model.summary_error = ProviderUnavailableError("scripted", "down")
    for number in range(9):
        await core.say(f"turn {number}", place=dm("ana"), author=ANA)
    assert [message.text for message in core.model.asked[-1].history if message.author] == [
        f"turn {number}" for number in range(8)
    ]
    core.model.summary_error = None
    await core.say("turn 9", place=dm("ana"), author=ANA)
    await core.say("turn 10", place=dm("ana"), author=ANA)

    assert "messages went before" in core.model.asked[-1].summary


async def test_a_forget_rebuilds_the_summary_without_the_forgotten(core: Core) -> None:
    """The summary is made anew from what is left."""
    place = dm("ana")
    core.model.summary = lambda request: " ".join(message.text for message in request.leaving if message.author)
    await core.say("The vault is in cellar-17", place=place, author=ANA)
    for number in range(8):
        await core.say(f"turn {number}", place=place, author=ANA)
    await core.say("hello", place=place, author=ANA)
    assert "cellar-17" in core.model.asked[-1].summary

    plan = await core.recall.personal.plan_forget(ANA.user_id, About(words="vault cellar-17"))
    await core.recall.personal.forget(plan)
    await core.say("hello again", place=place, author=ANA)
    await core.say("hello once more", place=place, author=ANA)

    assert "cellar-17" not in core.model.asked[-1].summary
    assert "turn 0" in core.model.asked[-1].summary


async def test_a_summary_made_from_forgotten_turns_is_refused(core: Core) -> None:
    """A folding that was under way when something was forgotten stores nothing."""
    place = dm("ana")
    messages = SqlMessageStore(core.stores.database)
    await core.say("one", place=place, author=ANA)
    head = (await messages.load_thread(place.session_id, limit=10)).head
    await forget_thread(core)

    assert await messages.save_summary(head, Summary(text="one")) is None


async def test_a_fact_forgotten_while_the_model_reads_it_does_not_come_back_in_an_update(core: Core) -> None:
    """Bob forgets what he said while Ana's thread is learned from beside it, which is read again without them."""
    bob = person("bob")
    await core.say("Our prod database is zanzibar-9", place=public_channel("ops"), author=bob)
    core.model.extractions = [adds("The prod database is zanzibar-9", subject="team")]
    await core.recall.sweep()
    answers_without_memory = core.restart(mode="buffer")
    await answers_without_memory.say("The prod database moved to us-east-2", place=public_channel("dev"), author=ANA)
    moved = FactOperation(
        operation="update",
        label=1,
        subject="team",
        text="The prod database zanzibar-9 moved to us-east-2",
        messages=[1],
    )
    core.model.extractions = [ExtractionReply(facts=[moved]), adds("The prod database is in us-east-2", subject="team")]
    core.model.gate.clear()
    sweep = asyncio.create_task(core.recall.sweep())
    while len(core.model.extracted) < 2:
        await asyncio.sleep(0)
    await core.recall.personal.forget(await core.recall.personal.plan_forget(bob.user_id, Everything()))
    core.model.gate.set()
    await sweep

    assert [len(request.facts) for request in core.model.extracted] == [0, 1, 0]
    assert await texts(core) == ["The prod database is in us-east-2"]


async def test_a_fact_narrowed_while_it_is_looked_up_is_not_shown_to_the_model(core: Core) -> None:
    """It was found for everyone, and is for a few when its row is read."""
    await core.say("Our prod database is zanzibar-9", place=public_channel("ops"), author=person("bob"))
    core.model.extractions = [adds("The prod database is zanzibar-9", subject="team")]
    await core.recall.sweep()
    await core.say("The prod database moved to us-east-2", place=public_channel("dev"), author=ANA)
    await extractor_of(core, store=NarrowsFirst(core.stores.database, private_channel("ops"))).sweep(now_quiet=True)

    assert [len(request.facts) for request in core.model.extracted] == [0, 0]


async def test_an_answer_made_from_forgotten_turns_is_not_kept(core: Core) -> None:
    """A forget while the model answers wins: the answer was seen, but no text of it stays."""
    place = dm("ana")
    await core.say("one", place=place, author=ANA)
    core.model.gate.clear()
    core.model.waiting.clear()
    turn = asyncio.create_task(core.send("and two?", place=place, author=ANA))
    await core.model.waiting.wait()
    await forget_thread(core)
    core.model.gate.set()
    await turn
    await core.say("hello", place=place, author=ANA)

    assert all(message.text not in {"one", "answer 2"} for message in core.model.asked[-1].history)


async def test_an_edit_is_learned_from_anew_and_carries_no_secret(core: Core) -> None:
    """What came from the old text goes, the new text is extracted, and its secrets are taken out first."""
    place = dm("ana")
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    await core.say("My shell is fish", place=place, author=ANA, delivery="m-1")
    core.model.extractions = [adds("Ana's shell is fish")]
    await core.recall.sweep()
    core.clock.advance(60)
    edit = changed(place, "m-1", by=ANA, at=core.clock.now())
    removed = await core.recall.forgetting.message_edited(edit, f"My shell is zsh, token {secret}")
    core.model.extractions = [adds("Ana's shell is zsh")]
    await core.recall.sweep()

    assert await texts(core) == ["Ana's shell is zsh"]
    assert secret not in core.model.extracted[-1].prompt
    assert sum(removed.values()) == 1


async def test_a_deleted_message_takes_its_facts_along(core: Core) -> None:
    """What the platform deletes is forgotten here too."""
    place = dm("ana")
    await core.say("My shell is fish", place=place, author=ANA, delivery="m-1")
    core.model.extractions = [adds("Ana's shell is fish")]
    await core.recall.sweep()
    await core.recall.forgetting.message_deleted(changed(place, "m-1", by=ANA, at=core.clock.now()))
    await core.say("hello", place=place, author=ANA)

    assert await texts(core) == []
    assert core.model.asked[-1].history == ()


async def test_what_a_scheduled_sweep_did_is_told(core: Core) -> None:
    """In counts, for whoever measures it; a sweep that finds nothing says so."""
    reports: list[SweepReport] = []
    await core.say("I deploy with ArgoCD.", place=dm("ana"), author=ANA)
    learned = FactOperation(operation="add", subject="A", text="ana deploys with ArgoCD", messages=[1])
    core.model.extractions = [ExtractionReply(facts=[learned])]
    core.clock.advance(3_600)
    await extract_idle(core.recall.extractor, on_swept=reports.append)
    await extract_idle(core.recall.extractor, on_swept=reports.append)

    assert [report.added for report in reports] == [1, 0]
