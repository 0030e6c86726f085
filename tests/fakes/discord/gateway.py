"""The gateway: sessions that identify, beat, are resumed and dropped, and get the events of their shard.

Knows no events' meaning.
"""

import asyncio
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.changes import Changes
from tests.fakes.discord.intents import KNOWN, hears
from tests.fakes.discord.sessions import Connection, Session

Json = dict[str, Any]
Events = Iterable[tuple[str, Json]]

HEARTBEAT_MS = 41_250
SESSION_STARTS = 1_000
_CLOSE_S = 0.2
_ACK_AFTER_S = 0.02
"""The library measures wrongly what comes back sooner than its thread goes on."""
_HEARTBEAT, _IDENTIFY, _RESUME, _RECONNECT = 1, 2, 6, 7
_REQUEST_MEMBERS, _INVALID_SESSION, _HELLO, _HEARTBEAT_ACK = 8, 9, 10, 11
_IGNORED = {3, 4}  # how the app shows itself, and voice


@dataclass(frozen=True, slots=True, kw_only=True)
class Identify:
    """A session that was begun, or refused with a close code."""

    shard: tuple[int, int]
    intents: int
    refused: int | None
    at_s: float


class Gateway:
    """The gateway's side of the server.

    Attributes:
        sessions: Those that live, connected or not, oldest first.
        connections: The open ones, oldest first.
        identifies: Every attempt to begin a session.
        remaining: How many sessions may still begin; the one too many costs the token.
        refusing: New connections are turned away.
        heartbeat_ms: How often a client is told to beat.
        resume_url: Where sessions are told to resume; at `url` when empty.
        max_concurrency: How many shards may identify at once.
    """

    def __init__(self, changes: Changes) -> None:
        self.sessions: list[Session] = []
        self.connections: list[Connection] = []
        self.identifies: list[Identify] = []
        self.connected = 0
        self.remaining = SESSION_STARTS
        self.refusing = False
        self.acking = True
        self.heartbeat_ms = HEARTBEAT_MS
        self.max_concurrency = 1
        self.url = ""
        self.resume_url = ""
        self.begin: Callable[[Session], Events] = lambda _session: ()
        self.refuses: Callable[[Json], int | None] = lambda _identify: None
        self.members: Callable[[Session, Json], Events] = lambda _session, _request: ()
        self.exhausted: Callable[[], None] = lambda: None
        self._changes = changes
        self._numbers = 0
        self._pace_s: float | None = None
        self._identified_at: dict[int, float] = {}

    def enforce_concurrency(self, every_s: float = 5.0) -> None:
        """From now on refuse an identify that follows another of its bucket too soon."""
        self._pace_s = every_s

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection."""
        if self.refusing:
            return web.Response(status=503)
        socket = web.WebSocketResponse(autoclose=False, timeout=_CLOSE_S, max_msg_size=4_096 * 4)
        await socket.prepare(request)
        self.connected += 1
        connection = Connection(
            number=self.connected,
            socket=socket,
            transport=request.transport if isinstance(request.transport, asyncio.Transport) else None,
            compressed=request.query.get("compress") == "zlib-stream",
            acking=self.acking,
        )
        connection.outgoing.put_nowait({"op": _HELLO, "d": {"heartbeat_interval": self.heartbeat_ms}, "s": None})
        self.connections.append(connection)
        writer = asyncio.create_task(self._write(connection))
        try:
            while await self._receive(connection):
                pass
        finally:
            writer.cancel()
            self._left(connection)
        return socket

    async def _write(self, connection: Connection) -> None:
        with suppress(ConnectionError):  # it has gone: the reader sees that too
            while True:
                await connection.send(await connection.outgoing.get())

    def _left(self, connection: Connection) -> None:
        self.connections.remove(connection)
        session = connection.session
        if session is not None and session.connection is connection:
            session.connection = None
            if connection.socket.close_code in {1000, 1001} and not connection.ended.is_set():
                self.sessions.remove(session)
        self._changes.mark()

    async def _receive(self, connection: Connection) -> bool:
        message = await connection.socket.receive()
        if message.type is WSMsgType.TEXT:
            return await self._received(connection, message.data)
        if message.type is WSMsgType.CLOSE:
            await connection.socket.close()
        return message.type not in {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR}

    async def _received(self, connection: Connection, text: str) -> bool:
        try:
            payload = json.loads(text)
        except ValueError:
            return await self._close(connection, 4002)
        op, data = payload.get("op"), payload.get("d")
        if op == _IDENTIFY:
            return await self._identify(connection, data)
        if op == _HEARTBEAT:
            self._beat(connection)
        elif op == _RESUME:
            self._resume(connection, data)
        elif connection.session is None:
            return await self._close(connection, 4003)
        elif op == _REQUEST_MEMBERS:
            self._tell_members(connection.session, data)
        elif op not in _IGNORED:
            return await self._close(connection, 4001)
        return True

    def _tell_members(self, session: Session, data: Json) -> None:
        for event, chunk in self.members(session, data):
            session.dispatch(event, chunk)

    def _beat(self, connection: Connection) -> None:
        connection.beats += 1
        if connection.acking:
            ack = {"op": _HEARTBEAT_ACK, "d": None, "s": None}
            asyncio.get_running_loop().call_later(_ACK_AFTER_S, connection.outgoing.put_nowait, ack)
        self._changes.mark()

    async def _close(self, connection: Connection, code: int) -> bool:
        connection.ended.set()
        await connection.socket.close(code=code)
        return False

    async def _identify(self, connection: Connection, data: Json) -> bool:
        if connection.session is not None:
            return await self._close(connection, 4005)
        shard = (int(data.get("shard", (0, 1))[0]), int(data.get("shard", (0, 1))[1]))
        intents = int(data.get("intents", 0))
        refused = self._refused(data, shard, intents)
        now = asyncio.get_running_loop().time()
        self.identifies.append(Identify(shard=shard, intents=intents, refused=refused, at_s=now))
        if refused is not None:
            self._changes.mark()
            return await self._close(connection, refused)
        bucket = shard[0] % self.max_concurrency
        if self._pace_s is not None and now - self._identified_at.get(bucket, -self._pace_s) < self._pace_s:
            connection.outgoing.put_nowait({"op": _INVALID_SESSION, "d": False, "s": None})
            return True
        self._identified_at[bucket] = now
        self._numbers += 1
        session = Session(session_id=f"session-{self._numbers}", shard=shard, intents=intents, connection=connection)
        connection.session = session
        self.sessions.append(session)
        for event, payload in self.begin(session):
            session.dispatch(event, payload)
        self._changes.mark()
        return True

    def _refused(self, data: Json, shard: tuple[int, int], intents: int) -> int | None:
        if intents & ~KNOWN:
            return 4013
        if not 0 <= shard[0] < shard[1]:
            return 4010
        refused = self.refuses(data)
        if refused is not None:
            return refused
        if self.remaining <= 0:
            self.exhausted()
            return 4004
        self.remaining -= 1
        return None

    def _resume(self, connection: Connection, data: Json) -> None:
        session = next((each for each in self.sessions if each.session_id == data.get("session_id")), None)
        seq = int(data.get("seq") or 0)
        if session is None or seq > len(session.events):
            connection.outgoing.put_nowait({"op": _INVALID_SESSION, "d": False, "s": None})
            return
        session.connection, connection.session = connection, session
        session.resumes += 1
        for payload in session.events[seq:]:
            session.push(payload)
        session.dispatch("RESUMED", {"_trace": []})
        self._changes.mark()

    def dispatch(self, event: str, build: Callable[[Session], Json | None], *, guild_id: str | None) -> None:
        """Send an event to every session of its shard whose intents ask for it."""
        for session in self.sessions:
            if not hears(session.intents, event, in_guild=guild_id is not None) or not session.serves(guild_id):
                continue
            data = build(session)
            if data is not None:
                session.dispatch(event, data)

    def reconnect(self) -> None:
        """Tell every client to reconnect and resume (op 7)."""
        self._tell({"op": _RECONNECT, "d": None, "s": None})

    def invalidate(self, *, resumable: bool = False) -> None:
        """Tell every client that its session is invalid (op 9); one that is not resumable is gone."""
        self._tell({"op": _INVALID_SESSION, "d": resumable, "s": None})
        if not resumable:
            self.forget()

    def _tell(self, payload: Json) -> None:
        for connection in self.connections:
            connection.outgoing.put_nowait(payload)

    def forget(self) -> None:
        """Let no session be resumed any more, as after a few minutes without a connection."""
        for session in self.sessions:
            if session.connection is not None:
                session.connection.session = None
            session.connection = None
        self.sessions.clear()

    def end_sessions(self) -> None:
        """End every session for good, and cut its connection."""
        connections = [session.connection for session in self.sessions]
        self.forget()
        for connection in connections:
            self._cut(connection)

    def drop(self) -> None:
        """Cut every connection without a word; the sessions can be resumed."""
        for connection in list(self.connections):
            self._cut(connection)

    @staticmethod
    def _cut(connection: Connection | None) -> None:
        if connection is not None and connection.transport is not None:
            connection.ended.set()
            connection.transport.abort()

    def stop_acking(self) -> None:
        """Acknowledge no heartbeat on the open connections: they are dead while TCP lives."""
        for connection in self.connections:
            connection.acking = False
            if connection.session is not None:
                connection.session.connection = None

    async def close(self) -> None:
        """End every connection."""
        for connection in list(self.connections):
            connection.ended.set()
            with suppress(ConnectionError):  # it has gone already
                await connection.socket.close(code=1001)

    async def until_connected(self, count: int = 1, *, within_s: float = 10.0) -> None:
        """Wait until so many sessions are connected."""
        await self._changes.until(
            lambda: sum(session.connection is not None for session in self.sessions) >= count,
            within_s=within_s,
            showing=lambda: f"{len(self.sessions)} sessions, {len(self.connections)} connections",
        )
