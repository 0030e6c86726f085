"""What every audit log does."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from memory.model import UserId
from memory.model.work import AuditEvent
from memory.stores.sql.audit import SqlAuditLog, append_event
from memory.stores.sql.database import Database, open_database
from tests.fakes.clock import FrozenClock


def event(action: str, clock: FrozenClock, **counts: int) -> AuditEvent:
    """Return an event of this moment."""
    return AuditEvent(at=clock.now(), actor=UserId("test:T1:anna"), action=action, counts=counts)


async def test_events_are_read_newest_first_as_they_were_recorded(database: Database, clock: FrozenClock) -> None:
    """Who, what, when and how many come back."""
    log = SqlAuditLog(database)
    events = [event("forget", clock, facts=2, messages=3), event("export", clock)]
    for each in events:
        await log.record(each)

    assert await log.read(limit=10) == [events[1], events[0]]
    assert await log.read(limit=1) == [events[1]]


async def test_what_somebody_has_done_since(database: Database, clock: FrozenClock) -> None:
    """That very thing, by that very person, then or later."""
    log, anna = SqlAuditLog(database), UserId("test:T1:anna")
    at = clock.now()
    await log.record(event("forget", clock))

    assert await log.has_since(anna, "forget", at)
    assert not await log.has_since(anna, "export", at)
    assert not await log.has_since(UserId("test:T1:bob"), "forget", at)
    clock.advance(1)
    assert not await log.has_since(anna, "forget", clock.now())


async def test_events_survive_a_restart(database: Database, database_url: str, clock: FrozenClock) -> None:
    """The log is in the record."""
    await SqlAuditLog(database).record(event("forget", clock, facts=1))
    async with open_database(database_url, clock=clock) as reopened:
        assert await SqlAuditLog(reopened).read(limit=10) == [event("forget", clock, facts=1)]


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET action = 'nothing'", "DELETE FROM audit_log"])
async def test_database_refuses_to_change_the_log(database: Database, clock: FrozenClock, statement: str) -> None:
    """Not even SQL by hand changes what was recorded."""
    log = SqlAuditLog(database)
    await log.record(event("forget", clock))
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.begin() as connection:
            await connection.execute(text(statement))

    assert await log.read(limit=10) == [event("forget", clock)]


async def test_truncate_of_the_log_is_refused_on_a_server(database: Database, clock: FrozenClock) -> None:
    """PostgreSQL can empty a table without deleting a row; SQLite has no such statement."""
    log = SqlAuditLog(database)
    await log.record(event("forget", clock))
    with pytest.raises(DBAPIError, match=r"append-only|syntax error"):
        async with database.upkeep("truncate") as connection:
            await connection.execute(text("TRUNCATE audit_log"))

    assert len(await log.read(limit=10)) == 1


async def test_event_is_there_only_with_what_it_tells_of(database: Database, clock: FrozenClock) -> None:
    """Recorded inside a transaction that fails, it was never recorded."""

    async def fail_after_recording() -> None:
        async with database.begin() as connection:
            await append_event(connection, event("forget", clock))
            raise RuntimeError("something failed later")

    with pytest.raises(RuntimeError, match="later"):
        await fail_after_recording()

    assert await SqlAuditLog(database).read(limit=10) == []
