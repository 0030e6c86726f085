"""One turn: an answer is made, committed and shown, in this order, and whatever ends it early leaves nothing open."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Literal

import structlog

from bots.conversation import STOPPED, Conversation, broken
from bots.delivery.disclosure import Disclosure
from bots.delivery.waiting import Waiting
from bots.metrics import Outcome
from bots.platform import ChannelsOf, Reply
from memory.errors import StoreConflictError, StoreUnavailableError
from memory.leases import renewed
from memory.model import SessionId, TurnClaim
from memory.service import MemoryService

_log = structlog.get_logger(__name__)

End = Literal["stopped", "lost", "handed_over"]
Pause = Callable[[float], Awaitable[bool]]
"""Waits so many seconds before another try; False when there is no time for one, since the process ends."""

FIRST_RETRY_S = 0.5
LONGEST_RETRY_S = 15.0


class Turn:
    """A claimed message on its way to its answer.

    Args:
        claim: Whose turn it is.
        waiting: Where the answer is shown.
        service: The memory core.
        conversation: Who answers.
        disclosure: Knows what a first answer tells besides.
        channels_of: Knows which channels the asker is in.
        pause: Waits between attempts to commit.
    """

    def __init__(
        self,
        claim: TurnClaim,
        waiting: Waiting,
        *,
        service: MemoryService,
        conversation: Conversation,
        disclosure: Disclosure,
        channels_of: ChannelsOf,
        pause: Pause,
    ) -> None:
        self._claim = claim
        self._waiting = waiting
        self._service = service
        self._conversation = conversation
        self._disclosure = disclosure
        self._channels_of = channels_of
        self._pause = pause
        self._answering: asyncio.Task[Reply] | None = None
        self._ended: End | None = None

    @property
    def session_id(self) -> SessionId:
        """The thread."""
        return self._claim.head.session_id

    def is_for(self, waiting: Waiting) -> bool:
        """Whether it answers this message."""
        return waiting is self._waiting

    def end(self, why: End) -> bool:
        """End the answer while it is being made; False when it is past that."""
        if self._answering is None or self._answering.done():
            return False
        self._ended = self._ended or why
        self._answering.cancel()
        return True

    async def run(self) -> Outcome:
        """Answer, commit and show; return how it ended.

        Raises:
            StoreUnavailableError: The record cannot be reached and nothing was shown: try again later.
        """
        name = f"turn {self.session_id}"
        self._waiting.reply.begin(self._claim.message.post, partial(self._service.note_post, self._claim))
        with self._waiting.reply.turn():
            async with renewed(self._renew, name=name, lease_s=self._service.lease_s, on_lost=self._lose):
                reply = await self._answer()
                committed = await self._committed(reply) if reply is not None else None
            if committed is None:
                await self._waiting.abandon()
                return "handed_over" if self._ended == "handed_over" else "lost"
            await self._show(replace(committed, notices=await self._beside(committed)))
        self._waiting.over.set()
        if self._ended == "stopped" or self._waiting.is_let_go:
            return "stopped"
        return "failed" if committed.failed else "answered"

    async def _answer(self) -> Reply | None:
        """Return the answer; None when there is none to show, since another process or the next start makes it."""
        if self._waiting.is_let_go:
            return Reply(text=STOPPED, failed=True)
        self._answering = asyncio.create_task(self._make())
        telling = asyncio.create_task(self._waiting.reply.working())
        try:
            await asyncio.wait([self._answering, telling])
        finally:
            for task in (self._answering, telling):
                task.cancel()  # changes nothing once it is done
        if not self._answering.cancelled():
            with self._taken_over():
                return self._answering.result()
        if self._ended == "stopped":
            return Reply(text=STOPPED, failed=True)
        if self._ended == "handed_over":
            with suppress(StoreUnavailableError):  # else the lease runs out by itself
                await self._service.hand_over(self._claim)
        return None

    async def _make(self) -> Reply:
        author, place = self._claim.message.author, self._claim.place
        member_of = await self._channels_of(author.user_id) if author is not None and not place.shared else ()
        return await self._conversation.answer(self._claim, self._waiting.reply, member_of=member_of)

    async def _committed(self, reply: Reply) -> Reply | None:
        """Commit the end of the turn, however long the record takes: what was shown must not be made twice.

        Returns:
            What the turn ended with; None when it is not this process's to end.
        """
        retry_s = FIRST_RETRY_S
        while True:
            try:
                await self._commit(reply)
            except StoreConflictError:
                _log.info("turn_taken_over", message_id=self._waiting.message_id)
                return None
            except StoreUnavailableError as error:
                _log.warning("turn_not_settled_yet", message_id=self._waiting.message_id, operation=error.operation)
                if not await self._pause(retry_s):
                    return None
                retry_s = min(2 * retry_s, LONGEST_RETRY_S)
            except Exception:  # the message handler's boundary: an answer that cannot be kept must not block its thread
                if reply.failed:
                    raise
                reply = broken(self._claim, secrets.token_hex(4))
            else:
                return reply

    async def _beside(self, reply: Reply) -> tuple[str, ...]:
        """Return all that is told beside a reply."""
        told: tuple[str, ...] = ()
        if not self._waiting.is_let_go:  # else nobody would read it
            told = await self._disclosure.for_answer(self._claim.message, self._claim.place)
        return told + self._waiting.notices + reply.notices

    async def _show(self, reply: Reply) -> None:
        """Show a committed reply; one whose showing is not noted is shown once more later."""
        if not await self._waiting.reply.shown(reply):
            return
        try:
            await self._service.mark_shown(self._claim.message.message_id)
        except StoreUnavailableError as error:
            _log.warning("shown_not_noted", message_id=self._waiting.message_id, operation=error.operation)

    @contextmanager
    def _taken_over(self) -> Iterator[None]:
        """Leave the turn to whoever holds it now."""
        try:
            yield
        except StoreConflictError:
            _log.info("turn_taken_over", message_id=self._waiting.message_id)

    async def _commit(self, reply: Reply) -> None:
        if reply.failed:
            await self._service.fail(self._claim)
        else:
            await self._service.settle(self._claim, reply.text, reply.used, tokens=reply.tokens)

    async def _renew(self) -> bool:
        try:
            await self._service.renew(self._claim)
        except StoreConflictError:
            return False
        return True

    def _lose(self) -> None:
        if self.end("lost"):
            _log.info("turn_taken_over", message_id=self._waiting.message_id)
