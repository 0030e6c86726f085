"""The first events after a start: each is taken, in order, whatever Slack's Web API does at that moment."""

import pytest

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
