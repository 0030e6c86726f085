"""A message that waits here for its turn, and the one place where its reply is shown."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog

from bots.platform import NotePost, Reply, ReplySink
from memory.model import MessageId

_log = structlog.get_logger(__name__)


class OneReply(ReplySink):
    """A sink that ends exactly once, speaks from one task at a time, and harms nobody when the platform fails.

    `append` alone passes a failure on: an answer that cannot be shown need not be made.

    Attributes:
        first_text_at: When the first words came, by the event loop's clock; None until then.
    """

    def __init__(self, sink: ReplySink) -> None:
        self._sink = sink
        self._speaking = asyncio.Lock()
        self._is_turn = False
        self._is_ended = False
        self._queued_as: str | None = None
        self.first_text_at: float | None = None

    def is_news(self, text: str) -> bool:
        """Whether `queued` has something to show that it did not show last."""
        return text != self._queued_as and not (self._is_turn or self._is_ended)

    async def queued(self, text: str) -> None:
        """Show why nothing happens yet; too late once the turn has begun."""
        self._queued_as = text
        async with self._speaking:
            if not (self._is_turn or self._is_ended):
                await self._show_status(text)

    def begin(self, post: str | None, note_post: NotePost) -> None:
        self._sink.begin(post, note_post)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Let only the turn speak meanwhile."""
        self._is_turn = True
        try:
            yield
        finally:
            self._is_turn = False
            self._queued_as = None

    async def status(self, text: str) -> None:
        async with self._speaking:
            if not self._is_ended:
                await self._show_status(text)

    async def working(self) -> None:
        async with self._speaking:
            if not self._is_ended:
                with _logged("status_not_shown"):
                    await self._sink.working()

    async def append(self, delta: str) -> None:
        async with self._speaking:
            if self.first_text_at is None:
                self.first_text_at = asyncio.get_running_loop().time()
            await self._sink.append(delta)

    async def finish(self, reply: Reply) -> None:
        await self.shown(reply)

    async def shown(self, reply: Reply) -> bool:
        """Show the whole reply; False when the platform failed. Nobody wants to see one that was abandoned."""
        async with self._speaking:
            if self._is_ended:
                return True
            self._is_ended = True
            try:
                await self._sink.finish(reply)
            except Exception:  # noqa: BLE001  # the platform's boundary: the answer is committed, the thread goes on
                _log.exception("reply_not_shown")
                return False
            return True

    async def abandon(self) -> None:
        await self._take_back(self._sink.abandon)

    async def retract(self) -> None:
        await self._take_back(self._sink.retract)

    async def _take_back(self, take_back: Callable[[], Awaitable[None]]) -> None:
        async with self._speaking:
            if self._is_ended:
                return
            self._is_ended = True
            with _logged("not_taken_back"):
                await take_back()

    async def _show_status(self, text: str) -> None:
        with _logged("status_not_shown"):
            await self._sink.status(text)


class Waiting:
    """A message that was accepted here.

    Attributes:
        reply: Where its answer is shown.
        since: When it was taken in here, by the event loop's clock.
        order: What puts the messages of a thread in their order.
        is_let_go: Nobody wants the answer any more; its turn ends it without one.
        over: Set when it needs nothing more from this process.
    """

    def __init__(
        self, message_id: MessageId, sink: ReplySink, notices: tuple[str, ...] = (), *, sent_at: datetime
    ) -> None:
        self.message_id = message_id
        self.order = (sent_at, message_id)
        self.reply = OneReply(sink)
        self.notices = notices
        self.since = asyncio.get_running_loop().time()
        self.is_let_go = False
        self.over = asyncio.Event()

    async def abandon(self) -> None:
        """Take back what was shown: it is answered elsewhere, later, or not at all."""
        await self.reply.abandon()
        self.over.set()


@contextmanager
def _logged(event: str) -> Iterator[None]:
    """Let a thread go on without what the platform could not do."""
    try:
        yield
    except Exception:  # noqa: BLE001  # the platform's boundary: an answer does not depend on its status line
        _log.exception(event)
