"""Whether Slack lets Recall in: each token it refuses, and a Slack that does not answer."""

import pytest

from bots.slack.access import access_problems
from tests.fakes.slack_server import SlackServer

_BOT = "SLACK_BOT_TOKEN: Slack refuses it (invalid_auth)."
_APP = "SLACK_APP_TOKEN: Slack refuses to open a connection (invalid_auth)."


@pytest.mark.parametrize(
    ("bot_token", "app_token", "problems"),
    [
        (None, None, []),
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

    assert await access_problems(bot_token=bot, app_token=app, api_url=slack.url) == problems
    assert slack.socket.connections == []


async def test_a_slack_that_does_not_answer_is_one_problem(slack: SlackServer) -> None:
    """In time, or at once when nobody is there."""
    slack.faults.add("auth.test", "hold")
    bot, app = slack.team().bot_token, slack.app_token
    (silent,) = await access_problems(bot_token=bot, app_token=app, api_url=slack.url, within_s=0.2)
    (absent,) = await access_problems(bot_token=bot, app_token=app, api_url="http://127.0.0.1:9/api/")
    slack.release()

    assert silent == "Slack cannot be reached: no answer in 0.2 s."
    assert absent.startswith("Slack cannot be reached: slack: auth.test got no answer")
