"""Narrowing a channel: what was said in it, and what came of that, is for fewer readers from now on."""

from collections.abc import Collection

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.audience import entry_labels, everyone_in
from memory.model import (
    Audience,
    ChannelId,
    MemoryKey,
    Role,
    SessionId,
    TenantId,
    UserId,
    episode_key,
    fact_key,
    turn_key,
)
from memory.stores.sql.fact_rows import fact_labels, fact_of
from memory.stores.sql.lexicon import drop_entries, episode_text, put_entry
from memory.stores.sql.locks import lock_threads
from memory.stores.sql.people import share_with_forgetting
from memory.stores.sql.rows import chunks
from memory.stores.sql.schema import episode_people, episodes, fact_sources, facts, messages, threads


async def narrow_channel(connection: AsyncConnection, channel_id: ChannelId, audience: Audience) -> None:
    """Narrow a channel as `MessageStore.narrow_channel` does; of all audiences only a workspace's covers others."""
    here = threads.c.channel_id == channel_id
    tenant_id = await connection.scalar(select(threads.c.tenant_id).where(here).limit(1))
    if tenant_id is None or audience == everyone_in(TenantId(tenant_id)):
        return
    wide = everyone_in(TenantId(tenant_id))
    await share_with_forgetting(connection, TenantId(tenant_id))
    found = await connection.execute(select(threads.c.session_id).where(here, threads.c.audience == wide))
    session_ids = [SessionId(row.session_id) for row in found]
    await lock_threads(connection, session_ids)
    for some in chunks(sorted(session_ids)):
        await connection.execute(update(threads).where(threads.c.session_id.in_(some)).values(audience=audience))
        await _narrow_messages(connection, some, audience)
        await _narrow_facts(connection, some, wide, audience)
        await _narrow_episodes(connection, some, audience)


async def _narrow_messages(connection: AsyncConnection, session_ids: Collection[str], audience: Audience) -> None:
    here = messages.c.session_id.in_(session_ids)
    await connection.execute(update(messages).where(here).values(audience=audience))
    columns = select(messages.c.id, messages.c.version, messages.c.author_id, messages.c.text)
    said = columns.where(here, messages.c.role == Role.USER.value, messages.c.text.is_not(None))
    for row in (await connection.execute(said)).all():
        labels = entry_labels(audience=audience, owner=UserId(row.author_id), about_owner=False)
        await _replace_entry(connection, turn_key(row.id, row.version), labels, row.text)


async def _narrow_facts(
    connection: AsyncConnection, session_ids: Collection[str], wide: Audience, audience: Audience
) -> None:
    """Narrow the sources, and the facts that no source is left of which all could read."""
    sources = update(fact_sources).where(fact_sources.c.session_id.in_(session_ids), fact_sources.c.audience == wide)
    touched = await connection.execute(sources.values(audience=audience).returning(fact_sources.c.fact_id))
    left = select(fact_sources.c.id).where(fact_sources.c.fact_id == facts.c.id, fact_sources.c.audience == wide)
    for some in chunks(sorted(set(touched.scalars()))):
        narrower = select(facts).where(facts.c.id.in_(some), facts.c.audience == wide, ~left.exists())
        rows = (await connection.execute(narrower.order_by(facts.c.id).with_for_update())).all()
        ids = [row.id for row in rows]
        changed = update(facts).where(facts.c.id.in_(ids)).values(audience=audience).returning(facts)
        for fact in [fact_of(row) for row in (await connection.execute(changed)).all()]:
            if fact.valid_until is None:
                await _replace_entry(connection, fact_key(fact.fact_id), fact_labels(fact), fact.text)


async def _narrow_episodes(connection: AsyncConnection, session_ids: Collection[str], audience: Audience) -> None:
    here = episodes.c.session_id.in_(session_ids)
    await connection.execute(update(episodes).where(here).values(audience=audience))
    people = select(episode_people).join(episodes, episodes.c.id == episode_people.c.episode_id).where(here)
    labels: dict[int, set[str]] = {}
    for row in await connection.execute(people):
        own = entry_labels(audience=audience, owner=UserId(row.user_id), about_owner=False)
        labels.setdefault(row.episode_id, set()).update(own)
    for row in (await connection.execute(select(episodes).where(here))).all():
        text = episode_text(row.title, row.happened, row.outcome)
        await _replace_entry(connection, episode_key(row.id), labels.get(row.id, set()), text)


async def _replace_entry(connection: AsyncConnection, key: MemoryKey, labels: Collection[str], text: str) -> None:
    await drop_entries(connection, [key])
    await put_entry(connection, key=key, labels=labels, text=text)
