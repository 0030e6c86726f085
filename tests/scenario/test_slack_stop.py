"""The native Stop button where the answer is not being made by the process that hears of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from bots.conversation import STOPPED
from bots.slack.web import SlackWeb
from memory.model import TextDelta
from tests.fakes.model import Pause
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


async def test_stop_ends_the_answer_that_grows_and_not_the_one_after_it(slack: SlackMachine) -> None:
    """Slack names the posts that grew when it was pressed, and may deliver the press again."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    process.model.replies = [[TextDelta(text="half of it"), Pause()], "answer 2"]
    thread = slack.team.thread(await ana.says(ops, "@recall why?"))
    await thread.until(lambda shown: any("half of it" in each.shown for each in shown.answers))
    stop = await ana.stops(thread)
    await thread.until_shows(STOPPED)
    await process.platform.idle()
    process.model.gate.clear()
    process.model.waiting.clear()
    await bob.says(ops, "@recall and what now?", thread=thread)
    await process.model.waiting.wait()
    assert stop is not None
    await slack.server.socket.until_acked(await slack.server.socket.redeliver(stop))
    process.model.gate.set()
    await thread.until_shows("answer 2")

    assert {refusal.error for refusal in slack.server.refusals} == {"stopped_by_user"}


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
