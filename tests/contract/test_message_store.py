"""What every message store does: the inbox, turns, and threads read back."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from memory.errors import StoreConflictError
from memory.model import (
    Failure,
    MemoryKey,
    Message,
    MessageState,
    NewReply,
    Numbered,
    Pin,
    Role,
    SessionId,
    Summary,
    TenantId,
    ThisThread,
    ThreadHead,
    ThreadState,
    TurnClaim,
    turn_key,
)
from tests.contract.record import ANNA, BOB, LEASE_S, TENANT, Record, private_thread, public_thread, remembered


async def load(record: Record, limit: int = 50) -> ThreadState:
    """Load the public thread."""
    return await record.messages.load_thread(public_thread().session_id, limit=limit)


def texts(thread: ThreadState) -> list[str]:
    """Return what was said in a thread."""
    return [message.text for message in thread.messages]


async def test_accept_makes_one_row_for_many_deliveries(record: Record) -> None:
    """The channel and the platform's message id say whether a delivery is new."""
    first = await record.deliver("p1", "deploy the api")
    again = await record.deliver("p1", "deploy the api")

    assert (first.duplicate, again.duplicate) == (False, True)
    assert again.message_id == first.message_id
    assert [await record.rows(table) for table in ("messages", "lexicon", "outbox")] == [1, 1, 1]


async def test_accept_of_one_delivery_at_once_makes_one_row(record: Record) -> None:
    """Two processes that get the same delivery together accept it once."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(record.deliver("p1", "deploy the api")) for _ in range(6)]
    accepted = [task.result() for task in tasks]

    assert len({each.message_id for each in accepted}) == 1
    assert sum(not each.duplicate for each in accepted) == 1


async def test_same_message_id_in_another_channel_is_another_message(record: Record) -> None:
    """Platforms repeat ids across channels."""
    first = await record.deliver("p1", "one", place=public_thread())
    second = await record.deliver("p1", "two", place=private_thread())

    assert not second.duplicate
    assert second.message_id != first.message_id


async def test_accepted_message_keeps_what_was_said(record: Record) -> None:
    """Text, author, link and time come back as they were delivered."""
    message = await record.say("naïve 🚀 über\nline two", person=BOB)

    assert message == Message(
        message_id=message.message_id,
        session_id=public_thread().session_id,
        role=Role.USER,
        author=BOB,
        text="naïve 🚀 über\nline two",
        sent_at=record.clock.now(),
        link="https://chat.test/p1",
        platform_message_id="p1",
    )


async def test_message_without_a_word_is_accepted(record: Record) -> None:
    """There is nothing to find it by, and that is fine."""
    accepted = await record.deliver("p1", "🚀 !!")

    assert accepted.state is MessageState.RECEIVED
    assert await record.rows("lexicon") == 0


async def test_very_long_message_is_accepted(record: Record) -> None:
    """Neither engine chokes on 100 kB, be it many words or one run of letters."""
    await record.deliver("p1", "word-é9 " * 12_500)
    await record.deliver("p2", "x" * 100_000)

    assert await record.rows("messages") == 2


async def test_forgotten_message_that_is_delivered_again_stays_forgotten(record: Record) -> None:
    """The row stays behind without its text and turns the delivery away."""
    await record.talk("the vault is in Basel")
    plan = await record.erasure.plan(ANNA.user_id, ThisThread(session_id=public_thread().session_id))
    await record.erasure.erase(plan, actor=ANNA.user_id)
    again = await record.deliver("p1", "the vault is in Basel")

    assert again.duplicate
    assert texts(await load(record)) == []
    assert await record.holding("Basel") == []


async def test_begin_turn_gives_the_message_with_its_thread(record: Record) -> None:
    """A claim says what is answered, where, and how thread and asker stood."""
    message = await record.say("hello")
    claim = await record.messages.begin_turn(message.message_id, holder="w", lease_s=LEASE_S)

    assert claim is not None
    assert (claim.message, claim.place) == (message, public_thread())
    assert claim.head == ThreadHead(session_id=message.session_id, version=0, forget_epoch=0)
    assert await record.messages.waiting(message.session_id) == [message.message_id]


async def test_begin_turn_refuses_while_another_holder_is_alive(record: Record) -> None:
    """One worker answers a thread at a time."""
    message = await record.say("hello")
    await record.messages.begin_turn(message.message_id, holder="a", lease_s=LEASE_S)

    assert await record.messages.begin_turn(message.message_id, holder="b", lease_s=LEASE_S) is None


async def test_begin_turn_at_once_has_one_winner(record: Record) -> None:
    """Of many workers who ask at the same moment, one answers."""
    message = await record.say("hello")
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(record.messages.begin_turn(message.message_id, holder=f"w{n}", lease_s=LEASE_S))
            for n in range(8)
        ]

    assert sum(task.result() is not None for task in tasks) == 1


async def test_begin_turn_takes_over_an_expired_lease_with_a_higher_fence(record: Record) -> None:
    """A worker that died holds nothing up, and cannot commit any more."""
    message = await record.say("hello")
    lost = await record.messages.begin_turn(message.message_id, holder="a", lease_s=0)
    taken = await record.messages.begin_turn(message.message_id, holder="b", lease_s=LEASE_S)

    assert lost is not None
    assert taken is not None
    assert taken.fence > lost.fence
    with pytest.raises(StoreConflictError):
        await record.answer_claim(lost, "late")
    with pytest.raises(StoreConflictError):
        await record.messages.renew(lost, lease_s=LEASE_S)
    assert texts(await load(record)) == []


async def test_begin_turn_waits_for_earlier_messages_of_the_thread(record: Record) -> None:
    """Turns of a thread run in order; another thread does not wait."""
    first = await record.say("one")
    second = await record.say("two")
    elsewhere = await record.say("three", place=private_thread())

    assert await record.messages.begin_turn(second.message_id, holder="w", lease_s=LEASE_S) is None
    assert await record.messages.begin_turn(elsewhere.message_id, holder="w", lease_s=LEASE_S) is not None
    await record.answer(first, "done")
    assert await record.messages.begin_turn(second.message_id, holder="w", lease_s=LEASE_S) is not None


async def test_forgotten_message_neither_is_answered_nor_holds_up_others(record: Record) -> None:
    """A message that was forgotten while it waited is skipped."""
    first = await record.say("one")
    second = await record.say("two", person=BOB)
    await record.erasure.delete_message(first.session_id, "p1", actor=ANNA.user_id)

    assert await record.messages.begin_turn(first.message_id, holder="w", lease_s=LEASE_S) is None
    assert await record.messages.waiting(second.session_id) == [second.message_id]
    assert await record.messages.begin_turn(second.message_id, holder="w", lease_s=LEASE_S) is not None


async def test_settled_message_cannot_be_claimed_again(record: Record) -> None:
    """One message, one answer: an answered one is done, and so is a failed one."""
    answered = await record.talk("one")
    failed = await record.say("two")
    await record.answer(failed, None)

    for message in (answered, failed):
        assert await record.messages.begin_turn(message.message_id, holder="w", lease_s=LEASE_S) is None


async def test_renewed_claim_keeps_others_out(record: Record) -> None:
    """Renewal counts from now."""
    message = await record.say("hello")
    claim = await record.messages.begin_turn(message.message_id, holder="a", lease_s=0)
    assert claim is not None
    await record.messages.renew(claim, lease_s=LEASE_S)

    assert await record.messages.begin_turn(message.message_id, holder="b", lease_s=LEASE_S) is None


async def test_settle_makes_the_turn_history(record: Record) -> None:
    """Message and reply are in the thread, whose version has grown by one, and the lease is free."""
    message = await record.say("hello")
    reply = await record.answer(message, "Hi Anna.", used=[MemoryKey("f1"), MemoryKey("m2.1")])
    thread = await load(record)

    assert reply is not None
    assert (reply.text, reply.reply_to, reply.used) == ("Hi Anna.", message.message_id, ("f1", "m2.1"))
    assert thread.messages == (message, reply)
    assert thread.head == ThreadHead(session_id=message.session_id, version=1, forget_epoch=0)


async def test_failed_turn_stays_in_the_history_without_a_reply(record: Record) -> None:
    """The message is not lost, and not answered again by itself."""
    message = await record.say("hello")

    assert await record.answer(message, None) is None
    assert texts(await load(record)) == ["hello"]
    assert await record.unanswered() == []
    assert await record.messages.waiting(message.session_id) == []


async def test_reply_of_a_turn_during_which_its_thread_was_forgotten_has_no_text(record: Record) -> None:
    """A forget during the answer wins; the row stays, so that nothing is answered twice."""
    await record.talk("the vault is in Basel")
    message = await record.say("where is it?", person=BOB)
    claim = await record.messages.begin_turn(message.message_id, holder="w", lease_s=LEASE_S)
    assert claim is not None
    plan = await record.erasure.plan(ANNA.user_id, ThisThread(session_id=message.session_id))
    await record.erasure.erase(plan, actor=ANNA.user_id)
    reply = await record.answer_claim(claim, "In Basel.")

    assert reply is not None
    assert reply.text == ""
    assert texts(await load(record)) == ["where is it?"]
    assert await record.holding("Basel") == []


async def test_reply_of_a_turn_during_which_the_asker_forgot_elsewhere_has_no_text(record: Record) -> None:
    """What the asker forgets in another thread may be what the answer was made from."""
    fact = await record.facts.add(remembered("My cluster is in Basel.", record.clock))
    message = await record.say("where is it?")
    claim = await record.messages.begin_turn(message.message_id, holder="w", lease_s=LEASE_S)
    assert claim is not None
    plan = await record.erasure.plan(ANNA.user_id, Numbered(number=fact.number))
    await record.erasure.erase(plan, actor=ANNA.user_id)
    await record.answer_claim(claim, "In Basel.")

    assert await record.holding("Basel") == []


async def test_reply_that_used_a_memory_which_somebody_else_forgot_has_no_text(record: Record) -> None:
    """A memory's owner need not be the asker."""
    said = await record.talk("the vault is in Basel", place=public_thread("other"))
    message = await record.say("where is it?", person=BOB)
    claim = await record.messages.begin_turn(message.message_id, holder="w", lease_s=LEASE_S)
    assert claim is not None
    plan = await record.erasure.plan(ANNA.user_id, ThisThread(session_id=said.session_id))
    await record.erasure.erase(plan, actor=ANNA.user_id)
    await record.answer_claim(claim, "In Basel.", used=[turn_key(said.message_id, 1)])

    assert await record.holding("Basel") == []


async def test_place_of_is_where_the_thread_is_now(record: Record) -> None:
    """A thread's readers are those of the last delivery; an unknown thread has no place."""
    await record.say("hello")
    narrowed = replace(public_thread(), audience=private_thread().audience, shared=False)
    await record.say("now in private", place=narrowed)

    assert await record.messages.place_of(public_thread().session_id) == narrowed
    assert await record.messages.place_of(SessionId("nowhere")) is None


async def test_a_turn_knows_whether_outsiders_read_along(record: Record) -> None:
    """As of the thread's last message, in its place and in the claim of its turn; a second delivery changes nothing."""
    guarded = replace(public_thread(), outsiders=True)
    first = await record.say("with a guest", place=guarded)
    claim = await record.messages.begin_turn(first.message_id, holder="w", lease_s=LEASE_S)
    assert claim is not None and claim.place == guarded
    assert await record.messages.place_of(guarded.session_id) == guarded
    await record.answer_claim(claim, "hello")

    second = await record.say("the guest has left")
    await record.deliver("p1", "with a guest", place=guarded)
    claim = await record.messages.begin_turn(second.message_id, holder="w", lease_s=LEASE_S)

    assert claim is not None and claim.place == public_thread()


async def test_unknown_thread_is_empty(record: Record) -> None:
    """Nothing was said there yet."""
    session_id = SessionId("nowhere")

    assert await record.messages.load_thread(session_id, limit=5) == ThreadState(
        head=ThreadHead(session_id=session_id, version=0, forget_epoch=0), summary=Summary(), messages=()
    )


async def test_reply_stands_right_after_the_message_it_answers(record: Record) -> None:
    """Messages that came while an answer was made follow that answer."""
    first = await record.say("one")
    second = await record.say("two", person=BOB)
    await record.answer(first, "answer to one")
    await record.answer(second, "answer to two")

    assert texts(await load(record)) == ["one", "answer to one", "two", "answer to two"]


async def test_load_thread_gives_the_newest_and_leaves_out_what_is_not_settled(record: Record) -> None:
    """The limit cuts the oldest; a message in work is not history."""
    for number in range(4):
        await record.talk(f"q{number}", f"a{number}")
    await record.say("waiting")

    assert texts(await load(record, limit=3)) == ["a2", "q3", "a3"]


async def test_summary_takes_the_place_of_what_it_covers(record: Record) -> None:
    """After a summary only later messages load; pins come back as they were."""
    await record.talk("q0", "a0")
    second = await record.talk("q1", "a1")
    thread = await load(record)
    pin = Pin(text="eu-west-1", kind="name", said_by=Role.USER, message_id=second.message_id)
    summary = Summary(text="They spoke.", pins=(pin,), through=thread.messages[1].message_id)
    head = await record.messages.save_summary(thread.head, summary)
    after = await load(record)

    assert head == replace(thread.head, version=thread.head.version + 1)
    assert (after.head, after.summary) == (head, summary)
    assert texts(after) == ["q1", "a1"]


async def test_summary_covers_in_the_order_of_the_thread(record: Record) -> None:
    """A reply that was made after the next message came belongs before that message."""
    first = await record.say("one")
    second = await record.say("two", person=BOB)
    await record.answer(first, "answer to one")
    await record.answer(second, "answer to two")
    thread = await load(record)
    covered = []
    for message in thread.messages:
        head = (await load(record)).head
        await record.messages.save_summary(head, Summary(text="s", through=message.message_id))
        covered.append(texts(await load(record)))

    assert covered == [
        ["answer to one", "two", "answer to two"],
        ["two", "answer to two"],
        ["answer to two"],
        [],
    ]


async def test_summary_is_refused_after_another_one(record: Record) -> None:
    """Of two summaries made from the same state, one is stored."""
    message = await record.talk("q0")
    head = (await load(record)).head
    await record.messages.save_summary(head, Summary(text="first", through=message.message_id))

    assert await record.messages.save_summary(head, Summary(text="second", through=message.message_id)) is None
    assert (await load(record)).summary.text == "first"


async def test_summary_is_refused_after_a_forget(record: Record) -> None:
    """A summary that was made from forgotten words is not stored."""
    message = await record.talk("the vault is in Basel")
    head = (await load(record)).head
    plan = await record.erasure.plan(ANNA.user_id, ThisThread(session_id=message.session_id))
    await record.erasure.erase(plan, actor=ANNA.user_id)

    assert await record.messages.save_summary(head, Summary(text="Basel", through=message.message_id)) is None
    assert await record.holding("Basel") == []


async def test_summary_is_stored_although_turns_were_added(record: Record) -> None:
    """A summary covers up to a message; what came later stands beside it."""
    message = await record.talk("q0", "a0")
    head = (await load(record)).head
    await record.talk("q1", "a1")
    saved = await record.messages.save_summary(head, Summary(text="s", through=message.message_id))

    assert saved is not None
    assert saved == (await load(record)).head
    assert texts(await load(record)) == ["a0", "q1", "a1"]


async def test_threads_lists_those_a_person_wrote_in_last_active_first(record: Record) -> None:
    """A thread is titled by its first message and counts messages and replies."""
    await record.talk("deploy   the api", place=public_thread("a"))
    await record.talk("my laptop", place=private_thread())
    await record.talk("not hers", person=BOB, place=public_thread("b"))
    await record.talk("again", place=public_thread("a"))
    found = await record.messages.threads(ANNA.user_id, limit=10)

    assert [(info.title, info.message_count) for info in found] == [("deploy the api", 4), ("my laptop", 2)]
    assert found[0].session_id == public_thread("a").session_id
    assert len(await record.messages.threads(ANNA.user_id, limit=1)) == 1


async def test_waiting_are_the_messages_of_one_thread_in_their_order(record: Record) -> None:
    """Until they are settled, and without those of other threads."""
    first = await record.say("one")
    second = await record.say("two", person=BOB)
    await record.say("three", place=public_thread("other"))

    assert await record.messages.waiting(first.session_id) == [first.message_id, second.message_id]
    await record.answer(first, "done")
    assert await record.messages.waiting(first.session_id) == [second.message_id]
    assert await record.messages.waiting(SessionId("t:nowhere")) == []


async def test_settling_again_gives_what_was_settled(record: Record) -> None:
    """Who was not told of the commit tries again, and nothing is stored twice."""
    message = await record.say("why?")
    claim = await record.messages.begin_turn(message.message_id, holder="w", lease_s=LEASE_S)
    assert claim is not None
    reply = NewReply(text="because", sent_at=message.sent_at)

    first = await record.messages.settle(claim, reply)

    assert await record.messages.settle(claim, reply) == first
    assert texts(await load(record)) == ["why?", "because"]


async def test_failing_a_turn_again_is_no_conflict(record: Record) -> None:
    """The same holds for a turn that ended without an answer."""
    message = await record.say("why?")
    claim = await record.messages.begin_turn(message.message_id, holder="w", lease_s=LEASE_S)
    assert claim is not None

    await record.messages.settle(claim, FAILURE)

    assert await record.messages.settle(claim, FAILURE) is None


async def test_settling_again_in_other_words_gives_what_was_settled(record: Record) -> None:
    """The first commit counts."""
    message = await record.say("hello")
    claim = await record.messages.begin_turn(message.message_id, holder="w", lease_s=LEASE_S)
    assert claim is not None
    stored = await record.answer_claim(claim, "once")

    assert await record.messages.settle(claim, NewReply(text="twice", sent_at=record.clock.now())) == stored
    assert texts(await load(record)) == ["hello", "once"]


FAILURE = Failure(words="It failed.", correlation_id="c0ffee")


async def begun(record: Record, message: Message, *, lease_s: float = LEASE_S, holder: str = "w") -> TurnClaim:
    """Begin a turn that is free."""
    claim = await record.messages.begin_turn(message.message_id, holder=holder, lease_s=lease_s)
    assert claim is not None
    return claim


async def test_a_noted_post_is_told_to_who_begins_the_turn_next(record: Record) -> None:
    """After a crash the answer goes on where it began."""
    message = await record.say("why?")
    lost = await begun(record, message, lease_s=0)
    await record.messages.note_post(lost, "1764.0001")

    claim = await begun(record, message, holder="other")

    assert (lost.message.post, claim.message.post) == (None, "1764.0001")
    with pytest.raises(StoreConflictError):
        await record.messages.note_post(lost, "1764.0002")


async def test_a_reply_is_found_by_its_post_and_by_the_message_it_answers(record: Record) -> None:
    """In its own thread only; a turn without an answer has none."""
    message = await record.say("why?")
    claim = await begun(record, message)
    await record.messages.note_post(claim, "1764.0001")
    await record.answer_claim(claim, "because", used=[MemoryKey("f1")])
    failed = await record.say("and now?")
    await record.answer(failed, None)

    async def find(post: str | None, thread: SessionId = message.session_id) -> Message | None:
        return await record.messages.reply_at(thread, post or "")

    by_post, by_message = await find("1764.0001"), await find(message.platform_message_id)
    assert by_post is not None and (by_post.text, by_post.used) == ("because", (MemoryKey("f1"),))
    assert by_message == by_post
    assert await find("1764.0001", private_thread().session_id) is None
    assert await find("1764.0002") is None
    assert await find(failed.platform_message_id) is None


async def settled(record: Record, words: str, reply: str | None, *, lease_s: float = LEASE_S) -> TurnClaim:
    """Say something and settle it; nobody has shown the end yet."""
    return await record.settle(await record.say(words), reply, lease_s=lease_s)


async def test_a_thread_goes_on_only_when_the_end_of_its_turn_is_shown(record: Record) -> None:
    """Until then the lease is held, in this process too, so that no answer stands before the one it follows."""
    claim = await settled(record, "one", "because")
    second = await record.say("two")

    assert await record.messages.begin_turn(second.message_id, holder="other", lease_s=LEASE_S) is None
    assert await record.messages.begin_turn(second.message_id, holder="w", lease_s=LEASE_S) is None
    await record.messages.mark_shown(claim)
    assert await record.messages.waiting(second.session_id) == [second.message_id]
    assert await record.messages.begin_turn(second.message_id, holder="other", lease_s=LEASE_S) is not None


@pytest.mark.parametrize("reply", ["because", None])
async def test_an_end_that_its_process_never_showed_is_claimed_before_anything_is_answered(
    record: Record, reply: str | None
) -> None:
    """Whoever takes the thread finds it, an answer or a failure, and when it was settled."""
    lost = await settled(record, "one", reply, lease_s=0)
    settled_at = record.clock.now()
    second = await record.say("two")
    waiting = await record.messages.waiting(second.session_id)
    claim = await begun(record, lost.message, holder="other")

    assert waiting == [lost.message.message_id, second.message_id]
    assert lost.end is None and claim.end is not None
    assert (claim.end.settled_at, claim.end.answer and claim.end.answer.text) == (settled_at, reply)
    assert claim.end.failure == (FAILURE if reply is None else None)
    assert claim.fence > lost.fence
    await record.messages.mark_shown(claim)
    assert await record.messages.begin_turn(lost.message.message_id, holder="w", lease_s=LEASE_S) is None


async def test_what_is_shown_after_all_is_shown_whoever_holds_the_thread_now(record: Record) -> None:
    """The mark of a process that lost the lease counts, and takes no lease from anybody."""
    lost = await settled(record, "one", "because", lease_s=0)
    claim = await begun(record, lost.message, holder="other")
    await record.messages.mark_shown(lost)

    assert await record.messages.waiting(lost.message.session_id) == []
    await record.messages.renew(claim, lease_s=LEASE_S)


async def test_an_end_that_is_put_off_holds_nothing_up_and_comes_back(record: Record) -> None:
    """The platform did not take it: the thread goes on, and it is shown when its time comes."""
    claim = await settled(record, "one", "because")
    second = await record.say("two")
    await record.messages.put_off(claim, until=record.clock.now() + timedelta(seconds=60))

    assert await record.messages.waiting(second.session_id) == [second.message_id]
    await record.answer(second, "fine")
    assert await record.messages.open_threads(TENANT) == {}
    record.clock.advance(60)
    assert await record.messages.waiting(second.session_id) == [claim.message.message_id]
    assert await record.messages.open_threads(TENANT) == {second.session_id: 1}
    again = await begun(record, claim.message, holder="other")
    await record.messages.put_off(claim, until=record.clock.now() + timedelta(seconds=60))
    await record.messages.renew(again, lease_s=LEASE_S)


async def test_an_end_that_was_handed_over_is_shown_by_the_next_process(record: Record) -> None:
    """It stays settled: nobody is asked again."""
    claim = await settled(record, "one", "because")
    await record.messages.hand_over(claim)
    again = await begun(record, claim.message, holder="other")

    assert again.end is not None and again.end.answer is not None
    assert texts(await load(record)) == ["one", "because"]


async def test_an_end_that_was_forgotten_has_no_text(record: Record) -> None:
    """There is nothing left to show, but a place to clear."""
    lost = await settled(record, "my vault is in cellar-17", "Noted.", lease_s=0)
    await record.erasure.delete_message(lost.message.session_id, "p1", actor=ANNA.user_id)
    claim = await begun(record, lost.message)

    assert claim.end is not None
    assert claim.message.text == ""


async def test_open_threads_are_a_tenants_with_their_turns_first_accepted_first(record: Record) -> None:
    """Those that want an answer and those whose end is to be shown."""
    await record.say("one", place=public_thread("a"))
    await settled(record, "two", "because")
    await record.say("three", place=public_thread("a"))
    await record.talk("over", place=public_thread("b"))
    found = await record.messages.open_threads(TENANT)

    assert list(found.items()) == [(public_thread("a").session_id, 2), (public_thread().session_id, 1)]
    assert await record.messages.open_threads(TenantId("test:T2")) == {}


@pytest.mark.parametrize("reply", ["because", None])
async def test_only_who_settled_a_turn_may_settle_it_again(record: Record, reply: str | None) -> None:
    """Two processes that end a turn in the same words are two all the same: the fence tells them apart."""
    message = await record.say("why?")
    lost = await begun(record, message, lease_s=0, holder="a")
    claim = await begun(record, message, holder="b")
    words = FAILURE if reply is None else NewReply(text=reply, sent_at=message.sent_at)
    await record.messages.settle(claim, words)

    with pytest.raises(StoreConflictError):
        await record.messages.settle(lost, words)
    await record.messages.mark_shown(claim)
    await record.messages.settle(claim, words)
    assert len(await record.messages.waiting(message.session_id)) == 0
    assert texts(await load(record)) == ["why?", *([] if reply is None else [reply])]


async def test_messages_are_answered_in_the_order_in_which_they_were_sent(record: Record) -> None:
    """Two processes may take them in the other way round."""
    later = await record.say("two")
    record.clock.advance(-30)
    earlier = await record.say("one")

    assert await record.messages.waiting(later.session_id) == [earlier.message_id, later.message_id]
    assert await record.messages.begin_turn(later.message_id, holder="w", lease_s=LEASE_S) is None
    assert await record.messages.begin_turn(earlier.message_id, holder="w", lease_s=LEASE_S) is not None


async def test_a_scope_is_disclosed_by_one_message_for_good(record: Record) -> None:
    """The first that asks has it, however often it asks; another scope is another matter."""
    first, second = await record.talk("one"), await record.talk("two")
    asked = [
        await record.messages.discloses("tenant T1", message.message_id) for message in (first, second, first, second)
    ]

    assert asked == [True, False, True, False]
    assert await record.messages.discloses("person anna", second.message_id)


async def test_a_scope_that_two_ask_for_at_once_goes_to_one(record: Record) -> None:
    """Two processes answer at the same moment: one of the answers tells."""
    said = [await record.talk(f"message {number}") for number in range(6)]
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(record.messages.discloses("tenant T1", each.message_id)) for each in said]

    assert sum(task.result() for task in asked) == 1


async def test_a_message_is_found_by_its_name_in_its_thread(record: Record) -> None:
    """As it is now; a forgotten one without its text, an unknown one not at all."""
    said = await record.talk("deploy the api", person=BOB)
    name = said.platform_message_id or ""
    found = await record.messages.find_message(said.session_id, name)
    await record.erasure.delete_message(said.session_id, name, actor=BOB.user_id)
    gone = await record.messages.find_message(said.session_id, name)

    assert found is not None and (found.message_id, found.text, found.author) == (said.message_id, said.text, BOB)
    assert gone is not None and gone.text == ""
    assert await record.messages.find_message(private_thread().session_id, name) is None


async def test_a_claim_says_how_often_the_answer_was_begun(record: Record) -> None:
    """What was given back does not count, nor do claims to show an end; an answer in another turn counts anew."""
    message = await record.say("why?")
    await begun(record, message, lease_s=0)
    await record.messages.hand_over(await begun(record, message))
    second = await begun(record, message, lease_s=0)
    third = await begun(record, message)
    await record.settle_claim(third, None)
    await record.messages.hand_over(third)
    show = await begun(record, message)
    await record.messages.mark_shown(show)
    assert message.platform_message_id is not None
    await record.messages.retry(message.session_id, message.platform_message_id, asker=ANNA.user_id)

    assert [claim.attempts for claim in (second, third, show)] == [2, 3, 0]
    assert (await begun(record, message)).attempts == 1
