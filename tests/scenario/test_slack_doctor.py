"""`recall doctor` before a workspace: what it says of tokens, scopes, the clock and the model, and how it ends."""

from collections.abc import AsyncIterator, Sequence

import pytest
import yaml

from bots.slack.checks import BROKEN_WITHOUT, check_slack
from memory.diagnosis import Check
from tests.fakes.clock import FrozenClock
from tests.fakes.slack.faults import FaultKind
from tests.fakes.slack_server import SlackServer
from tests.fixtures.slack import MANIFEST
from tests.fixtures.slack_process import SlackBot

_MISTYPED = "it is mistyped, or of another Slack than SLACK_API_URL"
_MEND = "update the app from `recall manifest slack` and install it again"


@pytest.fixture
async def server(clock: FrozenClock) -> AsyncIterator[SlackServer]:
    """Yield a Slack where the app is installed from its manifest."""
    async with SlackServer(now=lambda: clock.now().timestamp()) as server:
        server.install(yaml.safe_load(MANIFEST.read_text()))
        server.team("acme")
        yield server


async def examined(server: SlackServer, clock: FrozenClock, **changes: str | None) -> Sequence[Check]:
    """Look at the workspace with the right tokens, but for what is changed."""
    right: dict[str, str | None] = {"bot_token": server.team("acme").bot_token, "app_token": server.app_token}
    given = right | changes
    return await check_slack(
        bot_token=given["bot_token"], app_token=given["app_token"], api_url=server.url, clock=clock, within_s=2
    )


def lines(checks: Sequence[Check], verdict: str) -> list[str]:
    """Return what was found with one verdict."""
    return [f"{check.name}: {check.detail}" for check in checks if check.verdict == verdict]


async def test_a_workspace_in_order(server: SlackServer, clock: FrozenClock) -> None:
    """Everything is fine but for what Slack does not show; nothing is posted and no connection is taken."""
    checks = await examined(server, clock)

    assert lines(checks, "ok") == [
        "Slack bot token: recall in Acme, https://acme.slack.com/",
        f"Slack scopes: all {len(BROKEN_WITHOUT)} are granted",
        "clock: agrees with Slack's",
        "Slack app token: Slack offers a Socket Mode connection",
    ]
    assert [check.name for check in checks if check.verdict != "ok"] == ["Slack events"]
    assert "https://api.slack.com/apps/A00000001 " in checks[-1].detail
    assert [call.method for call in server.calls if call.method.startswith("chat.")] == []
    assert server.socket.connected == 0


async def test_each_missing_scope_is_named_with_what_it_breaks(server: SlackServer, clock: FrozenClock) -> None:
    """One line each; the rest of the diagnosis goes on."""
    server.team("acme").state.scopes -= {"files:write", "mpim:read"}
    checks = await examined(server, clock)

    assert lines(checks, "problem") == [
        f"Slack scopes: files:write is missing: {BROKEN_WITHOUT['files:write']}; {_MEND}",
        f"Slack scopes: mpim:read is missing: {BROKEN_WITHOUT['mpim:read']}; {_MEND}",
    ]


async def test_more_scopes_than_needed_are_a_hint(server: SlackServer, clock: FrozenClock) -> None:
    """It is no problem."""
    server.team("acme").state.scopes |= {"reactions:write"}
    checks = await examined(server, clock)

    assert f"Slack scopes: all {len(BROKEN_WITHOUT)} are granted; not needed: reactions:write" in lines(checks, "ok")


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        (
            {"bot_token": "xoxb-wrong"},
            f"Slack bot token: Slack refuses SLACK_BOT_TOKEN (invalid_auth): {_MISTYPED}",
        ),
        (
            {"app_token": "xapp-wrong"},
            f"Slack app token: Slack refuses SLACK_APP_TOKEN (invalid_auth): {_MISTYPED}",
        ),
        ({"app_token": None}, "Slack app token: SLACK_APP_TOKEN is not set; Recall needs both tokens"),
    ],
)
async def test_a_token_that_does_not_work(
    server: SlackServer, clock: FrozenClock, changed: dict[str, str | None], line: str
) -> None:
    """Named, with the likely reason and without the token; the other one is looked at all the same."""
    checks = await examined(server, clock, **changed)

    assert lines(checks, "problem") == [line]
    assert {"Slack bot token", "Slack app token"} == {each.name for each in checks if "token" in each.name}


async def test_an_app_token_without_its_scope(server: SlackServer, clock: FrozenClock) -> None:
    """Slack says which scope it lacks; so do we."""
    server.world.app_scopes.clear()
    checks = await examined(server, clock)

    assert lines(checks, "problem") == [
        "Slack app token: Slack refuses SLACK_APP_TOKEN (missing_scope): it lacks connections:write"
    ]


async def test_an_uninstalled_app(server: SlackServer, clock: FrozenClock) -> None:
    """The bot token is of no use any more."""
    await server.team("acme").uninstall()
    checks = await examined(server, clock)

    assert lines(checks, "problem") == [
        "Slack bot token: Slack refuses SLACK_BOT_TOKEN (account_inactive): the app was uninstalled"
    ]


async def test_tokens_of_two_apps(server: SlackServer, clock: FrozenClock) -> None:
    """Each one works, and yet nothing would."""
    server.world.app_token = "xapp-1-A00000002-fake"
    checks = await examined(server, clock)

    assert lines(checks, "problem") == [
        "Slack app: SLACK_BOT_TOKEN is of A00000001, SLACK_APP_TOKEN of A00000002: what one hears, the other misses"
    ]


@pytest.mark.parametrize(("seconds", "words"), [(90, "90 s ahead of Slack's"), (-90, "90 s behind Slack's")])
async def test_a_clock_that_is_wrong(server: SlackServer, clock: FrozenClock, seconds: int, words: str) -> None:
    """By more than the network can explain: a warning."""
    here = FrozenClock(clock.now())
    here.advance(seconds)
    checks = await examined(server, here)

    assert [line.startswith(f"clock: {words}: ") for line in lines(checks, "warning")] == [True]


@pytest.mark.parametrize("fault", ["hold", "drop", "status", "ratelimited"])
async def test_a_slack_that_gives_no_answer(server: SlackServer, clock: FrozenClock, fault: FaultKind) -> None:
    """Both calls say so, and nothing waits for better times."""
    server.faults.add("*", fault, times=None, retry_after_s=30)
    checks = await examined(server, clock)

    assert [line.partition(": slack: ")[0] for line in lines(checks, "problem")] == [
        "Slack bot token: Slack cannot be reached",
        "Slack app token: Slack cannot be reached",
    ]


async def test_the_command_with_everything_in_order(slack_bot: SlackBot) -> None:
    """Settings without secrets, then a line for each thing, and exit code 0."""
    code, out, err = await slack_bot.runs("doctor")

    assert (code, err) == (0, "")
    assert "SLACK_BOT_TOKEN=(set)" in out and slack_bot.team.bot_token not in out
    found = out.partition("\n\n")[2]
    assert f"ok      Slack scopes: all {len(BROKEN_WITHOUT)} are granted\n" in found
    assert "ok      model for answers: claude-opus-4-8: available\n" in found
    assert "unknown Slack events: " in found
    assert "PROBLEM" not in found
    assert slack_bot.model.received == []


async def test_the_command_with_nothing_in_order(slack_bot: SlackBot) -> None:
    """A Slack out of reach and a model that is not there: lines and exit code 1, no traceback."""
    slack_bot.model.models = {"another"}
    code, out, err = await slack_bot.runs("doctor", SLACK_API_URL="http://127.0.0.1:9/api/")

    problems = [line.partition(": ")[0] for line in out.splitlines() if line.startswith("PROBLEM ")]
    assert problems == [
        "PROBLEM model for answers",
        "PROBLEM model for learning",
        "PROBLEM Slack bot token",
        "PROBLEM Slack app token",
    ]
    assert (code, err) == (1, "")
