"""What people do with their memories in Slack, asserted by what they see."""

import pytest

from tests.fixtures.slack import SlackMachine

pytestmark = pytest.mark.timeout(120)


async def test_memories_are_remembered_listed_and_forgotten_by_command(slack: SlackMachine) -> None:
    """Each answer is seen by who typed the command, and by nobody else."""
    await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    stored = await ana.slash("/remember", "I deploy with ArgoCD.", ops)
    listed = await ana.slash("/memories", "", ops)
    others = await bob.slash("/memories", "", ops)
    gone = await ana.slash("/forget", "#1", ops)
    empty = await ana.slash("/memories", "", ops)

    assert "I deploy with ArgoCD." in stored.text
    assert "#1" in listed.text
    assert "ArgoCD" not in others.text
    assert "Forgotten: 1 fact." in gone.text
    assert "Nothing is remembered" in empty.text
    assert bob.sees(ops) == bob.ephemerals(ops)
    assert slack.server.refusals == []
