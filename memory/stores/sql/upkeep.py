"""When something was erased, and when the files were last made anew: what decides whether a compaction is due.

Texts that never were in the index are noted apart, since for them the record's own files are enough.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.stores.sql.database import inserts
from memory.stores.sql.schema import upkeep

Event = Literal["erased_at", "texts_erased_at", "compacted_at", "rewritten_at"]
"""Something was forgotten; texts alone were erased; all files were made anew; the record's were."""

_INSERT = inserts(upkeep)
_TIMES = select(upkeep.c.name, upkeep.c.at)


async def note_event(connection: AsyncConnection, event: Event, *, at: datetime) -> None:
    """Note when something happened last."""
    noted = _INSERT[connection.dialect.name].values(name=event, at=at)
    await connection.execute(
        noted.on_conflict_do_update(index_elements=[upkeep.c.name], set_={"at": noted.excluded.at})
    )


async def upkeep_times(connection: AsyncConnection) -> Mapping[str, datetime]:
    """Return when each event happened last."""
    return {row.name: row.at for row in await connection.execute(_TIMES)}


def is_compaction_due(times: Mapping[str, datetime]) -> bool:
    """Whether something was forgotten that may be in any of the files."""
    return _is_since(times, "erased_at", "compacted_at")


def is_rewrite_due(times: Mapping[str, datetime]) -> bool:
    """Whether texts were erased that may be in the record's files."""
    return _is_since(times, "texts_erased_at", "compacted_at", "rewritten_at")


def _is_since(times: Mapping[str, datetime], erased: Event, *made_anew: Event) -> bool:
    return erased in times and all(times[erased] >= times[event] for event in made_anew if event in times)
