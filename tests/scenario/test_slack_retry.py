"""Trying again what got no answer, in Slack, asserted by what people see in the thread."""

import pytest

from bots.conversation import UNAVAILABLE
from bots.desk import buttons, outcome
from bots.slack.press import NAMES
from memory.errors import ProviderUnavailableError
from memory.model import TextDelta
from tests.fakes.slack_server import Channel, Message, Person, Thread, lifecycle
from tests.fixtures.slack import SlackMachine, SlackProcess

pytestmark = pytest.mark.timeout(120)

RETRY = NAMES["retry"]
LOST = ProviderUnavailableError("scripted", "no answer")


async def unanswered(
    slack: SlackMachine, process: SlackProcess, person: Person, ops: Channel
) -> tuple[Thread, Message]:
    """Ask something that gets no answer; return the thread and the post that says so."""
    process.model.replies = [LOST]
    thread = slack.team.thread(await person.says(ops, "@recall why does api-7f9c restart?"))
    return thread, await thread.until_shows(UNAVAILABLE)


async def test_the_asker_has_it_answered_in_the_same_place(slack: SlackMachine) -> None:
    """The button stands below the words that say there is no answer, and goes with them."""
    process = await slack.start()
    ana = slack.team.user("ana")
    thread, post = await unanswered(slack, process, ana, slack.team.channel("ops", ana))
    await ana.presses(post, RETRY)
    answer = await thread.until_shows("answer 2")
    await thread.until(lambda shown: not shown.status)

    assert answer is post and thread.answers == [post]
    assert UNAVAILABLE not in post.shown and RETRY not in post.buttons
    assert [request.message.text for request in process.model.asked] == ["why does api-7f9c restart?"] * 2
    assert process.model.asked[1].history == ()
    # What is shown where an answer is noted may be an open stream, as far as the next turn knows.
    assert {refusal.method for refusal in slack.server.refusals} <= {"chat.stopStream"}


async def test_nobody_else_can_press_it(slack: SlackMachine) -> None:
    """They are told, and nothing is answered."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    _, post = await unanswered(slack, process, ana, ops)
    await bob.presses(post, RETRY, expect=1)

    assert outcome.NOT_YOURS in bob.ephemerals(ops)[0].shown
    assert len(process.model.asked) == 1


async def test_two_presses_through_two_processes_give_one_answer(slack: SlackMachine) -> None:
    """The second is told so."""
    processes = [await slack.start(), await slack.start()]
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    for process in processes:
        process.model.replies = [LOST]
    thread = slack.team.thread(await ana.says(ops, "@recall why does api-7f9c restart?"))
    post = await thread.until_shows(UNAVAILABLE)
    for process in processes:
        process.model.replies = []
        process.model.gate.clear()
    for _ in range(4):  # Slack gives each to either process
        await ana.presses(post, RETRY)
    await slack.server.until(lambda: len(ana.ephemerals(ops)) == 3)
    for process in processes:
        process.model.gate.set()
    await thread.until(lambda shown: UNAVAILABLE not in shown.text and shown.finished == shown.answers)

    assert {each.shown for each in ana.ephemerals(ops)} == {buttons.NOTHING_TO_TRY}
    assert len(thread.answers) == 1 and sum(len(process.model.asked) for process in processes) == 2


async def test_what_is_forgotten_is_not_tried_again(slack: SlackMachine) -> None:
    """The button is still there; there is nothing behind it."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    _, post = await unanswered(slack, process, ana, ops)
    assert "Forgotten" in (await ana.slash("/forget", "everything", ops)).text
    await ana.presses(post, RETRY, expect=1)

    assert buttons.NOTHING_TO_TRY in ana.ephemerals(ops)[-1].shown
    assert len(process.model.asked) == 1


async def test_a_second_failure_can_be_tried_again_too(slack: SlackMachine) -> None:
    """Each says its own error id; what was shown of a broken answer goes when there is a whole one."""
    process = await slack.start()
    ana = slack.team.user("ana")
    thread, post = await unanswered(slack, process, ana, slack.team.channel("ops", ana))
    first = post.shown
    process.model.replies = [[TextDelta(text="It restarts "), LOST]]
    await ana.presses(post, RETRY)
    await thread.until(lambda shown: "It restarts" in shown.text and "Error id" in shown.text)
    second = post.shown
    await ana.presses(post, RETRY)
    await thread.until_shows("answer 3")

    assert first.rpartition("Error id")[2] != second.rpartition("Error id")[2]
    assert "It restarts" not in post.shown and thread.answers == [post]


async def test_an_earlier_message_is_tried_again_after_a_later_one_was_answered(slack: SlackMachine) -> None:
    """Its answer is in its place, for people and for the model."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    thread, post = await unanswered(slack, process, ana, ops)
    await ana.says(ops, "since when?", thread=thread)
    await thread.until_shows("answer 2")
    await ana.presses(post, RETRY)
    await thread.until_shows("answer 3")
    await ana.says(ops, "thanks", thread=thread)
    await thread.until_shows("answer 4")

    assert [answer.shown for answer in thread.answers] == ["answer 3", "answer 2", "answer 4"]
    assert [message.text for message in process.model.asked[3].history] == [
        "why does api-7f9c restart?",
        "answer 3",
        "since when?",
        "answer 2",
    ]


async def test_what_is_tried_again_is_for_who_reads_it_now(slack: SlackMachine) -> None:
    """A guest came in between the failure and the press."""
    ana, gus = slack.team.user("ana"), slack.team.user("gus", guest="multi_channel")
    ops, lobby = slack.team.channel("ops", ana), slack.team.channel("lobby", ana)
    process = await slack.start()
    said = slack.team.thread(await ana.says(lobby, "@recall I deploy with the frobnicator"))
    await said.until_answers(1)
    await process.learn("ana deploys with the frobnicator")
    process.model.replies = [LOST]
    thread = slack.team.thread(await ana.says(ops, "@recall what do I deploy with?"))
    post = await thread.until_shows(UNAVAILABLE)
    before = process.model.asked[-1].recalled
    await lifecycle.join(ops, gus.user)
    await slack.server.socket.until_acked()
    await ana.presses(post, RETRY)
    await thread.until_shows("answer 3")

    assert (bool(before), process.model.asked[-1].recalled) == (True, ())
