"""Channels: one row each says the narrowest audience that a channel ever had.

Whoever stores what was said in a channel holds its row until that is committed; narrowing takes the row for itself
first. So what is stored has the audience that narrowing left, or is there for narrowing to find.
"""

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.audience import covers
from memory.model import Audience, ChannelId
from memory.stores.sql.database import inserts
from memory.stores.sql.schema import channels

_ADD = {
    dialect: plain.values(channel_id=bindparam("channel_id"), audience=bindparam("audience")).on_conflict_do_nothing()
    for dialect, plain in inserts(channels).items()
}
_AUDIENCE = select(channels.c.audience).where(channels.c.channel_id == bindparam("channel_id"))
_HOLD = _AUDIENCE.with_for_update(read=True)
_TAKE = _AUDIENCE.with_for_update(key_share=True)  # rows that only refer to the channel do not wait for it
_NARROW = update(channels).where(channels.c.channel_id == bindparam("b_channel_id")).values(audience=bindparam("now"))


async def add_channel(connection: AsyncConnection, channel_id: ChannelId, audience: Audience) -> None:
    """Note the audience of a channel that is new to the record; a known one keeps its own."""
    await connection.execute(_ADD[connection.dialect.name], {"channel_id": channel_id, "audience": audience})


async def hold_channel(connection: AsyncConnection, channel_id: ChannelId, audience: Audience) -> Audience:
    """Return the audience of a channel and keep it from being narrowed meanwhile; a new channel gets `audience`."""
    values = {"channel_id": channel_id}
    known = (await connection.execute(_HOLD, values)).scalar_one_or_none()
    if known is None:
        await add_channel(connection, channel_id, audience)
        known = (await connection.execute(_HOLD, values)).scalar_one()
    return Audience(known)


async def hold_alone(connection: AsyncConnection, channel_id: ChannelId) -> None:
    """Keep others from adding to a channel until the transaction ends; wait for those who are at it."""
    await connection.execute(_TAKE, {"channel_id": channel_id})


async def take_channel(connection: AsyncConnection, channel_id: ChannelId, audience: Audience) -> bool:
    """Narrow a channel's own row to `audience`, and keep others from adding to the channel meanwhile.

    Returns:
        False when it was no wider before.
    """
    await add_channel(connection, channel_id, audience)
    known = Audience((await connection.execute(_TAKE, {"channel_id": channel_id})).scalar_one())
    if not is_wider(known, audience):
        return False
    await connection.execute(_NARROW, {"b_channel_id": channel_id, "now": audience})
    return True


def is_wider(known: Audience, audience: Audience) -> bool:
    """Whether a channel has to be narrowed before something for `audience` is stored in it."""
    return known != audience and covers(known, audience)
