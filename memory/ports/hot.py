"""What is fast and may be lost: recent turns, a person's pace, words between processes."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from memory.model import (
    CachedThread,
    Message,
    SessionId,
    ThreadHead,
    ThreadState,
    UserId,
)


class SessionCache(Protocol):
    """A thread's short-term memory, hot. Losing all of it at any moment loses nothing. Every key has a time to live."""

    async def load(self, session_id: SessionId) -> CachedThread | None:
        """Return the copy, in one round trip, and refresh its time to live; None when there is none."""
        ...

    async def append(self, messages: Sequence[Message], *, before: ThreadHead, after: ThreadHead) -> bool:
        """Add messages to the copy, atomically, if its head equals `before`; its head becomes `after`.

        Returns:
            False, with the copy removed, when its head was another one: the next load rebuilds it.
        """
        ...

    async def replace(self, thread: ThreadState) -> bool:
        """Write a copy if it is newer (by forget epoch, then version) than the one there; say whether it was."""
        ...

    async def evict(self, heads: Collection[ThreadHead]) -> None:
        """Remove copies up to these heads, and keep older ones (by forget epoch, then version) from being written.

        Whoever read the record before a forget or an edit may want to write what it read only after. A newer copy
        stays; unknown threads are fine.
        """
        ...

    async def ping(self) -> None:
        """Answer, or raise."""
        ...


class Pace(Protocol):
    """How often a person may ask, over all processes. It delays; it refuses nobody."""

    async def take(self, user_id: UserId) -> float:
        """Reserve a person's next turn, and return the seconds that it has to wait; 0.0 is now.

        So many turns a minute have no wait, and as many at once after a rest. Past that each waits its part of a
        minute longer than the one before it (GCRA). What is reserved counts, whether the turn is run or not.
        """
        ...


class Signals(Protocol):
    """Short words between processes, for who listens at that moment: stop, wake up.

    A word may be lost, so nothing may depend on it alone; it is never heard twice by one listener.
    """

    async def send(self, topic: str, payload: str) -> None:
        """Tell all who listen to a topic, here and elsewhere; words of one sender arrive in their order.

        While other processes cannot be reached it is logged, and listeners of this one are told all the same.
        """
        ...

    def listen(self, topic: str) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Hear what is sent once it is entered, and maybe shortly before; the oldest words go when nobody takes them.

        While other processes cannot be reached it can be entered too, and hears them once they can be.
        """
        ...
