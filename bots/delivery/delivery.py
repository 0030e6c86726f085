"""Delivery: takes messages in, and works each thread off in order while others run beside it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

import structlog

from bots.conversation import Conversation, redaction_notice, redaction_notices
from bots.delivery.arrivals import Arrivals
from bots.delivery.disclosure import Disclosure
from bots.delivery.reading import Reading
from bots.delivery.turn import FIRST_RETRY_S, LONGEST_RETRY_S, Turn
from bots.delivery.waiting import Waiting
from bots.metrics import Outcome, PlatformMetrics
from bots.platform import ChannelsOf, FileReader, IncomingMessage, NoFiles, ReplySink, no_channels
from bots.text import clean_input, clean_text
from memory.clock import SystemTimer
from memory.errors import StoreUnavailableError
from memory.model import InboundMessage, Message, MessageId, SessionId, TenantId, TurnClaim, UserId
from memory.ports import Pace, Timer
from memory.service import AcceptedMessage, MemoryService
from memory.tasks import TaskTracker, see_through

_log = structlog.get_logger(__name__)

QUEUED = "Queued: earlier messages come first."
PACED = "Queued: you have sent many messages in a short time."
NO_RECORD = "I cannot reach my record right now. Your message is kept and will be answered when I can."

_ARRIVALS_FIRST_S = 1.0
"""How long a turn lets messages go first that are being taken in."""
_LOOK_AGAIN_S = 1.0
"""How often a thread is looked at whose turn another process has, which works off our messages too unless it dies."""


@dataclass(slots=True)
class _Thread:
    """A thread with messages that wait here.

    Attributes:
        waiting: By message id, which is their order.
        turn: The one that runs.
        paced: Messages whose place in their author's pace is taken.
        wake: Set when there is something new to look at.
    """

    waiting: dict[MessageId, Waiting] = field(default_factory=dict)
    turn: Turn | None = None
    paced: set[MessageId] = field(default_factory=set)
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Delivery:
    """Runs turns in order within a thread and in parallel across threads, from `async with` on until it is closed.

    Any process may answer any message: it works off the whole thread whose turn it has, whoever accepted its messages.

    Args:
        service: The memory core, whose inbox decides what is new.
        conversation: Who answers.
        late: Makes the place for the answer to a message that was accepted by another process, or by an earlier one.
        pace: How often a person may ask; over it, their turns wait.
        disclosure: What the first answer in a workspace, and in a person's own talk, says of memory; nothing if None.
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
        self._late = late
        self._pace = pace
        self._disclosure = Disclosure(service.discloses, disclosure)
        self._channels_of = channels_of
        self._reading = Reading(service=service, files=files or NoFiles())
        self._metrics = metrics
        self._slots = asyncio.Semaphore(parallel_turns)
        self._grace_s = grace_s
        self._hand_over_s = hand_over_s
        self._timer = timer or SystemTimer()
        self._threads: dict[SessionId, _Thread] = {}
        self._arrivals = Arrivals()
        self._workers = TaskTracker()
        self._notes = TaskTracker()
        self._is_closing = asyncio.Event()

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
        with self._arrivals.another():
            return self._take_in(message.place.session_id, await self._service.accept(inbound), sink)

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

    def stop(self, session_id: SessionId) -> bool:
        """Stop the answer that is being made in a thread; say whether there was one."""
        thread = self._threads.get(session_id)
        return thread is not None and thread.turn is not None and thread.turn.end("stopped")

    async def idle(self) -> None:
        """Wait until nothing waits and nothing runs here."""
        await self._workers.idle()
        await self._notes.idle()

    async def close(self, *, grace_s: float) -> None:
        """Begin no turn any more, and after `grace_s` seconds hand over what runs; what was accepted stays accepted."""
        self._is_closing.set()
        for thread in self._threads.values():
            thread.wake.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._workers.idle()
        for thread in self._threads.values():
            if thread.turn is not None:
                thread.turn.end("handed_over")
        await self._workers.close(grace_s=self._hand_over_s)
        await self._notes.close(grace_s=self._hand_over_s)

    def _take_in(self, session_id: SessionId, taken: AcceptedMessage, sink: ReplySink) -> Waiting | None:
        """Let a new message wait for its turn; of a known one only see to it that somebody answers it."""
        if taken.accepted.duplicate:
            if not taken.accepted.state.is_settled:
                self._look_at(session_id)
            return None
        waiting = Waiting(
            taken.accepted.message_id, sink, (redaction_notice(taken.findings),) if taken.findings else ()
        )
        thread = self._look_at(session_id)
        if thread.turn is not None or thread.waiting:
            self._notes.start(waiting.reply.queued(QUEUED), name="say that a message is queued")
        thread.waiting[waiting.message_id] = waiting
        self._measure_queue()
        return waiting

    def _let_go(self, session_id: SessionId, waiting: Waiting) -> None:
        """Want no answer to a message any more: its turn ends it, so that the next one need not wait for it."""
        waiting.is_let_go = True
        thread = self._threads.get(session_id)
        if thread is not None and thread.turn is not None and thread.turn.is_for(waiting):
            thread.turn.end("stopped")
        else:
            self._notes.start(waiting.reply.abandon(), name="take back a status")

    def _look_at(self, session_id: SessionId) -> _Thread:
        """Have a thread worked off, if that does not happen already."""
        thread = self._threads.get(session_id)
        if thread is None:
            thread = self._threads[session_id] = _Thread()
            self._workers.start(self._work_off(session_id, thread), name=f"work off {session_id}")
        thread.wake.set()
        return thread

    async def _work_off(self, session_id: SessionId, thread: _Thread) -> None:
        """Answer a thread's messages until nothing of it waits here, however long turns or the record take to come."""
        retry_s = FIRST_RETRY_S
        try:
            while not self._is_closing.is_set():
                thread.wake.clear()
                try:
                    if await self._next_turn(session_id, thread):
                        retry_s = FIRST_RETRY_S
                    elif not thread.waiting and not thread.wake.is_set():
                        break
                    else:
                        await self._wait(thread, _LOOK_AGAIN_S)
                except StoreUnavailableError as error:
                    _log.warning("record_unreachable", operation=error.operation, retry_s=retry_s)
                    await self._tell(thread, NO_RECORD)
                    await self._wait(thread, retry_s)
                    retry_s = min(2 * retry_s, LONGEST_RETRY_S)
        finally:
            del self._threads[session_id]
            for waiting in thread.waiting.values():
                await waiting.abandon()

    async def _next_turn(self, session_id: SessionId, thread: _Thread) -> bool:
        """Run the thread's next turn; False when there is none, or another process has it."""
        await self._arrivals.over(within_s=_ARRIVALS_FIRST_S)
        if self._slots.locked():
            await self._tell(thread, QUEUED)
        async with self._slots:
            if self._is_closing.is_set() or not (claim := await self._begin(session_id, thread)):
                return False
            too_early_s = await self._too_early(claim, thread)
            if not too_early_s:
                await self._run(claim, thread)
                return True
            await self._service.hand_over(claim)
        await self._tell(thread, PACED)
        await self._pause(too_early_s)
        return True

    async def _too_early(self, claim: TurnClaim, thread: _Thread) -> float:
        """Return how many seconds a turn has to wait for its author's pace; each takes its place in it once."""
        message_id, author = claim.message.message_id, claim.message.author
        if author is None or message_id in thread.paced:
            return 0.0
        thread.paced.add(message_id)
        return await self._pace.take(author.user_id)

    async def _begin(self, session_id: SessionId, thread: _Thread) -> TurnClaim | None:
        """Claim what comes first in the thread, and let those go that have been answered or forgotten meanwhile."""
        known = sorted(thread.waiting)
        if known and (claim := await self._claim(known[0])):
            return claim
        waiting = await self._service.waiting(session_id)
        for message_id in set(known).difference(waiting):
            await thread.waiting.pop(message_id).abandon()
        if waiting and waiting[0] not in known[:1] and (claim := await self._claim(waiting[0])):
            return claim
        await self._tell(thread, QUEUED)
        return None

    async def _claim(self, message_id: MessageId) -> TurnClaim | None:
        """Claim a message; what is claimed too late to begin with it is handed over at once."""

        async def hand_over(claim: TurnClaim | None) -> None:
            if claim is not None:
                await self._service.hand_over(claim)

        claim = await see_through(self._service.begin(message_id), if_cancelled=hand_over)
        if self._is_closing.is_set():
            await hand_over(claim)
            return None
        return claim

    async def _run(self, claim: TurnClaim, thread: _Thread) -> None:
        message = claim.message
        waiting = thread.waiting.get(message.message_id)
        if waiting is None:
            waiting = Waiting(message.message_id, self._late(message), redaction_notices(message))
            thread.waiting[message.message_id] = waiting
        thread.turn = Turn(
            claim,
            waiting,
            service=self._service,
            conversation=self._conversation,
            disclosure=self._disclosure,
            channels_of=self._channels_of,
            reading=self._reading,
            pause=self._pause,
            timer=self._timer,
        )
        try:
            outcome = await thread.turn.run()
        finally:
            thread.turn = None
        if claim.end is None:
            self._measure(waiting, outcome)
        if waiting.over.is_set():
            thread.waiting.pop(message.message_id, None)
            thread.paced.discard(message.message_id)
            self._measure_queue()

    def _measure(self, waiting: Waiting, outcome: Outcome) -> None:
        if self._metrics is not None:
            self._metrics.turn_ended(outcome, seconds=asyncio.get_running_loop().time() - waiting.since)
            if waiting.reply.first_text_at is not None:
                self._metrics.first_token(seconds=waiting.reply.first_text_at - waiting.since)

    def _measure_queue(self) -> None:
        if self._metrics is not None:
            self._metrics.queued(sum(len(thread.waiting) for thread in self._threads.values()))

    async def _tell(self, thread: _Thread, status: str) -> None:
        for waiting in list(thread.waiting.values()):
            await waiting.reply.queued(status)

    async def _wait(self, thread: _Thread, seconds: float) -> None:
        """Wait until there is something new in a thread, but no longer than so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await thread.wake.wait()

    async def _pause(self, seconds: float) -> bool:
        """Wait so many seconds; False as soon as there is no time for it, since the process ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_closing.wait()
        return not self._is_closing.is_set()
