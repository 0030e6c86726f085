"""Storing what an extraction taught, in the transaction that moves its watermark. Whether it may, the caller checks."""

from datetime import datetime
from typing import Literal

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.audience import entry_labels
from memory.model import Episode, NewFact, TenantId, episode_key
from memory.model.work import Committed, Outcome
from memory.stores.sql.fact_rows import add_fact, confirm_fact, end_fact, living_facts, supersede_fact
from memory.stores.sql.index_queue import enqueue
from memory.stores.sql.lexicon import episode_text, put_entry
from memory.stores.sql.people import next_number
from memory.stores.sql.schema import episode_people, episode_sources, episodes, facts


async def store_outcome(
    connection: AsyncConnection, outcome: Outcome, *, tenant_id: TenantId, retracted_at: datetime, now: datetime
) -> Committed:
    """Apply an outcome to facts that may have ended since it was made; what names another tenant's is skipped."""
    touched = [fact_id for fact_id, _ in (*outcome.updated, *outcome.confirmed)] + list(outcome.retracted)
    await living_facts(connection, tenant_id, touched, lock=True)
    added = [await add_fact(connection, new, now=now) for new in outcome.added if new.tenant_id == tenant_id]
    confirmed = [await _confirm(connection, tenant_id, fact_id, new, now=now) for fact_id, new in outcome.confirmed]
    updated = [await _update(connection, tenant_id, fact_id, new, now=now) for fact_id, new in outcome.updated]
    retracted = [
        await _retract(connection, tenant_id, fact_id, at=retracted_at, now=now) for fact_id in outcome.retracted
    ]
    if outcome.episode is not None:
        await _add_episode(connection, outcome.episode, now=now)
    return Committed(
        added=len(added) + updated.count("added") + confirmed.count("added"),
        updated=updated.count("updated"),
        confirmed=confirmed.count("confirmed"),
        retracted=retracted.count(True),
        episodes=int(outcome.episode is not None),
    )


async def _confirm(
    connection: AsyncConnection, tenant_id: TenantId, fact_id: int, new: NewFact, *, now: datetime
) -> Literal["confirmed", "added"] | None:
    """Confirm a fact; one that ended before it was said again lives again, one that was forgotten does not."""
    fact = (await living_facts(connection, tenant_id, [fact_id])).get(fact_id)
    if fact is not None:
        return "confirmed" if await confirm_fact(connection, fact, new) else None
    ended = select(facts.c.valid_until).where(facts.c.id == fact_id, facts.c.tenant_id == tenant_id)
    valid_until = await connection.scalar(ended)
    if valid_until is None or new.tenant_id != tenant_id or new.said_at <= valid_until:
        return None
    await add_fact(connection, new, now=now)
    return "added"


async def _update(
    connection: AsyncConnection, tenant_id: TenantId, fact_id: int, new: NewFact, *, now: datetime
) -> Literal["updated", "added"] | None:
    """Store `new` in the old fact's place; beside it where it may not take that, alone when the old one is gone."""
    if new.tenant_id != tenant_id:
        return None
    old = (await living_facts(connection, tenant_id, [fact_id])).get(fact_id)
    if old is None:
        await add_fact(connection, new, now=now)
        return "added"
    _, took_its_place = await supersede_fact(connection, old, new, now=now)
    return "updated" if took_its_place else "added"


async def _retract(
    connection: AsyncConnection, tenant_id: TenantId, fact_id: int, *, at: datetime, now: datetime
) -> bool:
    fact = (await living_facts(connection, tenant_id, [fact_id])).get(fact_id)
    if fact is None:
        return False
    await end_fact(connection, fact, at=at, now=now)
    return True


async def _add_episode(connection: AsyncConnection, episode: Episode, *, now: datetime) -> None:
    """Store an episode beside earlier ones of its thread.

    It never takes their place: each version of a message is told of once, and an edit has removed what told of the old.
    """
    owner = episode.people[0].user_id
    episode_id = (
        await connection.execute(
            insert(episodes)
            .values(
                session_id=episode.session_id,
                tenant_id=episode.tenant_id,
                owner_id=owner,
                audience=episode.audience,
                title=episode.title,
                happened=episode.happened,
                outcome=episode.outcome,
                started_at=episode.started_at,
                ended_at=episode.ended_at,
                link=episode.link,
            )
            .returning(episodes.c.id)
        )
    ).scalar_one()
    user_ids = sorted({person.user_id for person in episode.people})
    numbers = [
        {"episode_id": episode_id, "user_id": user_id, "number": await next_number(connection, user_id)}
        for user_id in user_ids
    ]
    await connection.execute(insert(episode_people), numbers)
    sources = [{"episode_id": episode_id, "message_id": message_id} for message_id in sorted(set(episode.sources))]
    if sources:
        await connection.execute(insert(episode_sources), sources)
    labels = [entry_labels(audience=episode.audience, owner=user_id, about_owner=False) for user_id in user_ids]
    key = episode_key(episode_id)
    text = episode_text(episode.title, episode.happened, episode.outcome)
    await put_entry(connection, key=key, labels=frozenset().union(*labels), text=text)
    await enqueue(connection, operation="index", owner=owner, key=key, now=now)
