"""A person's own memories over SQL. What forgetting removes is not decided here."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, update

from memory.errors import StoreConflictError
from memory.model import Fact, Memory, MemoryKey, MessageId, NewFact, TenantId, Usage, UserId, key_kind, row_id
from memory.ports import FactStore
from memory.stores.sql import pause
from memory.stores.sql.database import Database
from memory.stores.sql.export import export_person
from memory.stores.sql.fact_rows import NO_TENANT, add_fact, are_as_read, ensure_owner, fact_of, for_readers_now
from memory.stores.sql.locks import lock_people
from memory.stores.sql.memory_rows import episode_lines, fact_lines, newest_first
from memory.stores.sql.narrowing import narrow_channel
from memory.stores.sql.pause import may_keep
from memory.stores.sql.people import share_with_forgetting
from memory.stores.sql.rows import chunks
from memory.stores.sql.schema import episodes, fact_sources, facts, people
from memory.stores.sql.suggestions import suggested
from memory.stores.sql.usage import usage_of
from memory.stores.sql.widening import widen_facts

_ADD = "add a fact"


class SqlFactStore(FactStore):
    """Facts and episodes as their owner manages them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, fact: NewFact, *, author_epoch: int | None = None) -> Fact:
        stored = await self._add(fact, author_epoch)
        if stored is None:
            async with self._database.upkeep_transaction("narrow a channel") as connection:
                for source in sorted(fact.sources, key=lambda source: source.channel_id):
                    await narrow_channel(connection, source.channel_id, source.audience, tenant_id=fact.tenant_id)
            stored = await self._add(fact, author_epoch)
        if stored is None:
            raise StoreConflictError("sql", _ADD, "its channel changes while it arrives")
        return stored

    async def _add(self, new: NewFact, author_epoch: int | None) -> Fact | None:
        async with self._database.begin(_ADD) as connection:
            await share_with_forgetting(connection, new.tenant_id)
            fact = await for_readers_now(connection, new)
            if fact is None:
                return None
            await ensure_owner(connection, fact.owner, fact.tenant_id)
            epochs = await lock_people(connection, [fact.owner])
            if author_epoch is not None and epochs[fact.owner] != author_epoch:
                raise StoreConflictError("sql", _ADD, "its owner has forgotten something since")
            if not all([await may_keep(connection, fact.owner, source.session_id) for source in fact.sources]):
                raise StoreConflictError("sql", _ADD, "memory is paused since")
            if not await are_as_read(connection, fact.sources):
                raise StoreConflictError("sql", _ADD, "a message it came from has changed since")
            return await add_fact(connection, fact, now=self._database.clock.now())

    async def memories(self, owner: UserId, *, history: bool = False) -> Sequence[Memory]:
        where = () if history else (facts.c.valid_until.is_(None),)
        async with self._database.read("list memories") as connection:
            lines = await fact_lines(connection, owner, *where)
            lines += await episode_lines(connection, owner)
        return newest_first(lines)

    async def suggest(self, owner: UserId, *, number: str = "", parts: Sequence[str] = (), limit: int) -> list[Memory]:
        return await self._database.look("suggest memories", suggested, owner, number=number, parts=parts, limit=limit)

    async def said_in(self, message_id: MessageId, *, owner: UserId) -> Sequence[Fact]:
        said = select(fact_sources.c.fact_id).where(fact_sources.c.message_id == message_id)
        wanted = select(facts).where(facts.c.id.in_(said), facts.c.owner_id == owner, facts.c.valid_until.is_(None))
        async with self._database.read("look up what was said") as connection:
            return [fact_of(row) for row in await connection.execute(wanted.order_by(facts.c.number))]

    async def memories_by_key(self, owner: UserId, keys: Collection[MemoryKey]) -> Sequence[Memory]:
        fact_ids = {row_id(key) for key in keys if key_kind(key) == "fact"}
        episode_ids = {row_id(key) for key in keys if key_kind(key) == "episode"}
        lines: list[Memory] = []
        async with self._database.read("look up memories") as connection:
            for some in chunks(fact_ids):
                lines += await fact_lines(connection, owner, facts.c.id.in_(some))
            for some in chunks(episode_ids):
                lines += await episode_lines(connection, owner, episodes.c.id.in_(some))
        return newest_first(lines)

    async def widen(self, owner: UserId, fact_ids: Collection[int], *, wide: bool) -> int:
        async with self._database.begin("widen memories") as connection:
            return await widen_facts(connection, owner, fact_ids, wide=wide, now=self._database.clock.now())

    async def export(self, owner: UserId) -> Mapping[str, object]:
        async with self._database.read("export") as connection:
            return await export_person(connection, owner)

    async def pause_person(self, user_id: UserId, tenant_id: TenantId, *, paused: bool) -> bool:
        return await self._database.write("pause a person", pause.pause_person, user_id, tenant_id, paused=paused)

    async def is_paused(self, user_id: UserId) -> bool:
        return await self._database.look("look whether a person is paused", pause.is_paused, user_id)

    async def usage(self, user_id: UserId, since: datetime) -> Usage:
        return await self._database.look("count usage", usage_of, user_id, since)

    async def preference(self, user_id: UserId, name: str) -> str | None:
        async with self._database.read("read a preference") as connection:
            stored = await connection.scalar(select(people.c.preferences).where(people.c.user_id == user_id))
        return None if stored is None else stored.get(name)

    async def set_preference(self, user_id: UserId, name: str, value: str) -> None:
        async with self._database.begin("set a preference") as connection:
            await ensure_owner(connection, user_id, NO_TENANT)
            await lock_people(connection, [user_id])
            query = select(people.c.preferences).where(people.c.user_id == user_id)
            stored = (await connection.execute(query)).scalar_one()
            await connection.execute(
                update(people).where(people.c.user_id == user_id).values(preferences={**stored, name: value})
            )
