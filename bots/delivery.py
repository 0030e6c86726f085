"""One message, one answer: accept, wait for the thread's turn, answer, and finish what a crash left open."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

import structlog

from bots.conversation import Conversation, redaction_notice
from bots.platform import IncomingMessage, ReplySink
from memory.errors import StoreConflictError, StoreUnavailableError
from memory.model import InboundMessage, Message, MessageId, MessageState, SessionId, TenantId, TurnClaim
from memory.service import MemoryService

_log = structlog.get_logger(__name__)

_SETTLED = (MessageState.ANSWERED, MessageState.FAILED)
_POLL_S = 0.25
"""How often a turn held by another process is looked at again."""

QUEUED = "Queued: earlier messages come first."


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
        self._threads: WeakValueDictionary[SessionId, asyncio.Lock] = WeakValueDictionary()

    async def handle(self, message: IncomingMessage, sink: ReplySink) -> bool:
        """Accept a message and answer it; a delivery of a message that is known already is dropped.

        Returns:
            Whether the message was new.

        Raises:
            StoreUnavailableError: It could not be committed: nothing was accepted.
        """
        taken = await self._service.accept(
            InboundMessage(
                place=message.place,
                platform_message_id=message.platform_message_id,
                author=message.author,
                text=message.text,
                sent_at=message.sent_at,
                link=message.link,
            )
        )
        if taken.accepted.duplicate:
            return False
        notices = (redaction_notice(taken.findings),) if taken.findings else ()
        await self._answer(taken.accepted.message_id, message.place.session_id, sink, notices)
        return True

    async def recover(self, tenant_id: TenantId, sink_for: Callable[[Message], ReplySink]) -> int:
        """Answer what an earlier process accepted and did not answer; return how many messages that were."""
        left = await self._service.unanswered(tenant_id)
        for message in left:
            await self._answer(message.message_id, message.session_id, sink_for(message), ())
        return len(left)

    async def _answer(
        self, message_id: MessageId, session_id: SessionId, sink: ReplySink, notices: tuple[str, ...]
    ) -> None:
        thread = self._threads.setdefault(session_id, asyncio.Lock())
        if thread.locked() or self._slots.locked():
            await sink.status(QUEUED)
        async with thread, self._slots:
            claim = await self._claim(message_id)
            if claim is None:
                return
            try:
                async with self._renewed(claim):
                    await self._conversation.answer(claim, sink, notices=notices)
            except StoreConflictError:
                _log.info("turn_taken_over", message_id=message_id)

    async def _claim(self, message_id: MessageId) -> TurnClaim | None:
        """Wait for this message's turn; None when it was settled or forgotten meanwhile."""
        while True:
            if claim := await self._service.begin(message_id):
                return claim
            state = await self._service.state(message_id)
            if state is None or state in _SETTLED:
                return None
            await asyncio.sleep(_POLL_S)

    @asynccontextmanager
    async def _renewed(self, claim: TurnClaim) -> AsyncIterator[None]:
        """Keep the claim while the turn runs."""
        renewing = asyncio.create_task(self._renew(claim), name=f"renew {claim.message.message_id}")
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.wait([renewing])

    async def _renew(self, claim: TurnClaim) -> None:
        """Renew until cancelled; a lost lease ends it, and the turn's commit will be refused by its fence."""
        while True:
            await asyncio.sleep(self._service.lease_s / 3)
            try:
                await self._service.renew(claim)
            except StoreConflictError:
                return
            except StoreUnavailableError as error:
                _log.warning("lease_not_renewed", message_id=claim.message.message_id, store=error.store)
