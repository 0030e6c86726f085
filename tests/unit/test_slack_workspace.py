"""Whose a bot token is: asked within a time, and told in one line when Slack does not say."""

from collections.abc import AsyncIterator

import pytest

from bots.slack.web import SlackWeb
from bots.slack.workspace import identify
from memory.errors import ConfigError, UnreachableError
from tests.fakes.clock import SwiftTimer
from tests.fakes.slack_server import SlackServer


@pytest.fixture
def timer() -> SwiftTimer:
    """Waiting takes no time."""
    return SwiftTimer()


@pytest.fixture
async def web(slack: SlackServer, timer: SwiftTimer) -> AsyncIterator[SlackWeb]:
    """The Web API."""
    web = SlackWeb(slack.team().bot_token, api_url=slack.url, wait=timer.sleep)
    yield web
    await web.close()


async def test_a_token_names_its_workspace(slack: SlackServer, web: SlackWeb) -> None:
    """Its id, who Recall is there, and the same for Bolt."""
    workspace = await identify(web)
    authorized = await workspace.authorizer()()

    assert workspace.team == slack.team().team_id
    assert (authorized.bot_user_id, authorized.bot_id) == (workspace.bot.user_id, workspace.bot.bot_id)
    assert (authorized.team_id, authorized.user_id) == (workspace.team, None)


@pytest.mark.parametrize(("retry_after_s", "waits"), [(10, True), (16, False)])
async def test_a_rate_limit_is_waited_for_within_the_time(
    slack: SlackServer, web: SlackWeb, timer: SwiftTimer, *, retry_after_s: int, waits: bool
) -> None:
    """One that lasts longer than a start may take is not."""
    slack.faults.add("auth.test", "ratelimited", retry_after_s=retry_after_s, times=None)
    with pytest.raises(UnreachableError, match=r"Slack cannot be reached: .*rate limited"):
        await identify(web, timer=timer)

    assert (retry_after_s in timer.sleeps) is waits
    assert timer.now() <= 15


async def test_no_answer_is_a_problem_in_time(slack: SlackServer, web: SlackWeb) -> None:
    """A start does not hang with Slack."""
    slack.faults.add("auth.test", "hold")

    with pytest.raises(UnreachableError, match="Slack cannot be reached"):
        await identify(web, within_s=0.2)
    slack.release()


async def test_a_wrong_token_is_named(slack: SlackServer) -> None:
    """By the setting it came from, with Slack's word."""
    web = SlackWeb("xoxb-wrong", api_url=slack.url)

    with pytest.raises(ConfigError, match=r"SLACK_BOT_TOKEN: Slack refuses it \(invalid_auth\)"):
        await identify(web)
    await web.close()
