"""The inbox and the transcript."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from memory.model import (
    Accepted,
    Attachment,
    Audience,
    ChannelId,
    Failure,
    InboundMessage,
    Message,
    MessageId,
    NewReply,
    Place,
    SessionId,
    Summary,
    TenantId,
    ThreadHead,
    ThreadInfo,
    ThreadState,
    TurnClaim,
    UserId,
)


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
