"""Edits and deletions that come before the message itself: a delivery failed, and the next one is still to come.

Only that it happened is kept, not what it now says, since most such messages are not for Recall at all.
"""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.model import ChannelId
from memory.stores.sql.channels import hold_alone
from memory.stores.sql.database import inserts
from memory.stores.sql.rows import AnyRow
from memory.stores.sql.schema import early_changes

_KEPT_FOR = timedelta(hours=1)
"""Slack delivers for the last time after five minutes; an hour leaves room for its clock and for ours."""

_LATER = {"sqlite": "max", "postgresql": "greatest"}
_NOTE = {
    dialect: plain.values({column.name: bindparam(column.name) for column in early_changes.c}).on_conflict_do_update(
        index_elements=[early_changes.c.channel_id, early_changes.c.platform_message_id],
        set_={
            "is_deleted": early_changes.c.is_deleted | plain.excluded.is_deleted,
            "changed_at": getattr(func, _LATER[dialect])(early_changes.c.changed_at, plain.excluded.changed_at),
        },
    )
    for dialect, plain in inserts(early_changes).items()
}
_FIND = select(early_changes.c.is_deleted, early_changes.c.changed_at).where(
    early_changes.c.channel_id == bindparam("channel_id"),
    early_changes.c.platform_message_id == bindparam("platform_message_id"),
)
_PURGE = delete(early_changes).where(early_changes.c.changed_at < bindparam("before"))


async def early_change(connection: AsyncConnection, channel_id: ChannelId, platform_message_id: str) -> AnyRow | None:
    """Return what is noted of a message; to be asked once the channel is held, so that no note is missed."""
    values = {"channel_id": channel_id, "platform_message_id": platform_message_id}
    return (await connection.execute(_FIND, values)).first()


async def note_early(
    connection: AsyncConnection,
    channel_id: ChannelId,
    platform_message_id: str,
    *,
    is_deleted: bool,
    changed_at: datetime,
    now: datetime,
) -> None:
    """Keep a change in mind as `ErasureStore.note_early` does, and drop what is old."""
    await hold_alone(connection, channel_id)
    await connection.execute(_PURGE, {"before": now - _KEPT_FOR})
    values = {
        "channel_id": channel_id,
        "platform_message_id": platform_message_id,
        "is_deleted": is_deleted,
        "changed_at": changed_at,
    }
    await connection.execute(_NOTE[connection.dialect.name], values)
