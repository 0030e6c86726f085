"""The native Stop button where the answer is not being made by the process that hears of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from bots.slack.web import SlackWeb
from tests.fakes.slack_server import Person, Thread
from tests.fixtures.slack import SlackMachine


async def _left_processing(slack: SlackMachine, ana: Person) -> Thread:
    """Return an answered thread that a process left "processing" when it died."""
    thread = slack.team.thread(await ana.says(ana.dm, "hello"))
    await thread.until_answers(1)
    await slack.processes[0].platform.idle()
    web = SlackWeb(slack.team.bot_token, api_url=slack.server.url)
    for method, status in (
        ("agents.sessions.setStatus", "processing"),
        ("assistant.threads.setStatus", "is thinking …"),
    ):
        await web.call(method, status=status, channel_id=ana.dm.channel_id, thread_ts=thread.ts)
    await web.close()
    return thread


async def test_stop_ends_a_session_in_which_nobody_answers(slack: SlackMachine) -> None:
    """What a crash left "processing" becomes active, so that the button goes away."""
    await slack.start()
    ana = slack.team.user("ana")
    thread = await _left_processing(slack, ana)
    await ana.stops(thread)
    await thread.until(lambda shown: shown.session_status == "active" and not shown.status)

    assert slack.server.refusals == []


@pytest.mark.parametrize(
    "event",
    [
        {"channel": "C00000001"},  # a channel that is a session has no thread
        {"channel": "C00000001", "thread_ts": None},
        {"channel": {"id": "C00000001"}, "thread_ts": 7},
        {"thread_ts": "1700000000.000100"},
        {},
    ],
)
async def test_any_stop_is_acknowledged(slack: SlackMachine, event: Mapping[str, Any]) -> None:
    """One that names no thread is not delivered again and again."""
    await slack.start()
    payload = {"type": "event_callback", "team_id": slack.team.team_id, "event_id": "Ev1"}
    stopped = {"type": "agent_session_stopped", "user": "U00000001", "event_ts": "1700000000.000200", **event}
    delivery = await slack.server.socket.deliver("events_api", {**payload, "event": stopped})
    await slack.server.socket.until_acked(delivery)

    assert slack.server.calls_of("agents.sessions.setStatus") == []
