"""Forgetting in the record. What hangs on what is in `erasure_trace`; carrying it out in `erasure_apply`.

Whoever stores a reply, a fact or an extraction shares the tenant's forgetting lock, so that from here nothing is
missed that is being stored at this moment, and what comes later sees the raised epochs and the tombstones.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.audience import entry_labels
from memory.model import (
    Attachment,
    ChannelId,
    Everything,
    ForgetPlan,
    ForgetTarget,
    MessageState,
    Receipt,
    SessionId,
    TenantId,
    UserId,
    turn_key,
)
from memory.ports import ErasureStore
from memory.stores.sql import removals
from memory.stores.sql.attachments import after_edit, attachment_values, attachments_of
from memory.stores.sql.database import Database
from memory.stores.sql.early_changes import note_early
from memory.stores.sql.erasure_apply import apply, follow_up, note
from memory.stores.sql.erasure_plan import plan_of, seeds_of_plan, seeds_of_target
from memory.stores.sql.erasure_trace import Seeds, trace
from memory.stores.sql.inbox import title_of
from memory.stores.sql.index_queue import enqueue
from memory.stores.sql.lexicon import put_entry
from memory.stores.sql.locks import lock_threads
from memory.stores.sql.pause import erase_unkept, may_keep
from memory.stores.sql.people import forget_alone
from memory.stores.sql.posts import reply_at
from memory.stores.sql.rows import AnyRow
from memory.stores.sql.schema import messages, people, threads
from memory.stores.sql.thread_reset import reset_threads
from memory.stores.sql.upkeep import note_event


class SqlErasureStore(ErasureStore):
    """Forgetting as one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def plan(self, owner: UserId, target: ForgetTarget) -> ForgetPlan:
        async with self._database.read("plan a forget") as connection:
            seeds = await seeds_of_target(connection, owner, target)
            removal = await trace(connection, seeds)
            return await plan_of(connection, seeds, removal, everything=isinstance(target, Everything))

    async def erase(self, plan: ForgetPlan, *, actor: UserId) -> Receipt:
        async with self._database.upkeep_transaction("forget") as connection:
            tenant_id = await connection.scalar(select(people.c.tenant_id).where(people.c.user_id == plan.owner))
            if tenant_id is None:
                return Receipt()
            await forget_alone(connection, TenantId(tenant_id))
            removal = await trace(connection, await seeds_of_plan(connection, plan))
            if removal.is_empty:
                return Receipt()
            return await apply(connection, removal, actor=actor, action="forget", now=self._database.clock.now())

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
        """Replies keep their text, except those that used the old words or a fact that came from them alone."""
        now = self._database.clock.now()
        async with self._database.begin("take an edit") as connection:
            row = await _find_alone(connection, session_id, platform_message_id)
            if row is None:
                return None
            if row.text is None or edited_at <= (row.edited_at or row.sent_at):
                return Receipt()
            files = attachments_of(row.attachments) if attachments is None else _files_after(row, attachments)
            if not row.kept:
                receipt = await _edit_unkept(connection, row, text, files, now=now)
            else:
                receipt = await _edit_kept(connection, row, text, files, actor=actor, now=now)
            await connection.execute(update(messages).where(messages.c.id == row.id).values(edited_at=edited_at))
            return receipt

    async def delete_message(self, session_id: SessionId, platform_message_id: str, *, actor: UserId) -> Receipt | None:
        async with self._database.begin("take a deletion") as connection:
            if row := await _find_alone(connection, session_id, platform_message_id):
                here = frozenset({row.id})
                seeds = Seeds(owner=row.author_id, messages=here, chosen=here)
            elif reply := await reply_at(connection, session_id, platform_message_id):
                seeds = Seeds(owner=actor, replies=frozenset({reply.message_id}))
            else:
                return None
            removal = await trace(connection, seeds)
            if removal.is_empty:
                return Receipt()
            return await apply(connection, removal, actor=actor, action="delete", now=self._database.clock.now())

    async def note_early(
        self, channel_id: ChannelId, platform_message_id: str, *, is_deleted: bool, changed_at: datetime
    ) -> None:
        now = self._database.clock.now()
        async with self._database.begin("note an early change") as connection:
            await note_early(
                connection, channel_id, platform_message_id, is_deleted=is_deleted, changed_at=changed_at, now=now
            )

    async def forget_channel(self, channel_id: ChannelId, *, actor: UserId) -> Receipt:
        return await removals.forget_channel(self._database, channel_id, actor=actor)

    async def forget_thread(self, session_id: SessionId, *, actor: UserId) -> Receipt:
        return await removals.forget_thread(self._database, session_id, actor=actor)

    async def forget_tenant(self, tenant_id: TenantId, *, actor: UserId) -> Receipt:
        return await removals.forget_tenant(self._database, tenant_id, actor=actor)

    async def finish_removals(self) -> Receipt:
        return await removals.finish_removals(self._database)


async def _find_alone(connection: AsyncConnection, session_id: SessionId, platform_message_id: str) -> AnyRow | None:
    """Return a person's message as it stands once all that is being stored or forgotten in its tenant is done."""
    tenant_id = await connection.scalar(select(threads.c.tenant_id).where(threads.c.session_id == session_id))
    if tenant_id is None:
        return None
    await forget_alone(connection, tenant_id)
    query = select(messages).where(
        messages.c.session_id == session_id, messages.c.platform_message_id == platform_message_id
    )
    return (await connection.execute(query)).first()


def _files_after(row: AnyRow, attachments: Sequence[Attachment]) -> tuple[Attachment, ...]:
    """Return what comes with a message after an edit that leaves it these."""
    is_settled = MessageState(row.state).is_settled
    return after_edit(attachments_of(row.attachments), attachments, is_settled=is_settled)


def _is_more(files: Sequence[Attachment], row: AnyRow) -> bool:
    """Whether something comes with a message that did not before."""
    return not set(files) <= set(attachments_of(row.attachments))


async def _edit_unkept(
    connection: AsyncConnection, row: AnyRow, text: str, files: Sequence[Attachment], *, now: datetime
) -> Receipt:
    """Give a message its new text until its answer has been shown; nothing has been made of the old one."""
    if (text, tuple(files)) == (row.text, attachments_of(row.attachments)):
        return Receipt()
    await _rewrite(connection, row.id, text, kept=False)
    values = {"attachments": attachment_values(files)}
    await connection.execute(update(messages).where(messages.c.id == row.id).values(values))
    await note_event(connection, "texts_erased_at", at=now)
    return Receipt()


async def _edit_kept(
    connection: AsyncConnection, row: AnyRow, text: str, files: Sequence[Attachment], *, actor: UserId, now: datetime
) -> Receipt:
    """Change text and files of a message; the text first, since that holds people before it holds their threads."""
    may_stay = await may_keep(connection, row.author_id, row.session_id)
    receipt = Receipt()
    if row.text != text or (not may_stay and _is_more(files, row)):
        receipt = await _edit_text(connection, row, text, may_stay=may_stay, actor=actor, now=now)
        files = files if may_stay or not _is_over(row) else ()
    await _attach_only(connection, row, files, actor=actor, now=now)
    return receipt


def _is_over(row: AnyRow) -> bool:
    """Whether a message's turn has ended, and its person has seen how."""
    return MessageState(row.state).is_settled and row.unshown_since is None


async def _edit_text(
    connection: AsyncConnection, row: AnyRow, text: str, *, may_stay: bool, actor: UserId, now: datetime
) -> Receipt:
    """Let what came of the old text go, and keep the new one; while paused, only for as long as the turn needs it."""
    replies = frozenset() if may_stay else await _replies_to(connection, row.id)
    seeds = Seeds(owner=row.author_id, chosen=frozenset({row.id}), replies=replies)
    removal = await trace(connection, seeds, edited=True)
    receipt = await apply(connection, removal, actor=actor, action="edit", now=now, edited_in=row.session_id)
    version = await _rewrite(connection, row.id, text, kept=may_stay)
    if may_stay:
        key, owner = turn_key(row.id, version), row.author_id
        labels = entry_labels(audience=row.audience, owner=owner, about_owner=False)
        await put_entry(connection, key=key, labels=labels, text=text)
        await enqueue(connection, operation="index", key=key, owner=owner, now=now)
    elif _is_over(row):
        await erase_unkept(connection, [row.id], now=now)
    return receipt


async def _replies_to(connection: AsyncConnection, message_id: int) -> frozenset[int]:
    return frozenset(await connection.scalars(select(messages.c.id).where(messages.c.reply_to == message_id)))


async def _attach_only(
    connection: AsyncConnection, row: AnyRow, files: Sequence[Attachment], *, actor: UserId, now: datetime
) -> None:
    """Give a message the files it has now; what was made of its thread with the others is void."""
    if tuple(files) == attachments_of(row.attachments):
        return
    await lock_threads(connection, [row.session_id])
    values = {"attachments": attachment_values(files)}
    await connection.execute(update(messages).where(messages.c.id == row.id).values(values))
    await reset_threads(connection, [row.session_id], is_forgotten=False)
    await follow_up(connection, {}, [row.session_id], owner=row.author_id, now=now)
    await note(connection, Receipt(), actor=actor, action="edit", now=now)


async def _rewrite(connection: AsyncConnection, message_id: int, text: str, *, kept: bool) -> int:
    """Give a message its new text, to be extracted anew, and its thread a new title if it is the first there.

    Of a text that is not to be kept, neither is made.
    """
    row = (
        await connection.execute(
            update(messages)
            .where(messages.c.id == message_id)
            .values(text=text, version=messages.c.version + 1, parked_reason=None, kept=kept)
            .returning(messages.c.version, messages.c.session_id)
        )
    ).one()
    first = select(func.min(messages.c.id)).where(messages.c.session_id == row.session_id).scalar_subquery()
    title = title_of(text) if kept else ""
    await connection.execute(
        update(threads).where(threads.c.session_id == row.session_id, first == message_id).values(title=title)
    )
    return int(row.version)
