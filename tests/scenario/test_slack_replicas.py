"""Two processes on one Redis, PostgreSQL and Chroma server: they answer as one, also when one of them is killed.

`python -m tests.benchmarks.replicas --threads 200` is the same with more, and with figures.
"""

from collections.abc import Iterator

import pytest

from tests.fixtures.databases import PostgresServer
from tests.fixtures.replicas import on_servers, serve
from tests.fixtures.slack_process import SlackBot

pytestmark = [pytest.mark.timeout(300), pytest.mark.service]
_THREADS = 30
_MESSAGES = 5


@pytest.fixture
def shared(slack_bot: SlackBot, postgres_server: PostgresServer, chroma_url: str) -> Iterator[SlackBot]:
    """Give the bot on servers."""
    with on_servers(slack_bot, postgres_server, chroma_url) as bot:
        yield bot


@pytest.mark.parametrize("is_killed", [False, True])
async def test_every_message_is_answered_once_and_in_order(shared: SlackBot, *, is_killed: bool) -> None:
    """Slack gives each message to either process; one may die half-way."""
    crowd = await serve(shared, threads=_THREADS, messages=_MESSAGES, is_killed=is_killed, within_s=120)

    assert crowd.shown == crowd.wanted
    assert shared.slack.refusals == []
