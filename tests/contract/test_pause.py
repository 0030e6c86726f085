"""What pausing means in every record: a message is answered once and then gone, and never was anywhere else."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import update

from memory.audience import members_of, scope_for
from memory.errors import StoreConflictError
from memory.lexical import terms
from memory.model import (
    Attachment,
    MemoryKey,
    Message,
    MessageState,
    Person,
    Place,
    Role,
    ThisThread,
    fact_key,
)
from memory.model.work import Outcome
from memory.stores.sql.admin import SqlRecordAdmin
from memory.stores.sql.database import Database
from memory.stores.sql.index_queue import SqlIndexQueue
from memory.stores.sql.recall import SqlRecallStore
from memory.stores.sql.schema import messages
from tests.contract.record import ANNA, BOB, CHANNEL, LEASE_S, TENANT, Record, fact_from, private_thread, public_thread

WORDS = "the vault code is xyzzy-17"
SECRET = "xyzzy-17"
THREAD = public_thread().session_id
A_DAY = timedelta(days=1)


@pytest.fixture
def admin(database: Database) -> SqlRecordAdmin:
    """Upkeep of the same database."""
    return SqlRecordAdmin(database)


async def pause(record: Record, person: Person = ANNA, *, paused: bool = True) -> bool:
    """Pause a person, or resume."""
    return await record.facts.pause_person(person.user_id, TENANT, paused=paused)


async def history(record: Record, place: Place | None = None) -> list[str]:
    """Return the texts of a thread's history."""
    thread = await record.messages.load_thread((place or public_thread()).session_id, limit=50)
    return [message.text for message in thread.messages]


async def found(record: Record, words: str, *, place: Place, reader: Person) -> Sequence[MemoryKey]:
    """Return what a person finds of their own, and by words."""
    store = SqlRecallStore(record.database)
    candidates = await store.search(scope_for(place, reader.user_id), terms(words), limit=50, own_turns=50)
    return [ref.key for ref in candidates.own] + [hit.key for hit in candidates.lexical.hits]


async def test_a_person_is_paused_until_they_resume(record: Record) -> None:
    """Each call says whether it changed something; nobody is paused who is unknown."""
    assert not await record.facts.is_paused(ANNA.user_id)
    assert not await pause(record, paused=False)
    assert [await pause(record), await pause(record)] == [True, False]
    assert await record.facts.is_paused(ANNA.user_id)
    assert not await record.facts.is_paused(BOB.user_id)
    assert [await pause(record, paused=False), await pause(record, paused=False)] == [True, False]
    assert not await record.facts.is_paused(ANNA.user_id)


async def test_a_thread_is_paused_before_anything_was_said_in_it(record: Record) -> None:
    """Its row is made for it; it is not a thread that Recall is part of, nor does resuming make one."""
    assert not await record.messages.pause_thread(public_thread(), paused=False)
    assert await record.rows("threads") == 0
    changed = [await record.messages.pause_thread(public_thread(), paused=True) for _ in range(2)]

    assert changed == [True, False]
    assert await record.messages.is_thread_paused(THREAD)
    assert not await record.messages.is_thread_paused(private_thread().session_id)
    assert await record.messages.place_of(THREAD) is None
    message = await record.say("hello")
    assert not message.kept
    assert await record.messages.place_of(THREAD) == public_thread()
    assert await record.messages.pause_thread(public_thread(), paused=False)
    assert (await record.say("hello again")).kept


async def test_pausing_a_thread_narrows_its_channel_as_a_message_would(record: Record) -> None:
    """The row that it makes is for no more readers than the channel has now, nor than it ever had."""
    await record.talk("hello")
    private = Place(
        session_id=public_thread("two").session_id,
        channel_id=CHANNEL,
        tenant_id=TENANT,
        audience=members_of(CHANNEL),
        shared=True,
    )
    await record.messages.pause_thread(private, paused=True)
    await record.messages.pause_thread(public_thread("three"), paused=True)
    await record.say("hello", place=public_thread("three"))

    for name in ("one", "three"):
        place = await record.messages.place_of(public_thread(name).session_id)
        assert place is not None and place.audience == members_of(CHANNEL)


@pytest.mark.parametrize("what", ["person", "thread"])
async def test_what_is_said_while_paused_is_nowhere_but_in_its_row(record: Record, what: str) -> None:
    """No entry, no index task, no title; it waits for its answer as any other."""
    if what == "person":
        await pause(record)
    else:
        await record.messages.pause_thread(public_thread(), paused=True)
    message = await record.say(WORDS)

    assert (message.kept, message.text) == (False, WORDS)
    assert await record.holding(SECRET) == ["messages"]
    assert [await record.rows(table) for table in ("messages", "lexicon", "outbox")] == [1, 0, 0]
    assert await record.messages.waiting(THREAD) == [message.message_id]


async def test_a_pause_is_for_one_person_or_one_thread(record: Record) -> None:
    """Others in the thread are kept, and so are other threads."""
    await pause(record, BOB)
    await record.messages.pause_thread(public_thread("quiet"), paused=True)

    assert (await record.say("one", person=ANNA)).kept
    assert not (await record.say("two", person=BOB)).kept
    assert not (await record.say("three", person=BOB, place=private_thread(BOB))).kept
    assert not (await record.say("four", person=ANNA, place=public_thread("quiet"))).kept


async def test_a_settled_turn_is_no_history_until_it_is_shown_and_nothing_after(record: Record) -> None:
    """The next turn's history, the list of threads, recall and the sweep have what was kept, before and after."""
    kept = await record.talk("we use argocd", "Noted.")
    await pause(record)
    message = await record.say(WORDS)
    claim = await record.messages.begin_turn(message.message_id, holder="w", lease_s=LEASE_S)
    assert claim is not None and claim.message == message
    reply = await record.settle_claim(claim, f"You said {SECRET}.", used=[MemoryKey("f1")])
    assert reply is not None and not reply.kept

    for is_shown in (False, True):
        if is_shown:
            await record.messages.mark_shown(claim)
            assert await record.holding(SECRET) == []
        assert await history(record) == ["we use argocd", "Noted."]
        (thread,) = await record.messages.threads(ANNA.user_id, limit=10)
        assert (thread.title, thread.message_count) == ("we use argocd", 2)
        assert await found(record, WORDS, place=public_thread(), reader=ANNA) == [f"m{kept.message_id}.1"]
        _, batch = await record.claim_one()
        assert [each.text for each in batch.messages] == ["we use argocd", "Noted."]
        record.clock.advance(2 * LEASE_S)
        await _release(record)


async def _release(record: Record) -> None:
    """Let the sweep's lease go."""
    async with record.database.begin() as connection:
        await connection.exec_driver_sql("UPDATE leases SET holder = NULL")


async def test_a_shown_turn_is_erased_and_why_still_has_its_ids(record: Record, admin: SqlRecordAdmin) -> None:
    """Message, reply, what came with it, and the reply's place among a memory's uses; the row turns deliveries away."""
    await pause(record)
    message = await record.say(WORDS)
    async with record.database.begin() as connection:
        await connection.execute(update(messages).values(attachments=[{"name": "log", "text": SECRET}]))
    claim = await record.settle(message, f"You said {SECRET}.", used=[MemoryKey("f1")])
    assert await record.rows("reply_uses") == 1
    assert not await admin.has_erased_texts()
    await record.messages.mark_shown(claim)

    assert await record.holding(SECRET) == []
    assert await record.rows("reply_uses") == 0
    reply = await record.messages.newest_reply(THREAD)
    assert reply is not None and (reply.text, reply.used) == ("", (MemoryKey("f1"),))
    again = await record.deliver("p1", WORDS)
    assert (again.duplicate, again.state) == (True, MessageState.ANSWERED)
    assert await record.unanswered() == []
    assert await record.holding(SECRET) == []
    exported = await record.facts.export(ANNA.user_id)
    assert (exported["messages"], exported["paused"]) == ([], True)
    assert await admin.has_erased_texts()
    assert not await admin.needs_compaction()
    assert (await admin.status()).needs_compaction


async def test_a_failed_turn_is_erased_too(record: Record) -> None:
    """Once its fixed words were shown."""
    await pause(record)
    message = await record.say(WORDS)
    await record.answer(message, None)

    assert await record.holding(SECRET) == []


async def test_a_turn_that_was_kept_stays_when_it_is_shown(record: Record, admin: SqlRecordAdmin) -> None:
    """Also when its author is paused by then."""
    claim = await record.settle(await record.say(WORDS), "Noted.")
    await pause(record)
    await record.messages.mark_shown(claim)

    assert await history(record) == [WORDS, "Noted."]
    assert not await admin.has_erased_texts()


async def test_an_unshown_turn_is_given_out_with_its_text_and_then_erased(record: Record) -> None:
    """The process died between the commit and the post: the next one shows it."""
    await pause(record)
    message = await record.say(WORDS)
    await record.settle(message, "Right.", lease_s=0)
    claim = await record.messages.begin_turn(message.message_id, holder="other", lease_s=LEASE_S)
    assert claim is not None and claim.end is not None and claim.end.answer is not None
    assert (claim.message.text, claim.end.answer.text) == (WORDS, "Right.")
    await record.messages.mark_shown(claim)

    assert await record.holding(SECRET) == []


async def test_upkeep_erases_what_nobody_will_be_shown(record: Record, admin: SqlRecordAdmin) -> None:
    """Not what waits for its answer, nor what may still be shown, nor what was kept."""
    await record.talk("we use argocd", "Noted.")
    await pause(record)
    lost = await record.settle(await record.say(WORDS), f"You said {SECRET}.")
    settled_at = record.clock.now()
    await record.messages.put_off(lost, until=settled_at + timedelta(days=2))
    record.clock.advance(3_600)
    fresh = await record.settle(await record.say("a fresh plugh-5"), "It is plugh-5.")
    waiting = await record.say("and plover-3?")

    assert await admin.erase_unkept(settled_before=settled_at) == 0
    assert await admin.erase_unkept(settled_before=settled_at + timedelta(seconds=1)) == 1
    assert await admin.erase_unkept(settled_before=settled_at + timedelta(seconds=1)) == 0
    assert await record.holding(SECRET) == []
    assert await record.holding("plugh-5") == ["messages"]
    assert await admin.erase_unkept(settled_before=record.clock.now() + A_DAY) == 1
    assert await record.holding("plugh-5") == []
    assert await record.messages.waiting(THREAD) == [fresh.message.message_id, waiting.message_id]
    assert await record.holding("plover-3") == ["messages"]
    assert await record.holding("argocd") != []
    assert await admin.has_erased_texts()


async def test_an_edit_before_the_answer_changes_the_text_and_nothing_else(record: Record) -> None:
    """No entry, no task, no title, no receipt to speak of; the answer is made for the new text."""
    await pause(record)
    message = await record.say("the code is plugh-5")
    before = await record.messages.load_thread(THREAD, limit=10)
    receipt = await record.edit(THREAD, "p1", WORDS)

    assert receipt is not None and receipt.messages == 0
    assert await record.holding("plugh-5") == []
    assert await record.holding(SECRET) == ["messages"]
    assert [await record.rows(table) for table in ("lexicon", "outbox", "tombstones")] == [0, 0, 0]
    assert await record.messages.load_thread(THREAD, limit=10) == before
    (changed,) = await record.unanswered()
    assert (changed.text, changed.version, changed.kept) == (WORDS, message.version + 1, False)
    await record.answer(changed, "Right.")
    assert await record.holding(SECRET) == []


async def test_an_erased_message_stays_erased_when_it_is_edited(record: Record) -> None:
    """Also after its author has resumed."""
    await pause(record)
    await record.talk("the code is plugh-5", "Right.")
    await pause(record, paused=False)
    await record.edit(THREAD, "p1", WORDS)

    assert await record.holding(SECRET) == []


async def test_a_kept_message_that_is_edited_while_paused_is_not_kept_any_more(record: Record) -> None:
    """What came from its old text goes, the answer too, and its new text is stored nowhere."""
    message = await record.talk("our cluster is plugh-5", "Noted.")
    await record.learn(Outcome(added=(fact_from("The cluster is plugh-5.", message),)))
    await pause(record)
    receipt = await record.edit(THREAD, "p1", WORDS)

    assert receipt is not None and receipt.facts == 1
    assert await record.holding("plugh-5") == []
    assert await record.holding(SECRET) == []
    assert await history(record) == []
    assert await record.claim() == []


async def test_an_edit_while_paused_of_a_message_that_waits_is_answered_and_erased(record: Record) -> None:
    """It was kept when it came in; the turn under way ends as one that is not."""
    message = await record.say("our cluster is plugh-5")
    claim = await record.messages.begin_turn(message.message_id, holder="w", lease_s=LEASE_S)
    await pause(record)
    await record.edit(THREAD, "p1", WORDS)
    assert claim is not None
    reply = await record.settle_claim(claim, f"It is {SECRET}.")

    assert reply is not None and not reply.kept
    assert await record.holding("plugh-5") == []
    assert await record.holding(SECRET) == ["messages"]
    assert await history(record) == []
    await record.messages.mark_shown(claim)
    assert await record.holding(SECRET) == []


async def test_a_file_that_an_edit_adds_while_paused_is_not_kept_either(record: Record) -> None:
    """The message that waits is answered with it, and goes with it; one that was answered gains no file."""
    await record.talk("our cluster is plugh-5", "Noted.")
    await record.say("look at this")
    await pause(record)
    log = Attachment(name=f"{SECRET}.log", ref="file:1")
    await record.edit(THREAD, "p1", "our cluster is plugh-5", attachments=[log])
    assert await record.holding(SECRET) == []
    await record.edit(THREAD, "p2", "look at this", attachments=[log])

    (changed,) = await record.unanswered()
    assert (changed.kept, changed.attachments) == (False, (log,))
    assert await history(record) == ["our cluster is plugh-5", "Noted."]
    await record.answer(changed, f"It is {SECRET}.")
    assert await record.holding(SECRET) == []
    assert await record.holding("look at this") == []


async def test_a_turn_that_is_tried_again_before_it_is_noted_as_shown_stays_until_it_is_over(record: Record) -> None:
    """The person pressed faster than the record was told; an erased message is not tried again."""
    await pause(record)
    message = await record.say(WORDS)
    claim = await record.settle(message, None)
    again = await record.messages.retry(THREAD, "p1", asker=ANNA.user_id)
    await record.messages.mark_shown(claim)
    assert again == message.message_id
    assert await record.holding(SECRET) == ["messages"]
    await record.answer(message, None)

    assert await record.holding(SECRET) == []
    assert await record.messages.retry(THREAD, "p1", asker=ANNA.user_id) is None


async def test_narrowing_and_reindexing_make_no_entry_of_it(record: Record) -> None:
    """While its text still waits for its answer."""
    await pause(record)
    await record.say(WORDS)
    await record.messages.narrow_channel(CHANNEL, members_of(CHANNEL), tenant_id=TENANT)

    assert await SqlIndexQueue(record.database).enqueue_all() == 0
    assert await record.rows("lexicon") == 0
    assert await record.holding(SECRET) == ["messages"]


async def test_no_fact_may_name_it_as_its_source(record: Record) -> None:
    """The record itself refuses it, whoever asks."""
    await pause(record)
    message = await record.say(WORDS)

    with pytest.raises(StoreConflictError):
        await record.facts.add(fact_from("The code is xyzzy-17.", message))


async def test_forgetting_reaches_it_before_it_is_shown(record: Record) -> None:
    """A person need not wait for the erasure."""
    await pause(record)
    await record.settle(await record.say(WORDS), f"You said {SECRET}.")
    plan = await record.erasure.plan(ANNA.user_id, ThisThread(session_id=THREAD))
    receipt = await record.erasure.erase(plan, actor=ANNA.user_id)

    assert (receipt.messages, receipt.replies) == (1, 1)
    assert await record.holding(SECRET) == []


async def test_it_shields_no_echo_of_what_is_forgotten(record: Record) -> None:
    """Its words will be gone, so a reply that repeats the forgotten ones goes although it has them as well."""
    first = await record.talk("the vault is in basel")
    await record.talk("where?", "In Basel.", person=BOB)
    await pause(record, BOB)
    await record.say("in basel then", person=BOB)
    plan = await record.erasure.plan(ANNA.user_id, ThisThread(session_id=THREAD))
    await record.erasure.erase(plan, actor=ANNA.user_id)

    assert first.message_id in plan.message_ids
    assert [text for text in await history(record) if "Basel" in text] == []


async def test_old_memories_are_found_while_paused(record: Record) -> None:
    """Pausing takes nothing away."""
    message = await record.talk("prod is EKS")
    await record.learn(Outcome(added=(fact_from("Prod is EKS.", message),)))
    await pause(record)
    await record.messages.pause_thread(public_thread(), paused=True)

    assert fact_key(1) in await found(record, "which EKS?", place=public_thread(), reader=ANNA)


async def test_nothing_is_kept_that_comes_in_after_the_pause(record: Record) -> None:
    """However many come in at once with it: none after it is kept, and each does what its row says."""
    await record.talk("hello")
    async with asyncio.TaskGroup() as group:
        early = [group.create_task(record.deliver(f"a{number}", f"{WORDS} {number}")) for number in range(4)]
        group.create_task(pause(record))
        early += [group.create_task(record.deliver(f"b{number}", f"{WORDS} {number}")) for number in range(4)]
    late = await record.deliver("c", WORDS)
    rows: dict[int, Message] = {row.message_id: row for row in await record.unanswered()}

    kept = [rows[task.result().message_id].kept for task in early]
    assert not rows[late.message_id].kept
    assert await record.rows("lexicon") == 1 + sum(kept)


async def test_the_newest_reply_is_of_the_thread_it_is_asked_for(record: Record) -> None:
    """None where nothing was answered."""
    await record.talk("one", "First.")
    await record.talk("two", "Second.")
    await record.talk("three", "Elsewhere.", place=public_thread("other"))
    newest = await record.messages.newest_reply(THREAD)

    assert newest is not None and (newest.role, newest.text) == (Role.ASSISTANT, "Second.")
    assert await record.messages.newest_reply(private_thread().session_id) is None


async def test_a_kept_message_that_is_edited_while_paused_takes_its_answer_along(record: Record) -> None:
    """Nothing that a later forget could begin with is left of it."""
    message = await record.talk("my hint is plugh-5", "Your hint is plugh-5.")
    await pause(record)
    await record.edit(THREAD, "p1", "never mind")

    assert (await record.messages.load_thread(message.session_id, limit=9)).messages == ()
    assert await record.holding("plugh-5") == []


async def test_a_fact_that_comes_after_a_pause_is_not_stored(record: Record) -> None:
    """Whoever wanted it stored asked before the pause was there."""
    said = await record.say("Prod is plugh-5.")
    await pause(record)
    with pytest.raises(StoreConflictError):
        await record.facts.add(fact_from("Prod is plugh-5.", said), author_epoch=0)
    assert "facts" not in await record.holding("plugh-5")
