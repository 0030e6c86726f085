"""Named leases by the database's clock; functions for use inside other transactions, and the port."""

from typing import Any

from sqlalchemy import ColumnElement, Double, bindparam, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from memory.model import SessionId
from memory.model.work import Lease
from memory.ports import LeaseStore
from memory.stores.sql.database import Database, inserts
from memory.stores.sql.schema import leases


class _DatabaseNow(FunctionElement[float]):
    """Seconds since 1970 by the database's clock."""

    type = Double()
    inherit_cache = True


@compiles(_DatabaseNow, "sqlite")
def _sqlite_now(_element: _DatabaseNow, _compiler: Any, **_options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(_DatabaseNow, "postgresql")
def _postgresql_now(_element: _DatabaseNow, _compiler: Any, **_options: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"


def database_now() -> ColumnElement[float]:
    """Return the SQL for the database's clock."""
    return _DatabaseNow()


EXPIRES_AT = database_now() + bindparam("lease_s", type_=Double())
IS_FREE = or_(leases.c.holder.is_(None), leases.c.expires_at <= database_now(), leases.c.holder == bindparam("claimer"))
"""Whether `claimer` may take the lease; for the WHERE of an upsert that sets fence + 1."""

_NEW = {"name": bindparam("name"), "holder": bindparam("claimer"), "fence": 1, "expires_at": EXPIRES_AT}
_CLAIM = {
    dialect: insert.values(_NEW)
    .on_conflict_do_update(
        index_elements=[leases.c.name],
        set_={"holder": bindparam("claimer"), "fence": leases.c.fence + 1, "expires_at": EXPIRES_AT},
        where=IS_FREE,
    )
    .returning(leases.c.fence)
    for dialect, insert in inserts(leases).items()
}
_HELD = (
    (leases.c.name == bindparam("b_name"))
    & (leases.c.holder == bindparam("b_holder"))
    & (leases.c.fence == bindparam("b_fence"))
)
_CHECK = leases.select().with_only_columns(leases.c.fence).where(_HELD).with_for_update()
_RENEW = update(leases).where(_HELD).values(expires_at=EXPIRES_AT)
_RELEASE = update(leases).where(_HELD).values(holder=None, expires_at=0.0)

_RELEASE_ALL = update(leases).values(holder=None, expires_at=0.0)


def turn_lease(session_id: SessionId) -> str:
    """Return the name of the lease under which a thread is answered."""
    return f"turn:{session_id}"


async def claim_lease(connection: AsyncConnection, name: str, holder: str, lease_s: float) -> Lease | None:
    """Take a lease as `LeaseStore.claim` does."""
    values = {"name": name, "claimer": holder, "lease_s": lease_s}
    fence = (await connection.execute(_CLAIM[connection.dialect.name], values)).scalar_one_or_none()
    return None if fence is None else Lease(name=name, holder=holder, fence=fence)


async def check_lease(connection: AsyncConnection, lease: Lease) -> bool:
    """Whether the lease is still this holder's, and stays so until the transaction ends.

    One that expired but was taken by nobody still is: its fence is the highest.
    """
    return (await connection.execute(_CHECK, _held(lease))).first() is not None


async def renew_lease(connection: AsyncConnection, lease: Lease, lease_s: float) -> bool:
    """Extend a lease as `LeaseStore.renew` does."""
    return (await connection.execute(_RENEW, {**_held(lease), "lease_s": lease_s})).rowcount == 1


async def release_lease(connection: AsyncConnection, lease: Lease) -> bool:
    """Give a lease back; False, with nothing changed, when it had passed on. One statement checks and releases."""
    return (await connection.execute(_RELEASE, _held(lease))).rowcount == 1


def _held(lease: Lease) -> dict[str, object]:
    return {"b_name": lease.name, "b_holder": lease.holder, "b_fence": lease.fence}


class SqlLeaseStore(LeaseStore):
    """Leases as rows; a released one keeps its row, so that fences go on growing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, name: str, *, holder: str, lease_s: float) -> Lease | None:
        return await self._database.write_lightly("claim a lease", claim_lease, name, holder, lease_s)

    async def renew(self, lease: Lease, *, lease_s: float) -> bool:
        return await self._database.write_lightly("renew a lease", renew_lease, lease, lease_s)

    async def release(self, lease: Lease) -> None:
        async with self._database.begin("release a lease") as connection:
            await release_lease(connection, lease)

    async def release_all(self) -> None:
        """Free every lease: for a process that has just become the only owner of an embedded record."""
        async with self._database.begin("release all leases") as connection:
            await connection.execute(_RELEASE_ALL)
