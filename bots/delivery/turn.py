"""One turn: an answer is made, committed and shown, in this order, and whatever ends it early leaves nothing open."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Literal

import structlog

from bots.conversation import BROKEN, FORGOTTEN, STOPPED, Conversation, broken, ending, given_up
from bots.delivery.disclosure import Disclosure
from bots.delivery.reading import Reading
from bots.delivery.waiting import Waiting
from bots.metrics import Outcome
from bots.platform import ChannelsOf, ReadersNow, Reply
from memory.errors import StoreConflictError, StoreUnavailableError
from memory.leases import renewed
from memory.model import ChannelId, Fact, Failure, Message, Place, SessionId, TurnClaim, TurnEnd
from memory.ports import Timer
from memory.service import MemoryService

_log = structlog.get_logger(__name__)

End = Literal["stopped", "forgotten", "lost", "handed_over"]
Pause = Callable[[float], Awaitable[bool]]
"""Waits so many seconds before another try; False when there is no time for one, since the process ends."""

MOST_ATTEMPTS = 5
"""At one answer, by processes that then died or could not even commit a failure: each costs a call of the model."""
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
        outsiders_in: Knows who reads the answer.
        channels_of: Knows which channels the asker is in.
        reading: Reads what came with the message.
        pause: Waits between attempts to commit.
        timer: How time passes for the claim's lease.
    """

    def __init__(
        self,
        claim: TurnClaim,
        waiting: Waiting,
        *,
        service: MemoryService,
        conversation: Conversation,
        disclosure: Disclosure,
        outsiders_in: ReadersNow,
        channels_of: ChannelsOf,
        reading: Reading,
        pause: Pause,
        timer: Timer,
    ) -> None:
        self._claim = claim
        self._waiting = waiting
        self._service = service
        self._conversation = conversation
        self._disclosure = disclosure
        self._outsiders_in = outsiders_in
        self._channels_of = channels_of
        self._reading = reading
        self._pause = pause
        self._timer = timer
        self._post = claim.message.post
        self._answering: asyncio.Task[Reply] | None = None
        self._ended: End | None = None
        self._is_deleted = False

    @property
    def session_id(self) -> SessionId:
        """The thread."""
        return self._claim.head.session_id

    def is_for(self, waiting: Waiting) -> bool:
        """Whether it answers this message."""
        return waiting is self._waiting

    def is_named(self, *, message: str, posts: Collection[str]) -> bool:
        """Whether it answers this message of the platform, in one of these posts; what is not given may be any."""
        answers = not message or message == self._claim.message.platform_message_id
        return answers and (not posts or self._post in posts)

    def end(self, why: End) -> bool:
        """End the answer while it is being made; False when it is past that."""
        if self._answering is None or self._answering.done():
            return False
        self._ended = self._ended or why
        self._answering.cancel()
        return True

    async def forgotten(self, deleted: str) -> None:
        """End the answer if its message is not there any more.

        Args:
            deleted: The platform's name of a message that was deleted there, and so is what was shown of its answer.
        """
        message = self._claim.message
        if deleted and deleted == message.platform_message_id:
            self._is_deleted = True
            self.end("forgotten")
        elif await self._is_gone(message):
            self.end("forgotten")

    async def _is_gone(self, message: Message) -> bool:
        """Whether the record has no word of a message any more; False while it cannot be reached: its end shows it."""
        if message.platform_message_id is None:
            return False
        try:
            now = await self._service.find_message(message.session_id, message.platform_message_id)
        except StoreUnavailableError as error:
            _log.warning("not_seen_whether_forgotten", operation=error.operation)
            return False
        return now is None or not (now.text or now.attachments)

    async def run(self) -> Outcome:
        """Answer, commit and show, or show what was committed before; return how it ended.

        Raises:
            StoreUnavailableError: The record cannot be reached and nothing was shown: try again later.
        """
        name = f"turn {self.session_id}"
        self._waiting.reply.begin(self._post, self._note_post)
        held = renewed(self._renew, name=name, lease_s=self._service.lease_s, on_lost=self._lose, timer=self._timer)
        with self._waiting.reply.turn():
            async with held:
                try:
                    return await self._run()
                except (asyncio.CancelledError, StoreUnavailableError):
                    await self._hand_over()
                    raise

    async def _run(self) -> Outcome:
        end = self._claim.end
        if end is None:
            reply = await self._answer()
            committed = await self._committed(reply) if reply is not None else None
            if committed is None:
                await self._waiting.abandon()  # first, since whoever has the turn next shows its answer there
                await self._hand_over()
                return "handed_over" if self._ended == "handed_over" else "lost"
            if committed.failed and not committed.remembered:
                committed = replace(committed, remembered=await self._remembered())
        else:
            committed = await self._as_settled(end)
        await self._tell(end, committed)
        self._waiting.over.set()
        if self._ended in {"stopped", "forgotten"} or self._waiting.is_let_go:
            return "stopped"
        return "failed" if committed.failed else "answered"

    async def _tell(self, end: TurnEnd | None, reply: Reply) -> None:
        """Show how the turn ended, or take back what was shown where nobody is to be told."""
        if end is not None and not self._is_wanted(end):
            await self._waiting.abandon()
        elif self._is_deleted:
            await self._waiting.reply.retract()
        else:
            await self._show(replace(reply, notices=await self._beside(reply), kept=self._claim.message.kept))
            return
        await self._mark_shown()

    def _is_wanted(self, end: TurnEnd) -> bool:
        """Whether there is something left to show that somebody waits for."""
        message = self._claim.message
        is_said = bool(message.text or message.attachments)
        is_forgotten = not is_said or (end.answer is not None and not end.answer.text)
        return self._service.is_wanted(end) and not is_forgotten

    async def _answer(self) -> Reply | None:
        """Return the answer; None when there is none to show, since another process or the next start makes it."""
        if self._waiting.is_let_go:
            return Reply(text=STOPPED, failed=True)
        if self._claim.attempts > MOST_ATTEMPTS:
            return given_up(self._claim, secrets.token_hex(4))
        self._answering = asyncio.create_task(self._make())
        telling = asyncio.create_task(self._waiting.reply.working())
        try:
            await asyncio.wait([self._answering, telling])
        finally:
            for task in (self._answering, telling):
                task.cancel()  # changes nothing once it is done
            await asyncio.wait([self._answering, telling])
        if not self._answering.cancelled():
            with self._taken_over():
                return self._answering.result()
        if self._ended == "stopped":
            return Reply(text=STOPPED, failed=True)
        return Reply(text="", withheld=True) if self._ended == "forgotten" else None

    async def _make(self) -> Reply:
        """Read what came with the message and see who reads along, then answer it."""
        try:
            opened = await self._reading.open(self._claim)
        except (StoreConflictError, StoreUnavailableError):
            raise
        except Exception:  # noqa: BLE001  # the message handler's boundary: what cannot be read must not block its thread
            return broken(self._claim, secrets.token_hex(4))
        place, member_of = await self._readers(opened.claim)
        self._claim = replace(opened.claim, place=place)
        reply = await self._conversation.answer(self._claim, self._waiting.reply, member_of=member_of)
        return replace(reply, notices=opened.notices + reply.notices)

    async def _readers(self, claim: TurnClaim) -> tuple[Place, Collection[ChannelId]]:
        """Return the place with who reads it now, and the channels that who asks alone is in: the message may be old.

        What the platform cannot say counts as outsiders, and as no channels.
        """
        author, place = claim.message.author, claim.place
        try:
            if place.shared:
                return replace(place, outsiders=await self._outsiders_in(place)), ()
            return place, () if author is None else await self._channels_of(author.user_id)
        except Exception:  # noqa: BLE001  # the message handler's boundary: a mistake of the platform must not block the thread
            _log.exception("readers_unknown", session_id=claim.head.session_id)
            return replace(place, outsiders=place.shared), ()

    async def _as_settled(self, end: TurnEnd) -> Reply:
        """Return how a turn that was settled before ended, as its person is to see it."""
        remembered = tuple(await self._service.remembered_in(self._claim))
        if end.answer is not None:
            return Reply(text=end.answer.text, used_before=len(end.answer.used), remembered=remembered)
        failure = end.failure or Failure(words=ending(BROKEN, self._claim.message))
        return Reply(text=failure.words, failed=True, correlation_id=failure.correlation_id, remembered=remembered)

    async def _remembered(self) -> tuple[Fact, ...]:
        """Return what was stored at the asker's wish before the turn failed or was stopped."""
        if self._waiting.is_let_go:
            return ()
        try:
            return tuple(await self._service.remembered_in(self._claim))
        except StoreUnavailableError as error:
            _log.warning("not_told_what_was_remembered", operation=error.operation)
            return ()

    async def _committed(self, reply: Reply) -> Reply | None:
        """Commit the end of the turn, however long the record takes: what was shown must not be made twice.

        Returns:
            What the turn ended with; None when it is not this process's to end.
        """
        retry_s = FIRST_RETRY_S
        while True:
            try:
                return await self._commit(reply)
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

    async def _beside(self, reply: Reply) -> tuple[str, ...]:
        """Return all that is told beside a reply."""
        told: tuple[str, ...] = ()
        if not self._waiting.is_let_go:  # else nobody would read it
            told = await self._disclosure.for_answer(self._claim.message, self._claim.place)
        return told + self._waiting.notices + reply.notices

    async def _show(self, reply: Reply) -> None:
        """Show a committed reply; the thread goes on as soon as that is noted, shown or not."""
        if await self._waiting.reply.shown(reply):
            self._conversation.was_shown(self._claim, reply)
            await self._mark_shown()
        else:
            await self._noted(self._service.put_off)

    async def _mark_shown(self) -> None:
        await self._noted(self._service.mark_shown)

    async def _noted(self, note: Callable[[TurnClaim], Awaitable[None]]) -> None:
        """Note what became of the end, however long the record takes: what is not noted is shown once more."""
        retry_s = FIRST_RETRY_S
        while True:
            try:
                await note(self._claim)
            except StoreUnavailableError as error:
                _log.warning("shown_not_noted", message_id=self._waiting.message_id, operation=error.operation)
                if not await self._pause(retry_s):
                    return
                retry_s = min(2 * retry_s, LONGEST_RETRY_S)
            else:
                return

    async def _hand_over(self) -> None:
        """Give the turn back as far as it has come; one that was lost is another process's."""
        with suppress(StoreUnavailableError):  # else the lease runs out by itself
            await self._service.hand_over(self._claim)

    @contextmanager
    def _taken_over(self) -> Iterator[None]:
        """Leave the turn to whoever holds it now."""
        try:
            yield
        except StoreConflictError:
            _log.info("turn_taken_over", message_id=self._waiting.message_id)

    async def _commit(self, reply: Reply) -> Reply:
        """Commit the end of the turn; return it as it may be shown."""
        if reply.failed:
            await self._service.fail(self._claim, Failure(words=reply.text, correlation_id=reply.correlation_id))
            return reply
        stored = await self._service.settle(self._claim, reply.text, reply.used, tokens=reply.tokens)
        if stored.text:
            return replace(reply, text=stored.text)
        return Reply(text=FORGOTTEN, notices=reply.notices, withheld=True)

    async def _note_post(self, post: str) -> None:
        self._post = post  # also while the record is away: it can be pressed already
        await self._service.note_post(self._claim, post)

    async def _renew(self) -> bool:
        try:
            await self._service.renew(self._claim)
        except StoreConflictError:
            return False
        return True

    def _lose(self) -> None:
        if self.end("lost"):
            _log.info("turn_taken_over", message_id=self._waiting.message_id)
