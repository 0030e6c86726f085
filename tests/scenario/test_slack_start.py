"""A start: the first events are taken in order, whatever Slack does, and what was not shown before is shown whole."""

import pytest

from bots.wording import counted
from tests.fakes.slack_server import FaultKind
from tests.fixtures.slack import SlackMachine


@pytest.mark.parametrize("kind", ["ratelimited", "error", "status", "drop"])
async def test_the_first_message_needs_no_call_to_be_taken(slack: SlackMachine, kind: FaultKind) -> None:
    """Who the app is was asked at the start; Slack not saying it again loses no message."""
    await slack.start()
    ana = slack.team.user("ana")
    asking_again = slack.server.faults.add("auth.test", kind, times=None)
    thread = slack.team.thread(await ana.says(ana.dm, "hello"))
    await thread.until_answers(1)

    assert asking_again.hit == 0


async def test_the_first_messages_are_answered_in_order(slack: SlackMachine) -> None:
    """A call that is slow for the first of them lets no other message overtake it."""
    process = await slack.start()
    ana = slack.team.user("ana")
    slack.server.faults.add("auth.test", "hold")
    asked = await ana.says(ana.dm, "one")
    await ana.says(ana.dm, "two", thread=asked)
    await slack.team.thread(asked).until_answers(2)

    assert [request.message.text for request in process.model.asked] == ["one", "two"]


async def test_an_answer_that_an_earlier_process_could_not_show_looks_like_any_other(slack: SlackMachine) -> None:
    """It has its memories below it, and says what was removed from the message."""
    first = await slack.start()
    ana = slack.team.user("ana")
    await slack.team.thread(await ana.says(ana.dm, "My staging cluster is called blue-heron-42")).until_answers(1)
    await first.learn("ana's staging cluster is called blue-heron-42")
    for method in ("chat.startStream", "chat.postMessage"):
        slack.server.faults.add(method, "error", error="restricted_action", times=None)
    asked = await ana.says(ana.dm, "What is my staging cluster called? password=hunter2-Xk9qP")
    await slack.server.socket.until_acked()
    await first.platform.idle()
    recalled = len(first.model.asked[-1].recalled)
    assert recalled and slack.team.thread(asked).answers == []
    await first.stop()
    slack.server.faults.clear()
    slack.clock.advance(300)
    await slack.start()
    thread = slack.team.thread(asked)
    await thread.until_shows("answer 2")

    assert f"Used {counted(recalled, 'memory', 'memories')}" in str(thread.answers[0].blocks)
    assert "I removed what looks like a secret" in thread.answers[0].shown
