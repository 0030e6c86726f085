"""Working one thread off: whose turn it is, its place among the others and in its author's pace, and what is told.

Nothing here waits for the platform: what is told while a message waits is shown beside all that.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from bots.conversation import redaction_notices
from bots.delivery.arrivals import Arrivals
from bots.delivery.turn import FIRST_RETRY_S, LONGEST_RETRY_S, Turn
from bots.delivery.waiting import Waiting
from bots.metrics import Outcome, PlatformMetrics
from bots.platform import ReplySink
from memory.errors import StoreConflictError, StoreUnavailableError
from memory.leases import renewed
from memory.model import Message, MessageId, SessionId, TurnClaim
from memory.ports import Pace, Timer
from memory.service import MemoryService
from memory.tasks import TaskTracker, see_through

_log = structlog.get_logger(__name__)

QUEUED = "Queued: earlier messages come first."
PACED = "Queued: you have sent many messages in a short time."
NO_RECORD = "I cannot reach my record right now. Your message is kept and will be answered when I can."

_ARRIVALS_FIRST_S = 1.0
"""How long a turn lets messages go first that are being taken in."""
_LOOK_AGAIN_S = 1.0
"""How often a thread is looked at whose turn another process has, which works off our messages too unless it dies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all threads that are worked off here have in common.

    Attributes:
        service: The memory core.
        late: Makes the place for the answer to a message that was accepted elsewhere.
        pace: How often a person may ask.
        metrics: Told of turns.
        arrivals: Messages that are being taken in.
        slots: One for each turn that may run at once.
        timer: How time passes for leases.
        notes: What is told beside the turns.
        is_closing: Set when no turn is to begin any more.
        make_turn: Makes the turn of a claimed message.
        measure_queue: To be called when more or fewer messages wait.
    """

    service: MemoryService
    late: Callable[[Message], ReplySink]
    pace: Pace
    metrics: PlatformMetrics | None
    arrivals: Arrivals
    slots: asyncio.Semaphore
    timer: Timer
    notes: TaskTracker
    is_closing: asyncio.Event
    make_turn: Callable[[TurnClaim, Waiting], Turn]
    measure_queue: Callable[[], None]


class ThreadWorker:
    """Answers a thread's messages until nothing of it waits here.

    Attributes:
        waiting: The messages that do.
        turn: The one that is being answered.
    """

    def __init__(self, session_id: SessionId, shared: Shared) -> None:
        self.waiting: dict[MessageId, Waiting] = {}
        self.turn: Turn | None = None
        self._session_id = session_id
        self._shared = shared
        self._service = shared.service
        self._paced: set[MessageId] = set()
        self._is_outdated = False
        self._is_woken = asyncio.Event()

    def wake(self) -> None:
        """Look at the thread: there is something new."""
        self._is_woken.set()

    def add(self, waiting: Waiting) -> None:
        """Let a message wait for its turn."""
        self.waiting[waiting.message_id] = waiting
        if self.turn is not None:  # else the look at the thread that comes tells what it finds
            self._tell(QUEUED)
        self._shared.measure_queue()

    def let_go(self, waiting: Waiting) -> bool:
        """End a message's turn if it runs; say whether it does. One that does not is ended when it comes."""
        self.wake()
        if self.turn is None or not self.turn.is_for(waiting):
            return False
        self.turn.end("stopped")
        return True

    def forgotten(self, deleted: str) -> None:
        """End the answer to a message that is not there any more, as `Turn.forgotten` does."""
        self._is_outdated = True
        if self.turn is not None:
            self._shared.notes.start(self.turn.forgotten(deleted), name="look whether a message is there")

    async def run(self, *, over: Callable[[], object]) -> None:
        """Work the thread off, however long turns or the record take to come; call `over` as soon as that ends."""
        retry_s = FIRST_RETRY_S
        try:
            while not self._shared.is_closing.is_set():
                self._is_woken.clear()
                try:
                    if await self._next_turn():
                        retry_s = FIRST_RETRY_S
                    elif not self.waiting and not self._is_woken.is_set():
                        break
                    else:
                        await self._wait(_LOOK_AGAIN_S)
                except StoreUnavailableError as error:
                    _log.warning("record_unreachable", operation=error.operation, retry_s=retry_s)
                    self._tell(NO_RECORD)
                    await self._wait(retry_s)
                    retry_s = min(2 * retry_s, LONGEST_RETRY_S)
        finally:
            over()
            for waiting in self.waiting.values():
                self._abandon(waiting)

    async def _next_turn(self) -> bool:
        """Run the thread's next turn; False when there is none, or another process has it."""
        await self._shared.arrivals.over(within_s=_ARRIVALS_FIRST_S)
        if self._shared.slots.locked():
            self._tell(QUEUED)
        async with self._shared.slots:
            if self._shared.is_closing.is_set():
                return False
            self._is_outdated = False
            claim = await self._begin()
            if claim is None:
                if not self._is_woken.is_set():  # else what came meanwhile may be first
                    self._tell(QUEUED)
                return False
            too_early_s = await self._too_early(claim)
            if self._is_outdated:  # something was forgotten since it was claimed: it is claimed anew, as it stands now
                await self._hand_over(claim)
                return True
            if not too_early_s:
                await self._answer(claim)
                return True
        self._tell(PACED if claim.message.message_id in self.waiting else QUEUED)
        await self._hold(claim, too_early_s)
        return True

    async def _begin(self) -> TurnClaim | None:
        """Claim what comes first in the thread, and let those go that have been answered or forgotten meanwhile."""
        first = min(self.waiting.values(), key=lambda each: each.order, default=None)
        if first is not None and (claim := await self._claim(first.message_id)):
            return claim
        known = set(self.waiting)  # what is added while the record is asked, it may not have known yet
        waiting = await self._service.waiting(self._session_id)
        for message_id in known.difference(waiting):
            self._abandon(self.waiting.pop(message_id))
        if not waiting or (first is not None and waiting[0] == first.message_id):
            return None
        if waiting[0] not in self.waiting and self._shared.arrivals.are_in(self._session_id):
            return None  # it may be the one that is being taken in, and gets the place for its answer with that
        return await self._claim(waiting[0])

    async def _claim(self, message_id: MessageId) -> TurnClaim | None:
        """Claim a message; what is claimed too late to begin with it is handed over at once."""

        async def hand_over(claim: TurnClaim | None) -> None:
            if claim is not None:
                await self._service.hand_over(claim)

        claim = await see_through(self._service.begin(message_id), if_cancelled=hand_over)
        if self._shared.is_closing.is_set():
            await hand_over(claim)
            return None
        return claim

    async def _too_early(self, claim: TurnClaim) -> float:
        """Return how many seconds a turn has to wait for its author's pace; each takes its place in it once."""
        message_id, author = claim.message.message_id, claim.message.author
        if author is None or claim.end is not None or message_id in self._paced:
            return 0.0
        self._paced.add(message_id)
        return await self._shared.pace.take(author.user_id)

    async def _hold(self, claim: TurnClaim, seconds: float) -> None:
        """Keep a claim until its author's pace allows the turn, which is then claimed anew, as it stands by then.

        Nobody else can claim it meanwhile, who would have it take another place in the pace.
        """
        is_lost = asyncio.Event()

        def lose() -> None:
            is_lost.set()
            self.wake()

        name, lease_s = f"turn {self._session_id}", self._service.lease_s
        until = asyncio.get_running_loop().time() + seconds
        try:
            async with renewed(
                lambda: self._renew(claim), name=name, lease_s=lease_s, on_lost=lose, timer=self._shared.timer
            ):
                while (left_s := until - asyncio.get_running_loop().time()) > 0:
                    self._is_woken.clear()
                    if is_lost.is_set() or self._shared.is_closing.is_set() or self._is_let_go(claim):
                        break
                    await self._wait(left_s)
        except asyncio.CancelledError:
            await self._hand_over(claim)
            raise
        if self._shared.is_closing.is_set():
            await self._hand_over(claim)

    def _is_let_go(self, claim: TurnClaim) -> bool:
        waiting = self.waiting.get(claim.message.message_id)
        return waiting is not None and waiting.is_let_go

    async def _renew(self, claim: TurnClaim) -> bool:
        try:
            await self._service.renew(claim)
        except StoreConflictError:
            return False
        return True

    async def _hand_over(self, claim: TurnClaim) -> None:
        with suppress(StoreUnavailableError):  # else the lease runs out by itself
            await self._service.hand_over(claim)

    async def _answer(self, claim: TurnClaim) -> None:
        message = claim.message
        waiting = self.waiting.get(message.message_id)
        if waiting is None:
            place, notices = self._shared.late(message), redaction_notices(message)
            waiting = Waiting(message.message_id, place, notices, sent_at=message.sent_at)
            self.waiting[message.message_id] = waiting
        self.turn = self._shared.make_turn(claim, waiting)
        self._tell(QUEUED)
        try:
            outcome = await self.turn.run()
        finally:
            self.turn = None
        if claim.end is None:
            self._measure(waiting, outcome)
        if waiting.over.is_set():
            self.waiting.pop(message.message_id, None)
            self._paced.discard(message.message_id)
            self._shared.measure_queue()

    def _measure(self, waiting: Waiting, outcome: Outcome) -> None:
        metrics = self._shared.metrics
        if metrics is not None:
            metrics.turn_ended(outcome, seconds=asyncio.get_running_loop().time() - waiting.since)
            if waiting.reply.first_text_at is not None:
                metrics.first_token(seconds=waiting.reply.first_text_at - waiting.since)

    def _tell(self, status: str) -> None:
        """Say what the thread's next message waits for; those behind it wait for it, and their answers come below."""
        turn = self.turn
        queue = [each for each in self.waiting.values() if turn is None or not turn.is_for(each)]
        first = min(queue, key=lambda each: each.order, default=None)
        if first is not None and first.reply.is_news(status):
            self._shared.notes.start(first.reply.queued(status), name="say what a message waits for")

    def _abandon(self, waiting: Waiting) -> None:
        self._shared.notes.start(waiting.abandon(), name="take back what was shown")

    async def _wait(self, seconds: float) -> None:
        """Wait until there is something new in the thread, but no longer than so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_woken.wait()
