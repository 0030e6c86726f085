"""All that is stored of one person, as JSON-ready data: their own words, replies to them, facts, episodes, settings.

No other person's words: another's source of a shared fact is left out, and a reply stands only under the own message.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import Memory, UserId, fact_key
from memory.stores.sql.memory_rows import episode_lines, fact_lines, newest_first
from memory.stores.sql.rows import AnyRow
from memory.stores.sql.schema import fact_sources, facts, messages, people

_NOTE = "Preferences are settings, not memories: forgetting everything keeps them."
_PERSON = select(people.c.name, people.c.tenant_id, people.c.preferences, people.c.paused)


async def export_person(connection: AsyncConnection, owner: UserId) -> Mapping[str, object]:
    """Return what is stored of `owner`; times are ISO 8601 in UTC."""
    person = (await connection.execute(_PERSON.where(people.c.user_id == owner))).first()
    sources = await _sources(connection, owner)
    fact_list = newest_first(await fact_lines(connection, owner))
    episode_list = newest_first(await episode_lines(connection, owner))
    return {
        "user_id": owner,
        "name": person.name if person else "",
        "preferences": dict(person.preferences) if person else {},
        "paused": person.paused if person else False,
        "note": _NOTE,
        "facts": [_memory(line) | {"sources": sources.get(line.key, [])} for line in fact_list],
        "episodes": [_memory(line) for line in episode_list],
        "messages": await _messages(connection, owner),
    }


def _memory(line: Memory) -> dict[str, object]:
    return {
        "number": line.number,
        "kind": line.kind,
        "about": line.subject,
        "text": line.text,
        "audience": line.audience,
        "said_at": _iso(line.said_at),
        "valid_until": _iso(line.valid_until),
        "superseded_by": line.superseded_by_number,
        "confirmations": line.confirmations,
        "widened": line.widened,
        "session_id": line.session_id,
        "thread": line.thread,
        "link": line.link,
    }


async def _sources(connection: AsyncConnection, owner: UserId) -> dict[str, list[dict[str, object]]]:
    """Return the owner's own sources of each of their facts."""
    rows = await connection.execute(
        select(fact_sources)
        .join(facts, facts.c.id == fact_sources.c.fact_id)
        .where(facts.c.owner_id == owner, fact_sources.c.author_id == owner)
        .order_by(fact_sources.c.id)
    )
    found: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        found.setdefault(fact_key(row.fact_id), []).append(
            {
                "message_id": row.message_id,
                "message_version": row.message_version,
                "session_id": row.session_id,
                "said_at": _iso(row.said_at),
                "link": row.link,
            }
        )
    return found


async def _messages(connection: AsyncConnection, owner: UserId) -> Sequence[dict[str, object]]:
    """Return the owner's messages that still have their text, each with the replies to it."""
    own = await connection.execute(
        select(messages).where(messages.c.author_id == owner, messages.c.text.is_not(None)).order_by(messages.c.id)
    )
    asked = messages.alias("asked")
    answers = await connection.execute(
        select(messages)
        .join(asked, asked.c.id == messages.c.reply_to)
        .where(asked.c.author_id == owner, messages.c.author_id.is_(None), messages.c.text.is_not(None))
        .order_by(messages.c.id)
    )
    replies: dict[int, list[dict[str, object]]] = {}
    for row in answers:
        replies.setdefault(row.reply_to, []).append({"text": row.text, "sent_at": _iso(row.sent_at)})
    return [_message(row) | {"replies": replies.get(row.id, [])} for row in own]


def _message(row: AnyRow) -> dict[str, object]:
    return {
        "message_id": row.id,
        "session_id": row.session_id,
        "text": row.text,
        "attachments": [{"name": each["name"], "text": each.get("text")} for each in row.attachments],
        "version": row.version,
        "audience": row.audience,
        "sent_at": _iso(row.sent_at),
        "link": row.link,
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
