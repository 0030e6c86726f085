"""Carrying out a removal within one transaction: rows, texts, entries, tombstones, epochs, and the work that follows.

It removes exactly what it is given; what hangs on what, `erasure_trace` says.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Table, case, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.audience import audience_of_sources
from memory.model import MemoryKey, MessageState, Receipt, SessionId, UserId, episode_key, fact_key
from memory.stores.sql.database import inserts
from memory.stores.sql.erasure_trace import Removal, turn_keys
from memory.stores.sql.fact_rows import fact_of, index_fact
from memory.stores.sql.lexicon import drop_entries
from memory.stores.sql.locks import lock_people, lock_threads
from memory.stores.sql.narrowing import follow_sources
from memory.stores.sql.people import next_number
from memory.stores.sql.rows import AnyRow, chunks
from memory.stores.sql.schema import (
    audit_log,
    episode_people,
    episode_sources,
    episodes,
    fact_sources,
    facts,
    messages,
    outbox,
    people,
    reply_uses,
    threads,
    tombstones,
)
from memory.stores.sql.thread_reset import reset_threads
from memory.stores.sql.upkeep import note_event

_TOMBSTONES = inserts(tombstones)
_UNSETTLED = (MessageState.RECEIVED.value, MessageState.ANSWERING.value)


async def apply(
    connection: AsyncConnection,
    removal: Removal,
    *,
    actor: UserId,
    action: str,
    now: datetime,
    edited_in: SessionId | None = None,
) -> Receipt:
    """Remove what `removal` names, and say so in the audit log.

    Args:
        connection: The transaction.
        removal: What goes; not empty.
        actor: Who asked for it.
        action: What the audit log calls it.
        now: The time.
        edited_in: The thread of a message that gets a new text; nobody forgets anything then.
    """
    edited = [] if edited_in is None or edited_in in removal.session_ids else [edited_in]
    session_ids = [*removal.session_ids, *edited]
    await lock_people(connection, {removal.owner, *removal.heir_ids})
    await lock_threads(connection, session_ids)
    if edited_in is None:
        await connection.execute(
            update(people).where(people.c.user_id == removal.owner).values(forget_epoch=people.c.forget_epoch + 1)
        )
    receipt = Receipt(summaries=await reset_threads(connection, edited, is_forgotten=False))
    receipt += await carry_out(connection, removal, _dropped(removal), session_ids, now=now)
    await note(connection, receipt, actor=actor, action=action, now=now)
    return receipt


async def carry_out(
    connection: AsyncConnection,
    removal: Removal,
    dropped: Mapping[MemoryKey, UserId],
    session_ids: Collection[str],
    *,
    now: datetime,
) -> Receipt:
    """Remove what `removal` names; its heirs and threads are held already.

    Args:
        connection: The transaction.
        removal: What goes.
        dropped: Every key that goes, with the owner under whom its vector is kept.
        session_ids: The threads whose copies go.
        now: The time.
    """
    summaries = await reset_threads(connection, removal.session_ids)
    await _clear_titles(connection, removal)
    await _erase_texts(connection, removal)
    await _remove_sources(connection, removal.sources)
    await follow_sources(connection, {row.fact_id for row in removal.sources.values()})
    await _hand_over(connection, removal, now=now)
    await _remove_facts(connection, removal.facts)
    await _remove_episodes(connection, removal.episodes)
    await follow_up(connection, dropped, session_ids, owner=removal.owner, now=now)
    return Receipt(
        facts=len(removal.facts),
        episodes=len(removal.episodes),
        messages=len(removal.messages),
        replies=len(removal.replies),
        summaries=summaries,
    )


async def _clear_titles(connection: AsyncConnection, removal: Removal) -> None:
    """Take the title from threads whose first message goes, since that is what it quotes."""
    for some in chunks(removal.session_ids):
        firsts = await connection.execute(
            select(messages.c.session_id, func.min(messages.c.id).label("message_id"))
            .where(messages.c.session_id.in_(some))
            .group_by(messages.c.session_id)
        )
        untitled = [row.session_id for row in firsts if row.message_id in removal.messages]
        if untitled:
            await connection.execute(update(threads).where(threads.c.session_id.in_(untitled)).values(title=""))


async def _erase_texts(connection: AsyncConnection, removal: Removal) -> None:
    for some in chunks(sorted(removal.messages)):
        await connection.execute(
            update(messages)
            .where(messages.c.id.in_(some))
            .values(
                text=None,
                attachments=[],
                extracted_version=messages.c.version,
                parked_reason=None,
                state=case((messages.c.state.in_(_UNSETTLED), MessageState.FAILED.value), else_=messages.c.state),
            )
        )
    for some in chunks(sorted(removal.replies)):
        await connection.execute(update(messages).where(messages.c.id.in_(some)).values(text=None, used=[]))
        await connection.execute(delete(reply_uses).where(reply_uses.c.message_id.in_(some)))


async def _remove_sources(connection: AsyncConnection, sources: Mapping[int, AnyRow]) -> None:
    """Take sources away from facts that stay; what was said less often is confirmed less often."""
    for some in chunks(sorted(sources)):
        await connection.execute(delete(fact_sources).where(fact_sources.c.id.in_(some)))
    left = (
        select(func.count())
        .select_from(fact_sources)
        .where(fact_sources.c.fact_id == facts.c.id)
        .correlate(facts)
        .scalar_subquery()
    )
    for some in chunks(sorted({row.fact_id for row in sources.values()})):
        await connection.execute(
            update(facts).where(facts.c.id.in_(some), facts.c.confirmations >= left).values(confirmations=left - 1)
        )


async def _hand_over(connection: AsyncConnection, removal: Removal, *, now: datetime) -> None:
    """Store a fact that others still back anew, as that of the first of them: what a key stands for never changes."""
    for fact_id, sources in sorted(removal.heirs.items()):
        old, first = removal.facts[fact_id], sources[0]
        row = (
            await connection.execute(
                insert(facts)
                .values(
                    tenant_id=old.tenant_id,
                    owner_id=first.author_id,
                    number=await next_number(connection, first.author_id),
                    subject=old.subject,
                    kind=old.kind,
                    text=old.text,
                    audience=audience_of_sources(old.audience, [source.audience for source in sources]),
                    said_at=first.said_at,
                    created_at=now,
                    valid_until=old.valid_until,
                    superseded_by=old.superseded_by,
                    confirmations=len(sources) - 1,
                )
                .returning(facts)
            )
        ).one()
        heir = fact_of(row)
        staying = [source.id for source in sources]
        await connection.execute(
            update(fact_sources).where(fact_sources.c.id.in_(staying)).values(fact_id=heir.fact_id)
        )
        await connection.execute(
            update(facts).where(facts.c.superseded_by == fact_id).values(superseded_by=heir.fact_id)
        )
        if heir.valid_until is None:
            await index_fact(connection, heir, now=now)


async def _remove_facts(connection: AsyncConnection, fact_ids: Collection[int]) -> None:
    for some in chunks(sorted(fact_ids)):
        await connection.execute(delete(fact_sources).where(fact_sources.c.fact_id.in_(some)))
        await connection.execute(update(facts).where(facts.c.superseded_by.in_(some)).values(superseded_by=None))
    for some in chunks(sorted(fact_ids)):
        await connection.execute(delete(facts).where(facts.c.id.in_(some)))


async def _remove_episodes(connection: AsyncConnection, episode_ids: Collection[int]) -> None:
    parts: tuple[Table, ...] = (episode_people, episode_sources)
    for some in chunks(sorted(episode_ids)):
        for part in parts:
            await connection.execute(delete(part).where(part.c.episode_id.in_(some)))
        await connection.execute(delete(episodes).where(episodes.c.id.in_(some)))


def _dropped(removal: Removal) -> dict[MemoryKey, UserId]:
    """Return every key that goes, with the owner under whom its vector is kept."""
    dropped: dict[MemoryKey, UserId] = {fact_key(row.id): row.owner_id for row in removal.facts.values()}
    dropped |= {episode_key(row.id): row.owner_id for row in removal.episodes.values()}
    dropped |= {key: removal.owner for row in removal.messages.values() for key in turn_keys(row)}
    return dropped | dict.fromkeys(removal.outdated, removal.owner)


async def follow_up(
    connection: AsyncConnection,
    dropped: Mapping[MemoryKey, UserId],
    session_ids: Collection[str],
    *,
    owner: UserId,
    now: datetime,
) -> None:
    """Make full text, vectors and cached threads follow, and leave a tombstone for every key."""
    for some in chunks(sorted(dropped)):
        await drop_entries(connection, some)
        await connection.execute(delete(outbox).where(outbox.c.operation == "index", outbox.c.key.in_(some)))
        stones = [{"key": key, "owner_id": owner, "at": now} for key in some]
        await connection.execute(_TOMBSTONES[connection.dialect.name].on_conflict_do_nothing(), stones)
        drops = [{"operation": "drop", "key": key, "owner_id": dropped[key], "due_at": now} for key in some]
        await connection.execute(insert(outbox), drops)
    evictions = [{"operation": "evict", "session_id": session_id, "due_at": now} for session_id in session_ids]
    if evictions:
        await connection.execute(insert(outbox), evictions)


async def note(connection: AsyncConnection, receipt: Receipt, *, actor: UserId, action: str, now: datetime) -> None:
    """Write the audit event, in counts, and that files now hold deleted text."""
    counts = {name: count for name, count in asdict(receipt).items() if count}
    await connection.execute(insert(audit_log).values(at=now, actor_id=actor, action=action, counts=counts))
    await note_event(connection, "erased_at", at=now)
