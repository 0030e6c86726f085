"""Which answer tells people what is remembered: one in each scope, for good."""

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import MessageId
from memory.stores.sql.database import inserts
from memory.stores.sql.schema import disclosures

_CLAIM = {
    dialect: plain.values(scope=bindparam("scope"), message_id=bindparam("message_id")).on_conflict_do_nothing(
        index_elements=[disclosures.c.scope]
    )
    for dialect, plain in inserts(disclosures).items()
}
_NAMED = select(disclosures.c.message_id).where(disclosures.c.scope == bindparam("scope"))


async def discloses(connection: AsyncConnection, scope: str, message_id: MessageId) -> bool:
    """Give a scope's disclosure to a message, if no other has it, as `MessageStore.discloses` does."""
    await connection.execute(_CLAIM[connection.dialect.name], {"scope": scope, "message_id": message_id})
    return bool((await connection.execute(_NAMED, {"scope": scope})).scalar_one() == message_id)
