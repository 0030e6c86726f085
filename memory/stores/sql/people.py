"""People in the record, and the numbers that their memories get."""

from sqlalchemy import String, bindparam, cast, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import Person, TenantId, UserId
from memory.stores.sql.database import inserts
from memory.stores.sql.schema import people

IS_KNOWN = (people.c.name != "") | (cast(people.c.preferences, String) != "{}")
"""A person of whom the name or a setting is kept, which forgetting their tenant takes away."""
_ENSURE = {
    dialect: insert.values({name: bindparam(name) for name in ("user_id", "tenant_id", "name")}).on_conflict_do_update(
        index_elements=[people.c.user_id],
        set_={"name": insert.excluded.name, "tenant_id": insert.excluded.tenant_id},
        where=people.c.name != insert.excluded.name,
    )
    for dialect, insert in inserts(people).items()
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


_SHARE = text("SELECT pg_advisory_xact_lock_shared(hashtext('recall: forget'), hashtext(:tenant_id))")
_OWN = text("SELECT pg_advisory_xact_lock(hashtext('recall: forget'), hashtext(:tenant_id))")


async def share_with_forgetting(connection: AsyncConnection, tenant_id: TenantId) -> None:
    """Keep a tenant's forgetting out until the transaction ends; take it before looking at tombstones or epochs."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time
        await connection.execute(_SHARE, {"tenant_id": tenant_id})


async def forget_alone(connection: AsyncConnection, tenant_id: TenantId) -> None:
    """Wait for replies that are being stored, so that forgetting sees what memories they used; keep new ones out."""
    if connection.dialect.name == "postgresql":
        await connection.execute(_OWN, {"tenant_id": tenant_id})
