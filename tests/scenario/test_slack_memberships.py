"""What somebody said in a private channel is used in their own DM, for as long as they are in that channel."""

from typing import Literal

import pytest

from tests.fakes.slack_server import Channel, Message, Person, lifecycle
from tests.fixtures.slack import SlackMachine, SlackProcess

FACT = "ana's staging cluster is called blue-heron-42"


async def asks(slack: SlackMachine, process: SlackProcess, who: Person, where: Channel) -> tuple[list[str], Message]:
    """Ask for the cluster in a new thread; return the facts that the answer was given, and the question."""
    asked = await who.says(where, "@recall what is my staging cluster called?")
    await slack.team.thread(asked).until_answers(1)
    await process.platform.idle()
    recalled = process.model.asked[-1].recalled
    return [each.memory.text for each in recalled if each.memory.kind == "fact"], asked


async def told(slack: SlackMachine, process: SlackProcess, who: Person, where: Channel) -> None:
    """Say what the cluster is called, and let it be learned."""
    said = await who.says(where, "@recall my staging cluster is called blue-heron-42")
    await slack.team.thread(said).until_answers(1)
    await process.platform.idle()
    await process.learn(FACT)


async def test_a_private_channel_is_remembered_in_the_dm_of_who_is_in_it(slack: SlackMachine) -> None:
    """Of the person it is about, in no other channel, and no more once they left; "why" shows the same."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    secret = slack.team.channel("secret", ana, bob, kind="private")
    ops = slack.team.channel("ops", ana, bob)
    await told(slack, process, ana, secret)

    facts, asked = await asks(slack, process, ana, ana.dm)
    assert facts == [FACT]
    answer = slack.team.thread(asked).answers[0]
    assert FACT in (await ana.shortcut("recall_why_this", answer)).text
    assert (await asks(slack, process, bob, bob.dm))[0] == []
    assert (await asks(slack, process, ana, ops))[0] == []

    await lifecycle.leave(secret, ana.user)
    await slack.server.socket.until_acked()
    assert (await asks(slack, process, ana, ana.dm))[0] == []
    assert FACT not in (await ana.shortcut("recall_why_this", answer)).text


async def test_who_left_unheard_is_reminded_no_longer_than_a_minute(slack: SlackMachine) -> None:
    """The event went to another process."""
    process = await slack.start()
    ana = slack.team.user("ana")
    secret = slack.team.channel("secret", ana, kind="private")
    await told(slack, process, ana, secret)
    assert (await asks(slack, process, ana, ana.dm))[0] == [FACT]
    del secret.members[ana.user_id]
    slack.clock.advance(61)
    assert (await asks(slack, process, ana, ana.dm))[0] == []


@pytest.mark.parametrize("fault", ["status", "error"])
async def test_no_channel_is_remembered_in_a_dm_while_slack_does_not_tell(
    slack: SlackMachine, fault: Literal["status", "error"]
) -> None:
    """The answer comes all the same."""
    process = await slack.start()
    ana = slack.team.user("ana")
    secret = slack.team.channel("secret", ana, kind="private")
    await told(slack, process, ana, secret)
    slack.server.faults.add("users.conversations", fault, error="missing_scope")
    assert (await asks(slack, process, ana, ana.dm))[0] == []
    slack.clock.advance(61)
    assert (await asks(slack, process, ana, ana.dm))[0] == [FACT]
