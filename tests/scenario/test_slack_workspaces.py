"""One app in two workspaces: ids repeat, and Slack gives events of both to any connection of the app."""

import pytest

from tests.fixtures.slack import SlackMachine

pytestmark = pytest.mark.timeout(120)


async def test_what_another_workspace_sends_is_left_alone(slack: SlackMachine) -> None:
    """It is acknowledged, and neither answered into the channel of the same id, nor stored, nor listed."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    other = slack.server.team("beta")
    eve = other.user("eve")
    lounge = other.channel("lounge", eve)
    await eve.says(lounge, "@recall who are we?")
    await eve.says(eve.dm, "and who am I?")
    await eve.slash("/remember", "I am Eve.", eve.dm, expect=0)
    await eve.opens_home()
    await slack.server.socket.until_acked()
    await process.platform.idle()
    listed = await ana.slash("/memories", "", ana.dm)

    assert (eve.user_id, lounge.channel_id) == (ana.user_id, ops.channel_id)
    assert process.model.asked == []
    assert ops.messages == {}
    assert "Eve" not in listed.text
    assert eve.home is None and ana.home is None
    assert slack.server.refusals == []
