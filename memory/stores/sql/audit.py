"""The audit log. Triggers of the migrations refuse changes to it; nothing here offers any."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, exists, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import UserId
from memory.model.work import AuditEvent
from memory.ports import AuditLog
from memory.stores.sql.database import Database
from memory.stores.sql.schema import audit_log

_NEWEST = select(audit_log).order_by(audit_log.c.id.desc()).limit(bindparam("limit"))
_SINCE = select(
    exists().where(
        audit_log.c.actor_id == bindparam("actor"),
        audit_log.c.action == bindparam("action"),
        audit_log.c.at >= bindparam("since"),
    )
)


async def append_event(connection: AsyncConnection, event: AuditEvent) -> None:
    """Append an event in the transaction of what it tells of, so that neither is there without the other."""
    values = {"at": event.at, "actor_id": event.actor, "action": event.action, "counts": dict(event.counts)}
    await connection.execute(insert(audit_log).inline(), values)


class SqlAuditLog(AuditLog):
    """The audit log as a table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, event: AuditEvent) -> None:
        async with self._database.begin("record an audit event") as connection:
            await append_event(connection, event)

    async def read(self, *, limit: int) -> Sequence[AuditEvent]:
        async with self._database.read("read the audit log") as connection:
            rows = (await connection.execute(_NEWEST, {"limit": limit})).all()
        return [AuditEvent(at=row.at, actor=UserId(row.actor_id), action=row.action, counts=row.counts) for row in rows]

    async def has_since(self, actor: UserId, action: str, at: datetime) -> bool:
        async with self._database.read("look into the audit log") as connection:
            values = {"actor": actor, "action": action, "since": at}
            return bool((await connection.execute(_SINCE, values)).scalar_one())
