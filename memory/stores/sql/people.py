"""People in the record, and the numbers that their memories get."""

from sqlalchemy import bindparam, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import Person, TenantId, UserId
from memory.stores.sql.schema import people

_PERSON = {"user_id": bindparam("user_id"), "tenant_id": bindparam("tenant_id"), "name": bindparam("name")}
_INSERT = {"sqlite": sqlite.insert(people).values(_PERSON), "postgresql": postgresql.insert(people).values(_PERSON)}
_ENSURE = {
    dialect: insert.on_conflict_do_update(
        index_elements=[people.c.user_id],
        set_={"name": insert.excluded.name},
        where=people.c.name != insert.excluded.name,
    )
    for dialect, insert in _INSERT.items()
}
_NEXT_NUMBER = (
    update(people)
    .where(people.c.user_id == bindparam("b_user_id"))
    .values(next_number=people.c.next_number + 1)
    .returning(people.c.next_number)
)


async def ensure_person(connection: AsyncConnection, person: Person, tenant_id: TenantId) -> None:
    """Add a person, or note a new name."""
    values = {"user_id": person.user_id, "tenant_id": tenant_id, "name": person.name}
    await connection.execute(_ENSURE[connection.dialect.name], values)


async def next_number(connection: AsyncConnection, user_id: UserId) -> int:
    """Take the next number of a person's memories; a number is never given twice, unless the transaction fails."""
    after = (await connection.execute(_NEXT_NUMBER, {"b_user_id": user_id})).scalar_one()
    return int(after) - 1
