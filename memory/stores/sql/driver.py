"""A SQLite connection that costs one thread hop per statement. It knows nothing of the record's tables.

aiosqlite sends cursor, execute, fetch and close to its thread one by one; four hops took three quarters of a small
query's time. Here a cursor does all of it at once, and BEGIN travels with the first statement.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import aiosqlite

_END = aiosqlite.core._STOP_RUNNING_SENTINEL  # noqa: SLF001 (what ends the thread's loop)


class Cursor:
    """What SQLAlchemy's adapter needs of a cursor; rows are already here when `execute` returns."""

    arraysize = 1

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._rows: Sequence[Any] = ()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, operation: str, parameters: Iterable[Any] = ()) -> Self:
        """Run one statement and take its rows."""
        await self._connection.hop(partial(self._run, operation, parameters, many=False))
        return self

    async def executemany(self, operation: str, parameters: Iterable[Iterable[Any]]) -> Self:
        """Run one statement for each set of parameters."""
        await self._connection.hop(partial(self._run, operation, parameters, many=True))
        return self

    def _run(self, operation: str, parameters: Any, connection: sqlite3.Connection, *, many: bool) -> None:
        cursor = connection.cursor()
        try:
            (cursor.executemany if many else cursor.execute)(operation, parameters)
            self._rows = cursor.fetchall() if cursor.description else ()
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()

    async def fetchall(self) -> Sequence[Any]:
        """Return the rows; no hop."""
        return self._rows

    async def close(self) -> None:
        """Nothing is open."""


class Connection(aiosqlite.Connection):
    """An aiosqlite connection with our cursor and a delayed BEGIN."""

    _pending: str | None = None

    def begin_with(self, statement: str) -> None:
        """Begin a transaction together with the next statement."""
        self._pending = statement

    async def hop(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Run `work` in the connection's thread, inside the transaction that is due."""
        begin, self._pending = self._pending, None
        await self._execute(_begin_and_do, self._conn, begin, work)  # type: ignore[no-untyped-call]  # aiosqlite's own

    def cursor(self) -> Cursor:  # type: ignore[override]  # SQLAlchemy's adapter is its only caller
        """Return a cursor; no hop."""
        return Cursor(self)

    async def commit(self) -> None:
        """Commit; without a statement there is nothing to commit."""
        self._pending = None
        if self._conn.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        """Roll back what has begun."""
        self._pending = None
        if self._conn.in_transaction:
            await super().rollback()

    def stop(self) -> None:
        """End the thread without reporting back: the event loop may be closed by then."""
        self._running = False
        self._tx.put_nowait((None, self._close_and_end))

    def _close_and_end(self) -> object:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        return _END


async def connect(path: Path, *, timeout_s: float, pragmas: Sequence[str]) -> Connection:
    """Open a file in a thread of its own and run `pragmas` there."""
    connection = Connection(partial(_open, path, timeout_s, pragmas), iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001 (a process that dies must not wait for it; SQLAlchemy does the same)
    await connection
    return connection


def _open(path: Path, timeout_s: float, pragmas: Sequence[str]) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)
    try:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _begin_and_do(
    connection: sqlite3.Connection, begin: str | None, work: Callable[[sqlite3.Connection], None]
) -> None:
    if begin is not None:
        connection.execute(begin)
    work(connection)


__all__ = ["Connection", "connect"]
