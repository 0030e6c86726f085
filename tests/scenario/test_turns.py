"""Turns: what is remembered within a thread, what an answer is given, and what a person sees when something fails."""

import asyncio

import pytest

from bots import conversation
from bots.platform import IncomingMessage
from memory.errors import ProviderError, ProviderRefusedError, ProviderUnavailableError
from memory.model import About, ReplyDone, ReplyEvent, Role, TextDelta
from memory.stores.sql.leases import SqlLeaseStore
from tests.fakes.model import Pause, remembers
from tests.fakes.values import dm, inbound, person, public_channel
from tests.fixtures.core import Core, Shown
from tests.fixtures.delivery import Deaf

ANA, BOB = person("ana"), person("bob")


async def test_the_second_turn_sees_the_first(core: Core) -> None:
    """A thread remembers its own turns, both sides."""
    await core.say("api-7f9c restarts", place=dm("ana"), author=ANA)
    await core.say("and now?", place=dm("ana"), author=ANA)

    history = [(message.role, message.text) for message in core.model.asked[1].history]
    assert history == [(Role.USER, "api-7f9c restarts"), (Role.ASSISTANT, "answer 1")]
    assert core.model.asked[1].message.text == "and now?"


async def test_another_thread_does_not_see_it(core: Core) -> None:
    """The history is the thread's own."""
    await core.say("api-7f9c restarts", place=dm("ana"), author=ANA)
    await core.say("hello", place=dm("ana", "other"), author=ANA)

    assert core.model.asked[1].history == ()


async def test_losing_all_of_redis_between_two_turns_loses_nothing(core: Core) -> None:
    """The hot copy is rebuilt from the record."""
    place = dm("ana")
    await core.say("api-7f9c restarts", place=place, author=ANA)
    copy = await core.cache.load(place.session_id)
    assert copy is not None
    await core.cache.evict([copy.head])
    await core.say("and now?", place=place, author=ANA)

    assert [message.text for message in core.model.asked[1].history] == ["api-7f9c restarts", "answer 1"]


async def test_a_redis_outage_is_ridden_out_and_said_once(core: Core) -> None:
    """Turns go on from the record; the person is told when it begins, not at every turn."""
    place = dm("ana")
    await core.say("api-7f9c restarts", place=place, author=ANA)
    core.cache.is_up = False
    first = await core.say("and now?", place=place, author=ANA)
    second = await core.say("and now again?", place=place, author=ANA)

    assert first is not None and len(first.notices) == 1 and "Redis" in first.notices[0]
    assert second is not None and second.notices == ()
    assert [message.text for message in core.model.asked[2].history][:2] == ["api-7f9c restarts", "answer 1"]


async def test_a_copy_from_before_an_outage_is_not_believed_after_it(core: Core) -> None:
    """What was said while Redis was away is in the history when it is back."""
    place = dm("ana")
    await core.say("one", place=place, author=ANA)
    core.cache.is_up = False
    await core.say("two", place=place, author=ANA)
    core.cache.is_up = True
    core.clock.advance(60)
    await core.say("three", place=place, author=ANA)

    said = [message.text for message in core.model.asked[2].history if message.role is Role.USER]
    assert said == ["one", "two"]


async def test_a_second_delivery_is_not_answered(core: Core) -> None:
    """The same message counts once, however often it arrives."""
    first = await core.say("hello", place=dm("ana"), author=ANA, delivery="m-1")
    second = await core.say("hello", place=dm("ana"), author=ANA, delivery="m-1")

    assert first is not None
    assert second is None
    assert len(core.model.asked) == 1


async def test_turns_of_one_thread_run_in_order_and_one_at_a_time(core: Core) -> None:
    """A message sent while an answer is being made waits, visibly, and then sees that answer."""
    place = dm("ana")
    core.model.gate.clear()
    async with asyncio.TaskGroup() as group:
        first = group.create_task(core.send("one", place=place, author=ANA))
        await core.model.waiting.wait()
        waiting = Shown()
        group.create_task(core.send("two", place=place, author=ANA, shown=waiting))
        while not waiting.statuses:
            await asyncio.sleep(0)
        assert len(core.model.asked) == 1
        core.model.gate.set()

    assert first.result().replies[0].text == "answer 1"
    assert [reply.text for reply in waiting.replies] == ["answer 2"]
    assert [message.text for message in core.model.asked[1].history] == ["one", "answer 1"]


async def test_threads_run_beside_each_other(core: Core) -> None:
    """A slow answer in one thread holds up no other."""
    core.model.gate.clear()
    async with asyncio.TaskGroup() as group:
        for name in ("one", "two", "three"):
            group.create_task(core.send("hello", place=dm("ana", name), author=ANA))
        while len(core.model.asked) < 3:
            await asyncio.sleep(0)
        core.model.gate.set()

    assert len(core.model.asked) == 3


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ProviderUnavailableError("anthropic", "overloaded"), conversation.UNAVAILABLE),
        (ProviderRefusedError("anthropic", "quota"), conversation.REFUSED),
    ],
)
async def test_a_failing_model_ends_the_turn_in_fixed_words(
    core: Core, error: ProviderUnavailableError | ProviderRefusedError, words: str
) -> None:
    """The person is told, with an id for the log; the message is kept, and the next turn works and sees it."""
    core.model.replies = [error]
    failed = await core.say("api-7f9c restarts", place=dm("ana"), author=ANA)
    answered = await core.say("and now?", place=dm("ana"), author=ANA)

    assert failed is not None and failed.failed and failed.text == words and failed.correlation_id
    assert answered is not None and not answered.failed
    assert [message.text for message in core.model.asked[1].history] == ["api-7f9c restarts"]


async def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(core: Core) -> None:
    """The half sentence was seen; the history does not keep it as an answer."""
    core.model.replies = [[TextDelta(text="The reason is"), ProviderUnavailableError("anthropic", "cut off")]]
    shown = await core.send("why?", place=dm("ana"), author=ANA)
    await core.say("go on", place=dm("ana"), author=ANA)

    assert shown.streamed == "The reason is"
    assert [reply.text for reply in shown.replies] == [conversation.CUT_OFF]
    assert [message.text for message in core.model.asked[1].history] == ["why?"]


async def test_a_stopped_answer_is_over(core: Core) -> None:
    """Stopping ends the turn: the message stays, and is not answered by itself after a restart."""
    place = dm("ana")
    core.model.gate.clear()
    turn = asyncio.create_task(core.send("why?", place=place, author=ANA))
    await core.model.waiting.wait()
    assert core.delivery.stop(place.session_id)
    shown = await turn
    core.model.gate.set()

    assert [reply.text for reply in shown.replies] == [conversation.STOPPED]
    assert await core.recall.service.open_threads(place.tenant_id) == {}
    await core.say("hello", place=place, author=ANA)
    assert [message.text for message in core.model.asked[1].history] == ["why?"]


async def test_a_shutdown_hands_the_turn_over(core: Core) -> None:
    """What a process cannot finish any more, the next one answers, at once and once."""
    place = dm("ana")
    core.model.gate.clear()
    turn = asyncio.create_task(core.send("why?", place=place, author=ANA))
    await core.model.waiting.wait()
    await core.delivery.close(grace_s=0)
    core.model.gate.set()
    next_process = core.restart()

    assert (await turn).abandoned
    assert await next_process.recover(place) == 1
    assert [reply.text for reply in next_process.late[0].replies] == ["answer 2"]


async def test_a_process_that_lost_its_turn_shows_nothing_more(core: Core) -> None:
    """The fence decides: whoever holds the lease answers, and the other one's answer is not kept."""
    place = dm("ana")
    core.model.gate.clear()
    turn = asyncio.create_task(core.send("why?", place=place, author=ANA))
    await core.model.waiting.wait()
    other = core.restart()
    await SqlLeaseStore(core.stores.database).release_all()
    (message_id,) = await other.recall.service.waiting(place.session_id)
    assert await other.recall.service.begin(message_id)
    core.model.gate.set()
    shown = await turn

    assert shown.abandoned
    assert shown.replies == []


async def test_messages_that_an_earlier_process_left_are_answered_in_their_order(core: Core) -> None:
    """One after the other, each seeing what went before."""
    place = dm("ana")
    for number in (1, 2):
        text = f"message {number}"
        message = inbound(text, place=place, author=ANA, delivery=f"m-{number}", sent_at=core.clock.now())
        await core.recall.service.accept(message)

    assert await core.recover(place) == 2
    assert [request.message.text for request in core.model.asked] == ["message 1", "message 2"]
    assert [reply.text for shown in core.late for reply in shown.replies] == ["answer 1", "answer 2"]


async def test_a_queued_message_that_is_forgotten_shows_no_status_for_ever(core: Core) -> None:
    """Its reply ends without an answer."""
    place = dm("ana")
    core.model.gate.clear()
    async with asyncio.TaskGroup() as group:
        group.create_task(core.send("one", place=place, author=ANA))
        await core.model.waiting.wait()
        queued = group.create_task(core.send("my vault is in cellar-17", place=place, author=ANA))
        while len(await core.recall.service.waiting(place.session_id)) < 2:
            await asyncio.sleep(0)
        plan = await core.recall.personal.plan_forget(ANA.user_id, About(words="cellar-17"))
        await core.recall.personal.forget(plan)
        core.model.gate.set()

    assert queued.result().abandoned
    assert queued.result().replies == []


async def test_a_message_stopped_while_it_waited_holds_nothing_up(core: Core) -> None:
    """The turn before it ends, and the message after it is answered."""
    place = dm("ana")
    core.model.gate.clear()
    first = asyncio.create_task(core.send("one", place=place, author=ANA))
    await core.model.waiting.wait()
    second = asyncio.create_task(core.send("two", place=place, author=ANA))
    while len(await core.recall.service.waiting(place.session_id)) < 2:
        await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    core.model.gate.set()
    await first
    async with asyncio.timeout(30):
        third = await core.say("three", place=place, author=ANA)

    assert third is not None and third.text == "answer 2"
    assert await core.recall.service.open_threads(place.tenant_id) == {}


async def test_a_sink_that_breaks_does_not_block_the_thread(core: Core) -> None:
    """The turn ends, and the next one works."""

    class Broken(Shown):
        async def append(self, delta: str) -> None:
            raise OSError(f"the pipe is gone before {len(delta)} characters")

    place = dm("ana")
    message = IncomingMessage(place=place, author=ANA, platform_message_id="m-1", text="why?", sent_at=core.clock.now())
    broken = Broken()
    await core.delivery.handle(message, broken)
    answered = await core.say("and now?", place=place, author=ANA)

    assert [reply.text for reply in broken.replies] == [conversation.BROKEN]
    assert answered is not None and not answered.failed


async def test_a_forget_while_the_model_remembers_does_not_block_the_thread(core: Core) -> None:
    """What it wanted to keep is not kept, nor is its answer, which may tell of what was forgotten."""
    place = dm("ana")
    await core.say("my vault is in cellar-17", place=place, author=ANA)
    core.model.replies = [remembers("my shell is fish"), "Noted."]
    core.model.gate.clear()
    core.model.waiting.clear()
    turn = asyncio.create_task(core.send("remember that my shell is fish", place=place, author=ANA))
    await core.model.waiting.wait()
    plan = await core.recall.personal.plan_forget(ANA.user_id, About(words="cellar-17"))
    await core.recall.personal.forget(plan)
    core.model.gate.set()
    shown = await turn

    assert [reply.text for reply in shown.replies] == [conversation.FORGOTTEN]
    assert await core.recall.personal.memories(ANA.user_id) == []


async def test_a_crash_during_the_answer_is_made_good_after_the_restart(core: Core) -> None:
    """What was accepted is answered, once, by the next process."""
    place = dm("ana")
    message = inbound("is prod up?", place=place, author=ANA, delivery="m-1", sent_at=core.clock.now())
    taken = await core.recall.service.accept(message)
    claim = await core.recall.service.begin(taken.accepted.message_id)
    assert claim is not None
    restarted = core.restart()
    await SqlLeaseStore(core.stores.database).release_all()  # as the new owner of the data folder does
    count = await restarted.recover(place)
    again = await restarted.recover(place)

    assert (count, again) == (1, 0)
    assert [reply.text for shown in restarted.late for reply in shown.replies] == ["answer 1"]


async def test_a_secret_never_reaches_the_model_or_the_history(core: Core) -> None:
    """It is replaced at the door, and the person is told the kind and to rotate it."""
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    reply = await core.say(f"my token is {secret}, is that fine?", place=dm("ana"), author=ANA)
    await core.say("and now?", place=dm("ana"), author=ANA)

    assert reply is not None and any("Rotate" in notice for notice in reply.notices)
    assert secret not in core.model.asked[0].message.text
    assert "[redacted" in core.model.asked[0].message.text
    assert all(secret not in message.text for message in core.model.asked[1].history)


async def test_the_model_may_keep_what_the_person_said_in_this_message(core: Core) -> None:
    """It is stored at once, shown, and recalled in another thread."""
    core.model.replies = [remembers("my shell is fish"), "Noted."]
    reply = await core.say("Please remember that my shell is fish", place=dm("ana"), author=ANA)
    (memory,) = await core.recall.personal.memories(ANA.user_id)

    assert memory.text == "my shell is fish"
    assert reply is not None
    assert [(fact.text, fact.number) for fact in reply.remembered] == [(memory.text, memory.number)]
    assert core.model.asked[1].exchanges[0].results == {"call-1": "Stored."}


async def test_what_was_kept_is_told_although_the_answer_failed(core: Core) -> None:
    """It is in the record; and each fact is told once, however often the model asks for it."""
    call = remembers("my shell is fish")
    core.model.replies = [[*call, *call], ProviderUnavailableError("scripted", "no answer")]
    reply = await core.say("Please remember that my shell is fish", place=dm("ana"), author=ANA)

    assert reply is not None and reply.failed
    assert [fact.text for fact in reply.remembered] == ["my shell is fish"]


@pytest.mark.parametrize(
    "text",
    [
        "my shell is fishy",
        "I never said that my shell is fish",
        "> remember: my shell is fish\nwhat does this mean?",
        "```\nmy shell is fish\n```\nexplain",
        "hello there",
    ],
)
async def test_the_model_may_not_keep_what_the_person_did_not_say(core: Core, text: str) -> None:
    """Quoted, pasted or invented words are refused, whatever the model asks."""
    core.model.replies = [remembers("my shell is fish"), "Done."]
    await core.say(text, place=dm("ana"), author=ANA)

    assert await core.recall.personal.memories(ANA.user_id) == []
    assert "Not stored" in core.model.asked[1].exchanges[0].results["call-1"]


async def test_the_words_of_two_rounds_are_two_paragraphs(core: Core) -> None:
    """What the model says after it has remembered something does not run into what it said before."""
    core.model.replies = [[TextDelta(text="I will keep that."), *remembers("my shell is fish")], "Done."]
    shown = await core.send("my shell is fish", place=dm("ana"), author=ANA)

    assert [reply.text for reply in shown.replies] == ["I will keep that.\n\nDone."]
    assert shown.streamed == "I will keep that.\n\nDone."
    assert core.model.asked[1].exchanges[0].text == "I will keep that."


@pytest.mark.parametrize("how", ["fails", "is stopped"])
async def test_what_was_remembered_is_told_though_the_turn_ends_without_an_answer(core: Core, how: str) -> None:
    """It is stored: the person has to know, and can take it back."""
    place = dm("ana")
    shown = Shown()
    ending: list[ReplyEvent | ProviderError | Pause] = [Pause(), ProviderUnavailableError("scripted", "down")]
    core.model.replies = [remembers("my shell is fish"), ending]
    turn = asyncio.create_task(core.send("Remember that my shell is fish", place=place, author=ANA, shown=shown))
    await core.model.paused.wait()
    if how == "is stopped":
        core.delivery.stop(place.session_id)
    core.model.go_on.set()
    await turn

    (reply,) = shown.replies
    assert reply.failed
    assert [fact.text for fact in reply.remembered] == ["my shell is fish"]


async def test_a_notice_that_nobody_saw_is_told_again(core: Core) -> None:
    """The platform did not show the first answer; the second one says that Redis is away."""
    place = dm("ana")
    core.cache.is_up = False
    await core.send("one", place=place, author=ANA, shown=Deaf())
    second = await core.say("two", place=place, author=ANA)
    third = await core.say("three", place=place, author=ANA)

    assert second is not None and any("Redis" in notice for notice in second.notices)
    assert third is not None and third.notices == ()


async def test_an_answer_that_is_shown_late_has_all_that_stands_beside_it(core: Core) -> None:
    """What it was given, what was remembered, and what was taken out of the message."""
    await core.recall.personal.remember(dm("ana"), ANA, "my shell is fish")
    core.model.replies = ["It is fish.", remembers("I deploy with helm"), "Noted."]
    for name, text in (("a", "what is my shell?"), ("b", "I deploy with helm, with the key AKIAIOSFODNN7EXAMPLE")):
        await core.send(text, place=dm("ana", name), author=ANA, shown=Deaf())
    await core.delivery.idle()
    core.clock.advance(300)
    await core.recover(dm("ana"))

    replies = {reply.text: reply for shown in core.late for reply in shown.replies}
    assert replies["It is fish."].used_before == 1
    assert [fact.text for fact in replies["Noted."].remembered] == ["I deploy with helm"]
    assert any("Rotate it" in notice for notice in replies["Noted."].notices)


async def test_buffer_mode_has_recent_turns_alone(core: Core) -> None:
    """RECALL_MEMORY=buffer: no summary, no recall, nothing folded."""
    await core.recall.personal.remember(dm("ana"), ANA, "my shell is fish")
    buffered = core.restart(mode="buffer")
    for number in range(10):
        await buffered.say(f"what is my shell, time {number}?", place=dm("ana"), author=ANA)

    assert core.model.summarized == []
    assert core.model.asked[-1].recalled == ()
    assert core.model.asked[-1].summary == ""
    assert not core.model.asked[-1].may_remember


async def test_summary_mode_folds_but_recalls_nothing(core: Core) -> None:
    """RECALL_MEMORY=summary: older turns are folded, long-term memory is not asked."""
    await core.recall.personal.remember(dm("ana"), ANA, "my shell is fish")
    summarizing = core.restart(mode="summary")
    for number in range(10):
        await summarizing.say(f"what is my shell, time {number}?", place=dm("ana"), author=ANA)

    assert core.model.asked[-1].recalled == ()
    assert "messages went before" in core.model.asked[-1].summary


async def test_full_mode_recalls_as_well(core: Core) -> None:
    """RECALL_MEMORY=full: the fact comes back in another thread, as data with its number."""
    await core.recall.personal.remember(dm("ana"), ANA, "my shell is fish")
    reply = await core.say("what is my shell?", place=dm("ana", "other"), author=ANA)

    assert [item.memory.text for item in core.model.asked[0].recalled] == ["my shell is fish"]
    assert "#1" in core.model.asked[0].memory_block
    assert reply is not None and [item.memory.number for item in reply.used] == [1]


async def test_a_persons_memory_is_nobody_elses(core: Core) -> None:
    """Neither another person nor a channel sees what was said in a DM."""
    await core.recall.personal.remember(dm("ana"), ANA, "my shell is fish")
    await core.say("what is my shell?", place=dm("bob"), author=BOB)
    await core.say("what is my shell?", place=public_channel("ops"), author=ANA)

    assert [request.recalled for request in core.model.asked] == [(), ()]


async def test_the_tokens_of_all_calls_of_a_turn_are_counted(core: Core) -> None:
    """What was read and written in each round of tool use."""
    rounds = [ReplyDone(input_tokens=100, output_tokens=7), ReplyDone(input_tokens=120, output_tokens=30)]
    call = remembers("my shell is fish")
    core.model.replies = [[*call, rounds[0]], [TextDelta(text="Noted."), rounds[1]]]
    await core.say("Please remember that my shell is fish", place=dm("ana"), author=ANA)
    usage = await core.recall.personal.usage(ANA.user_id)

    assert (usage.questions, usage.answers, usage.tokens) == (1, 1, 257)
