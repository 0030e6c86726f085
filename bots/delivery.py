"""One message, one answer: accept, wait for the thread's turn, answer, and finish what a crash left open.

The record decides whose turn it is; nothing here is remembered but the turns that run.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import structlog

from bots.conversation import STOPPED, Conversation, redaction_notice
from bots.platform import IncomingMessage, Reply, ReplySink
from bots.text import clean_input
from memory.errors import RecallError, StoreConflictError, StoreError, StoreUnavailableError
from memory.model import InboundMessage, Message, MessageId, MessageState, SessionId, TenantId, TurnClaim
from memory.service import AcceptedMessage, MemoryService

_log = structlog.get_logger(__name__)

_SETTLED = (MessageState.ANSWERED, MessageState.FAILED)
_POLL_S = 0.25
"""How often a turn is looked at again that another process holds."""
_FIRST_RETRY_S = 0.5
_LONGEST_RETRY_S = 15.0

QUEUED = "Queued: earlier messages come first."
NO_RECORD = "I cannot reach my record right now. Your message is kept and will be answered when I can."


@dataclass(slots=True)
class _Turn:
    """A turn that runs here.

    Attributes:
        ended: Why its answer was cancelled from within; None for a shutdown.
    """

    claim: TurnClaim
    answering: asyncio.Task[None]
    ended: Literal["stopped", "lost"] | None = None

    def end(self, why: Literal["stopped", "lost"]) -> None:
        """Cancel the answer."""
        self.ended = self.ended or why
        self.answering.cancel()


class Delivery:
    """Runs turns in order within a thread and in parallel across threads.

    Args:
        service: The memory core, whose inbox decides what is new.
        conversation: Who answers.
        parallel_turns: At most this many turns at once; more wait, visibly.
    """

    def __init__(self, *, service: MemoryService, conversation: Conversation, parallel_turns: int = 32) -> None:
        self._service = service
        self._conversation = conversation
        self._slots = asyncio.Semaphore(parallel_turns)
        self._turns: dict[SessionId, _Turn] = {}
        self._turn_over = asyncio.Condition()
        self._given_up: dict[SessionId, list[MessageId]] = {}

    async def handle(self, message: IncomingMessage, sink: ReplySink) -> bool:
        """Accept a message and answer it; a delivery of a message that is known already is dropped.

        Returns:
            Whether the message was new.

        Raises:
            InputError: It is empty or too long; nothing was accepted.
            StoreUnavailableError: It could not be committed: nothing was accepted.
        """
        taken = await self._accept(
            InboundMessage(
                place=message.place,
                platform_message_id=message.platform_message_id,
                author=message.author,
                text=clean_input(message.text),
                sent_at=message.sent_at,
                link=message.link,
            )
        )
        if taken.accepted.duplicate:
            return False
        notices = (redaction_notice(taken.findings),) if taken.findings else ()
        await self._see_through(taken.accepted.message_id, message.place.session_id, sink, notices)
        return True

    async def recover(self, tenant_id: TenantId, sink_for: Callable[[Message], ReplySink]) -> int:
        """Answer what an earlier process accepted and did not answer; return how many messages that were."""
        left = await self._service.unanswered(tenant_id)
        async with asyncio.TaskGroup() as group:
            for message in left:
                answering = self._see_through(message.message_id, message.session_id, sink_for(message), ())
                group.create_task(_logged(answering, message.message_id))
        return len(left)

    def stop(self, session_id: SessionId) -> bool:
        """Stop the answer that is being made in a thread; say whether there was one."""
        turn = self._turns.get(session_id)
        if turn is not None:
            turn.end("stopped")
        return turn is not None

    async def _accept(self, message: InboundMessage) -> AcceptedMessage:
        """Commit a message; one that is let go of in that very moment is not left to hold up its thread."""
        accepting = asyncio.create_task(self._service.accept(message))
        try:
            return await asyncio.shield(accepting)
        except asyncio.CancelledError:
            await asyncio.wait([accepting])
            if not accepting.exception() and not (accepted := accepting.result().accepted).duplicate:
                self._given_up.setdefault(message.place.session_id, []).append(accepted.message_id)
            raise

    async def _see_through(
        self, message_id: MessageId, session_id: SessionId, sink: ReplySink, notices: tuple[str, ...]
    ) -> None:
        """Answer an accepted message, however long its turn or the record take to come; the sink is always ended."""
        retry_s = _FIRST_RETRY_S
        while True:
            try:
                await self._end_given_up(session_id)
                if await self._answer_or_wait(message_id, session_id, sink, notices):
                    return
            except asyncio.CancelledError:
                self._given_up.setdefault(session_id, []).append(message_id)
                raise
            except StoreUnavailableError as error:
                _log.warning("record_unreachable", message_id=message_id, operation=error.operation, retry_s=retry_s)
                await sink.status(NO_RECORD)
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, _LONGEST_RETRY_S)

    async def _answer_or_wait(
        self, message_id: MessageId, session_id: SessionId, sink: ReplySink, notices: tuple[str, ...]
    ) -> bool:
        """Answer if it is this message's turn, else wait until it may be; True when nothing is left to do."""
        if self._slots.locked():
            await sink.status(QUEUED)
        async with self._slots:
            if claim := await self._service.begin(message_id):
                await self._run(claim, sink, notices)
                return True
        state = await self._service.state(message_id)
        if state is None or state in _SETTLED:
            await sink.abandon()
            return True
        await sink.status(QUEUED)
        await self._wait_for_turn(session_id)
        return False

    async def _end_given_up(self, session_id: SessionId) -> None:
        """End messages of the thread that this process let go of: the next one must not wait for them."""
        for message_id in self._given_up.pop(session_id, []):
            if claim := await self._service.begin(message_id):
                await self._service.fail(claim)

    async def _wait_for_turn(self, session_id: SessionId) -> None:
        """Wait until a turn ends here or, for turns of other processes, a short while."""
        try:
            async with asyncio.timeout(None if session_id in self._turns else _POLL_S), self._turn_over:
                await self._turn_over.wait()
        except TimeoutError:
            return

    async def _run(self, claim: TurnClaim, sink: ReplySink, notices: tuple[str, ...]) -> None:
        answering = asyncio.create_task(self._conversation.answer(claim, sink, notices=notices))
        turn = self._turns[claim.head.session_id] = _Turn(claim, answering)
        try:
            async with self._renewed(turn):
                await answering
        except asyncio.CancelledError:
            await asyncio.shield(self._wind_down(turn, sink))
            if turn.ended is None:
                raise
        except StoreConflictError:
            await self._taken_over(turn, sink)
        finally:
            del self._turns[claim.head.session_id]
            async with self._turn_over:
                self._turn_over.notify_all()

    async def _wind_down(self, turn: _Turn, sink: ReplySink) -> None:
        """End a cancelled turn: for good if its author stopped it, else so that another process can answer."""
        await asyncio.wait([turn.answering])
        try:
            if turn.ended == "stopped":
                await self._service.fail(turn.claim)
                await sink.finish(Reply(text=STOPPED, failed=True))
            elif turn.ended == "lost":
                await self._taken_over(turn, sink)
            else:
                await self._service.hand_over(turn.claim)
                await sink.abandon()
        except StoreError as error:
            _log.warning("turn_left_open", message_id=turn.claim.message.message_id, reason=str(error))
            await sink.abandon()

    async def _taken_over(self, turn: _Turn, sink: ReplySink) -> None:
        _log.info("turn_taken_over", message_id=turn.claim.message.message_id)
        await sink.abandon()

    @asynccontextmanager
    async def _renewed(self, turn: _Turn) -> AsyncIterator[None]:
        """Keep the claim while the turn runs."""
        renewing = asyncio.create_task(self._renew(turn), name=f"renew {turn.claim.message.message_id}")
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.wait([renewing])

    async def _renew(self, turn: _Turn) -> None:
        """Renew until cancelled; a lost lease ends the turn."""
        while True:
            await asyncio.sleep(self._service.lease_s / 3)
            try:
                await self._service.renew(turn.claim)
            except StoreConflictError:
                turn.end("lost")
                return
            except StoreUnavailableError as error:
                _log.warning("lease_not_renewed", message_id=turn.claim.message.message_id, store=error.store)


async def _logged(work: Coroutine[None, None, None], message_id: MessageId) -> None:
    """Let the failure to answer one message not touch the others."""
    try:
        await work
    except RecallError as error:
        _log.warning("message_not_recovered", message_id=message_id, reason=str(error))
