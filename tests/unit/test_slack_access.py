"""Whether Slack lets Recall in: each token it refuses, and a Slack that does not answer."""

import pytest

from bots.slack.access import check_access
from memory.errors import ConfigError, UnreachableError
from tests.fakes.clock import SwiftTimer
from tests.fakes.slack_server import SlackServer

_BOT = "SLACK_BOT_TOKEN: Slack refuses it (invalid_auth)."
_APP = "SLACK_APP_TOKEN: Slack refuses to open a connection (invalid_auth)."


@pytest.mark.parametrize(
    ("bot_token", "app_token", "problems"),
    [
        ("xoxb-wrong", None, [_BOT]),
        (None, "xapp-wrong", [_APP]),
        ("xoxb-n", "xapp-n", [_BOT, _APP]),
    ],
)
async def test_every_token_that_slack_refuses_is_named(
    slack: SlackServer, bot_token: str | None, app_token: str | None, problems: list[str]
) -> None:
    """Both at once, and no connection is made."""
    bot, app = bot_token or slack.team().bot_token, app_token or slack.app_token
    with pytest.raises(ConfigError) as refused:
        await check_access(bot_token=bot, app_token=app, api_url=slack.url)

    assert list(refused.value.problems) == problems
    assert not isinstance(refused.value, UnreachableError)
    assert slack.socket.connections == []


async def test_both_right_tokens_are_no_problem(slack: SlackServer) -> None:
    """And no connection is made."""
    await check_access(bot_token=slack.team().bot_token, app_token=slack.app_token, api_url=slack.url)

    assert slack.socket.connections == []


async def test_a_slack_that_does_not_answer_is_one_problem(slack: SlackServer) -> None:
    """In time."""
    slack.faults.add("auth.test", "hold")
    bot, app = slack.team().bot_token, slack.app_token
    with pytest.raises(UnreachableError) as silent:
        await check_access(bot_token=bot, app_token=app, api_url=slack.url, within_s=0.2)
    slack.release()

    assert silent.value.problems == ("Slack cannot be reached: no answer in 0.2 s.",)


async def test_a_slack_that_is_not_there_is_asked_for_15_s() -> None:
    """With growing pauses; then it is one problem, in words."""
    timer = SwiftTimer()
    with pytest.raises(UnreachableError) as absent:
        await check_access(bot_token="xoxb-1", app_token="xapp-1", api_url="http://127.0.0.1:9/api/", timer=timer)

    assert absent.value.problems == ("Slack cannot be reached: slack: auth.test got no answer (connection refused).",)
    assert timer.sleeps == [0.5, 1, 2, 4, 4, 2.5]
