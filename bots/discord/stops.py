"""The Stop button: ends the answer to its asker's message, whichever process makes it."""

from contextlib import AbstractAsyncContextManager

from bots.delivery import Delivery
from bots.hearing import hearing
from memory.model import SessionId
from memory.ports import Signals
from memory.tasks import TaskTracker

STOP = "stop discord"
"""The topic of the signals by which processes stop each other's answers."""


class Stops:
    """Stops answers of one bot.

    Args:
        delivery: Makes the answers of this process.
        signals: Tells the other processes.
        tasks: Owns what is done behind an acknowledgement.
    """

    def __init__(self, *, delivery: Delivery, signals: Signals, tasks: TaskTracker) -> None:
        self._delivery = delivery
        self._signals = signals
        self._tasks = tasks

    def stop(self, session_id: SessionId) -> None:
        """Stop the answer that is being made in a thread."""
        if not self._delivery.stop(session_id):
            self._tasks.start(self._signals.send(STOP, session_id), name="stop elsewhere")

    def of_others(self) -> AbstractAsyncContextManager[None]:
        """Stop answers here, meanwhile, that were stopped through another process."""
        return hearing(self._signals, STOP, self._stop_here)

    def _stop_here(self, session_id: str) -> None:
        self._delivery.stop(SessionId(session_id))
