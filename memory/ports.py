"""The ports: what the memory core needs of the outside world. Each docstring is the contract that its tests run.

Every method may raise StoreUnavailableError when its store gives no answer in time; only further errors are listed.
They stand in one long file on purpose: whoever writes a store or a provider reads them all.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from memory.audience import Scope
from memory.model import (
    Accepted,
    Attachment,
    Audience,
    CachedThread,
    Candidates,
    ChannelId,
    ExtractionReply,
    ExtractionRequest,
    Fact,
    Failure,
    ForgetPlan,
    ForgetTarget,
    InboundMessage,
    Memory,
    MemoryKey,
    Message,
    MessageId,
    NewFact,
    NewReply,
    Place,
    Recallable,
    Receipt,
    ReplyEvent,
    ReplyRequest,
    SessionId,
    Summary,
    SummaryRequest,
    TenantId,
    ThreadHead,
    ThreadInfo,
    ThreadState,
    TurnClaim,
    Usage,
    UserId,
    VectorEntry,
    VectorRef,
)
from memory.model.recall import Vector
from memory.model.work import (
    AuditEvent,
    Committed,
    ExtractionBatch,
    ExtractionClaim,
    IndexTask,
    Lease,
    Outcome,
    RecordStatus,
)


class Clock(Protocol):
    """The only source of the time of day."""

    def now(self) -> datetime:
        """Return the time: aware, UTC."""
        ...


class Timer(Protocol):
    """How time passes, for what waits or gives up after a while."""

    def now(self) -> float:
        """Return seconds since some moment; they only grow, whatever becomes of the time of day."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        ...


class MessageStore(Protocol):
    """The inbox and the transcript. What it has committed is accepted; nothing else is."""

    async def accept(self, message: InboundMessage) -> Accepted:
        """Commit a message, or find the row an earlier delivery made.

        In one transaction: the row (unique by channel and platform message id), its thread and person if new, its
        full-text entry, an index task for its vector, and the thread's `last_active_at`. The thread's version stays:
        an unanswered message is not history yet. A forgotten message that is delivered again stays forgotten, and one
        that was deleted before it came is not stored: both count as duplicates that are settled.

        While its author or its thread is paused, a message is not `kept`: it is answered as any other, but has no entry
        and no index task, gives its thread no title, and is never history, recalled, extracted, or listed.

        Thread and message get the narrowest audience that their channel ever had: a wider place than the record knows
        widens nothing, a narrower one narrows the channel first.

        Raises:
            OutdatedMessageError: It was edited before it came; the platform has to be asked for what it says now.
        """
        ...

    async def narrow_channel(self, channel_id: ChannelId, audience: Audience, *, tenant_id: TenantId) -> None:
        """Give all that was said in a channel, and what came of it, the narrower `audience`; a wider one is ignored.

        A fact that was also said where everyone can read it stays as wide as that, for as long as that source lives.
        Of a channel that the record does not know yet, the audience is kept for what will be said there.
        """
        ...

    async def pause_thread(self, place: Place, *, paused: bool) -> bool:
        """Keep nothing of what anybody says in a thread from now on, or do so again; say whether that is a change.

        A thread that is new gets its row, for the audience that `accept` would give it. What was said before stays.
        """
        ...

    async def is_thread_paused(self, session_id: SessionId) -> bool:
        """Whether nothing is kept of what is said in a thread; False for an unknown one."""
        ...

    async def begin_turn(self, message_id: MessageId, *, holder: str, lease_s: float) -> TurnClaim | None:
        """Claim the thread and this message for answering, in one transaction; or for showing how its turn ended.

        Returns:
            None when another holder's lease on the thread is alive, or the message is not the first of `waiting`.
            Otherwise a claim whose fence is higher than any before.
        """
        ...

    async def renew(self, claim: TurnClaim, *, lease_s: float) -> None:
        """Extend the claim's lease to `lease_s` seconds from now.

        Raises:
            StoreConflictError: The lease passed to someone else.
        """
        ...

    async def settle(self, claim: TurnClaim, end: NewReply | Failure) -> Message | None:
        """Commit how a turn ends and make it history; the claim goes on.

        The thread's version grows, by one for the newest message, and a summary that the turn comes too late for is
        void. When the thread's or the asker's forget epoch has moved since the claim, the reply's row is kept without
        its text. The reply to a message that is not `kept` is not either. Settling again under the same claim settles
        nothing twice: who was not told that the first commit went through may try again.

        The thread's next message can be claimed once the end is marked as shown or put off. If its process dies before
        that, whoever claims the thread next finds this message first, with the claim's `end`.

        Returns:
            The reply as stored; None for a failed turn.

        Raises:
            StoreConflictError: The lease passed to someone else; nothing was written.
        """
        ...

    async def attach(self, claim: TurnClaim, read: Sequence[Attachment]) -> tuple[Attachment, ...]:
        """Keep what was read of what came with a claimed message, each by its `ref`; return all that came with it.

        What an edit removed meanwhile stays away; of a message that was forgotten nothing is kept or returned.

        Raises:
            StoreConflictError: The lease passed to someone else, who reads it as well; nothing was written.
        """
        ...

    async def note_post(self, claim: TurnClaim, post: str) -> None:
        """Keep where the platform shows the answer that is being made; `Message.post` says it to the next process.

        Raises:
            StoreConflictError: The lease passed to someone else, who shows the answer elsewhere.
        """
        ...

    async def find_message(self, session_id: SessionId, platform_message_id: str) -> Message | None:
        """Return a person's message by the platform's name; None for an unknown one. A forgotten one has no text."""
        ...

    async def reply_at(self, session_id: SessionId, post: str) -> Message | None:
        """Return an answer of a thread by where the platform shows it, or by its own name of the answered message.

        None for an unknown one, and for a turn without an answer.
        """
        ...

    async def newest_reply(self, session_id: SessionId) -> Message | None:
        """Return the last answer that was made in a thread, with or without its text; None when there is none."""
        ...

    async def mark_shown(self, claim: TurnClaim) -> None:
        """Note that the end of a settled turn has reached the person, and release the lease if it is still held.

        Of a message that is not `kept`, its text, the reply's and what came with it are erased in the same transaction.
        """
        ...

    async def discloses(self, scope: str, message_id: MessageId) -> bool:
        """Say whether the answer to this message is the one in `scope` that tells what is remembered.

        It is the answer to the first message that was ever asked about with that scope, however often it is asked.
        """
        ...

    async def put_off(self, claim: TurnClaim, *, until: datetime) -> None:
        """Release the lease with the end not shown: it is to be claimed again then, and holds nothing up meanwhile.

        A claim that was lost is left alone.
        """
        ...

    async def hand_over(self, claim: TurnClaim) -> None:
        """Give a turn back as far as it has come, so that another process may go on at once; a lost one stays lost."""
        ...

    async def retry(self, session_id: SessionId, platform_message_id: str, *, asker: UserId) -> MessageId | None:
        """Let a message whose turn failed wait for another turn; where its end was shown stays noted.

        It keeps its place in the thread, by when it was sent, also when later messages were answered meanwhile: it is
        the next to be answered, with all that was said since in its history, and its answer stands right after it.
        Until then it is no history. Of many calls at once, one is told which message it is.

        Returns:
            None when it did not fail, waits already, is forgotten, or is not the asker's.
        """
        ...

    async def waiting(self, session_id: SessionId) -> Sequence[MessageId]:
        """Return the messages of a thread whose turns are not over, in the order in which they are to be claimed.

        First those that are settled and whose end is to be shown now, then those to be answered; each as it was sent.
        """
        ...

    async def open_threads(self, tenant_id: TenantId) -> Mapping[SessionId, int]:
        """Return a tenant's threads that have such messages, and how many each; first what was accepted first."""
        ...

    async def unanswered(self, *, tenant_id: TenantId) -> Sequence[Message]:
        """Return accepted messages of a tenant that are not settled, oldest first."""
        ...

    async def place_of(self, session_id: SessionId) -> Place | None:
        """Return where a thread is; None for one in which nothing was said."""
        ...

    async def load_thread(self, session_id: SessionId, *, limit: int) -> ThreadState:
        """Return the newest `limit` settled messages past the summary, oldest first, with summary and head.

        An unknown thread is an empty one with version 0 and epoch 0.
        """
        ...

    async def save_summary(self, head: ThreadHead, summary: Summary) -> ThreadHead | None:
        """Store a new summary if the thread's epoch and summary are still those that `head` was read with.

        Turns that were added meanwhile do not matter: a summary covers messages up to `through` only.

        Returns:
            The new head; None when a forget, an edit or another summary came first, and nothing was written.
        """
        ...

    async def threads(self, user_id: UserId, *, limit: int) -> Sequence[ThreadInfo]:
        """Return the threads that a person wrote in, last active first."""
        ...


class SessionCache(Protocol):
    """A thread's short-term memory, hot. Losing all of it at any moment loses nothing. Every key has a time to live."""

    async def load(self, session_id: SessionId) -> CachedThread | None:
        """Return the copy, in one round trip, and refresh its time to live; None when there is none."""
        ...

    async def append(self, messages: Sequence[Message], *, before: ThreadHead, after: ThreadHead) -> bool:
        """Add messages to the copy, atomically, if its head equals `before`; its head becomes `after`.

        Returns:
            False, with the copy removed, when its head was another one: the next load rebuilds it.
        """
        ...

    async def replace(self, thread: ThreadState) -> bool:
        """Write a copy if it is newer (by forget epoch, then version) than the one there; say whether it was."""
        ...

    async def evict(self, heads: Collection[ThreadHead]) -> None:
        """Remove copies up to these heads, and keep older ones (by forget epoch, then version) from being written.

        Whoever read the record before a forget or an edit may want to write what it read only after. A newer copy
        stays; unknown threads are fine.
        """
        ...

    async def ping(self) -> None:
        """Answer, or raise."""
        ...


class Pace(Protocol):
    """How often a person may ask, over all processes. It delays; it refuses nobody."""

    async def take(self, user_id: UserId) -> float:
        """Reserve a person's next turn, and return the seconds that it has to wait; 0.0 is now.

        So many turns a minute have no wait, and as many at once after a rest. Past that each waits its part of a
        minute longer than the one before it (GCRA). What is reserved counts, whether the turn is run or not.
        """
        ...


class Signals(Protocol):
    """Short words between processes, for who listens at that moment: stop, wake up.

    A word may be lost, so nothing may depend on it alone; it is never heard twice by one listener.
    """

    async def send(self, topic: str, payload: str) -> None:
        """Tell all who listen to a topic, here and elsewhere; words of one sender arrive in their order.

        While other processes cannot be reached it is logged, and listeners of this one are told all the same.
        """
        ...

    def listen(self, topic: str) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Hear what is sent once it is entered, and maybe shortly before; the oldest words go when nobody takes them.

        While other processes cannot be reached it can be entered too, and hears them once they can be.
        """
        ...


class RecallStore(Protocol):
    """What retrieval reads of the record. Nothing outside the scope is ever returned, whatever key is asked for."""

    async def search(self, scope: Scope, terms: Sequence[str], *, limit: int, own_turns: int) -> Candidates:
        """Return what may bear on a question: the reader's own memories, and entries that share words with it.

        Args:
            scope: What may be seen; filtered inside the full-text engine.
            terms: Stemmed terms as `memory.lexical` makes them; entries with the rarer ones are preferred.
            limit: At most this many entries.
            own_turns: At most this many of the reader's own turns, the newest; facts and episodes are all named.
        """
        ...

    async def fetch(self, scope: Scope, keys: Collection[MemoryKey]) -> Sequence[Recallable]:
        """Return those of `keys` that are alive and inside the scope, in no particular order."""
        ...


class FactStore(Protocol):
    """A person's long-term memories as that person manages them."""

    async def add(self, fact: NewFact, *, author_epoch: int | None = None) -> Fact:
        """Store a fact at once, with its number, sources, full-text entry and index task.

        The same living text of the same owner, subject and audience is confirmed instead of stored again. The places
        it was said in count as they do for `MessageStore.accept`: the narrowest audience each ever had.

        Raises:
            StoreConflictError: `author_epoch` is given and the owner has forgotten something since, or a message it
                came from has another text by now.
        """
        ...

    async def memories(self, owner: UserId, *, history: bool = False) -> Sequence[Memory]:
        """Return the owner's living facts and episodes, newest first; with `history`, superseded facts too."""
        ...

    async def said_in(self, message_id: MessageId, *, owner: UserId) -> Sequence[Fact]:
        """Return those of the owner's living facts that came from a message, in the order of their numbers."""
        ...

    async def memories_by_key(self, owner: UserId, keys: Collection[MemoryKey]) -> Sequence[Memory]:
        """Return those of the owner's facts and episodes that are named, living or not."""
        ...

    async def widen(self, owner: UserId, fact_ids: Collection[int], *, wide: bool) -> int:
        """Let living facts of the owner be recalled for the whole tenant, or take that back; return how many changed.

        A widened fact is for the tenant whatever becomes of its sources' readers, as long as one of them lives, until
        its owner takes that back; then it is for the readers of its sources again. A fact about a person stays one
        that is recalled for that person only. Other people's facts are left alone. Leaves one audit event.
        """
        ...

    async def export(self, owner: UserId) -> Mapping[str, object]:
        """Return all that is stored of a person as JSON-ready data: messages, replies to them, facts, episodes."""
        ...

    async def pause_person(self, user_id: UserId, tenant_id: TenantId, *, paused: bool) -> bool:
        """Keep nothing of what a person says from now on, or do so again; say whether that is a change.

        What is remembered of them stays, and is recalled. `MessageStore.accept` says what follows for a message.
        """
        ...

    async def is_paused(self, user_id: UserId) -> bool:
        """Whether nothing is kept of what a person says; False for an unknown one."""
        ...

    async def usage(self, user_id: UserId, since: datetime) -> Usage:
        """Count what a person asked since a moment and was answered, and what is kept of them now."""
        ...

    async def preference(self, user_id: UserId, name: str) -> str | None:
        """Return a person's preference, None when it was never set."""
        ...

    async def set_preference(self, user_id: UserId, name: str, value: str) -> None:
        """Set a person's preference."""
        ...


class ExtractionStore(Protocol):
    """Work for the sweep: which threads have something to learn from, and committing it exactly once."""

    async def claim(
        self, *, idle_before: datetime, busy_turns: int, holder: str, lease_s: float, limit: int
    ) -> Sequence[ExtractionClaim]:
        """Lease up to `limit` threads that have messages not extracted yet and are due.

        Due: quiet since `idle_before`, or with at least `busy_turns` new turns; not backing off (`extract_retry_at` is
        not after the clock's now), not leased, by this holder or another. The claim carries the failed attempts so far.
        Messages that are still unanswered or parked do not count.
        """
        ...

    async def load(self, claim: ExtractionClaim, *, limit: int) -> ExtractionBatch:
        """Return the oldest `limit` settled messages of people not extracted yet, with Recall's replies among them."""
        ...

    async def facts(self, claim: ExtractionClaim, fact_ids: Collection[int]) -> Sequence[Fact]:
        """Return those of `fact_ids` that are alive facts of the claim's tenant."""
        ...

    async def commit(
        self, claim: ExtractionClaim, batch: ExtractionBatch, outcome: Outcome, *, shown: Collection[Fact]
    ) -> Committed:
        """Store what was learned and move the watermark, in one transaction, and release the lease.

        Args:
            claim: The thread that was learned from.
            batch: What was read of it.
            outcome: What was learned.
            shown: The facts that the model was shown: their words may be in the outcome.

        Raises:
            StoreConflictError: The lease is lost, or since `load` a forget touched the thread, one of its people or one
                of the facts shown, an edit one of the messages, or the thread or one of those facts was narrowed.
                Nothing was written, and the watermark stands where it was.
        """
        ...

    async def back_off(self, claim: ExtractionClaim, *, retry_at: datetime) -> int:
        """Note a failed attempt, release the lease, and return how many attempts have failed in a row."""
        ...

    async def release(self, claim: ExtractionClaim) -> None:
        """Give the thread back as it is: no attempt failed, and it is due again at once."""
        ...

    async def park(self, claim: ExtractionClaim, batch: ExtractionBatch, *, reason: str) -> None:
        """Set a batch aside after its last attempt, so that later messages are not held up; release the lease."""
        ...

    async def unpark(self) -> int:
        """Queue all parked messages again, end every back-off, and return how many messages were parked."""
        ...


class ErasureStore(Protocol):
    """Forgetting, in the record."""

    async def plan(self, owner: UserId, target: ForgetTarget) -> ForgetPlan:
        """Say what forgetting `target` would remove; reads only.

        A fact takes with it: its history (facts it superseded), the text of its owner's messages it came from, the
        replies to them, all replies that used it, and what repeats those in their threads. `About` takes facts,
        episodes and messages that have all the words, as stems. A fact that another person's words still back stays,
        for that person.
        """
        ...

    async def erase(self, plan: ForgetPlan, *, actor: UserId) -> Receipt:
        """Carry out a plan in one transaction.

        Removes texts, facts, episodes, full-text entries, summaries and pins of the threads; writes tombstones and one
        audit event; raises the forget epochs of the threads and the owner; queues the removal of vectors and of cached
        threads. Running it twice changes nothing.
        """
        ...

    async def edit_message(
        self,
        session_id: SessionId,
        platform_message_id: str,
        text: str,
        *,
        edited_at: datetime,
        actor: UserId,
        attachments: Sequence[Attachment] | None = None,
    ) -> Receipt | None:
        """Take a platform's edit: new version, what came from the old one is retracted, the new one is queued.

        While the author or the thread is paused the new text is not kept, and so from then on the message: it has the
        new text until its turn's end has been shown, or none at all. One that was never `kept` only changes its text.
        Files that came with the message and are not in `attachments` go; with None all stay. A new one is kept for a
        message that is not answered yet. No new version comes of files alone.

        It raises the thread's version. Epochs rise only of threads in which a reply goes, because it was given what
        came from the old text; other replies under way stay, the one to the edited message included. An edit that is
        no newer than the text that is there changes nothing.

        Returns:
            None when no such message is known.
        """
        ...

    async def delete_message(self, session_id: SessionId, platform_message_id: str, *, actor: UserId) -> Receipt | None:
        """Take a platform's deletion, down to the facts that came from the message.

        One of Recall's own posts takes the text of the reply with it and nothing else; it is named as `note_post` was
        told.

        Returns:
            None when no such message is known.
        """
        ...

    async def note_early(
        self, channel_id: ChannelId, platform_message_id: str, *, is_deleted: bool, changed_at: datetime
    ) -> None:
        """Keep in mind that a message, unknown so far, was edited or deleted: `MessageStore.accept` minds it.

        It waits for messages of the channel that are being accepted; the same edit or deletion then finds them. No text
        is kept, and the note itself for no longer than a platform goes on delivering.
        """
        ...

    async def forget_channel(self, channel_id: ChannelId, *, actor: UserId) -> Receipt:
        """Forget all that was said in a channel, whoever said it, and what came of it.

        A fact that was also said elsewhere lives on with those sources, for their readers. Replies elsewhere that were
        given what goes lose their text. From the first of its transactions on nothing of the channel is recalled or
        learned from; the others are short, so that people elsewhere are not held up. What a crash leaves,
        `finish_removals` or another call erases. Leaves tombstones and one audit event; twice changes nothing.
        """
        ...

    async def forget_tenant(self, tenant_id: TenantId, *, actor: UserId) -> Receipt:
        """Forget a whole tenant as `forget_channel` does a channel, with its people's names, settings and disclosures.

        What is said there while it lasts goes, too; what is said after that is kept as anywhere.
        """
        ...

    async def finish_removals(self) -> Receipt:
        """Erase what is left of every channel and tenant whose forgetting was begun; return what went now."""
        ...


class IndexQueue(Protocol):
    """The outbox: index and cache work written in the same transaction as the row it belongs to."""

    async def due(self, *, limit: int) -> Sequence[IndexTask]:
        """Return tasks that are due, oldest first, with the text to embed (None when the row is gone by now).

        Args:
            limit: At most this many of each operation, so that no kind of work waits behind another.
        """
        ...

    async def done(self, task_ids: Collection[int]) -> None:
        """Remove finished tasks."""
        ...

    async def defer(self, task_ids: Collection[int], *, retry_at: datetime) -> None:
        """Try these again later."""
        ...

    async def enqueue_all(self) -> int:
        """Queue every living fact, episode and turn for indexing; return how many. For a new or lost index."""
        ...


class LeaseStore(Protocol):
    """Named leases by the database's clock."""

    async def claim(self, name: str, *, holder: str, lease_s: float) -> Lease | None:
        """Take a free or expired lease, or one's own again; None when another holder's is alive.

        Each successful claim has a higher fence than all before it.
        """
        ...

    async def renew(self, lease: Lease, *, lease_s: float) -> bool:
        """Extend a lease that is still held; False when it passed to someone else."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give a lease back; one that passed on already is left alone."""
        ...

    async def release_all(self) -> None:
        """Free every lease: only for the sole owner of an embedded record, whose earlier process is dead for sure."""
        ...


class AuditLog(Protocol):
    """Who did what to memories, when, and how many; no content. It has no update and no delete."""

    async def record(self, event: AuditEvent) -> None:
        """Append an event."""
        ...

    async def read(self, *, limit: int) -> Sequence[AuditEvent]:
        """Return the newest events, newest first."""
        ...

    async def has_since(self, actor: UserId, action: str, at: datetime) -> bool:
        """Whether somebody has done something since, or at that very moment. It may read the whole log."""
        ...


class RecordAdmin(Protocol):
    """Upkeep of the record."""

    async def ping(self) -> None:
        """Answer, or raise."""
        ...

    async def status(self) -> RecordStatus:
        """Return counts for `doctor` and metrics."""
        ...

    async def hasten_drops(self) -> None:
        """Make every removal of a vector that waits for its next attempt due now."""
        ...

    async def compact(self) -> None:
        """Rewrite the files so that deleted text is in none of them; on a server, do what a client can."""
        ...

    async def needs_compaction(self) -> bool:
        """Whether something was forgotten since the last compaction of all files."""
        ...

    async def has_erased_texts(self) -> bool:
        """Whether texts were erased, of which no other store ever had anything, since the record's files were new."""
        ...

    async def compacted(self, *, at: datetime, record_only: bool = False) -> None:
        """Note that a compaction of all embedded files finished, or of the record's alone."""
        ...

    async def erase_unkept(self, *, settled_before: datetime) -> int:
        """Erase what was not to be kept and will not be shown any more; return how many turns that were.

        Turns whose end was shown erase themselves (`MessageStore.mark_shown`); this is for those that never were.

        Args:
            settled_before: What was settled earlier is not shown any more.
        """
        ...

    async def expire(self, *, episodes_before: datetime, threads_before: datetime) -> Receipt:
        """Remove episodes, and messages of threads, that are older than their retention."""
        ...


class VectorIndex(Protocol):
    """Vectors of facts, episodes and turns, by key. It ranks; it never decides what may be seen. It holds no text."""

    async def upsert(self, entries: Sequence[VectorEntry]) -> None:
        """Write vectors, replacing those of the same key.

        Raises:
            DimensionMismatchError: A vector is not of the index's dimension.
        """
        ...

    async def delete(self, refs: Collection[VectorRef]) -> None:
        """Remove vectors; unknown ones are fine."""
        ...

    async def vectors(self, refs: Collection[VectorRef]) -> Mapping[MemoryKey, Vector]:
        """Return the vectors there are, unit norm; unknown keys are absent."""
        ...

    async def nearest(self, query: Vector, *, limit: int) -> Sequence[tuple[MemoryKey, float]]:
        """Return keys with their cosine in [-1, 1], highest first, over all owners, up to `limit` of each kind.

        The identical vector scores 1 (to 1e-5) and comes first.
        """
        ...

    async def count(self) -> int:
        """Return how many vectors there are."""
        ...

    async def compact(self) -> None:
        """Rewrite the files so that deleted vectors are in none of them; on a server, nothing."""
        ...

    async def clear(self) -> None:
        """Remove all vectors, to be built anew; also mends a damaged index."""
        ...

    async def ping(self) -> None:
        """Answer, or raise."""
        ...


class Embedder(Protocol):
    """Texts to unit-norm vectors of shape (D,). Deterministic; a batch gives what singles give (to 1e-5)."""

    @property
    def model_name(self) -> str:
        """Name of the model, part of the index's name: vectors of two models never mix."""
        ...

    @property
    def dimensions(self) -> int:
        """D; known at once, before the model is loaded."""
        ...

    async def embed_query(self, text: str) -> Vector:
        """Embed a question; waits for the model while it loads.

        Raises:
            ProviderUnavailableError: The model cannot be loaded.
        """
        ...

    async def embed_documents(self, texts: Sequence[str]) -> Sequence[Vector]:
        """Embed texts for the index, in order."""
        ...

    @property
    def is_ready(self) -> bool:
        """Whether an embedding would start at once."""
        ...


class LanguageModel(Protocol):
    """A chat model, for replies, summaries and extraction."""

    @property
    def model_name(self) -> str:
        """What is shown to people."""
        ...

    @property
    def notice(self) -> str | None:
        """Something a person must know about this model once, before its first answer; None for nothing."""
        ...

    def reply(self, request: ReplyRequest) -> AsyncGenerator[ReplyEvent, None]:
        """Stream one answer: text, tool calls, and last a `ReplyDone`. Closing the stream early ends the request.

        Raises:
            ProviderUnavailableError: Unreachable, overloaded, too slow or cut off, possibly after some text.
            ProviderRefusedError: Credentials, quota or content.
        """
        ...

    async def summarize(self, request: SummaryRequest) -> str:
        """Return the new summary; raises as `reply` does."""
        ...

    async def extract(self, request: ExtractionRequest) -> ExtractionReply:
        """Return what the turns teach; raises as `reply` does.

        Raises:
            MalformedReplyError: The reply did not fit the schema.
        """
        ...
