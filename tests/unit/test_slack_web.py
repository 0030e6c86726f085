"""Calls of Slack's Web API: what comes back, what is waited for, and what each failure says of the call's effect."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web as http

from bots.slack.errors import SlackRefusedError, SlackUnavailableError
from bots.slack.web import LONGEST_WAIT_S, SlackWeb
from tests.fakes.slack_server import Channel, FaultKind, SlackServer
from tests.fixtures.servers import free_port


@pytest.fixture
def general(slack: SlackServer) -> Channel:
    """A channel with the app."""
    return slack.team().channel("general", slack.team().user("ana"))


@pytest.fixture
def waits() -> list[float]:
    """How long was waited, each time."""
    return []


@pytest.fixture
async def web(slack: SlackServer, waits: list[float]) -> AsyncIterator[SlackWeb]:
    """What is tested; waiting takes no time."""

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    web = SlackWeb(slack.team().bot_token, api_url=slack.url, timeout_s=0.5, wait=wait)
    yield web
    await web.close()


async def test_arguments_arrive_as_slack_reads_them(web: SlackWeb, slack: SlackServer, general: Channel) -> None:
    """Blocks and yes or no reach every kind of method, and what is None is left out."""
    posted = await web.call(
        "chat.postMessage",
        channel=general.channel_id,
        text="hello",
        blocks=[{"type": "markdown", "text": "**hello**"}],
        unfurl_links=False,
        thread_ts=None,
    )
    read = await web.call("conversations.replies", channel=general.channel_id, ts=posted["ts"], limit=5)

    assert read["messages"][0]["blocks"][0]["text"] == "**hello**"
    assert slack.calls[0].args["unfurl_links"] == "false" and "thread_ts" not in slack.calls[0].args


@pytest.mark.parametrize(
    ("kind", "after_effect", "sent"),
    [
        ("status", False, True),
        ("error", True, True),
        ("drop", False, None),
        ("drop", True, None),
        ("hold", False, None),
    ],
)
async def test_a_lost_answer_is_never_repeated(  # noqa: PLR0917  # pytest passes fixtures by name
    web: SlackWeb, slack: SlackServer, general: Channel, kind: str, after_effect: bool, sent: bool | None
) -> None:
    """A post whose answer is lost goes out once, and the error says that it may have had its effect."""
    slack.faults.add("chat.postMessage", kind, after_effect=after_effect)  # type: ignore[arg-type]

    with pytest.raises(SlackUnavailableError, match="no answer") as caught:
        await web.call("chat.postMessage", channel=general.channel_id, text="secret plan")

    assert caught.value.sent is sent and "secret" not in str(caught.value)
    assert len(slack.calls_of("chat.postMessage")) == 1


async def test_nobody_there() -> None:
    """Without a connection there was no effect."""
    web = SlackWeb("xoxb-fake", api_url="http://127.0.0.1:9/")

    with pytest.raises(SlackUnavailableError) as caught:
        await web.call("auth.test")

    assert caught.value.sent is False
    await web.close()


async def test_a_rate_limit_is_waited_for(
    web: SlackWeb, slack: SlackServer, general: Channel, waits: list[float]
) -> None:
    """The call is made again after as long as Slack says, and then it works."""
    slack.faults.add("chat.postMessage", "ratelimited", retry_after_s=20, times=2)

    await web.call("chat.postMessage", channel=general.channel_id, text="hello")

    assert waits == [20.0, 20.0] and len(general.messages) == 1


@pytest.mark.parametrize(("within_s", "expected"), [(LONGEST_WAIT_S, [25.0, 25.0]), (0, [])])
async def test_waiting_is_bounded(
    web: SlackWeb, slack: SlackServer, waits: list[float], *, within_s: float, expected: list[float]
) -> None:
    """Longer than the caller can wait is an error that says how long Slack asks for, and that nothing happened."""
    slack.faults.add("auth.test", "ratelimited", retry_after_s=25, times=None)

    with pytest.raises(SlackUnavailableError) as caught:
        await web.call("auth.test", within_s=within_s)

    assert (waits, caught.value.sent, caught.value.retry_after_s) == (expected, False, 25.0)


async def test_what_had_no_effect_is_insisted_on(web: SlackWeb, slack: SlackServer, waits: list[float]) -> None:
    """No connection, and a rate limit of whatever length a call does not wait for, are repeated a few times."""
    url = f"http://127.0.0.1:{free_port()}/response"
    with pytest.raises(SlackUnavailableError) as never:
        await web.insist(lambda: web.post(url, {"text": "hello"}, name="response_url"))
    assert (never.value.sent, waits) == (False, [0.5, 2.0, 8.0])

    waits.clear()
    slack.faults.add("auth.test", "ratelimited", retry_after_s=3, times=2)
    await web.insist(lambda: web.call("auth.test", within_s=0))
    assert waits == [3.0, 3.0]


async def test_what_may_have_had_an_effect_is_not(web: SlackWeb, slack: SlackServer, waits: list[float]) -> None:
    """Nor what Slack wants nobody to try again soon."""
    slack.faults.add("auth.test", "drop")
    slack.faults.add("auth.test", "ratelimited", retry_after_s=61)
    for _ in range(2):
        with pytest.raises(SlackUnavailableError):
            await web.insist(lambda: web.call("auth.test", within_s=0))

    assert (waits, len(slack.calls_of("auth.test"))) == ([], 2)


@pytest.mark.parametrize("kind", ["error", "drop"])
async def test_a_refused_token_is_known_until_a_call_succeeds(
    web: SlackWeb, slack: SlackServer, kind: FaultKind
) -> None:
    """Other failures say nothing of it."""
    slack.faults.add("auth.test", "error", error="token_revoked")
    with pytest.raises(SlackRefusedError):
        await web.call("auth.test")
    assert web.refused_token == "token_revoked"
    slack.faults.add("auth.test", kind)
    with pytest.raises(SlackUnavailableError):
        await web.call("auth.test")
    assert web.refused_token == "token_revoked"
    await web.call("auth.test")

    assert web.refused_token is None


async def test_a_refusal_has_slacks_word(web: SlackWeb) -> None:
    """What Slack refuses is told apart by its own word."""
    with pytest.raises(SlackRefusedError) as caught:
        await web.call("chat.postMessage", channel="C0NONE", text="hello")

    assert caught.value.code == "channel_not_found"


@pytest.mark.parametrize(
    ("status", "content_type", "body", "error"),
    [
        (200, "text/plain", "welcome to the proxy", SlackUnavailableError),
        (200, "text/html", "<h1>welcome</h1>", SlackUnavailableError),
        (200, "application/json", "{broken", SlackUnavailableError),
        (200, "application/json", "[]", SlackUnavailableError),
        (404, "text/plain", "no such page", SlackRefusedError),
        (502, "text/html", "<h1>bad gateway</h1>", SlackUnavailableError),
    ],
)
async def test_answers_that_are_not_slacks(
    status: int, content_type: str, body: str, error: type[SlackUnavailableError | SlackRefusedError]
) -> None:
    """Whatever something in between answers ends in one of our two errors."""

    async def answer(_request: http.Request) -> http.Response:
        return http.Response(status=status, content_type=content_type, text=body)

    app = http.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = http.AppRunner(app)
    await runner.setup()
    await http.TCPSite(runner, "127.0.0.1", 0).start()
    web = SlackWeb("xoxb-fake", api_url=f"http://127.0.0.1:{runner.addresses[0][1]}/")

    with pytest.raises(error):
        await web.call("auth.test")

    await web.close()
    await runner.cleanup()
