"""What bringing a database to this version's schema does, and how the connection behaves when things are wrong."""

import asyncio
import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.errors import ConfigError, StoreCorruptError, StoreUnavailableError
from memory.stores import migrations
from memory.stores.sql.database import Database, open_database
from memory.stores.sql.migrate import HEAD, migrate
from memory.stores.sql.schema import metadata
from tests.fakes.clock import FrozenClock
from tests.fixtures.databases import PostgresServer

_PROGRAM = """
import asyncio, pathlib, sys
from memory.stores.sql import migrate, open_database
from tests.fakes.clock import FrozenClock
async def start():
    async with open_database(eval(sys.argv[1], {"Path": pathlib.Path}), clock=FrozenClock(), timeout_s=30) as database:
        await migrate(database)
asyncio.run(start())
print("alembic was imported:", "alembic" in sys.modules)
"""
_NOTE = text("INSERT INTO upkeep (name, at) VALUES ('erased_at', '2026-11-02 09:00:00')")
_COUNT_NOTES = text("SELECT count(*) FROM upkeep")


async def start_program(url: str | Path) -> asyncio.subprocess.Process:
    """Start a process that migrates a database."""
    named = f"Path({str(url)!r})" if isinstance(url, Path) else repr(url)
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", _PROGRAM, named),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str | Path]:
    """Where a database without any table is."""
    if request.param == "sqlite":
        yield tmp_path / "recall.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with server.new_database(template="template0") as url:
            yield url


def tables(connection: Connection) -> dict[str, str]:
    """Return all there is to know of the tables that the schema names, as JSON each."""
    inspector = inspect(connection)
    parts = (
        inspector.get_columns,
        inspector.get_pk_constraint,
        inspector.get_foreign_keys,
        inspector.get_unique_constraints,
        inspector.get_indexes,
    )
    return {name: json.dumps([part(name) for part in parts], default=str) for name in metadata.tables}


async def test_migrations_make_exactly_the_tables_of_the_schema(database: Database) -> None:
    """The migrations and the schema that the code uses are two texts of one thing."""
    async with database.begin() as connection:
        migrated = await connection.run_sync(tables)
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
        declared = await connection.run_sync(tables)

    assert migrated == declared


def test_head_is_the_newest_revision() -> None:
    """The name that start-up compares with is that of the last migration."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))

    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


async def test_empty_database_is_migrated_and_then_left_alone(empty_url: str | Path, clock: FrozenClock) -> None:
    """Running it again finds everything there."""
    async with open_database(empty_url, clock=clock) as database:
        await migrate(database)
        await migrate(database)
        async with database.read() as connection:
            assert (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one() == HEAD


async def test_processes_that_start_at_once_migrate_once(empty_url: str | Path, clock: FrozenClock) -> None:
    """Replicas that come up together do not trip over each other."""
    processes = [await start_program(empty_url) for _ in range(3)]
    results = [(await process.communicate())[1] for process in processes]

    assert results == [b"", b"", b""]
    async with open_database(empty_url, clock=clock) as database, database.read() as connection:
        assert await connection.run_sync(lambda sync: inspect(sync).has_table("messages"))


async def test_database_of_a_newer_version_is_refused(database: Database) -> None:
    """An old program must not write into tables it does not know."""
    async with database.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ConfigError, match="newer version"):
        await migrate(database)


async def test_start_at_head_does_not_import_alembic(tmp_path: Path) -> None:
    """A prompt should not wait for what it does not need."""
    printed = []
    for _ in range(2):
        process = await start_program(tmp_path / "recall.db")
        printed.append((await process.communicate())[0].decode().strip())

    assert printed == ["alembic was imported: True", "alembic was imported: False"]


@pytest.mark.parametrize("content", [b"this is no database at all, " * 100, None])
async def test_damaged_file_is_named_with_what_to_do(tmp_path: Path, clock: FrozenClock, content: bytes | None) -> None:
    """A file of something else, and a database whose pages were overwritten."""
    path = tmp_path / "recall.db"
    if content is not None:
        path.write_bytes(content)
    else:
        async with open_database(path, clock=clock) as database:
            await migrate(database)
        whole = path.read_bytes()
        path.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))

    async with open_database(path, clock=clock) as database:
        with pytest.raises(StoreCorruptError, match="backup"):
            await migrate(database)


async def test_file_that_cannot_be_opened_is_unavailable(tmp_path: Path, clock: FrozenClock) -> None:
    """A folder that is not there."""
    async with open_database(tmp_path / "nowhere" / "recall.db", clock=clock) as database:
        with pytest.raises(StoreUnavailableError):
            await migrate(database)


@pytest.mark.parametrize("url", ["mysql://root@localhost/recall", "recall.db", ""])
async def test_url_of_something_else_is_refused(clock: FrozenClock, url: str) -> None:
    """The setting is named, the value's secret part is not."""
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        async with open_database(url, clock=clock):
            pass


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("postgresql://u:hunter2@127.0.0.1:1/recall", "connection refused"),
        ("postgresql://u:hunter2@nowhere.invalid/recall", "no such host"),
        ("postgresql://u:hunter2@/recall?host=/nowhere", "no such socket"),
    ],
)
async def test_server_that_cannot_be_reached_is_unavailable_for_a_cause(
    clock: FrozenClock, url: str, cause: str
) -> None:
    """In words, and without those of the URL."""
    async with open_database(url, clock=clock) as database:
        with pytest.raises(StoreUnavailableError, match=rf"\({cause}\)$"):
            await migrate(database)


@pytest.mark.service
async def test_server_that_lets_nobody_in_is_unavailable_for_a_cause(
    postgres_server: PostgresServer, clock: FrozenClock
) -> None:
    """It answers, but has no such database, or knows no such user."""
    nobody = postgres_server.url("postgres").replace("postgres@", "nobody@")
    for url, cause in ((postgres_server.url("nowhere"), "no such database"), (nobody, "no such user")):
        async with open_database(url, clock=clock) as database:
            with pytest.raises(StoreUnavailableError, match=rf"\({cause}\)$"):
                await migrate(database)


async def test_option_that_postgresql_does_not_know_is_a_problem_of_the_setting(clock: FrozenClock) -> None:
    """No server was asked yet, and waiting mends nothing."""
    async with open_database("postgresql://u:hunter2@/recall?hst=/run", clock=clock) as database:
        with pytest.raises(ConfigError, match=r"^DATABASE_URL has an option"):
            await migrate(database)


async def test_write_that_never_gets_the_lock_is_unavailable(tmp_path: Path, clock: FrozenClock) -> None:
    """Another process that keeps writing is waited for, but not for ever."""
    path = tmp_path / "recall.db"
    async with open_database(path, clock=clock, timeout_s=0.2) as database:
        await migrate(database)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match="SQLITE_BUSY"):
            async with database.begin("write") as connection:
                await connection.execute(text("DELETE FROM outbox"))
        other.close()


async def test_reads_go_on_during_a_write_and_see_what_was_committed(database: Database) -> None:
    """A write in work is seen by nobody else, and blocks no read."""
    async with database.begin() as writing:
        await writing.execute(_NOTE)
        async with database.read() as reading:
            assert (await reading.execute(_COUNT_NOTES)).scalar_one() == 0
    async with database.read() as reading:
        assert (await reading.execute(_COUNT_NOTES)).scalar_one() == 1


async def test_write_that_fails_leaves_nothing(database: Database) -> None:
    """All of a transaction, or none of it."""

    async def fail() -> None:
        async with database.begin() as connection:
            await connection.execute(_NOTE)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with database.read() as connection:
        assert (await connection.execute(_COUNT_NOTES)).scalar_one() == 0


async def test_cancelled_write_leaves_nothing_and_frees_the_lock(database: Database) -> None:
    """A turn that is stopped midway does not hold up the next one."""
    written = asyncio.Event()

    async def write() -> None:
        async with database.begin() as connection:
            await connection.execute(_NOTE)
            written.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.begin() as connection:
        assert (await connection.execute(_COUNT_NOTES)).scalar_one() == 0
        await connection.execute(_NOTE)


async def test_write_cancelled_in_a_slow_statement_is_stopped_and_leaves_nothing(database: Database) -> None:
    """A transaction that runs apart from the event loop is interrupted all the same."""
    endless = {
        "sqlite": "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        "postgresql": "SELECT pg_sleep(3600)",
    }
    loop, written = asyncio.get_running_loop(), asyncio.Event()

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(_NOTE)
        loop.call_soon_threadsafe(written.set)
        await connection.execute(text(endless[database.dialect]))

    task = asyncio.create_task(database.write("write slowly", work))
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.begin() as connection:
        assert (await connection.execute(_COUNT_NOTES)).scalar_one() == 0


async def test_transaction_in_the_drivers_thread_may_await_nothing_else(tmp_path: Path, clock: FrozenClock) -> None:
    """There is no event loop inside it; a mistake is told at once, and nothing is written."""

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(_NOTE)
        await asyncio.sleep(0)

    async with open_database(tmp_path / "recall.db", clock=clock) as database:
        await migrate(database)
        with pytest.raises(RuntimeError, match="other than the database"):
            await database.write("write", work)
        async with database.read() as connection:
            assert (await connection.execute(_COUNT_NOTES)).scalar_one() == 0
