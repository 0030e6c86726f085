"""Short-term memory of one thread: the hot copy when it can be believed, else the record."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import structlog

from memory.breaker import Breaker
from memory.errors import StoreError
from memory.model import Message, SessionId, ThreadHead, ThreadState
from memory.ports import Clock, MessageStore, SessionCache

_log = structlog.get_logger(__name__)

NO_HOT_COPY = "Redis cannot be reached: I go on from the record, a little slower."


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A thread as it stands, and what the person should know about how it was loaded."""

    thread: ThreadState
    notices: tuple[str, ...] = ()


async def current_heads(messages: MessageStore, session_ids: Collection[SessionId]) -> list[ThreadHead]:
    """Return the heads of threads as the record has them now."""
    return [(await messages.load_thread(session_id, limit=0)).head for session_id in session_ids]


class ShortTermMemory:
    """Loads and extends a thread. The record is the truth; the cache is only ever faster.

    Args:
        messages: The record.
        cache: The hot copy.
        clock: For the pause between attempts while the cache is down.
        max_messages: At most this many messages past the summary are loaded.
    """

    def __init__(self, *, messages: MessageStore, cache: SessionCache, clock: Clock, max_messages: int) -> None:
        self._messages = messages
        self._cache = cache
        self._breaker = Breaker(clock)
        self._max_messages = max_messages

    async def load(self, head: ThreadHead) -> Loaded:
        """Return the thread as it stood at `head` or later."""
        if self._breaker.allows:
            try:
                async with self._breaker.guard():
                    copy = await self._cache.load(head.session_id)
            except StoreError as error:
                _log.warning("cache_unreachable", operation=error.operation)
            else:
                if copy is not None and copy.head == head:
                    return Loaded(thread=copy)
        thread = await self._messages.load_thread(head.session_id, limit=self._max_messages)
        await self.refresh(thread)
        return Loaded(thread=thread, notices=(NO_HOT_COPY,) if self._breaker.is_open else ())

    async def append(self, messages: Sequence[Message], *, before: ThreadHead, after: ThreadHead) -> None:
        """Add a settled turn to the hot copy; when that fails the next load rebuilds it."""
        if not self._breaker.allows:
            return
        try:
            async with self._breaker.guard():
                await self._cache.append(messages, before=before, after=after)
        except StoreError as error:
            _log.warning("cache_unreachable", operation=error.operation)

    async def refresh(self, thread: ThreadState) -> None:
        """Write the hot copy anew."""
        if not self._breaker.allows:
            return
        try:
            async with self._breaker.guard():
                await self._cache.replace(thread)
        except StoreError as error:
            _log.warning("cache_unreachable", operation=error.operation)

    async def evict(self, session_ids: Sequence[SessionId]) -> None:
        """Drop hot copies now if the cache answers; the outbox drops them for certain."""
        if not self._breaker.allows:
            return
        try:
            heads = await current_heads(self._messages, session_ids)
            async with self._breaker.guard():
                await self._cache.evict(heads)
        except StoreError as error:
            _log.warning("cache_unreachable", operation=error.operation)
