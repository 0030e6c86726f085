"""Stopping: an answer that nobody wants any more, or whose message is forgotten, ends, whichever process makes it."""

import json
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from bots.delivery.delivery import Delivery
from bots.hearing import hearing
from memory.forgetting import FORGOTTEN, Gone
from memory.model import SessionId
from memory.ports import Signals
from memory.tasks import TaskTracker

STOP = "stop"
"""The topic of the words by which processes stop each other's answers."""


class Stops:
    """Stops answers of one platform.

    Args:
        delivery: Makes the answers of this process.
        signals: Tells the other processes.
        tasks: Owns what is done behind an acknowledgement.
    """

    def __init__(self, *, delivery: Delivery, signals: Signals, tasks: TaskTracker) -> None:
        self._delivery = delivery
        self._signals = signals
        self._tasks = tasks

    def stop(self, session_id: SessionId, *, message: str = "", posts: Collection[str] = ()) -> None:
        """Stop an answer, as `Delivery.stop` does, here or where it is made."""
        if not self._delivery.stop(session_id, message=message, posts=posts):
            word = stop_word(session_id, message=message, posts=posts)
            self._tasks.start(self._signals.send(STOP, word), name="stop elsewhere")

    @asynccontextmanager
    async def heard(self) -> AsyncIterator[None]:
        """End answers here, meanwhile, that were stopped through another process, or whose messages anybody forgets."""
        stopped, forgotten = hearing(self._signals, STOP, self._stop), hearing(self._signals, FORGOTTEN, self._forget)
        async with stopped, forgotten:
            yield

    def _stop(self, word: str) -> None:
        session_id, message, posts = json.loads(word)
        self._delivery.stop(SessionId(session_id), message=message, posts=posts)

    def _forget(self, word: str) -> None:
        self._delivery.forgotten(Gone.of_word(word))


def stop_word(session_id: SessionId, *, message: str = "", posts: Collection[str] = ()) -> str:
    """Return what one process says to the others to have an answer stopped."""
    return json.dumps([session_id, message, list(posts)])
