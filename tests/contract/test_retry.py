"""What every message store does with a message whose turn failed, and that somebody wants answered after all."""

import asyncio
from datetime import timedelta

from memory.model import Message, SessionId, Summary, ThisMessage, ThreadState
from tests.contract.record import ANNA, BOB, LEASE_S, Record, public_thread

THREAD = public_thread().session_id


async def failed(record: Record, words: str) -> Message:
    """Say something that gets no answer."""
    message = await record.say(words)
    await record.answer(message, None)
    return message


async def retry(record: Record, message: Message) -> bool:
    """Let a message of Anna's wait again."""
    return await record.messages.retry(THREAD, message.platform_message_id or "", asker=ANNA.user_id) is not None


async def history(record: Record) -> ThreadState:
    """Load the thread."""
    return await record.messages.load_thread(THREAD, limit=50)


def texts(thread: ThreadState) -> list[str]:
    """Return what was said in a thread."""
    return [message.text for message in thread.messages]


async def test_a_failed_message_waits_again_and_is_answered(record: Record) -> None:
    """Until then it is no history; what was noted of the place where its end was shown stays."""
    message = await record.say("deploy the api")
    claim = await record.messages.begin_turn(message.message_id, holder="w", lease_s=LEASE_S)
    assert claim is not None
    await record.messages.note_post(claim, "post 7")
    await record.answer_claim(claim, None)
    before = await history(record)

    assert await retry(record, message)
    waiting = await history(record)
    [unanswered] = await record.unanswered()
    await record.answer(message, "Deployed.")

    assert (texts(before), texts(waiting)) == (["deploy the api"], [])
    assert waiting.head.version > before.head.version
    assert (unanswered.message_id, unanswered.post) == (message.message_id, "post 7")
    assert texts(await history(record)) == ["deploy the api", "Deployed."]


async def test_of_many_calls_one_is_told(record: Record) -> None:
    """Two presses, or two processes, give one answer."""
    message = await failed(record, "deploy the api")
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(retry(record, message)) for _ in range(6)]

    assert sum(call.result() for call in calls) == 1
    assert list(await record.messages.waiting(THREAD)) == [message.message_id]


async def test_only_what_failed_and_is_there_waits_again(record: Record) -> None:
    """Neither what was answered or is being answered, nor what is forgotten, unknown or somebody else's."""
    answered, forgotten, open_one = await record.talk("one"), await failed(record, "two"), await record.say("three")
    anna = ANNA.user_id
    target = ThisMessage(session_id=THREAD, platform_message_id=forgotten.platform_message_id or "")
    await record.erasure.erase(await record.erasure.plan(anna, target), actor=anna)
    begun = await record.messages.begin_turn(open_one.message_id, holder="w", lease_s=LEASE_S)
    other = await failed(record, "four") if begun is None else None
    told = [await retry(record, message) for message in (answered, forgotten, open_one)]

    assert told == [False, False, False] and other is None
    assert await record.messages.retry(THREAD, "nothing", asker=anna) is None
    assert await record.messages.retry(SessionId("test:T1:ops:nowhere"), "p1", asker=anna) is None


async def test_nobody_else_can_have_it_answered(record: Record) -> None:
    """The message is its author's."""
    message = await failed(record, "deploy the api")

    assert await record.messages.retry(THREAD, message.platform_message_id or "", asker=BOB.user_id) is None
    assert list(await record.messages.waiting(THREAD)) == []


async def test_the_failed_end_is_not_shown_late_any_more(record: Record) -> None:
    """It is not the end; nor does who showed it in the end take the end that came after it for shown."""
    message = await record.say("deploy the api")
    first = await record.settle(message, None)
    await record.messages.put_off(first, until=record.clock.now() + timedelta(seconds=60))
    assert await retry(record, message)
    record.clock.advance(600)
    again = await record.messages.begin_turn(message.message_id, holder="w", lease_s=0)
    assert again is not None and again.end is None
    await record.settle_claim(again, "deployed")
    await record.messages.mark_shown(first)

    assert await record.messages.waiting(THREAD) == [message.message_id]
    claim = await record.messages.begin_turn(message.message_id, holder="w", lease_s=LEASE_S)
    assert claim is not None and claim.end is not None and claim.end.answer is not None
    assert claim.end.answer.text == "deployed"


async def test_it_keeps_its_place_among_the_others(record: Record) -> None:
    """It comes before what waits, and its answer stands after it, although a later message was answered meanwhile."""
    first = await failed(record, "one")
    await record.talk("two", "second answer")
    third = await record.say("three")
    assert await retry(record, first)
    too_early = await record.messages.begin_turn(third.message_id, holder="w", lease_s=LEASE_S)
    before = (await history(record)).head
    await record.answer(first, "first answer")
    after = await history(record)
    await record.answer(third, "third answer")

    assert too_early is None
    assert texts(await history(record)) == ["one", "first answer", "two", "second answer", "three", "third answer"]
    assert after.head.version > before.version + 1  # a copy that has the turn at its end is no copy of this


async def test_an_answer_to_what_the_summary_covers_is_not_lost(record: Record) -> None:
    """The summary is made anew, with the answer."""
    first = await failed(record, "one")
    second = await record.talk("two", "second answer")
    head = (await history(record)).head
    assert await record.messages.save_summary(head, Summary(text="They counted.", through=second.message_id))
    assert await retry(record, first)
    await record.answer(first, "first answer")
    thread = await history(record)

    assert thread.summary == Summary()
    assert texts(thread) == ["one", "first answer", "two", "second answer"]


async def test_a_summary_that_was_begun_before_the_answer_is_refused(record: Record) -> None:
    """It would cover the message and not the answer."""
    first = await failed(record, "one")
    second = await record.talk("two", "second answer")
    assert await retry(record, first)
    head = (await history(record)).head
    await record.answer(first, "first answer")

    assert await record.messages.save_summary(head, Summary(text="They counted.", through=second.message_id)) is None
    assert texts(await history(record)) == ["one", "first answer", "two", "second answer"]
