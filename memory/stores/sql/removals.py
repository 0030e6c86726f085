"""Forgetting a whole thread, channel or tenant: marked in one short transaction, then erased in many.

The mark is what takes effect: from then on nothing of the place is recalled or learned from. Whoever finds the mark,
also after a crash, goes on where the last one stopped. The transaction that finds nothing left takes it away, and
writes the audit event with the counts of all batches.
"""

from dataclasses import asdict
from typing import Literal

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import ChannelId, Receipt, SessionId, TenantId, UserId
from memory.stores.sql.database import Database, inserts
from memory.stores.sql.erasure_apply import carry_out, note
from memory.stores.sql.erasure_places import STEPS, TEXTS_AT_ONCE, RemovedPlace, Step, with_echoes
from memory.stores.sql.locks import lock_people, lock_threads
from memory.stores.sql.people import IS_KNOWN, forget_alone
from memory.stores.sql.rows import AnyRow
from memory.stores.sql.schema import disclosures, fact_sources, facts, messages, people, removals, threads

_MARK = inserts(removals)
_ACTIONS = {"thread": "forget a thread", "channel": "forget a channel", "tenant": "forget a workspace"}
_NAMES_AT_ONCE = 5_000


async def forget_channel(
    database: Database, channel_id: ChannelId, *, actor: UserId, at_once: int = TEXTS_AT_ONCE
) -> Receipt:
    """Forget a channel as `ErasureStore.forget_channel` does, at most `at_once` texts in one transaction."""
    said = (threads.c.channel_id == channel_id, fact_sources.c.channel_id == channel_id)
    return await _forget_known(database, "channel", channel_id, *said, actor=actor, at_once=at_once)


async def forget_thread(
    database: Database, session_id: SessionId, *, actor: UserId, at_once: int = TEXTS_AT_ONCE
) -> Receipt:
    """Forget a thread as `ErasureStore.forget_thread` does."""
    said = (threads.c.session_id == session_id, fact_sources.c.session_id == session_id)
    return await _forget_known(database, "thread", session_id, *said, actor=actor, at_once=at_once)


async def forget_tenant(
    database: Database, tenant_id: TenantId, *, actor: UserId, at_once: int = TEXTS_AT_ONCE
) -> Receipt:
    """Forget a tenant as `ErasureStore.forget_tenant` does."""
    place = RemovedPlace(kind="tenant", place=tenant_id, tenant_id=tenant_id, actor=actor)
    async with database.begin("mark a removed tenant") as connection:
        await _mark(connection, place)
    return await _finish(database, place, at_once)


async def finish_removals(database: Database, *, at_once: int = TEXTS_AT_ONCE) -> Receipt:
    """Go on with every place that is marked."""
    async with database.read("look for removed places") as connection:
        rows = (await connection.execute(select(removals))).all()
    total = Receipt()
    for row in rows:
        place = RemovedPlace(kind=row.kind, place=row.place, tenant_id=row.tenant_id, actor=UserId(row.actor_id))
        total += await _finish(database, place, at_once)
    return total


async def _forget_known(
    database: Database,
    kind: Literal["thread", "channel"],
    name: str,
    of_thread: ColumnElement[bool],
    of_source: ColumnElement[bool],
    *,
    actor: UserId,
    at_once: int,
) -> Receipt:
    """Forget a place if something was said there, if only a command."""
    async with database.begin("mark a removed place") as connection:
        tenant_id = await _tenant_of(connection, of_thread, of_source)
        if tenant_id is None:
            return Receipt()
        place = RemovedPlace(kind=kind, place=name, tenant_id=tenant_id, actor=actor)
        await _mark(connection, place)
    return await _finish(database, place, at_once)


async def _tenant_of(
    connection: AsyncConnection, of_thread: ColumnElement[bool], of_source: ColumnElement[bool]
) -> str | None:
    """Return the tenant in which something was said in a place; None where nothing was."""
    said = select(threads.c.tenant_id).where(of_thread).limit(1)
    learned = (
        select(facts.c.tenant_id).join(fact_sources, fact_sources.c.fact_id == facts.c.id).where(of_source).limit(1)
    )
    found = await connection.scalar(said) or await connection.scalar(learned)
    return None if found is None else str(found)


async def _mark(connection: AsyncConnection, place: RemovedPlace) -> None:
    values = {"kind": place.kind, "place": place.place, "tenant_id": place.tenant_id, "actor_id": place.actor}
    await connection.execute(_MARK[connection.dialect.name].values(values).on_conflict_do_nothing())


async def _finish(database: Database, place: RemovedPlace, at_once: int) -> Receipt:
    """Erase batch by batch until nothing is left, or until somebody else has seen to that."""
    total = Receipt()
    while True:
        for step in STEPS:
            after: int | None = 0
            while after is not None:
                done, after = await _batch(database, place, step, after, at_once)
                total += done
        while await _clear_names(database, place):
            continue
        if await _close(database, place):
            return total


async def _batch(
    database: Database, place: RemovedPlace, step: Step, after: int, at_once: int
) -> tuple[Receipt, int | None]:
    """Erase one batch; return what went and where to go on, None at the end."""
    now = database.clock.now()
    async with database.upkeep_transaction("forget a place") as connection:
        await forget_alone(connection, TenantId(place.tenant_id))
        mark = await _held_mark(connection, place)
        batch = None if mark is None else await step(connection, place, after, at_once)
        if mark is None or batch is None:
            return Receipt(), None
        batch = await with_echoes(connection, place, batch)
        session_ids = batch.removal.session_ids
        await lock_people(connection, batch.removal.heir_ids)
        await lock_threads(connection, session_ids)
        done = await carry_out(connection, batch.removal, batch.dropped, session_ids, now=now)
        counts = asdict(Receipt(**mark.counts) + done)
        await connection.execute(update(removals).where(*_is(place)).values(counts=counts))
        return done, batch.last


async def _clear_names(database: Database, place: RemovedPlace) -> bool:
    """Take the speakers' names from what is left of a tenant's messages; say whether there were any."""
    if place.kind != "tenant":
        return False
    named = (
        select(messages.c.id)
        .where(messages.c.tenant_id == place.place, messages.c.author_name != "")
        .limit(_NAMES_AT_ONCE)
    )
    async with database.upkeep_transaction("forget names") as connection:
        if await _held_mark(connection, place) is None:
            return False
        cleared = update(messages).where(messages.c.id.in_(named)).values(author_name="")
        return (await connection.execute(cleared)).rowcount > 0


async def _close(database: Database, place: RemovedPlace) -> bool:
    """Take the mark away and tell the audit log, if nothing is left; say whether it is gone."""
    async with database.upkeep_transaction("finish forgetting a place") as connection:
        await forget_alone(connection, TenantId(place.tenant_id))
        mark = await _held_mark(connection, place)
        if mark is None:
            return True
        for step in STEPS:
            if await step(connection, place, 0, 1) is not None:
                return False
        has_settings = place.kind == "tenant" and await _forget_people(connection, place.place)
        receipt = Receipt(**mark.counts)
        if has_settings or receipt != Receipt():
            now = database.clock.now()
            await note(connection, receipt, actor=UserId(mark.actor_id), action=_ACTIONS[place.kind], now=now)
        await connection.execute(delete(removals).where(*_is(place)))
        return True


async def _forget_people(connection: AsyncConnection, tenant_id: str) -> bool:
    """Remove the names, settings and disclosures of a tenant's people; say whether there were any.

    Their pauses and the next numbers of their memories stay: they tell nothing, and hold if the tenant comes back.
    """
    told = select(messages.c.id).where(messages.c.tenant_id == tenant_id)
    disclosed = await connection.execute(delete(disclosures).where(disclosures.c.message_id.in_(told)))
    cleared = (
        update(people)
        .where(people.c.tenant_id == tenant_id, IS_KNOWN)
        .values(name="", preferences={}, forget_epoch=people.c.forget_epoch + 1)
    )
    return (await connection.execute(cleared)).rowcount + disclosed.rowcount > 0


async def _held_mark(connection: AsyncConnection, place: RemovedPlace) -> AnyRow | None:
    return (await connection.execute(select(removals).where(*_is(place)).with_for_update())).first()


def _is(place: RemovedPlace) -> tuple[ColumnElement[bool], ...]:
    return (removals.c.kind == place.kind, removals.c.place == place.place)
