"""What a forget takes with it: from the memories and messages asked for to all that hangs on them. Reads only.

A fact lives while one of its sources lives. Forgetting a memory takes its owner's sources and their messages' text;
another fact of such a message stays. Forgetting a message takes every fact that came from nothing else.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import MemoryKey, SessionId, UserId, episode_key, fact_key, turn_key
from memory.stores.sql.erasure_echoes import Gone, echoes
from memory.stores.sql.rows import AnyRow, chunks
from memory.stores.sql.schema import episode_people, episode_sources, episodes, fact_sources, facts, messages
from memory.stores.sql.uses import replies_using


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """Where a forget begins, as row numbers.

    Attributes:
        facts: Forgotten as memories.
        messages: Their text goes.
        chosen: Forgotten (or edited) for themselves: facts that came only from them go too.
        replies: Recall's replies that go for their own words.
    """

    owner: UserId
    facts: frozenset[int] = frozenset()
    episodes: frozenset[int] = frozenset()
    messages: frozenset[int] = frozenset()
    chosen: frozenset[int] = frozenset()
    replies: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What goes. Rows are by number, with what is needed of them.

    Attributes:
        facts: All facts that go, whoever owns them.
        heirs: For those of them that another person's words still back: the sources that stay, oldest first.
        sources: Rows of `fact_sources` that go while their fact stays where it is.
        messages: People's messages whose text goes.
        outdated: Keys of edited texts; their messages stay.
    """

    owner: UserId
    facts: Mapping[int, AnyRow] = field(default_factory=dict)
    heirs: Mapping[int, tuple[AnyRow, ...]] = field(default_factory=dict)
    sources: Mapping[int, AnyRow] = field(default_factory=dict)
    episodes: Mapping[int, AnyRow] = field(default_factory=dict)
    messages: Mapping[int, AnyRow] = field(default_factory=dict)
    replies: Mapping[int, AnyRow] = field(default_factory=dict)
    outdated: frozenset[MemoryKey] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether nothing goes."""
        return not (self.facts or self.sources or self.episodes or self.messages or self.replies or self.outdated)

    @property
    def heir_ids(self) -> set[UserId]:
        """People who get a fact that its owner loses."""
        return {UserId(sources[0].author_id) for sources in self.heirs.values()}

    @property
    def session_ids(self) -> list[SessionId]:
        """Threads in which something was said that goes."""
        return sorted({SessionId(row.session_id) for row in (*self.messages.values(), *self.replies.values())})


@dataclass(slots=True)
class _FactFate:
    """Facts that a forget touches, sorted by what becomes of them."""

    facts: dict[int, AnyRow] = field(default_factory=dict)
    heirs: dict[int, tuple[AnyRow, ...]] = field(default_factory=dict)
    sources: dict[int, AnyRow] = field(default_factory=dict)
    message_ids: set[int] = field(default_factory=set)


async def trace(connection: AsyncConnection, seeds: Seeds, *, edited: bool = False) -> Removal:
    """Follow `seeds` to all that goes.

    Args:
        connection: Where to read.
        seeds: Where to begin.
        edited: The chosen messages get a new text instead of losing theirs.
    """
    fate = await _facts(connection, seeds)
    said = await _own_messages(connection, seeds, seeds.messages | fate.message_ids)
    stories = await _episodes(connection, seeds.episodes, {*said, *seeds.chosen})
    outdated = await _current_keys(connection, seeds.chosen) if edited else frozenset()
    keys = {fact_key(fact) for fact in fate.facts} | {key for row in said.values() for key in turn_keys(row)} | outdated
    reply_ids: set[int] = set(seeds.replies)
    while True:  # a reply that goes may have made an episode, which other replies were given
        reply_ids |= await replies_using(connection, keys | {episode_key(episode) for episode in stories})
        replies = await _replies(connection, said, reply_ids)
        if edited:
            break
        gone = Gone(said=said, chosen=seeds.chosen, facts=fate.facts, episodes=stories, replies=replies)
        more = await echoes(connection, gone)
        if not (more.replies or more.episodes):
            break
        reply_ids |= more.replies
        stories = await _episodes(connection, {*stories, *more.episodes}, ())
    return Removal(
        owner=seeds.owner,
        facts=fate.facts,
        heirs=fate.heirs,
        sources=fate.sources,
        episodes=stories,
        messages=said,
        replies=replies,
        outdated=outdated,
    )


def turn_keys(row: AnyRow) -> list[MemoryKey]:
    """Return the keys of all versions of a message, newest last."""
    return [turn_key(row.id, version) for version in range(1, row.version + 1)]


async def _facts(connection: AsyncConnection, seeds: Seeds) -> _FactFate:
    """Decide the fate of the facts asked for, and of those that came from chosen messages."""
    touched = set(seeds.facts)
    for some in chunks(seeds.chosen):
        touched.update(
            await connection.scalars(select(fact_sources.c.fact_id).where(fact_sources.c.message_id.in_(some)))
        )
    sources: dict[int, list[AnyRow]] = {}
    rows: dict[int, AnyRow] = {}
    for some_facts in chunks(sorted(touched)):
        for row in await connection.execute(select(facts).where(facts.c.id.in_(some_facts))):
            rows[row.id] = row
        for row in await connection.execute(
            select(fact_sources).where(fact_sources.c.fact_id.in_(some_facts)).order_by(fact_sources.c.id)
        ):
            sources.setdefault(row.fact_id, []).append(row)
    fate = _FactFate()
    for fact_id, row in rows.items():
        _decide(fate, seeds, row, sources.get(fact_id, []))
    return fate


def _decide(fate: _FactFate, seeds: Seeds, fact: AnyRow, sources: Collection[AnyRow]) -> None:
    """Say what becomes of one fact when its forgotten sources go."""
    asked_for = fact.id in seeds.facts
    gone = [row for row in sources if _is_gone(seeds, row, asked_for=asked_for)]
    left = tuple(row for row in sources if row not in gone)
    if asked_for:
        fate.message_ids.update(row.message_id for row in gone if row.message_id is not None)
    if fact.owner_id == seeds.owner and all(row.author_id != seeds.owner for row in left):
        fate.facts[fact.id] = fact
        if left and fact.subject == "team":
            fate.heirs[fact.id] = left
    elif gone and not left:
        fate.facts[fact.id] = fact
    else:
        fate.sources.update({row.id: row for row in gone})


def _is_gone(seeds: Seeds, source: AnyRow, *, asked_for: bool) -> bool:
    return source.message_id in seeds.chosen or (asked_for and source.author_id == seeds.owner)


async def _own_messages(connection: AsyncConnection, seeds: Seeds, message_ids: Collection[int]) -> dict[int, AnyRow]:
    """Return those messages that are the owner's and still have their text."""
    found: dict[int, AnyRow] = {}
    for some in chunks(sorted(message_ids)):
        rows = await connection.execute(
            select(
                messages.c.id, messages.c.session_id, messages.c.version, messages.c.text, messages.c.attachments
            ).where(messages.c.id.in_(some), messages.c.author_id == seeds.owner, messages.c.text.is_not(None))
        )
        found.update({row.id: row for row in rows})
    return found


async def _current_keys(connection: AsyncConnection, message_ids: Collection[int]) -> frozenset[MemoryKey]:
    rows = await connection.execute(select(messages.c.id, messages.c.version).where(messages.c.id.in_(message_ids)))
    return frozenset(turn_key(row.id, row.version) for row in rows)


async def _episodes(
    connection: AsyncConnection, asked_for: Collection[int], message_ids: Collection[int]
) -> dict[int, AnyRow]:
    """Return the episodes asked for, and those that tell of one of the messages."""
    episode_ids = set(asked_for)
    for some in chunks(sorted(message_ids)):
        episode_ids.update(
            await connection.scalars(select(episode_sources.c.episode_id).where(episode_sources.c.message_id.in_(some)))
        )
    found: dict[int, AnyRow] = {}
    for some in chunks(sorted(episode_ids)):
        rows = await connection.execute(select(episodes).where(episodes.c.id.in_(some)))
        found.update({row.id: row for row in rows})
    return found


async def _replies(
    connection: AsyncConnection, message_ids: Collection[int], reply_ids: Collection[int]
) -> dict[int, AnyRow]:
    """Return the replies named, and those to the messages, that still have their text."""
    columns = select(messages.c.id, messages.c.session_id).where(
        messages.c.author_id.is_(None), messages.c.text.is_not(None)
    )
    found: dict[int, AnyRow] = {}
    for some in chunks(sorted(message_ids)):
        rows = await connection.execute(columns.where(messages.c.reply_to.in_(some)))
        found.update({row.id: row for row in rows})
    for some in chunks(sorted(reply_ids)):
        rows = await connection.execute(columns.where(messages.c.id.in_(some)))
        found.update({row.id: row for row in rows})
    return found


async def facts_and_history(connection: AsyncConnection, fact_ids: Collection[int]) -> frozenset[int]:
    """Return the facts with all that they superseded, directly or not."""
    found = set(fact_ids)
    newest = set(fact_ids)
    while newest:
        older: set[int] = set()
        for some in chunks(sorted(newest)):
            older.update(await connection.scalars(select(facts.c.id).where(facts.c.superseded_by.in_(some))))
        newest = older - found
        found |= newest
    return frozenset(found)


async def everything_of(connection: AsyncConnection, owner: UserId) -> Seeds:
    """Return all that a person has at this moment."""
    own_facts = await connection.scalars(select(facts.c.id).where(facts.c.owner_id == owner))
    own_messages = await connection.scalars(select(messages.c.id).where(messages.c.author_id == owner))
    own_episodes = await connection.scalars(
        select(episode_people.c.episode_id).where(episode_people.c.user_id == owner)
    )
    said = frozenset(own_messages)
    return Seeds(owner=owner, facts=frozenset(own_facts), episodes=frozenset(own_episodes), messages=said, chosen=said)
