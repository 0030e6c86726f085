"""The native Stop button: ends the answer that is shown above it, and the session whoever was at work in it."""

from collections.abc import Mapping
from typing import Any

from bots.delivery import Stops
from bots.slack import ids
from bots.slack.ids import SlackThread
from bots.slack.status import end_session
from bots.slack.web import SlackWeb
from memory.tasks import TaskTracker


class StopButton:
    """Takes presses in one workspace.

    Args:
        web: The workspace's Web API.
        stops: Stops answers.
        tasks: Owns what is done behind an acknowledgement.
    """

    def __init__(self, *, web: SlackWeb, stops: Stops, tasks: TaskTracker) -> None:
        self._web = web
        self._stops = stops
        self._tasks = tasks

    def take(self, event: Mapping[str, Any], *, team: str) -> None:
        """Do what an `agent_session_stopped` says; one without a thread, as of a channel that is a session, is none.

        It names the posts that grew when it was pressed: another answer, which has begun since, goes on.
        """
        thread = _thread(event, team)
        if thread is None:
            return
        self._tasks.start(end_session(self._web, thread), name="end a stopped session")
        self._stops.stop(ids.session_id(thread), posts=_posts(event))


def _thread(event: Mapping[str, Any], team: str) -> SlackThread | None:
    channel, ts = event.get("channel"), event.get("thread_ts")
    return SlackThread(team, channel, ts) if isinstance(channel, str) and isinstance(ts, str) else None


def _posts(event: Mapping[str, Any]) -> list[str]:
    """Return the streams that were stopped; none while an answer is not shown yet, or grows by edits."""
    named = event.get("streaming_message_ts")
    return [ts for ts in named if isinstance(ts, str)] if isinstance(named, list) else []
