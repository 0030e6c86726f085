"""Widening a fact to its whole tenant, and taking that back: its owner's decision, which no narrowing undoes."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.audience import audience_of_sources, everyone_in, is_community
from memory.errors import NoCommunityError
from memory.model import UserId
from memory.model.work import AuditEvent
from memory.stores.sql.audit import append_event
from memory.stores.sql.narrowing import readers_of_sources, set_audience
from memory.stores.sql.rows import chunks
from memory.stores.sql.schema import facts


async def widen_facts(
    connection: AsyncConnection, owner: UserId, fact_ids: Collection[int], *, wide: bool, now: datetime
) -> int:
    """Widen facts, or take that back, as `FactStore.widen` does."""
    changed = 0
    for some in chunks(sorted(fact_ids)):
        query = (
            select(facts)
            .where(
                facts.c.id.in_(some),
                facts.c.owner_id == owner,
                facts.c.valid_until.is_(None),
                facts.c.widened.is_not(wide),
            )
            .order_by(facts.c.id)
            .with_for_update()
        )
        rows = (await connection.execute(query)).all()
        if wide and not all(is_community(row.tenant_id) for row in rows):
            raise NoCommunityError
        readers = {} if wide else await readers_of_sources(connection, [row.id for row in rows])
        for row in rows:
            narrow = audience_of_sources(row.audience, readers.get(row.id, ()))
            audience = everyone_in(row.tenant_id) if wide else narrow
            await set_audience(connection, row.id, audience, widened=wide)
        changed += len(rows)
    if changed:
        action = "widen" if wide else "narrow"
        await append_event(connection, AuditEvent(at=now, actor=owner, action=action, counts={"facts": changed}))
    return changed
