"""Rows of facts: adding, confirming, superseding and ending them in a caller's transaction. It forgets nothing.

Each change keeps the row, its sources, its full-text entry and its index task together.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.audience import audience_of_sources, covers, entry_labels
from memory.model import Audience, ChannelId, Fact, FactKind, FactSource, NewFact, TenantId, UserId, fact_key
from memory.stores.sql.channels import hold_channel, is_wider
from memory.stores.sql.database import inserts
from memory.stores.sql.index_queue import enqueue
from memory.stores.sql.lexicon import drop_entries, put_entry
from memory.stores.sql.people import next_number
from memory.stores.sql.rows import AnyRow
from memory.stores.sql.schema import fact_sources, facts, messages, people

NO_TENANT = TenantId("")
"""Of a person who has set a preference before saying anything."""
_PEOPLE = inserts(people)


def fact_of(row: AnyRow) -> Fact:
    """Return the fact that a row of `facts` holds."""
    return Fact(
        fact_id=row.id,
        number=row.number,
        tenant_id=row.tenant_id,
        owner=row.owner_id,
        subject=row.subject,
        kind=FactKind(row.kind),
        text=row.text,
        audience=row.audience,
        said_at=row.said_at,
        valid_until=row.valid_until,
        superseded_by=row.superseded_by,
        confirmations=row.confirmations,
        widened=row.widened,
    )


async def living_facts(
    connection: AsyncConnection, tenant_id: TenantId, fact_ids: Collection[int], *, lock: bool = False
) -> dict[int, Fact]:
    """Return those of `fact_ids` that are alive and of this tenant."""
    query = (
        select(facts)
        .where(facts.c.id.in_(fact_ids), facts.c.tenant_id == tenant_id, facts.c.valid_until.is_(None))
        .order_by(facts.c.id)
    )
    rows = await connection.execute(query.with_for_update() if lock else query)
    return {row.id: fact_of(row) for row in rows}


async def are_as_read(connection: AsyncConnection, sources: Collection[FactSource]) -> bool:
    """Whether the messages that sources name have the very texts that were read of them, and are to be kept."""
    read = {source.message_id: source.message_version for source in sources if source.message_id is not None}
    rows = await connection.execute(
        select(messages.c.id, messages.c.version).where(
            messages.c.id.in_(read), messages.c.text.is_not(None), messages.c.kept
        )
    )
    return {row.id: row.version for row in rows} == read


async def for_readers_now(connection: AsyncConnection, new: NewFact) -> NewFact | None:
    """Return a fact for no more readers than the channels it was said in ever had, and hold these channels.

    Returns:
        None when a channel is known for wider than it was by then: it has to be narrowed first.
    """
    now: dict[ChannelId, Audience] = {}
    for source in sorted(new.sources, key=lambda source: source.channel_id):
        known = await hold_channel(connection, source.channel_id, source.audience)
        if is_wider(known, source.audience):
            return None
        now[source.channel_id] = known
    sources = tuple(replace(source, audience=now[source.channel_id]) for source in new.sources)
    audience = audience_of_sources(new.audience, [source.audience for source in sources])
    return replace(new, audience=audience, sources=sources)


async def ensure_owner(connection: AsyncConnection, user_id: UserId, tenant_id: TenantId) -> None:
    """Add somebody of whom nothing is known yet but the id; a known person keeps the name."""
    insert_person = _PEOPLE[connection.dialect.name].values(user_id=user_id, tenant_id=tenant_id, name="")
    await connection.execute(
        insert_person.on_conflict_do_update(
            index_elements=[people.c.user_id], set_={"tenant_id": tenant_id}, where=people.c.tenant_id == NO_TENANT
        )
    )


async def find_twin(connection: AsyncConnection, new: NewFact) -> Fact | None:
    """Return the living fact of the same owner that says the same of the same subject, for these readers or for all."""
    rows = await connection.execute(
        select(facts)
        .where(
            facts.c.owner_id == new.owner,
            facts.c.tenant_id == new.tenant_id,
            facts.c.subject == new.subject,
            (facts.c.audience == new.audience) | facts.c.widened,
            facts.c.valid_until.is_(None),
        )
        .order_by(facts.c.audience != new.audience, facts.c.id)
    )
    wanted = _normalised(new.text)
    return next((fact_of(row) for row in rows if _normalised(row.text) == wanted), None)


async def add_fact(connection: AsyncConnection, new: NewFact, *, now: datetime) -> Fact:
    """Store a fact, or confirm the one that already says the same."""
    twin = await find_twin(connection, new)
    if twin is not None:
        await confirm_fact(connection, twin, new)
        return (await living_facts(connection, new.tenant_id, [twin.fact_id]))[twin.fact_id]
    return await _insert_fact(connection, new, now=now)


async def confirm_fact(connection: AsyncConnection, fact: Fact, new: NewFact) -> bool:
    """Add the sources of `new` to a living fact.

    Returns:
        False when `new` is for other readers, about somebody else, or was counted before; nothing is written then.
    """
    if not (fact.is_backed_by(new) and _same_subject(fact, new)):
        return False
    known = await _known_sources(connection, fact.fact_id)
    fresh = [
        source
        for source in new.sources
        if _identity(source.message_id, source.message_version, source.said_at) not in known
    ]
    if not fresh:
        return False
    await _insert_sources(connection, fact.fact_id, fresh)
    await connection.execute(
        update(facts).where(facts.c.id == fact.fact_id).values(confirmations=facts.c.confirmations + 1)
    )
    return True


async def supersede_fact(connection: AsyncConnection, old: Fact, new: NewFact, *, now: datetime) -> tuple[Fact, bool]:
    """Store `new` in the place of a living fact; beside it when fewer people could read it, or it is of someone else.

    Returns:
        The new fact, and whether it took the old one's place.
    """
    stored = await add_fact(connection, new, now=now)
    if stored.fact_id == old.fact_id or not (_same_subject(old, new) and covers(new.audience, old.audience)):
        return stored, False
    await end_fact(connection, old, at=new.said_at, superseded_by=stored.fact_id, now=now)
    return stored, True


async def end_fact(
    connection: AsyncConnection, fact: Fact, *, at: datetime, now: datetime, superseded_by: int | None = None
) -> None:
    """Make a living fact history: still listed as such, no longer found."""
    await connection.execute(
        update(facts).where(facts.c.id == fact.fact_id).values(valid_until=at, superseded_by=superseded_by)
    )
    key = fact_key(fact.fact_id)
    await drop_entries(connection, [key])
    await enqueue(connection, operation="drop", owner=fact.owner, key=key, now=now)


def fact_labels(fact: Fact) -> frozenset[str]:
    """Return the labels of a fact's full-text entry."""
    return entry_labels(audience=fact.audience, owner=fact.owner, about_owner=fact.subject == "person")


async def index_fact(connection: AsyncConnection, fact: Fact, *, now: datetime) -> None:
    """Write a living fact's full-text entry and queue its vector."""
    key = fact_key(fact.fact_id)
    await put_entry(connection, key=key, labels=fact_labels(fact), text=fact.text)
    await enqueue(connection, operation="index", owner=fact.owner, key=key, now=now)


async def _insert_fact(connection: AsyncConnection, new: NewFact, *, now: datetime) -> Fact:
    row = (
        await connection.execute(
            insert(facts)
            .values(
                tenant_id=new.tenant_id,
                owner_id=new.owner,
                number=await next_number(connection, new.owner),
                subject=new.subject,
                kind=new.kind.value,
                text=new.text,
                audience=new.audience,
                said_at=new.said_at,
                created_at=now,
            )
            .returning(facts)
        )
    ).one()
    fact = fact_of(row)
    await _insert_sources(connection, fact.fact_id, new.sources)
    await index_fact(connection, fact, now=now)
    return fact


async def _insert_sources(connection: AsyncConnection, fact_id: int, sources: Collection[FactSource]) -> None:
    if not sources:
        return
    await connection.execute(
        insert(fact_sources),
        [
            {
                "fact_id": fact_id,
                "message_id": source.message_id,
                "message_version": source.message_version,
                "author_id": source.author_id,
                "session_id": source.session_id,
                "channel_id": source.channel_id,
                "audience": source.audience,
                "said_at": source.said_at,
                "link": source.link,
            }
            for source in sources
        ],
    )


async def _known_sources(connection: AsyncConnection, fact_id: int) -> set[tuple[object, ...]]:
    rows = await connection.execute(
        select(fact_sources.c.message_id, fact_sources.c.message_version, fact_sources.c.said_at).where(
            fact_sources.c.fact_id == fact_id
        )
    )
    return {_identity(row.message_id, row.message_version, row.said_at) for row in rows}


def _identity(message_id: int | None, version: int, said_at: datetime) -> tuple[object, ...]:
    """Return what makes two sources the same saying: the version of a message, or for `/remember` the moment."""
    return (said_at,) if message_id is None else (message_id, version)


def _same_subject(fact: Fact, new: NewFact) -> bool:
    """Whether `new` may touch `fact`: of one tenant, about the same person, or both about the team."""
    same = fact.subject == new.subject and fact.tenant_id == new.tenant_id
    return same and (fact.subject == "team" or fact.owner == new.owner)


def _normalised(text: str) -> str:
    return " ".join(text.casefold().split())
