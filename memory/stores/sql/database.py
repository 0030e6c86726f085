"""The connection to the record: transactions, timeouts and errors. It knows no table.

Both engines look the same from here: `begin()` is one write transaction, `read()` one consistent read. On SQLite a
write takes its lock at BEGIN, so no transaction can fail halfway for want of it; writers of one process queue fairly
before that. On PostgreSQL it is READ COMMITTED, and code locks the rows it decides on, people before threads before
the rest.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, TypeAlias, TypeVar

from sqlalchemy import Connection, Table, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from memory.errors import ConfigError, StoreCorruptError, StoreUnavailableError
from memory.ports import Clock
from memory.stores.sql import driver
from memory.stores.sql.causes import cause_of, has_bad_option

_Result = TypeVar("_Result")
_Arguments = ParamSpec("_Arguments")
Work: TypeAlias = Callable[Concatenate[AsyncConnection, _Arguments], Coroutine[Any, Any, _Result]]
"""What is done in one transaction."""

Dialect = Literal["sqlite", "postgresql"]

_POOL_SIZE = 8
_UPKEEP_TIMEOUT_S = 3600.0
_READ_ONLY = "recall_read_only"
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def inserts(table: Table) -> dict[str, sqlite.Insert | postgresql.Insert]:
    """Return an INSERT for each dialect's own ON CONFLICT, by dialect name."""
    return {"sqlite": sqlite.insert(table), "postgresql": postgresql.insert(table)}


class Database:
    """An open database.

    Attributes:
        clock: The time of day for what is stored; leases go by the database's own clock.
        dialect: Which engine it is.
        path: The file, for SQLite.
    """

    def __init__(self, engine: AsyncEngine, *, clock: Clock, timeout_s: float, path: Path | None) -> None:
        self.clock = clock
        self.dialect: Dialect = "postgresql" if path is None else "sqlite"
        self.path = path
        self._engine = engine
        self._readers = engine.execution_options(**{_READ_ONLY: True})
        self._timeout_s = timeout_s
        self._writing = asyncio.Lock() if path is not None else None
        self._is_upkeep = False

    @asynccontextmanager
    async def begin(self, operation: str = "write") -> AsyncIterator[AsyncConnection]:
        """Open one write transaction; it commits when the block ends well. Not to be nested.

        Raises:
            StoreUnavailableError: No connection, no lock or no answer in time; nothing was written.
            StoreCorruptError: The file is damaged.
        """
        with _translated(operation, self.path):
            async with self._turn_to_write(), self._engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def read(self, operation: str = "read") -> AsyncIterator[AsyncConnection]:
        """Open one read; raises as `begin` does. On SQLite all its statements see the same state."""
        with _translated(operation, self.path):
            async with asyncio.timeout(self._limit_s), self._readers.connect() as connection:
                yield connection

    async def write(
        self, operation: str, work: Work[_Arguments, _Result], *arguments: _Arguments.args, **named: _Arguments.kwargs
    ) -> _Result:
        """Run `work` in one write transaction, as inside `begin`; on SQLite without leaving the connection's thread.

        That takes a third of the time, and `work` may await nothing but its connection's `execute` and `scalar`.
        """
        with _translated(operation, self.path):
            async with self._turn_to_write():
                if self.path is not None:
                    return await driver.run(self._engine, lambda connection: work(connection, *arguments, **named))
                async with self._engine.begin() as connection:
                    return await work(connection, *arguments, **named)

    async def write_lightly(
        self, operation: str, work: Work[_Arguments, _Result], *arguments: _Arguments.args, **named: _Arguments.kwargs
    ) -> _Result:
        """Write as `write` does, but on SQLite without waiting for the disk: losing power may undo it, a crash not.

        For leases: the process that held one has lost power too. A server may restart under its clients, so there a
        lease is as durable as anything.
        """
        if self.path is None:
            return await self.write(operation, work, *arguments, **named)
        with _translated(operation, self.path):
            async with self._turn_to_write():
                return await driver.run(
                    self._engine, lambda connection: work(connection, *arguments, **named), synchronous="NORMAL"
                )

    async def look(
        self, operation: str, work: Work[_Arguments, _Result], *arguments: _Arguments.args, **named: _Arguments.kwargs
    ) -> _Result:
        """Run `work` in one read, as inside `read`, under the conditions of `write`."""
        with _translated(operation, self.path):
            async with asyncio.timeout(self._limit_s):
                if self.path is not None:
                    return await driver.run(self._readers, lambda connection: work(connection, *arguments, **named))
                async with self._readers.connect() as connection:
                    return await work(connection, *arguments, **named)

    @asynccontextmanager
    async def upkeep(self, operation: str) -> AsyncIterator[AsyncConnection]:
        """Open a connection for work that is slow or allows no transaction, such as VACUUM; writers wait."""
        with _translated(operation, self.path):
            async with self._turn_to_write(for_upkeep=True), self._engine.connect() as opened:
                connection = await opened.execution_options(isolation_level="AUTOCOMMIT")
                if self.dialect == "postgresql":
                    await connection.execute(text("SET statement_timeout = 0"))
                try:
                    yield connection
                finally:
                    await connection.invalidate()  # its settings must not reach the next user

    @asynccontextmanager
    async def upkeep_transaction(self, operation: str) -> AsyncIterator[AsyncConnection]:
        """Open a write transaction that may take long, such as a migration or a forget; raises as `begin` does."""
        with _translated(operation, self.path):
            async with self._turn_to_write(for_upkeep=True), self._engine.begin() as connection:
                if self.dialect == "postgresql":
                    await connection.execute(text("SET LOCAL statement_timeout = 0"))
                    await connection.execute(text("SET LOCAL lock_timeout = 0"))
                yield connection

    @property
    def _limit_s(self) -> float:
        """Waiting for the lock and for the answer may each take the timeout."""
        return 2 * self._timeout_s + 1

    @asynccontextmanager
    async def _turn_to_write(self, *, for_upkeep: bool = False) -> AsyncIterator[None]:
        """Wait for the process's earlier writers, then keep to the time limit."""
        limit_s = _UPKEEP_TIMEOUT_S if for_upkeep else self._limit_s
        if self._writing is None:
            async with asyncio.timeout(limit_s):
                yield
            return
        await self._take(self._writing, limit_s)
        self._is_upkeep = for_upkeep
        try:
            async with asyncio.timeout(limit_s):
                yield
        finally:
            self._is_upkeep = False
            self._writing.release()

    async def _take(self, turn: asyncio.Lock, limit_s: float) -> None:
        """Wait for a turn; what comes in while upkeep runs is not refused for that."""
        while True:
            try:
                async with asyncio.timeout(limit_s):
                    await turn.acquire()
            except TimeoutError:
                if not self._is_upkeep:
                    raise
            else:
                return


@asynccontextmanager
async def open_database(url: str | Path, *, clock: Clock, timeout_s: float = 5.0) -> AsyncIterator[Database]:
    """Open a SQLite file (a path) or a PostgreSQL server (a URL); connects at first use.

    Raises:
        ConfigError: `url` is neither.
    """
    if isinstance(url, Path):
        engine, path = _sqlite(url, timeout_s=timeout_s), url
    else:
        engine, path = _postgresql(url, timeout_s=timeout_s), None
    try:
        yield Database(engine, clock=clock, timeout_s=timeout_s, path=path)
    finally:
        await engine.dispose()


def _sqlite(path: Path, *, timeout_s: float) -> AsyncEngine:
    pragmas = (
        f"busy_timeout = {int(timeout_s * 1000)}",
        "journal_mode = WAL",
        "synchronous = FULL",  # accepted means on disk
        "foreign_keys = ON",
        "secure_delete = ON",
        "temp_store = MEMORY",  # no forgotten text in a temporary file
        "cache_size = -16000",
    )

    engine = create_async_engine(
        "sqlite+aiosqlite:///record",  # the module below knows the file; any name makes SQLAlchemy pool
        module=driver.Dbapi(path, timeout_s=timeout_s, pragmas=pragmas),
        pool_size=_POOL_SIZE,
        max_overflow=0,
        pool_timeout=timeout_s,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") == "AUTOCOMMIT":
        return
    opened: Any = connection.connection.dbapi_connection
    opened.begin_with("BEGIN" if options.get(_READ_ONLY) else "BEGIN IMMEDIATE")


def _postgresql(url: str, *, timeout_s: float) -> AsyncEngine:
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise ConfigError([f"DATABASE_URL must start with postgresql://, not with {scheme!r}"])
    milliseconds = int(timeout_s * 1000)
    return create_async_engine(
        make_url(f"postgresql+psycopg://{rest}"),
        connect_args={
            "connect_timeout": max(2, round(timeout_s)),  # libpq takes 1 as 2
            "options": f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds} -c timezone=UTC",
            "tcp_user_timeout": milliseconds,
            "application_name": "recall",
        },
        pool_size=_POOL_SIZE,
        max_overflow=0,
        pool_timeout=timeout_s,
        pool_pre_ping=True,
        hide_parameters=True,
    )


class _translated:  # noqa: N801 (used like a function)
    """Turns the driver's errors into ours; a class because it is cheaper than a generator on the reply path."""

    def __init__(self, operation: str, path: Path | None) -> None:
        self._operation = operation
        self._path = path

    def __enter__(self) -> None:
        """Nothing to set up."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, DBAPIError):
            self._translate(error)
        if isinstance(error, TimeoutError | PoolTimeoutError):
            raise StoreUnavailableError("sql", self._operation, "no answer in time") from error

    def _translate(self, error: DBAPIError) -> None:
        code = getattr(error.orig, "sqlite_errorcode", None)
        if code is not None and code & 0xFF in _DAMAGED:
            mend = f"{self._path} is damaged; put a backup in its place, or move it away to start with an empty record"
            raise StoreCorruptError("sql", self._operation, mend) from error
        if code == sqlite3.SQLITE_ERROR:
            return  # a wrong statement, which is no outage
        if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
            raise StoreUnavailableError("sql", self._operation, cause_of(error)) from error
        if has_bad_option(error):
            raise ConfigError(["DATABASE_URL has an option that PostgreSQL does not know, or a value it cannot have."])
