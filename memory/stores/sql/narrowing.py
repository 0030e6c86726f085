"""Narrowing a channel: what was said in it, and what came of that, is for fewer readers from now on."""

from collections.abc import Collection

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.audience import audience_of_sources, entry_labels
from memory.model import (
    Audience,
    ChannelId,
    Role,
    SessionId,
    TenantId,
    UserId,
    episode_key,
    fact_key,
    turn_key,
)
from memory.stores.sql.channels import take_channel
from memory.stores.sql.fact_rows import fact_labels, fact_of
from memory.stores.sql.lexicon import episode_text, replace_entry
from memory.stores.sql.locks import lock_threads
from memory.stores.sql.people import share_with_forgetting
from memory.stores.sql.rows import chunks
from memory.stores.sql.schema import episode_people, episodes, fact_sources, facts, messages, threads


async def narrow_channel(
    connection: AsyncConnection, channel_id: ChannelId, audience: Audience, *, tenant_id: TenantId
) -> None:
    """Narrow a channel as `MessageStore.narrow_channel` does."""
    await share_with_forgetting(connection, tenant_id)
    if not await take_channel(connection, channel_id, audience):
        return
    here = threads.c.channel_id == channel_id
    session_ids = [SessionId(row.session_id) for row in await connection.execute(select(threads).where(here))]
    await lock_threads(connection, session_ids)
    await connection.execute(update(threads).where(here).values(audience=audience))
    await _narrow_messages(connection, channel_id, audience)
    await _narrow_facts(connection, channel_id, audience)
    for some in chunks(sorted(session_ids)):
        await _narrow_episodes(connection, some, audience)


async def follow_sources(connection: AsyncConnection, fact_ids: Collection[int]) -> None:
    """Let no fact be for others than the readers of a source that it still has, unless its owner widened it."""
    for some in chunks(sorted(fact_ids)):
        query = select(facts).where(facts.c.id.in_(some)).order_by(facts.c.id).with_for_update()
        rows = [row for row in (await connection.execute(query)).all() if not row.widened]
        readers = await readers_of_sources(connection, some)  # after the locks, to see what others narrowed meanwhile
        for row in rows:
            audience = audience_of_sources(row.audience, readers.get(row.id, ()))
            if audience != row.audience:
                await set_audience(connection, row.id, audience)


async def readers_of_sources(connection: AsyncConnection, fact_ids: Collection[int]) -> dict[int, list[Audience]]:
    """Return the audiences of the sources of facts, oldest first."""
    query = select(fact_sources.c.fact_id, fact_sources.c.audience).where(fact_sources.c.fact_id.in_(fact_ids))
    readers: dict[int, list[Audience]] = {}
    for row in await connection.execute(query.order_by(fact_sources.c.id)):
        readers.setdefault(row.fact_id, []).append(row.audience)
    return readers


async def set_audience(connection: AsyncConnection, fact_id: int, audience: Audience, *, widened: bool = False) -> None:
    """Give a fact, whose row is held, other readers; the search follows."""
    new = {"audience": audience, "widened": widened}
    changed = update(facts).where(facts.c.id == fact_id).values(new).returning(facts)
    fact = fact_of((await connection.execute(changed)).one())
    if fact.valid_until is None:
        await replace_entry(connection, key=fact_key(fact_id), labels=fact_labels(fact), text=fact.text)


async def _narrow_messages(connection: AsyncConnection, channel_id: ChannelId, audience: Audience) -> None:
    here = messages.c.channel_id == channel_id
    await connection.execute(update(messages).where(here).values(audience=audience))
    columns = select(messages.c.id, messages.c.version, messages.c.author_id, messages.c.text)
    said = columns.where(here, messages.c.role == Role.USER.value, messages.c.text.is_not(None), messages.c.kept)
    for row in (await connection.execute(said)).all():
        labels = entry_labels(audience=audience, owner=UserId(row.author_id), about_owner=False)
        await replace_entry(connection, key=turn_key(row.id, row.version), labels=labels, text=row.text)


async def _narrow_facts(connection: AsyncConnection, channel_id: ChannelId, audience: Audience) -> None:
    """Narrow the sources; a fact that was also said where everyone can read it stays as wide as that."""
    sources = update(fact_sources).where(fact_sources.c.channel_id == channel_id)
    touched = await connection.execute(sources.values(audience=audience).returning(fact_sources.c.fact_id))
    await follow_sources(connection, set(touched.scalars()))


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
        await replace_entry(connection, key=episode_key(row.id), labels=labels.get(row.id, set()), text=text)
