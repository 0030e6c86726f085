"""MemoryService: what a conversation needs of memory, turn by turn."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from memory.attaching import Attached, storable, with_read
from memory.audience import scope_for
from memory.errors import StoreConflictError, StoreError
from memory.lexical import terms
from memory.model import (
    Accepted,
    Audience,
    ChannelId,
    Fact,
    Failure,
    InboundMessage,
    MemoryMode,
    Message,
    MessageId,
    NewReply,
    Place,
    ReadFile,
    Recalled,
    SessionId,
    TenantId,
    TurnClaim,
    TurnEnd,
    UserId,
)
from memory.ports import Clock, FactStore, MessageStore
from memory.redaction import Redacted, redact
from memory.remembering import fact_by_model
from memory.retrieval import Retriever
from memory.short_term import ShortTermMemory
from memory.summarization import Summarizer
from memory.tasks import TaskTracker
from memory.working import Assembler, MemoryPolicy, WorkingMemory

_log = structlog.get_logger(__name__)

_LONG_CHARS = 10_000
"""Longer texts are worked on in a thread: redaction and stemming take a millisecond per thousand characters."""

_SHOW_AGAIN = timedelta(minutes=2)
"""After this long, what the platform did not show is tried again."""
SHOWN_LATE = timedelta(hours=6)
"""Nobody waits for the end of a turn that was settled longer ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedMessage:
    """A committed message.

    Attributes:
        findings: Secrets that were taken out of it, by kind.
    """

    accepted: Accepted
    findings: Mapping[str, int]


class MemoryService:
    """Takes messages in, prepares each turn's working memory, and keeps what came of it."""

    def __init__(
        self,
        *,
        messages: MessageStore,
        facts: FactStore,
        short_term: ShortTermMemory,
        retriever: Retriever,
        summarizer: Summarizer,
        clock: Clock,
        policy: MemoryPolicy,
        holder: str,
        tasks: TaskTracker,
    ) -> None:
        self._messages = messages
        self._facts = facts
        self._short_term = short_term
        self._retriever = retriever
        self._assembler = Assembler(messages=messages, short_term=short_term, retriever=retriever, policy=policy)
        self._summarizer = summarizer
        self._clock = clock
        self._policy = policy
        self._holder = holder
        self._tasks = tasks
        self._folding: set[SessionId] = set()

    @property
    def mode(self) -> MemoryMode:
        """How much memory a turn gets."""
        return self._policy.mode

    @property
    def lease_s(self) -> float:
        """Seconds that a turn's claim holds without renewal."""
        return self._policy.lease_s

    async def accept(self, message: InboundMessage) -> AcceptedMessage:
        """Commit a message with its secrets taken out; when this returns, nothing can lose it.

        Raises:
            StoreUnavailableError: The record did not take it; the platform must not be told that it did.
        """
        redacted = await _redacted(message.text)
        attached = await storable(message.attachments)
        if self._policy.mode == "full":
            # Beside the commit, which alone can tell a redelivery of a known message: those few cost an embedding, too.
            self._retriever.prepare(redacted.text, scope_for(message.place, message.author.user_id))
        accepted = await self._messages.accept(replace(message, text=redacted.text, attachments=attached.attachments))
        findings = Counter(redacted.findings) + Counter(attached.findings)
        return AcceptedMessage(accepted=accepted, findings=findings)

    async def begin(self, message_id: MessageId) -> TurnClaim | None:
        """Claim a message for answering; None when it is not this process's turn (yet)."""
        return await self._messages.begin_turn(message_id, holder=self._holder, lease_s=self._policy.lease_s)

    async def waiting(self, session_id: SessionId) -> Sequence[MessageId]:
        """Return the messages of a thread whose turns are not over, in the order of their turns."""
        return await self._messages.waiting(session_id)

    async def hand_over(self, claim: TurnClaim) -> None:
        """Give a turn back unanswered, for another process or the next start."""
        await self._messages.hand_over(claim)

    async def renew(self, claim: TurnClaim) -> None:
        """Keep a claim; raises StoreConflictError when it passed to someone else."""
        await self._messages.renew(claim, lease_s=self._policy.lease_s)

    async def attach(self, claim: TurnClaim, read: Mapping[str, ReadFile]) -> Attached:
        """Keep what was read of what came with a claimed message, secrets taken out of the whole of it, digested.

        Args:
            claim: The turn.
            read: What was read, by `Attachment.ref`.

        Raises:
            StoreConflictError: Someone else holds the turn now; nothing was written.
        """
        now = await storable(with_read(claim.message.attachments, read))
        attachments = await self._messages.attach(claim, now.attachments)
        message = replace(claim.message, attachments=attachments)
        return Attached(claim=replace(claim, message=message), findings=now.findings)

    async def working_memory(
        self, claim: TurnClaim, *, system: str, member_of: Collection[ChannelId] = ()
    ) -> WorkingMemory:
        """Build what the model sees: summary, recent turns, memories that bear on the message, the message.

        Args:
            claim: The turn.
            system: Instructions.
            member_of: Channels that the author is a member of now; see `memory.audience.scope_for`.
        """
        return await self._assembler.assemble(claim, system=system, member_of=member_of)

    async def settle(
        self, claim: TurnClaim, text: str, recalled: Sequence[Recalled], *, tokens: int | None = None
    ) -> Message:
        """Commit the answer, with the tokens that it took, and make the turn history.

        Returns:
            The answer as stored, and to be shown: without text when what it is about was forgotten meanwhile.

        Raises:
            StoreConflictError: Someone else holds the turn now; nothing was written.
        """
        reply = NewReply(
            text=(await _redacted(text)).text,
            sent_at=self._clock.now(),
            used=tuple(item.memory.key for item in recalled),
            tokens=tokens,
        )
        stored = await self._messages.settle(claim, reply)
        if stored is None:
            raise StoreConflictError("sql", "settle a turn", "it has ended without an answer")
        await self._made_history(claim, [claim.message, stored])
        return stored

    async def fail(self, claim: TurnClaim, failure: Failure) -> None:
        """End a turn without an answer: the message stays in the history and is not answered again by itself."""
        await self._messages.settle(claim, failure)
        await self._made_history(claim, [claim.message])

    async def retry(self, session_id: SessionId, platform_message_id: str, *, asker: UserId) -> bool:
        """Let a message whose turn failed wait for another one; False when there is no such message of the asker."""
        return await self._messages.retry(session_id, platform_message_id, asker=asker) is not None

    async def note_post(self, claim: TurnClaim, post: str) -> None:
        """Keep where the answer is shown; raises StoreConflictError when someone else holds the turn now."""
        await self._messages.note_post(claim, post)

    async def find_message(self, session_id: SessionId, platform_message_id: str) -> Message | None:
        """Return a person's message by the platform's own name for it; None for an unknown one."""
        return await self._messages.find_message(session_id, platform_message_id)

    async def reply_at(self, session_id: SessionId, post: str) -> Message | None:
        """Return an answer by where it is shown, or by the platform's name of the message it answers."""
        return await self._messages.reply_at(session_id, post)

    async def newest_reply(self, session_id: SessionId) -> Message | None:
        """Return the last answer that was made in a thread; without its text when that is not kept, or forgotten."""
        return await self._messages.newest_reply(session_id)

    async def mark_shown(self, claim: TurnClaim) -> None:
        """Note that the end of a settled turn has reached the person, or that nobody will: the thread goes on."""
        await self._messages.mark_shown(claim)

    async def put_off(self, claim: TurnClaim) -> None:
        """Let the thread go on without the end of a settled turn, which is to be shown later."""
        await self._messages.put_off(claim, until=self._clock.now() + _SHOW_AGAIN)

    def is_wanted(self, end: TurnEnd) -> bool:
        """Whether a person still waits for the end of a turn that was settled a while ago."""
        return self._clock.now() - end.settled_at <= SHOWN_LATE

    async def remembered_in(self, claim: TurnClaim) -> Sequence[Fact]:
        """Return what was stored of the asker from this claim's message."""
        author = claim.message.author
        return [] if author is None else await self._facts.said_in(claim.message.message_id, owner=author.user_id)

    async def discloses(self, scope: str, message_id: MessageId) -> bool:
        """Say whether the answer to this message is the one in `scope` that tells what is remembered."""
        return await self._messages.discloses(scope, message_id)

    async def remember(self, claim: TurnClaim, words: str) -> Fact | None:
        """Store what the model wants to remember; nothing, and None, unless the asker said it in this message."""
        fact = fact_by_model(claim, words)
        if fact is None:
            return None
        try:
            return await self._facts.add(fact, author_epoch=claim.author_epoch)
        except StoreError as error:  # a forget came first, or the record is away: the turn goes on
            _log.warning("not_remembered", error=type(error).__name__, reason=str(error))
            return None

    async def narrow_channel(self, channel_id: ChannelId, audience: Audience, *, tenant_id: TenantId) -> None:
        """Keep to `audience` with all that was said in a channel, and what came of it; a wider one changes nothing."""
        await self._messages.narrow_channel(channel_id, audience, tenant_id=tenant_id)

    async def open_threads(self, tenant_id: TenantId) -> Mapping[SessionId, int]:
        """Return the threads in which turns are not over, with how many; first what was accepted first."""
        return await self._messages.open_threads(tenant_id)

    async def place_of(self, session_id: SessionId) -> Place | None:
        """Return where a thread is."""
        return await self._messages.place_of(session_id)

    async def history(self, session_id: SessionId, *, limit: int) -> Sequence[Message]:
        """Return the newest settled messages of a thread past its summary, oldest first."""
        return (await self._messages.load_thread(session_id, limit=limit)).messages

    async def _made_history(self, claim: TurnClaim, messages: Sequence[Message]) -> None:
        after = replace(claim.head, version=claim.head.version + 1)
        kept = [message for message in messages if message.kept]
        await self._short_term.append(kept, before=claim.head, after=after)
        if kept and self._policy.mode != "buffer" and claim.head.session_id not in self._folding:
            self._folding.add(claim.head.session_id)
            self._tasks.start(self._fold(claim.head.session_id), name=f"fold {claim.head.session_id}")

    async def _fold(self, session_id: SessionId) -> None:
        try:
            await self._summarizer.fold(session_id)
        finally:
            self._folding.discard(session_id)


async def _redacted(text: str) -> Redacted:
    """Redact a text; a long one in a thread, where its words are stemmed as well, since indexing it needs them."""
    if len(text) <= _LONG_CHARS:
        return redact(text)

    def work() -> Redacted:
        redacted = redact(text)
        terms(redacted.text)  # fills the stemmer's cache outside the write transaction
        return redacted

    return await asyncio.to_thread(work)
