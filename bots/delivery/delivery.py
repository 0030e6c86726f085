"""Delivery: takes messages in, and works each thread off in order while others run beside it."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Self

import structlog

from bots.conversation import Conversation, redaction_notice
from bots.delivery.arrivals import Arrivals
from bots.delivery.disclosure import Disclosure
from bots.delivery.reading import Reading
from bots.delivery.turn import Turn
from bots.delivery.waiting import Waiting
from bots.delivery.worker import Shared, ThreadWorker
from bots.metrics import PlatformMetrics
from bots.platform import (
    ChannelsOf,
    FileReader,
    IncomingMessage,
    NoFiles,
    ReadersNow,
    ReplySink,
    as_accepted,
    no_channels,
)
from bots.text import clean_input, clean_text
from memory.clock import SystemTimer
from memory.forgetting import Gone
from memory.model import InboundMessage, Message, SessionId, TenantId, TurnClaim, UserId
from memory.ports import Pace, Timer
from memory.service import AcceptedMessage, MemoryService
from memory.tasks import TaskTracker, see_through

_log = structlog.get_logger(__name__)


class Delivery:
    """Runs turns in order within a thread and in parallel across threads, from `async with` on until it is closed.

    Any process may answer any message: it works off the whole thread whose turn it has, whoever accepted its messages.

    Args:
        service: The memory core, whose inbox decides what is new.
        conversation: Who answers.
        late: Makes the place for the answer to a message that was accepted by another process, or by an earlier one.
        pace: How often a person may ask; over it, their turns wait.
        disclosure: What the first answer in a workspace, and in a person's own talk, says of memory; nothing if None.
        outsiders_in: Asked who reads the answer, which may come long after the message.
        channels_of: Asked which channels somebody is in who alone reads the answer.
        files: Reads what came with messages before they are answered; nothing can be read if None.
        metrics: Told of turns and of what waits; nobody is when None.
        parallel_turns: At most this many turns at once; more wait, visibly.
        grace_s: How long turns may go on when it closes, in seconds; then they are handed over.
        hand_over_s: How long that may take, in seconds; the record has timeouts of its own within this.
        timer: How time passes for the leases of turns.
    """

    def __init__(
        self,
        *,
        service: MemoryService,
        conversation: Conversation,
        late: Callable[[Message], ReplySink],
        pace: Pace,
        disclosure: str | None = None,
        outsiders_in: ReadersNow = as_accepted,
        channels_of: ChannelsOf = no_channels,
        files: FileReader | None = None,
        metrics: PlatformMetrics | None = None,
        parallel_turns: int = 32,
        grace_s: float = 20.0,
        hand_over_s: float = 15.0,
        timer: Timer | None = None,
    ) -> None:
        self._service = service
        self._conversation = conversation
        self._disclosure = Disclosure(service.discloses, disclosure)
        self._outsiders_in = outsiders_in
        self._channels_of = channels_of
        self._reading = Reading(service=service, files=files or NoFiles())
        self._metrics = metrics
        self._grace_s = grace_s
        self._hand_over_s = hand_over_s
        self._timer = timer or SystemTimer()
        self._threads: dict[SessionId, ThreadWorker] = {}
        self._arrivals = Arrivals()
        self._workers = TaskTracker()
        self._notes = TaskTracker()
        self._is_closing = asyncio.Event()
        self._shared = Shared(
            service=service,
            late=late,
            pace=pace,
            metrics=metrics,
            arrivals=self._arrivals,
            slots=asyncio.Semaphore(parallel_turns),
            timer=self._timer,
            notes=self._notes,
            is_closing=self._is_closing,
            make_turn=self._turn,
            measure_queue=self._measure_queue,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close(grace_s=self._grace_s if kind is None else 0)

    async def handle(self, message: IncomingMessage, sink: ReplySink) -> bool:
        """Accept a message and see it through; one that is cancelled meanwhile needs no answer any more.

        Returns:
            Whether the message was new; a delivery of a known one is dropped.

        Raises:
            InputError: It is empty or too long; nothing was accepted.
            OutdatedMessageError: It was edited before it came; nothing was accepted.
            StoreUnavailableError: It could not be committed, as far as this process knows.
        """
        session_id = message.place.session_id

        async def let_go(waiting: Waiting | None) -> None:
            if waiting is not None:
                self._let_go(session_id, waiting)

        waiting = await see_through(self._accepted(message, sink), if_cancelled=let_go)
        if waiting is None:
            return False
        try:
            await waiting.over.wait()
        except asyncio.CancelledError:
            self._let_go(session_id, waiting)
            raise
        return True

    async def accept(self, message: IncomingMessage, sink: ReplySink) -> Waiting | None:
        """Accept a message: when this returns it is committed, and is answered in the background.

        What is committed is answered, too, when the caller is cancelled and cannot say to the platform that it is.

        Returns:
            The message as it waits; None for a delivery of a known one.

        Raises:
            InputError: It is empty or too long; nothing was accepted.
            OutdatedMessageError: It was edited before it came; nothing was accepted.
            StoreUnavailableError: It could not be committed, as far as this process knows.
        """
        return await see_through(self._accepted(message, sink))

    async def _accepted(self, message: IncomingMessage, sink: ReplySink) -> Waiting | None:
        inbound = InboundMessage(
            place=message.place,
            platform_message_id=message.platform_message_id,
            author=message.author,
            text=clean_input(message.text, may_be_empty=bool(message.attachments)),
            sent_at=message.sent_at,
            link=message.link,
            edited_at=message.edited_at,
            attachments=tuple(
                replace(each, text=None if each.text is None else clean_text(each.text)) for each in message.attachments
            ),
        )
        with self._arrivals.another(message.place.session_id):
            taken = await self._service.accept(inbound)
            notices = (redaction_notice(taken.findings),) if taken.findings else ()
            waiting = Waiting(taken.accepted.message_id, sink, notices, sent_at=message.sent_at)
            return self._take_in(message.place.session_id, taken, waiting)

    async def recover(self, tenant_id: TenantId) -> int:
        """Begin to answer what an earlier process left, or one that died, and to show what it never showed.

        Returns:
            How many turns that are.

        Raises:
            StoreUnavailableError: The record cannot be reached.
        """
        turns = await self._service.open_threads(tenant_id)
        left = [session_id for session_id in turns if session_id not in self._threads]  # those are being worked off
        for session_id in left:
            self._look_at(session_id)
        return sum(turns[session_id] for session_id in left)

    async def retry(self, session_id: SessionId, platform_message_id: str, asker: UserId) -> bool:
        """Answer a message again whose turn failed, where its end was shown; False when nothing is left to answer.

        Raises:
            StoreUnavailableError: It could not be committed, as far as this process knows.
        """
        if not await self._service.retry(session_id, platform_message_id, asker=asker):
            return False
        self._look_at(session_id)
        return True

    def stop(self, session_id: SessionId, *, message: str = "", posts: Collection[str] = ()) -> bool:
        """Stop the answer that is being made in a thread; say whether there was one.

        Args:
            session_id: The thread.
            message: Only if it answers this one, by the platform's name of it; any when "".
            posts: Only if it is shown in one of these; anywhere when empty.
        """
        thread = self._threads.get(session_id)
        turn = None if thread is None else thread.turn
        return turn is not None and turn.is_named(message=message, posts=posts) and turn.end("stopped")

    def forgotten(self, gone: Gone) -> None:
        """End the answers to messages that are not there any more; nobody is to see more of them."""
        for session_id, thread in self._threads.items():
            if not gone.session_ids or session_id in gone.session_ids:
                thread.forgotten(gone.deleted)

    async def idle(self) -> None:
        """Wait until nothing waits and nothing runs here."""
        await self._workers.idle()
        await self._notes.idle()

    async def close(self, *, grace_s: float) -> None:
        """Begin no turn any more, and after `grace_s` seconds hand over what runs; what was accepted stays accepted."""
        self._is_closing.set()
        for thread in self._threads.values():
            thread.wake()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._workers.idle()
        for thread in self._threads.values():
            if thread.turn is not None:
                thread.turn.end("handed_over")
        await self._workers.close(grace_s=self._hand_over_s)
        await self._notes.close(grace_s=self._hand_over_s)

    def _take_in(self, session_id: SessionId, taken: AcceptedMessage, waiting: Waiting) -> Waiting | None:
        """Let a new message wait for its turn; of a known one only see to it that somebody answers it."""
        if not taken.accepted.duplicate:
            self._look_at(session_id).add(waiting)
            return waiting
        if not taken.accepted.state.is_settled:
            self._look_at(session_id)
        return None

    def _let_go(self, session_id: SessionId, waiting: Waiting) -> None:
        """Want no answer to a message any more: its turn ends it, so that the next one need not wait for it."""
        waiting.is_let_go = True
        thread = self._threads.get(session_id)
        if thread is None or not thread.let_go(waiting):
            self._notes.start(waiting.reply.abandon(), name="take back a status")

    def _look_at(self, session_id: SessionId) -> ThreadWorker:
        """Have a thread worked off, if that does not happen already."""
        thread = self._threads.get(session_id)
        if thread is None:
            thread = self._threads[session_id] = ThreadWorker(session_id, self._shared)
            self._workers.start(self._work_off(session_id, thread), name=f"work off {session_id}")
        thread.wake()
        return thread

    async def _work_off(self, session_id: SessionId, thread: ThreadWorker) -> None:
        await thread.run(over=lambda: self._threads.pop(session_id))

    def _turn(self, claim: TurnClaim, waiting: Waiting) -> Turn:
        return Turn(
            claim,
            waiting,
            service=self._service,
            conversation=self._conversation,
            disclosure=self._disclosure,
            outsiders_in=self._outsiders_in,
            channels_of=self._channels_of,
            reading=self._reading,
            pause=self._pause,
            timer=self._timer,
        )

    def _measure_queue(self) -> None:
        if self._metrics is not None:
            self._metrics.queued(sum(len(thread.waiting) for thread in self._threads.values()))

    async def _pause(self, seconds: float) -> bool:
        """Wait so many seconds; False as soon as there is no time for it, since the process ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_closing.wait()
        return not self._is_closing.is_set()
