"""Forgetting as a use case: plan, carry out in the record, then make every faster copy follow."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from memory.attaching import storable
from memory.errors import InputError
from memory.model import (
    Attachment,
    ChannelId,
    ForgetPlan,
    ForgetTarget,
    Last,
    Numbered,
    Receipt,
    SessionId,
    TenantId,
    ThisMessage,
    ThisThread,
    UserId,
)
from memory.ports import Clock, ErasureStore, Signals
from memory.redaction import redact
from memory.short_term import ShortTermMemory
from memory.vector_cache import VectorCache

_STILL_DELIVERED = timedelta(hours=1)
"""A platform does not deliver a message for the first time when it is older than this."""

FORGOTTEN = "forgotten"
"""The topic of the words by which whoever makes answers hears what went; see `Gone`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What was forgotten, as far as an answer that is being made depends on it.

    Attributes:
        session_ids: The threads in which something went; it may be any when empty.
        deleted: The platform's name of the message that was deleted there; "" when something else went.
    """

    session_ids: tuple[SessionId, ...] = ()
    deleted: str = ""

    @classmethod
    def of_word(cls, word: str) -> "Gone":
        """Read what `word` wrote."""
        session_ids, deleted = json.loads(word)
        return cls(session_ids=tuple(map(SessionId, session_ids)), deleted=deleted)

    @property
    def word(self) -> str:
        """It as one process says it to all."""
        return json.dumps([self.session_ids, self.deleted])


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformChange:
    """An edit or a deletion of a message on its platform.

    Attributes:
        sent_at: When the message was sent.
        at: When it was changed; both aware, UTC, by the platform's clock.
        actor: Who did it, for the audit log.
    """

    session_id: SessionId
    channel_id: ChannelId
    platform_message_id: str
    sent_at: datetime
    at: datetime
    actor: UserId


class Forgetting:
    """Erases what a person asks to forget.

    The record's transaction decides; vectors and cached threads follow through the outbox, at once where they can.

    Args:
        erasure: The record.
        clock: The time of day.
        short_term: Evicted at once; None where only the record is open.
        vectors: Dropped at once; None where only the record is open.
        signals: Whoever makes answers hears there of what went; nobody does when None.
        on_erased: Called after each erasure, to wake whoever works off the outbox.
    """

    def __init__(
        self,
        *,
        erasure: ErasureStore,
        clock: Clock,
        short_term: ShortTermMemory | None = None,
        vectors: VectorCache | None = None,
        signals: Signals | None = None,
        on_erased: Callable[[], None] = lambda: None,
    ) -> None:
        self._erasure = erasure
        self._clock = clock
        self._short_term = short_term
        self._vectors = vectors
        self._signals = signals
        self._on_erased = on_erased

    async def plan(self, owner: UserId, target: ForgetTarget) -> ForgetPlan:
        """Say what forgetting `target` would remove.

        Raises:
            InputError: There is nothing to forget.
        """
        plan = await self._erasure.plan(owner, target)
        if plan.is_empty:
            raise InputError(_nothing(target))
        return plan

    async def forget(self, plan: ForgetPlan) -> Receipt:
        """Carry out a plan."""
        receipt = await self._erasure.erase(plan, actor=plan.owner)
        if self._vectors is not None:
            self._vectors.drop(plan.owner)
        await self._follow(plan.session_ids)
        await self._tell(Gone(session_ids=tuple(plan.session_ids)))
        return receipt

    async def message_edited(
        self, change: PlatformChange, text: str, *, attachments: Sequence[Attachment] | None = None
    ) -> Mapping[str, int]:
        """Take a platform's edit, secrets taken out, down to the facts that came from the old text.

        Args:
            change: Which message.
            text: What it says now.
            attachments: The files it has now, not read; None where the platform does not say.

        Returns:
            The secrets by kind; empty where nothing of the edit is kept.
        """
        redacted = await asyncio.to_thread(redact, text)
        files = None if attachments is None else (await storable(attachments)).attachments

        async def edit() -> Receipt | None:
            return await self._erasure.edit_message(
                change.session_id,
                change.platform_message_id,
                redacted.text,
                edited_at=change.at,
                actor=change.actor,
                attachments=files,
            )

        taken = await self._take(change, edit, is_deleted=False)
        return redacted.findings if taken is not None else {}

    async def message_deleted(self, change: PlatformChange, *, stands: bool = False) -> Receipt:
        """Take a platform's deletion, down to the facts that came from the message.

        Args:
            change: Which message.
            stands: It was edited on the platform, to words that are not known, or not to be kept.
        """

        async def remove() -> Receipt | None:
            return await self._erasure.delete_message(change.session_id, change.platform_message_id, actor=change.actor)

        receipt = await self._take(change, remove, is_deleted=True)
        if receipt is not None:
            deleted = "" if stands else change.platform_message_id
            await self._tell(Gone(session_ids=(change.session_id,), deleted=deleted))
        return receipt or Receipt()

    async def edit_came_early(self, change: PlatformChange) -> None:
        """Keep in mind that a message was edited that is not known, and may be delivered yet."""
        await self._mind(change, is_deleted=False)

    async def _take(
        self, change: PlatformChange, carry_out: Callable[[], Awaitable[Receipt | None]], *, is_deleted: bool
    ) -> Receipt | None:
        """Carry a change out, or keep in mind that it comes before its message, which may be delivered yet."""
        receipt = await carry_out()
        if receipt is None and await self._mind(change, is_deleted=is_deleted):
            receipt = await carry_out()  # it may have come while the note was written
        if receipt is not None:
            await self._follow([change.session_id])
        return receipt

    async def _mind(self, change: PlatformChange, *, is_deleted: bool) -> bool:
        """Note a change that came before its message; False when that is too old to be delivered yet."""
        if self._clock.now() - change.sent_at >= _STILL_DELIVERED:
            return False
        await self._erasure.note_early(
            change.channel_id, change.platform_message_id, is_deleted=is_deleted, changed_at=change.at
        )
        return True

    async def channel_removed(self, channel_id: ChannelId, *, actor: UserId) -> Receipt:
        """Forget a channel that the platform has removed."""
        return await self._followed(await self._erasure.forget_channel(channel_id, actor=actor))

    async def thread_removed(self, session_id: SessionId, *, actor: UserId) -> Receipt:
        """Forget a thread that the platform has removed, whoever spoke in it."""
        return await self._followed(await self._erasure.forget_thread(session_id, actor=actor))

    async def tenant_removed(self, tenant_id: TenantId, *, actor: UserId) -> Receipt:
        """Forget a workspace or guild that has removed Recall."""
        return await self._followed(await self._erasure.forget_tenant(tenant_id, actor=actor))

    async def finish_removals(self) -> Receipt:
        """Go on with what a crash left of forgetting threads, channels and tenants."""
        receipt = await self._erasure.finish_removals()
        return receipt if receipt == Receipt() else await self._followed(receipt)

    async def _followed(self, receipt: Receipt) -> Receipt:
        """Make the faster copies of many threads follow: each by its line in the outbox."""
        if self._vectors is not None:
            self._vectors.clear()
        self._on_erased()
        await self._tell(Gone())
        return receipt

    async def _follow(self, session_ids: Sequence[SessionId]) -> None:
        """Make the faster copies follow now; the outbox makes them follow for certain."""
        if self._short_term is not None:
            await self._short_term.evict(session_ids)
        self._on_erased()

    async def _tell(self, gone: Gone) -> None:
        if self._signals is not None:
            await self._signals.send(FORGOTTEN, gone.word)


def _nothing(target: ForgetTarget) -> str:
    match target:
        case Numbered(number=number):
            return f"You have no memory #{number}."
        case Last():
            return "There is no memory of yours to forget."
        case ThisMessage():
            return "Nothing of yours is kept from this message."
        case ThisThread():
            return "Nothing of yours is kept from this thread."
        case _:
            return "Nothing of yours matches that."
