"""SQLite for SQLAlchemy's asyncio, with a thread hop per statement or, where it matters, per transaction.

aiosqlite sends cursor, execute, fetch and close to its thread one by one. Here a statement is one hop, BEGIN travels
with the first, and a whole transaction can run inside the thread: the reply path makes some thirty statements, and
going back and forth for each took four fifths of their time. It knows nothing of the record's tables.
"""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite
import sqlalchemy
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_dbapi
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util.concurrency import await_only, greenlet_spawn

_INTERRUPT_EVERY_S = 0.02
_Result = TypeVar("_Result")
_END = aiosqlite.core._STOP_RUNNING_SENTINEL  # noqa: SLF001 (what ends the thread's loop)


class Connection(aiosqlite.Connection):
    """An aiosqlite connection whose thread takes whole pieces of work."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._thread.daemon = True  # a process that dies must not wait for it; SQLAlchemy sets the same
        self.is_abandoned = False

    @property
    def file(self) -> sqlite3.Connection:
        """The connection inside the thread."""
        return self._conn

    @property
    def is_here(self) -> bool:
        """Whether this is the connection's own thread."""
        return threading.get_ident() == self._thread.ident

    async def hop(self, work: Callable[[], _Result]) -> _Result:
        """Run `work` in the thread. When cancelled, interrupt it, and wait until it has let go of the connection."""
        self.is_abandoned = False
        future: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((future, work))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            self.is_abandoned = True
            while not future.done():  # an interruption between two statements interrupts neither
                self._conn.interrupt()
                await asyncio.wait([future], timeout=_INTERRUPT_EVERY_S)
            future.exception()  # it is the interruption, and has been seen
            raise

    def stop(self) -> None:
        """End the thread without reporting back: the event loop may be closed by then."""
        self._running = False
        self._tx.put_nowait((None, self._close_and_end))

    def _close_and_end(self) -> object:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        return _END


class _Cursor:
    """A DBAPI cursor; rows are already here when `execute` returns."""

    arraysize = 1
    lastrowid: int | None = None
    rowcount = -1
    description: Any = None

    def __init__(self, connection: "_Adapted") -> None:
        self._connection = connection
        self._rows: deque[Any] = deque()

    def execute(self, operation: str, parameters: Any = ()) -> None:
        self._connection.do(partial(self._run, operation, parameters or (), many=False))

    def executemany(self, operation: str, parameters: Iterable[Any]) -> None:
        self._connection.do(partial(self._run, operation, parameters, many=True))

    def _run(self, operation: str, parameters: Any, *, many: bool) -> None:
        file = self._connection.begun()
        cursor = file.cursor()
        try:
            (cursor.executemany if many else cursor.execute)(operation, parameters)
            self._rows = deque(cursor.fetchall() if cursor.description else ())
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()

    def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> Sequence[Any]:
        return [self._rows.popleft() for _ in range(min(size or self.arraysize, len(self._rows)))]

    def fetchall(self) -> Sequence[Any]:
        rows, self._rows = list(self._rows), deque()
        return rows

    def close(self) -> None:
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """Nothing is open."""


class _Adapted(AsyncAdapt_aiosqlite_connection):
    """What SQLAlchemy holds: it works in the connection's thread when it is there already, and hops there when not."""

    __slots__ = ("_begin",)

    def __init__(self, dbapi: Any, connection: Connection) -> None:
        super().__init__(dbapi, connection)  # type: ignore[arg-type]  # aiosqlite's connection, as everywhere
        self._begin: str | None = None

    def begin_with(self, statement: str) -> None:
        """Begin a transaction together with the next statement."""
        self._begin = statement

    def begun(self) -> sqlite3.Connection:
        """Return the connection with its transaction begun, inside the thread."""
        begin, self._begin = self._begin, None
        if begin is not None:
            self._inner.file.execute(begin)
        return self._inner.file

    def do(self, work: Callable[[], None]) -> None:
        """Run `work` in the thread."""
        if self._inner.is_here:
            work()
        else:
            await_only(self._inner.hop(work))

    def cursor(self, server_side: bool = False) -> Any:  # noqa: FBT002, ARG002 (SQLAlchemy's signature)
        return _Cursor(self)

    def commit(self) -> None:
        self._end(sqlite3.Connection.commit)

    def rollback(self) -> None:
        self._end(sqlite3.Connection.rollback)

    def _end(self, how: Callable[[sqlite3.Connection], None]) -> None:
        self._begin = None
        if self._inner.file.in_transaction:
            self.do(partial(how, self._inner.file))

    @property
    def _inner(self) -> Connection:
        return cast("Connection", self._connection)  # made by `Dbapi` below


class Dbapi(AsyncAdapt_aiosqlite_dbapi):
    """The module that SQLAlchemy connects through: to one file, with its pragmas set."""

    def __init__(self, path: Path, *, timeout_s: float, pragmas: Sequence[str]) -> None:
        super().__init__(aiosqlite, sqlite3)
        self._open = partial(_open, path, timeout_s, pragmas)

    def connect(self, *_arguments: Any, **_options: Any) -> AsyncAdapt_aiosqlite_connection:
        connection = Connection(self._open)
        await_only(connection)
        return _Adapted(self, connection)


class InThread(AsyncConnection):
    """An `AsyncConnection` whose statements run at once, in the thread that awaits them; see `run`."""

    __slots__ = ()

    def __init__(self, engine: AsyncEngine, connection: sqlalchemy.Connection) -> None:
        self.engine = engine
        self.sync_engine = engine.sync_engine
        self.sync_connection = connection

    async def execute(self, statement: Any, parameters: Any = None, **options: Any) -> Any:
        return self._proxied.execute(statement, parameters, **options)

    async def scalar(self, statement: Any, parameters: Any = None, **options: Any) -> Any:
        return self._proxied.scalar(statement, parameters, **options)


Work = Callable[[AsyncConnection], Coroutine[Any, Any, _Result]]
"""A transaction's work; here it may await nothing but `execute` and `scalar` of the connection it is given."""


async def run(engine: AsyncEngine, work: Work[_Result], *, synchronous: str | None = None) -> _Result:
    """Run a whole transaction in a connection's thread; it commits unless it fails or is cancelled meanwhile.

    Args:
        engine: Where connections come from.
        work: The transaction.
        synchronous: SQLite's setting for this commit; the connection's own when None.
    """
    return await greenlet_spawn(_check_out_and_run, engine, work, synchronous)


def _check_out_and_run(engine: AsyncEngine, work: Work[_Result], synchronous: str | None) -> _Result:
    with engine.sync_engine.connect() as connection:
        inner = cast("Connection", connection.connection.driver_connection)
        return await_only(inner.hop(partial(_transact, engine, connection, inner, work, synchronous)))


def _transact(
    engine: AsyncEngine,
    connection: sqlalchemy.Connection,
    inner: Connection,
    work: Work[_Result],
    synchronous: str | None,
) -> _Result:
    with _synchronous(inner.file, synchronous), connection.begin():
        result = _finish(work(InThread(engine, connection)))
        if inner.is_abandoned:
            raise InterruptedError
        return result


@contextmanager
def _synchronous(file: sqlite3.Connection, setting: str | None) -> Iterator[None]:
    """Change when a commit waits for the disk."""
    if setting is None:
        yield
        return
    (usual,) = file.execute("PRAGMA synchronous").fetchone()
    file.execute(f"PRAGMA synchronous = {setting}")
    try:
        yield
    finally:
        file.execute(f"PRAGMA synchronous = {usual}")


def _finish(coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine to its end without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # what the coroutine returned
    coroutine.close()
    raise RuntimeError("a transaction awaited something other than the database")


def _open(path: Path, timeout_s: float, pragmas: Sequence[str]) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)
    try:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection
