"""The native Stop button: ends the answer in a thread, whichever process makes it, and the session if none does."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from bots.delivery import Delivery
from bots.hearing import hearing
from bots.slack import ids
from bots.slack.ids import SlackThread
from bots.slack.status import end_session
from bots.slack.web import SlackWeb
from memory.model import SessionId
from memory.ports import Signals
from memory.tasks import TaskTracker

_STOP = "stop"


class Stops:
    """Stops answers of one workspace.

    Args:
        web: The workspace's Web API.
        delivery: Makes the answers of this process.
        signals: Tells the other processes.
        tasks: Owns what is done behind an acknowledgement.
    """

    def __init__(self, *, web: SlackWeb, delivery: Delivery, signals: Signals, tasks: TaskTracker) -> None:
        self._web = web
        self._delivery = delivery
        self._signals = signals
        self._tasks = tasks

    async def take(self, event: Mapping[str, Any], *, team: str) -> None:
        """Do what an `agent_session_stopped` says; one without a thread, as of a channel that is a session, is none."""
        thread = _thread(event, team)
        if thread is None:
            return
        session_id = ids.session_id(thread)
        self._tasks.start(end_session(self._web, thread), name="end a stopped session")
        if not self._delivery.stop(session_id):
            await self._signals.send(_STOP, session_id)

    def of_others(self) -> AbstractAsyncContextManager[None]:
        """Stop answers here, meanwhile, that were stopped through another process."""
        return hearing(self._signals, _STOP, self._stop_here)

    def _stop_here(self, session_id: str) -> None:
        self._delivery.stop(SessionId(session_id))


def _thread(event: Mapping[str, Any], team: str) -> SlackThread | None:
    channel, ts = event.get("channel"), event.get("thread_ts")
    return SlackThread(team, channel, ts) if isinstance(channel, str) and isinstance(ts, str) else None
