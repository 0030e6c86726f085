"""Which tenants, channels and threads the record knows of."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, or_, select, union

from memory.model import Audience, ChannelId, SeenThread, SessionId, TenantId
from memory.ports import PlaceStore
from memory.stores.sql.database import Database
from memory.stores.sql.people import IS_KNOWN
from memory.stores.sql.schema import channels, fact_sources, facts, messages, people, threads

_kept_of = union(select(people.c.tenant_id).where(IS_KNOWN), select(facts.c.tenant_id)).subquery()
_said_in = union(
    select(threads.c.channel_id).where(threads.c.tenant_id == bindparam("tenant_id")),
    select(fact_sources.c.channel_id)
    .join(facts, facts.c.id == fact_sources.c.fact_id)
    .where(facts.c.tenant_id == bindparam("tenant_id")),
)
_CHANNELS = select(channels.c.channel_id, channels.c.audience).where(channels.c.channel_id.in_(_said_in))
_NEWEST_FIRST = func.row_number().over(
    partition_by=messages.c.session_id, order_by=(messages.c.sent_at.desc(), messages.c.id.desc())
)
_accepted = (
    select(
        threads.c.last_active_at,
        messages.c.session_id,
        messages.c.platform_message_id,
        messages.c.sent_at,
        _NEWEST_FIRST.label("age"),
    )
    .join(messages, messages.c.session_id == threads.c.session_id)
    .where(
        threads.c.tenant_id == bindparam("tenant_id"),
        threads.c.last_active_at >= bindparam("since", type_=threads.c.last_active_at.type),
        messages.c.platform_message_id.is_not(None),
    )
    .subquery()
)
_SEEN = (
    select(_accepted).where(_accepted.c.age == 1).order_by(_accepted.c.last_active_at.desc(), _accepted.c.session_id)
)
_SESSION = (
    select(messages.c.session_id)
    .where(
        messages.c.channel_id == bindparam("channel_id"),
        or_(messages.c.platform_message_id == bindparam("name"), messages.c.post == bindparam("name")),
    )
    .limit(1)
)


class SqlPlaceStore(PlaceStore):
    """What the tables of conversations say of places."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tenants(self, beginning: str) -> Sequence[TenantId]:
        tenant_id = _kept_of.c.tenant_id
        query = select(tenant_id).where(tenant_id.startswith(beginning, autoescape=True)).order_by(tenant_id)
        async with self._database.read("list tenants") as connection:
            return [TenantId(found) for found in await connection.scalars(query)]

    async def known_channels(self, tenant_id: TenantId) -> Mapping[ChannelId, Audience]:
        async with self._database.read("list channels") as connection:
            rows = (await connection.execute(_CHANNELS, {"tenant_id": tenant_id})).all()
        return {ChannelId(row.channel_id): Audience(row.audience) for row in rows}

    async def seen_threads(self, tenant_id: TenantId, *, since: datetime) -> Sequence[SeenThread]:
        async with self._database.read("list seen threads") as connection:
            rows = (await connection.execute(_SEEN, {"tenant_id": tenant_id, "since": since})).all()
        return [
            SeenThread(
                session_id=SessionId(row.session_id), platform_message_id=row.platform_message_id, sent_at=row.sent_at
            )
            for row in rows
        ]

    async def session_of(self, channel_id: ChannelId, name: str) -> SessionId | None:
        async with self._database.read("find the thread of a message") as connection:
            found = await connection.scalar(_SESSION, {"channel_id": channel_id, "name": name})
        return None if found is None else SessionId(found)
