"""Long-term memory: finding it, keeping it, forgetting it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from memory.audience import Scope
from memory.model import (
    Attachment,
    Candidates,
    ChannelId,
    Fact,
    ForgetPlan,
    ForgetTarget,
    Memory,
    MemoryKey,
    MessageId,
    NewFact,
    Recallable,
    Receipt,
    SessionId,
    TenantId,
    Usage,
    UserId,
)


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

    async def suggest(
        self, owner: UserId, *, number: str = "", parts: Sequence[str] = (), limit: int
    ) -> Sequence[Memory]:
        """Return the owner's living facts and episodes that somebody may mean who has typed a little.

        Args:
            owner: Whose.
            number: What their number begins with; "" for any.
            parts: Pieces of words that their text has, all of them, in small letters or capitals.
            limit: At most this many, the highest number first.
        """
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

        Raises:
            NoCommunityError: They are to be for the whole tenant, and that is nobody's community; nothing is changed.
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

    async def forget_thread(self, session_id: SessionId, *, actor: UserId) -> Receipt:
        """Forget a whole thread, whoever spoke in it, as `forget_channel` does a channel."""
        ...

    async def forget_tenant(self, tenant_id: TenantId, *, actor: UserId) -> Receipt:
        """Forget a whole tenant as `forget_channel` does a channel, with its people's names, settings and disclosures.

        What is said there while it lasts goes, too; what is said after that is kept as anywhere.
        """
        ...

    async def finish_removals(self) -> Receipt:
        """Erase what is left of every thread, channel and tenant whose forgetting was begun; return what went now."""
        ...
