"""The connection to Slack: alive is what Slack says something on, and one that is not alive is replaced."""

from collections.abc import AsyncIterator

import pytest
from slack_bolt.async_app import AsyncApp

from bots.slack.connection import SlackConnection
from memory.errors import ConfigError
from tests.fakes.clock import FrozenClock
from tests.fakes.slack_server import SlackServer

pytestmark = pytest.mark.timeout(120)
_PING_S = 0.1


def _connection(slack: SlackServer) -> SlackConnection:
    return SlackConnection(
        AsyncApp(token=slack.team().bot_token),
        app_token=slack.app_token,
        api_url=slack.url,
        clock=FrozenClock(),
        ping_every_s=_PING_S,
    )


@pytest.fixture
async def connection(slack: SlackServer) -> AsyncIterator[SlackConnection]:
    """What is tested, connected and greeted."""
    async with _connection(slack) as connection:
        await slack.until(lambda: connection.problem is None)
        yield connection
        slack.socket.revive()


async def test_a_greeted_connection_is_alive(connection: SlackConnection) -> None:
    """It was heard, and nothing is wrong with it."""
    assert connection.heard_at is not None
    assert (connection.problem, connection.hopeless) == (None, None)


async def test_it_is_never_alive_while_slack_says_nothing(slack: SlackServer, connection: SlackConnection) -> None:
    """The library connects again and again; a connection on which only we speak is none."""
    slack.socket.go_dead()
    await slack.until(lambda: connection.problem is not None)
    number, found = slack.socket.connected, []

    def sees_three_more() -> bool:
        found.append((connection.problem, connection.heard_at))
        return slack.socket.connected >= number + 3

    await slack.until(sees_three_more, within_s=60)

    assert all(problem and heard_at is None for problem, heard_at in found[1:] if problem != "Slack: not connected")
    assert all(problem for problem, _heard_at in found)


async def test_pongs_alone_are_no_greeting(slack: SlackServer, connection: SlackConnection) -> None:
    """Something between us and Slack may send them; the connection is given up, though the library is content."""
    slack.socket.go_dead(pongs=True)
    slack.socket.drop()
    number, problems = slack.socket.connected, []

    def sees_two_more() -> bool:
        problems.append(connection.problem)
        return slack.socket.connected >= number + 2

    await slack.until(lambda: connection.problem is not None)
    await slack.until(sees_two_more, within_s=60)
    assert "Slack: connected, and not greeted yet" in problems
    assert all(problems)
    slack.socket.revive()
    await slack.until(lambda: connection.problem is None, within_s=60)


async def test_pongs_keep_a_greeted_connection_alive(slack: SlackServer, connection: SlackConnection) -> None:
    """A workspace may say nothing for hours: it is neither a problem nor a reason to connect again."""
    [socket] = slack.socket.connections
    pings = socket.pings
    await slack.until(lambda: socket.pings >= pings + 20, within_s=60)

    assert connection.problem is None
    assert slack.socket.connections == [socket]


async def test_a_refused_token_is_told_and_may_be_taken_again(slack: SlackServer, connection: SlackConnection) -> None:
    """There is no hope while Slack refuses it; the process goes on trying all the same."""
    token, slack.world.app_token = slack.world.app_token, "xapp-another"
    slack.socket.drop()
    await slack.until(lambda: connection.hopeless is not None, within_s=60)
    assert connection.hopeless == connection.problem == "Slack: SLACK_APP_TOKEN is refused (invalid_auth)"
    slack.world.app_token = token
    await slack.until(lambda: connection.problem is None, within_s=60)

    assert connection.hopeless is None


async def test_a_refused_token_is_a_problem_at_the_start(slack: SlackServer) -> None:
    """Named by its setting."""
    connection = _connection(slack)
    slack.world.app_token = "xapp-another"

    with pytest.raises(ConfigError, match=r"SLACK_APP_TOKEN: .*\(invalid_auth\)"):
        await connection.__aenter__()
