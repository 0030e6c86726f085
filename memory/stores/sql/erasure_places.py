"""What goes with a removed thread, channel or tenant, one bounded batch at a time. Reads only.

All that was said there goes, with the replies, episodes and facts that came of it. A fact that was also said elsewhere
lives on with those sources, as its owner's or as that of the first who says it there. Replies elsewhere that were given
what goes, and what repeats them in their threads, go too; in a whole tenant there is no elsewhere.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from sqlalchemy import ColumnElement, FromClause, select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import MemoryKey, Role, UserId, episode_key, fact_key
from memory.stores.sql.attachments import all_text
from memory.stores.sql.erasure_echoes import Gone, echoes
from memory.stores.sql.erasure_trace import Removal, turn_keys
from memory.stores.sql.rows import AnyRow, chunks
from memory.stores.sql.schema import episodes, fact_sources, facts, messages, threads
from memory.stores.sql.uses import replies_using

TEXTS_AT_ONCE = 1_000
"""Texts in one transaction, so that people elsewhere are not held up for long."""
_EPISODES_AT_ONCE = 200
_FACTS_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedPlace:
    """A thread, a channel or a tenant that is being forgotten.

    Attributes:
        place: Its id.
        actor: In whose name.
    """

    kind: Literal["thread", "channel", "tenant"]
    place: str
    tenant_id: str
    actor: UserId

    def holds(self, rows: FromClause, tenant: ColumnElement[str]) -> ColumnElement[bool]:
        """Return the condition that a row, which names its thread and channel, is of this place."""
        columns = {"thread": rows.c.session_id, "channel": rows.c.channel_id, "tenant": tenant}
        return columns[self.kind] == self.place

    def has(self, source: AnyRow) -> bool:
        """Whether a source of a fact of its tenant is of this place."""
        names = {"thread": source.session_id, "channel": source.channel_id, "tenant": self.place}
        return bool(names[self.kind] == self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What goes in one transaction.

    Attributes:
        removal: The rows.
        dropped: Every key that goes, with the owner under whom its vector is kept.
        last: The highest row number that was looked at.
        texts: Of people's messages that go, with what came with them, for their words.
    """

    removal: Removal
    dropped: Mapping[MemoryKey, UserId]
    last: int
    texts: Sequence[str] = field(default=())


Step = Callable[[AsyncConnection, RemovedPlace, int, int], Awaitable[Batch | None]]
"""Takes the place, the last row number of the batch before, and how many rows; returns None when there are none."""


async def next_texts(connection: AsyncConnection, place: RemovedPlace, after: int, limit: int) -> Batch | None:
    """Return the oldest texts of a place, people's and Recall's."""
    columns = (messages.c.id, messages.c.session_id, messages.c.role, messages.c.author_id, messages.c.version)
    query = (
        select(*columns, messages.c.text, messages.c.attachments)
        .where(place.holds(messages, messages.c.tenant_id), messages.c.text.is_not(None))
        .where(messages.c.id > after)
        .order_by(messages.c.id)
        .limit(limit)
    )
    rows = (await connection.execute(query)).all()
    if not rows:
        return None
    said = {row.id: row for row in rows if row.role == Role.USER.value}
    replies = {row.id: row for row in rows if row.id not in said}
    return Batch(
        removal=Removal(owner=place.actor, messages=said, replies=replies),
        dropped={key: UserId(row.author_id) for row in said.values() for key in turn_keys(row)},
        last=rows[-1].id,
        texts=[all_text(row) for row in said.values()],
    )


async def next_episodes(connection: AsyncConnection, place: RemovedPlace, after: int, limit: int) -> Batch | None:
    """Return the oldest episodes of a place."""
    query = (
        select(episodes)
        .join(threads, threads.c.session_id == episodes.c.session_id)
        .where(place.holds(threads, episodes.c.tenant_id), episodes.c.id > after)
        .order_by(episodes.c.id)
        .limit(min(limit, _EPISODES_AT_ONCE))
    )
    rows = {row.id: row for row in (await connection.execute(query)).all()}
    if not rows:
        return None
    removal = Removal(owner=place.actor, episodes=rows)
    return Batch(removal=removal, dropped=_episode_keys(rows), last=max(rows))


async def next_facts(connection: AsyncConnection, place: RemovedPlace, after: int, limit: int) -> Batch | None:
    """Return the oldest facts that were said in a place, with what becomes of each."""
    said_here = select(fact_sources.c.fact_id).where(place.holds(fact_sources, facts.c.tenant_id))
    query = (
        select(facts)
        .where(facts.c.id > after, facts.c.tenant_id == place.tenant_id)
        .order_by(facts.c.id)
        .limit(min(limit, _FACTS_AT_ONCE))
    )
    if place.kind != "tenant":
        query = query.where(facts.c.id.in_(said_here))
    rows = {row.id: row for row in (await connection.execute(query)).all()}
    if not rows:
        return None
    of_facts = select(fact_sources).where(fact_sources.c.fact_id.in_(rows)).order_by(fact_sources.c.id)
    sources: dict[int, list[AnyRow]] = {fact_id: [] for fact_id in rows}
    for row in await connection.execute(of_facts):
        sources[row.fact_id].append(row)
    removal = Removal(owner=place.actor)
    for fact_id, row in rows.items():
        removal = _decide(removal, place, row, sources[fact_id])
    dropped = {fact_key(row.id): UserId(row.owner_id) for row in removal.facts.values()}
    return Batch(removal=removal, dropped=dropped, last=max(rows))


def _decide(removal: Removal, place: RemovedPlace, fact: AnyRow, sources: Sequence[AnyRow]) -> Removal:
    """Add what becomes of a fact once nothing was said of it in the place."""
    left = tuple(row for row in sources if not place.has(row))
    if any(row.author_id == fact.owner_id for row in left):
        gone = {row.id: row for row in sources if row not in left}
        return replace(removal, sources={**removal.sources, **gone})
    heirs = {fact.id: left} if left and fact.subject == "team" else {}
    return replace(removal, facts={**removal.facts, fact.id: fact}, heirs={**removal.heirs, **heirs})


async def with_echoes(connection: AsyncConnection, place: RemovedPlace, batch: Batch) -> Batch:
    """Add the replies elsewhere that were given what goes, and what repeats those in their threads."""
    if place.kind == "tenant":
        return batch
    removal, dropped = batch.removal, dict(batch.dropped)
    reply_ids: set[int] = set()
    stories: dict[int, AnyRow] = {}
    while True:
        reply_ids |= await replies_using(connection, dropped)
        replies = await _replies_elsewhere(connection, place, reply_ids)
        gone = Gone(
            said={},
            chosen=(),
            facts=removal.facts,
            episodes={**removal.episodes, **stories},
            replies=replies,
            texts=batch.texts,
        )
        more = await echoes(connection, gone)
        if not (more.replies or more.episodes):
            break
        reply_ids |= more.replies
        stories |= await _episodes(connection, more.episodes)
        dropped |= _episode_keys(stories)
    removal = replace(removal, replies={**removal.replies, **replies}, episodes={**removal.episodes, **stories})
    return replace(batch, removal=removal, dropped=dropped)


async def _replies_elsewhere(
    connection: AsyncConnection, place: RemovedPlace, reply_ids: Collection[int]
) -> dict[int, AnyRow]:
    """Return the replies that still have their text and do not go with the place anyway."""
    found: dict[int, AnyRow] = {}
    for some in chunks(sorted(reply_ids)):
        query = select(messages.c.id, messages.c.session_id).where(
            messages.c.id.in_(some), messages.c.text.is_not(None), ~place.holds(messages, messages.c.tenant_id)
        )
        found |= {row.id: row for row in await connection.execute(query)}
    return found


async def _episodes(connection: AsyncConnection, episode_ids: Collection[int]) -> dict[int, AnyRow]:
    found: dict[int, AnyRow] = {}
    for some in chunks(sorted(episode_ids)):
        found |= {row.id: row for row in await connection.execute(select(episodes).where(episodes.c.id.in_(some)))}
    return found


def _episode_keys(rows: Mapping[int, AnyRow]) -> dict[MemoryKey, UserId]:
    return {episode_key(row.id): UserId(row.owner_id) for row in rows.values()}


STEPS: tuple[Step, ...] = (next_texts, next_episodes, next_facts)
"""In this order: without texts nothing new is learned there, so the facts found last are all there are."""
