"""Where a forget begins: the rows that a person's words name. What hangs on them, `erasure_trace` says. Reads only."""

import asyncio
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import (
    About,
    Everything,
    ForgetPlan,
    ForgetTarget,
    Last,
    Memory,
    MessageId,
    Numbered,
    SessionId,
    ThisMessage,
    ThisThread,
    UserId,
    key_kind,
    row_id,
)
from memory.model.ids import KeyKind
from memory.stores.sql.attachments import all_text
from memory.stores.sql.erasure_trace import Removal, Seeds, everything_of, facts_and_history
from memory.stores.sql.matching import Words
from memory.stores.sql.memory_rows import episode_lines, fact_lines, newest_first
from memory.stores.sql.rows import chunks
from memory.stores.sql.schema import episode_people, episode_sources, episodes, fact_sources, facts, messages

_PAUSE_EVERY = 200


async def seeds_of_target(connection: AsyncConnection, owner: UserId, target: ForgetTarget) -> Seeds:
    """Return what `target` names."""
    match target:
        case Numbered(number=number):
            lines = await fact_lines(connection, owner, facts.c.number == number)
            lines += await episode_lines(connection, owner, episode_people.c.number == number)
            return await _memories(connection, owner, lines)
        case Last():
            lines = await fact_lines(connection, owner, facts.c.valid_until.is_(None))
            lines += await episode_lines(connection, owner)
            return await _memories(connection, owner, newest_first(lines)[:1])
        case ThisThread(session_id=session_id):
            return await _thread(connection, owner, session_id)
        case ThisMessage(session_id=session_id, platform_message_id=name):
            return await _message(connection, owner, session_id, name)
        case About(words=words):
            return await _about(connection, owner, Words(words))
        case Everything():
            return await everything_of(connection, owner)


async def seeds_of_plan(connection: AsyncConnection, plan: ForgetPlan) -> Seeds:
    """Return what a plan names; for everything, what there is by now."""
    if plan.everything:
        return await everything_of(connection, plan.owner)
    return Seeds(
        owner=plan.owner,
        facts=_rows(plan.memories, "fact"),
        episodes=_rows(plan.memories, "episode"),
        messages=frozenset({*plan.message_ids, *plan.chosen_ids}),
        chosen=frozenset(plan.chosen_ids),
        replies=frozenset(plan.reply_ids),
    )


async def plan_of(connection: AsyncConnection, seeds: Seeds, removal: Removal, *, everything: bool) -> ForgetPlan:
    """Return a removal as its owner sees it."""
    lines: list[Memory] = []
    for some in chunks(sorted(removal.facts)):
        lines += await fact_lines(connection, seeds.owner, facts.c.id.in_(some))
    for some in chunks(sorted(removal.episodes)):
        lines += await episode_lines(connection, seeds.owner, episodes.c.id.in_(some))
    return ForgetPlan(
        owner=seeds.owner,
        memories=tuple(newest_first(lines)),
        message_ids=_message_ids(removal.messages),
        reply_ids=_message_ids(removal.replies),
        session_ids=tuple(removal.session_ids),
        chosen_ids=_message_ids(seeds.chosen),
        everything=everything,
    )


async def _memories(connection: AsyncConnection, owner: UserId, lines: Collection[Memory]) -> Seeds:
    """Return memories with what they take along: of a fact its history, of an episode the messages it tells of."""
    stories = _rows(lines, "episode")
    told: set[int] = set()
    for some in chunks(stories):
        told.update(
            await connection.scalars(select(episode_sources.c.message_id).where(episode_sources.c.episode_id.in_(some)))
        )
    return Seeds(
        owner=owner,
        facts=await facts_and_history(connection, _rows(lines, "fact")),
        episodes=stories,
        messages=frozenset(told),
    )


async def _message(connection: AsyncConnection, owner: UserId, session_id: SessionId, name: str) -> Seeds:
    """Return one message of the owner."""
    query = select(messages.c.id).where(
        messages.c.session_id == session_id, messages.c.platform_message_id == name, messages.c.author_id == owner
    )
    said = frozenset(await connection.scalars(query))
    return Seeds(owner=owner, messages=said, chosen=said)


async def _thread(connection: AsyncConnection, owner: UserId, session_id: SessionId) -> Seeds:
    """Return what the owner said in a thread, with what they had remembered there by hand."""
    said = frozenset(
        await connection.scalars(
            select(messages.c.id).where(messages.c.session_id == session_id, messages.c.author_id == owner)
        )
    )
    here = (fact_sources.c.session_id == session_id) & (fact_sources.c.author_id == owner)
    elsewhere = fact_sources.alias("elsewhere")
    by_hand = await connection.scalars(
        select(facts.c.id)
        .join(fact_sources, fact_sources.c.fact_id == facts.c.id)
        .where(
            facts.c.owner_id == owner,
            fact_sources.c.message_id.is_(None),
            here,
            ~select(elsewhere.c.id)
            .where(
                elsewhere.c.fact_id == facts.c.id,
                (elsewhere.c.session_id != session_id) | (elsewhere.c.author_id != owner),
            )
            .exists(),
        )
    )
    return Seeds(owner=owner, facts=frozenset(by_hand), messages=said, chosen=said)


async def _about(connection: AsyncConnection, owner: UserId, words: Words) -> Seeds:
    """Return the owner's memories and messages, and the replies to them, that have all the words."""
    if words.is_empty:
        return Seeds(owner=owner)
    lines = await fact_lines(connection, owner) + await episode_lines(connection, owner)
    named = await _memories(connection, owner, [line for line in lines if words.are_in(line.text)])
    said = await _matching(
        connection,
        select(messages.c.id, messages.c.text, messages.c.attachments).where(messages.c.author_id == owner),
        words,
    )
    asked = messages.alias("asked")
    to_owner = (
        select(messages.c.id, messages.c.text, messages.c.attachments)
        .join(asked, asked.c.id == messages.c.reply_to)
        .where(asked.c.author_id == owner, messages.c.author_id.is_(None))
    )
    return Seeds(
        owner=owner,
        facts=named.facts,
        episodes=named.episodes,
        messages=named.messages | said,
        chosen=said,
        replies=await _matching(connection, to_owner, words),
    )


async def _matching(connection: AsyncConnection, texts: Select[int, str | None, Any], words: Words) -> frozenset[int]:
    """Return the rows whose text, with what came with it, has all the words.

    Lets others run in between, since there may be many.
    """
    found: set[int] = set()
    for number, row in enumerate(await connection.execute(texts.where(messages.c.text.is_not(None)))):
        if words.are_in(all_text(row)):
            found.add(row.id)
        if number % _PAUSE_EVERY == 0:
            await asyncio.sleep(0)
    return frozenset(found)


def _rows(lines: Collection[Memory], kind: KeyKind) -> frozenset[int]:
    return frozenset(row_id(line.key) for line in lines if key_kind(line.key) == kind)


def _message_ids(rows: Iterable[int]) -> tuple[MessageId, ...]:
    return tuple(MessageId(row) for row in sorted(rows))
