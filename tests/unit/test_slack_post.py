"""Posting to a URL that Slack gave, against the fake: what each failure says of its effect."""

from collections.abc import AsyncIterator
from typing import Literal

import pytest
import pytest_asyncio

from bots.slack.errors import SlackRefusedError, SlackUnavailableError
from bots.slack.web import SlackWeb
from tests.fakes.slack_server import Person, SlackServer

BODY = {"text": "hello", "replace_original": False}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[SlackServer]:
    """Yield a Slack with nobody in it."""
    async with SlackServer() as server:
        yield server


@pytest_asyncio.fixture
async def web(server: SlackServer) -> AsyncIterator[SlackWeb]:
    """Yield the Web API of a workspace."""
    web = SlackWeb(server.team("acme").bot_token, api_url=server.url)
    yield web
    await web.close()


def _url(person: Person) -> str:
    """Return where an interaction of somebody is answered."""
    interaction = person.world.interaction(person.team, person.user, channel_id=person.dm.channel_id)
    return person.world.contact(interaction, path="commands").response_url


async def test_an_answer_is_seen_by_who_asked(server: SlackServer, web: SlackWeb) -> None:
    """By nobody else, since it does not say otherwise."""
    ana = server.team("acme").user("ana")
    await web.post(_url(ana), BODY, name="response_url")

    assert [message.shown for message in ana.ephemerals(ana.dm)] == ["hello"]


async def test_a_url_that_is_used_up_is_a_refusal(server: SlackServer, web: SlackWeb) -> None:
    """With Slack's own word for it; the URL, which is a secret, is not in the error."""
    url = _url(server.team("acme").user("ana"))
    for _ in range(5):
        await web.post(url, BODY, name="response_url")
    with pytest.raises(SlackRefusedError, match="used_url") as caught:
        await web.post(url, BODY, name="response_url")

    assert url not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "status", "sent"), [("status", 500, True), ("status", 429, False), ("drop", 200, None)]
)
async def test_a_failure_says_whether_it_may_have_had_its_effect(
    server: SlackServer, web: SlackWeb, kind: Literal["status", "drop"], status: int, sent: bool | None
) -> None:
    """A rate limit surely had none."""
    server.faults.add("response_url", kind, status=status)
    with pytest.raises(SlackUnavailableError) as caught:
        await web.post(_url(server.team("acme").user("ana")), BODY, name="response_url")

    assert caught.value.sent is sent


async def test_an_unreachable_url_surely_had_no_effect(web: SlackWeb) -> None:
    """Nothing listens there."""
    with pytest.raises(SlackUnavailableError) as caught:
        await web.post("http://127.0.0.1:9/hook", b"x", name="files.upload")

    assert caught.value.sent is False
