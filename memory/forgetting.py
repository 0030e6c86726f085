"""Forgetting as a use case: plan, carry out in the record, then make every faster copy follow."""

from collections.abc import Callable, Sequence

from memory.attaching import kept
from memory.errors import InputError
from memory.model import (
    Attachment,
    ForgetPlan,
    ForgetTarget,
    Last,
    Numbered,
    Receipt,
    SessionId,
    ThisMessage,
    ThisThread,
    UserId,
)
from memory.ports import ErasureStore
from memory.redaction import redact
from memory.short_term import ShortTermMemory
from memory.vector_cache import VectorCache


class Forgetting:
    """Erases what a person asks to forget.

    The record's transaction decides; vectors and cached threads follow through the outbox, at once where they can.

    Args:
        erasure: The record.
        short_term: Evicted at once; None where only the record is open.
        vectors: Dropped at once; None where only the record is open.
        on_erased: Called after each erasure, to wake whoever works off the outbox.
    """

    def __init__(
        self,
        *,
        erasure: ErasureStore,
        short_term: ShortTermMemory | None = None,
        vectors: VectorCache | None = None,
        on_erased: Callable[[], None] = lambda: None,
    ) -> None:
        self._erasure = erasure
        self._short_term = short_term
        self._vectors = vectors
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
        return receipt

    async def message_edited(
        self,
        session_id: SessionId,
        platform_message_id: str,
        text: str,
        *,
        actor: UserId,
        attachments: Sequence[Attachment] | None = None,
    ) -> Receipt:
        """Take a platform's edit, secrets redacted, down to the facts that came from the old text.

        Args:
            session_id: The thread.
            platform_message_id: The message.
            text: What it says now.
            actor: Who edited it.
            attachments: The files it has now, not read; None where the platform does not say.
        """
        redacted = redact(text).text
        files = None if attachments is None else (await kept(attachments)).attachments
        receipt = await self._erasure.edit_message(
            session_id, platform_message_id, redacted, actor=actor, attachments=files
        )
        await self._follow([session_id])
        return receipt

    async def message_deleted(self, session_id: SessionId, platform_message_id: str, *, actor: UserId) -> Receipt:
        """Take a platform's deletion, down to the facts that came from the message."""
        receipt = await self._erasure.delete_message(session_id, platform_message_id, actor=actor)
        await self._follow([session_id])
        return receipt

    async def _follow(self, session_ids: Sequence[SessionId]) -> None:
        """Make the faster copies follow now; the outbox makes them follow for certain."""
        if self._short_term is not None:
            await self._short_term.evict(session_ids)
        self._on_erased()


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
