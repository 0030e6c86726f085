"""Two processes on one Redis, PostgreSQL and Chroma server: both hear all, one acts, and the other takes over.

`python -m tests.benchmarks.replicas --platform discord --threads 200` is the same with more, and with figures.
"""

from collections.abc import Iterator

import pytest

from tests.fixtures.databases import PostgresServer
from tests.fixtures.discord_process import DiscordBot
from tests.fixtures.replicas import on_servers, serve

pytestmark = [pytest.mark.timeout(300), pytest.mark.service]
_THREADS = 10
_MESSAGES = 4


@pytest.fixture
def shared(discord_bot: DiscordBot, postgres_server: PostgresServer, chroma_url: str) -> Iterator[DiscordBot]:
    """Give the bot on servers."""
    with on_servers(discord_bot, postgres_server, chroma_url) as bot:
        yield bot


@pytest.mark.parametrize("is_killed", [False, True])
async def test_every_message_is_answered_once_and_in_order(shared: DiscordBot, *, is_killed: bool) -> None:
    """The process that acts may die half-way: what it heard last the other one heard too."""
    crowd = await serve(shared, threads=_THREADS, messages=_MESSAGES, is_killed=is_killed, within_s=120)

    assert crowd.shown == crowd.wanted
    assert shared.discord.refusals == []
