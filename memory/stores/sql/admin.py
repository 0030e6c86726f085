"""Upkeep of the record: counts, compaction, and handing retention on."""

import asyncio
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, Table, bindparam, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.errors import StoreUnavailableError
from memory.model import MessageState, Receipt, Role
from memory.model.work import RecordStatus
from memory.ports import RecordAdmin
from memory.stores.sql import retention
from memory.stores.sql.database import Database
from memory.stores.sql.pause import erase_left_over
from memory.stores.sql.schema import episodes, facts, messages, metadata, outbox
from memory.stores.sql.upkeep import is_compaction_due, is_rewrite_due, note_event, upkeep_times

_CHECKPOINT_ATTEMPTS = 5
_CHECKPOINT_PAUSE_S = 0.2

_UNKEPT_AT_ONCE = 500
"""Turns in one transaction, so that people's messages are not held up for long."""

_PING = text("SELECT 1")
_TURN = (messages.c.role == Role.USER.value) & messages.c.text.is_not(None) & messages.c.kept
_UNSETTLED = messages.c.state.in_((MessageState.RECEIVED.value, MessageState.ANSWERING.value))
_TO_EXTRACT = messages.c.extracted_version < messages.c.version


def _count(table: Table, *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(table).where(*conditions).scalar_subquery()


_ALIVE = messages.c.text.is_not(None)
_STATUS = select(
    _count(messages, _ALIVE).label("messages"),
    _count(facts, facts.c.valid_until.is_(None)).label("facts"),
    _count(episodes).label("episodes"),
    _count(messages, _ALIVE, _UNSETTLED).label("unanswered"),
    _count(messages, _TURN, _TO_EXTRACT, ~_UNSETTLED, messages.c.parked_reason.is_(None)).label("waiting"),
    _count(messages, _TURN, messages.c.parked_reason.is_not(None)).label("parked"),
    _count(outbox).label("outbox"),
    _count(outbox, outbox.c.operation == "index").label("unindexed"),
    _count(outbox, outbox.c.operation == "drop").label("drops"),
)
_HASTEN = update(outbox).where(outbox.c.operation == "drop").values(due_at=bindparam("now"))


class SqlRecordAdmin(RecordAdmin):
    """Upkeep through SQL alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ping(self) -> None:
        async with self._database.read("ping") as connection:
            await connection.execute(_PING)

    async def status(self) -> RecordStatus:
        async with self._database.read("count") as connection:
            row = (await connection.execute(_STATUS)).one()
            times = await upkeep_times(connection)
        return RecordStatus(
            messages=row.messages,
            facts=row.facts,
            episodes=row.episodes,
            unanswered=row.unanswered,
            waiting_for_extraction=row.waiting,
            parked=row.parked,
            outbox=row.outbox,
            unindexed=row.unindexed,
            drops=row.drops,
            last_compacted_at=times.get("compacted_at"),
            needs_compaction=is_compaction_due(times) or is_rewrite_due(times),
        )

    async def hasten_drops(self) -> None:
        async with self._database.begin("hasten the removal of vectors") as connection:
            await connection.execute(_HASTEN, {"now": self._database.clock.now()})

    async def compact(self) -> None:
        """Rewrite the SQLite file and empty its log; on PostgreSQL, VACUUM, which frees what no transaction sees.

        On a server deleted rows stay in its write-ahead log, replicas and backups for as long as those are kept.
        """
        async with self._database.upkeep("compact") as connection:
            if self._database.dialect == "postgresql":
                await _vacuum_tables(connection)
            else:
                await _rewrite_file(connection)

    async def needs_compaction(self) -> bool:
        async with self._database.read("look for deletions") as connection:
            return is_compaction_due(await upkeep_times(connection))

    async def has_erased_texts(self) -> bool:
        async with self._database.read("look for erased texts") as connection:
            return is_rewrite_due(await upkeep_times(connection))

    async def erase_unkept(self, *, settled_before: datetime) -> int:
        total, done = 0, _UNKEPT_AT_ONCE
        while done == _UNKEPT_AT_ONCE:
            async with self._database.begin("erase what was not to be kept") as connection:
                done = await erase_left_over(
                    connection, settled_before=settled_before, now=self._database.clock.now(), limit=_UNKEPT_AT_ONCE
                )
            total += done
        return total

    async def compacted(self, *, at: datetime, record_only: bool = False) -> None:
        async with self._database.begin("note a compaction") as connection:
            await note_event(connection, "rewritten_at" if record_only else "compacted_at", at=at)

    async def expire(self, *, episodes_before: datetime, threads_before: datetime) -> Receipt:
        return await retention.expire(self._database, episodes_before=episodes_before, threads_before=threads_before)


async def _rewrite_file(connection: AsyncConnection) -> None:
    """Merge full-text segments, which keep deleted words, then write the file anew and empty the log."""
    await connection.execute(text("INSERT INTO lexicon_index (lexicon_index) VALUES ('optimize')"))
    await connection.execute(text("VACUUM"))
    for _ in range(_CHECKPOINT_ATTEMPTS):
        busy, _, _ = (await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))).one()
        if not busy:
            return
        await asyncio.sleep(_CHECKPOINT_PAUSE_S)
    raise StoreUnavailableError("sql", "compact", "another process is reading; the log still holds deleted rows")


async def _vacuum_tables(connection: AsyncConnection) -> None:
    for name in sorted({*metadata.tables, "lexicon"}):
        await connection.execute(text(f"VACUUM (ANALYZE) {name}"))
