"""Which threads wait for extraction, and the batch of new turns that one call learns from. Reads only."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import MemoryKey, Message, MessageId, Role, SessionId, UserId, key_kind, row_id
from memory.model.work import ExtractionBatch
from memory.stores.sql.leases import database_now
from memory.stores.sql.lexicon import episode_text
from memory.stores.sql.rows import AnyRow, chunks
from memory.stores.sql.schema import episodes, facts, leases, messages, people, threads
from memory.stores.sql.threads import SETTLED, message_of
from memory.stores.sql.visibility import place_stays

_LEASE = "extract:"
# Literals, not parameters: with those neither planner can tell that the partial index holds exactly these rows.
_PENDING: tuple[ColumnElement[bool], ...] = (
    literal_column("messages.role = 'user' AND messages.text IS NOT NULL").self_group(),
    literal_column("messages.extracted_version < messages.version").self_group(),
    SETTLED,
    messages.c.parked_reason.is_(None),
    messages.c.kept,
)
_WAITING = (
    select(func.count())
    .select_from(messages)
    .where(messages.c.session_id == threads.c.session_id, *_PENDING)
    .correlate(threads)
    .scalar_subquery()
)
_LEASED = (
    select(leases.c.name)
    .where(
        leases.c.name == _LEASE + threads.c.session_id,
        leases.c.holder.is_not(None),
        leases.c.expires_at > database_now(),
    )
    .correlate(threads)
    .exists()
)


def extract_lease(session_id: SessionId) -> str:
    """Return the name of the lease under which a thread is extracted from."""
    return f"{_LEASE}{session_id}"


def due_threads(*, idle_before: datetime, busy_turns: int, now: datetime, limit: int) -> Select[*tuple[Any, ...]]:
    """Select threads to extract from, longest quiet first; rows that another claimer is looking at are skipped."""
    waiting = select(messages.c.session_id).where(*_PENDING).distinct()
    return (
        select(
            threads.c.session_id,
            threads.c.channel_id,
            threads.c.tenant_id,
            threads.c.audience,
            threads.c.extract_attempts,
        )
        .where(
            threads.c.session_id.in_(waiting),
            or_(threads.c.last_active_at <= idle_before, busy_turns <= _WAITING),
            or_(threads.c.extract_retry_at.is_(None), threads.c.extract_retry_at <= now),
            ~_LEASED,
            place_stays(threads, threads.c.tenant_id),
        )
        .order_by(threads.c.last_active_at, threads.c.session_id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=threads)
    )


async def read_batch(connection: AsyncConnection, session_id: SessionId, *, limit: int) -> ExtractionBatch:
    """Read a batch; the epochs first, so that a forget between two of the reads shows at the commit."""
    thread = (
        await connection.execute(
            select(threads.c.forget_epoch, threads.c.title).where(threads.c.session_id == session_id)
        )
    ).one()
    authors = select(messages.c.author_id).where(messages.c.session_id == session_id, *_PENDING)
    epochs = {
        UserId(row.user_id): row.forget_epoch
        for row in await connection.execute(
            select(people.c.user_id, people.c.forget_epoch).where(people.c.user_id.in_(authors))
        )
    }
    said = (
        await connection.execute(
            select(messages).where(messages.c.session_id == session_id, *_PENDING).order_by(messages.c.id).limit(limit)
        )
    ).all()
    answers = await _replies(connection, [row.id for row in said])
    spoken = {UserId(row.author_id) for row in said}
    return ExtractionBatch(
        messages=tuple(_words_of(row) for row in sorted([*said, *answers], key=_place_in_thread)),
        versions={MessageId(row.id): row.version for row in said},
        thread_epoch=thread.forget_epoch,
        author_epochs={user_id: epoch for user_id, epoch in epochs.items() if user_id in spoken},
        memory_texts=tuple(await _memory_texts(connection, {key for row in answers for key in row.used})),
        thread_title=thread.title,
    )


def _words_of(row: AnyRow) -> Message:
    """Return a message without what came with it: nothing is learned from files."""
    return replace(message_of(row), attachments=())


async def _replies(connection: AsyncConnection, message_ids: Sequence[int]) -> list[AnyRow]:
    found: list[AnyRow] = []
    for some in chunks(message_ids):
        found += (
            await connection.execute(
                select(messages).where(
                    messages.c.reply_to.in_(some),
                    messages.c.role == Role.ASSISTANT.value,
                    messages.c.text.is_not(None),
                )
            )
        ).all()
    return found


async def _memory_texts(connection: AsyncConnection, keys: Collection[MemoryKey]) -> list[str]:
    """Return the texts of the facts and episodes among `keys`."""
    texts: list[str] = []
    for some in chunks(sorted(row_id(key) for key in keys if key_kind(key) == "fact")):
        texts += await connection.scalars(select(facts.c.text).where(facts.c.id.in_(some)).order_by(facts.c.id))
    for some in chunks(sorted(row_id(key) for key in keys if key_kind(key) == "episode")):
        rows = await connection.execute(select(episodes).where(episodes.c.id.in_(some)).order_by(episodes.c.id))
        texts += [episode_text(row.title, row.happened, row.outcome) for row in rows]
    return texts


def _place_in_thread(row: AnyRow) -> tuple[int, int]:
    """Order a reply right after the message it answers."""
    return (row.reply_to or row.id, row.id)
