"""What a person has asked and what is kept of them, in counts. Reads only."""

from datetime import datetime

from sqlalchemy import bindparam, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import Usage, UserId
from memory.stores.sql.schema import episode_people, facts, messages

_reply = messages.alias("reply")
_TURNS = (
    select(
        func.count(messages.c.id.distinct()).label("questions"),
        func.count(_reply.c.id).label("answers"),
        func.coalesce(func.sum(_reply.c.tokens), 0).label("tokens"),
    )
    .outerjoin(_reply, _reply.c.reply_to == messages.c.id)
    .where(messages.c.author_id == bindparam("user_id"), messages.c.sent_at >= bindparam("since"))
)
_KEPT = union_all(
    select(facts.c.kind, func.count().label("number"))
    .where(facts.c.owner_id == bindparam("user_id"), facts.c.valid_until.is_(None))
    .group_by(facts.c.kind),
    select(literal("episode"), func.count()).where(episode_people.c.user_id == bindparam("user_id")),
)


async def usage_of(connection: AsyncConnection, user_id: UserId, since: datetime) -> Usage:
    """Count as `FactStore.usage` does."""
    turns = (await connection.execute(_TURNS, {"user_id": user_id, "since": since})).one()
    kept = (await connection.execute(_KEPT, {"user_id": user_id})).all()
    return Usage(
        questions=turns.questions,
        answers=turns.answers,
        tokens=int(turns.tokens),
        kept={row.kind: row.number for row in kept if row.number},
    )
