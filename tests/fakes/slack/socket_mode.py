"""A Socket Mode server: sends envelopes over WebSockets, measures what comes back, and fails in all the known ways.

Knows no payloads.
"""

import asyncio
import json
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal

from aiohttp import WSMsgType, web

from tests.fakes.changes import Changes
from tests.fakes.slack.deliveries import Connection, Delivery, DisconnectReason, EnvelopeKind

Json = dict[str, Any]

MAX_CONNECTIONS = 10
_CLOSE_S = 0.2


class SocketMode:
    """The Socket Mode side of the server.

    Attributes:
        deliveries: Every envelope, redeliveries included, in order.
        connections: The open ones, oldest first.
        refusing: New connections are turned away.
        resend_lost: An event that was never sent, or was unacknowledged when its connection went, goes to another one.
    """

    def __init__(self, changes: Changes, *, seed: int = 0, choose: Literal["random", "round_robin"] = "random") -> None:
        self.deliveries: list[Delivery] = []
        self.connections: list[Connection] = []
        self.connected = 0
        self.refusing = False
        self.resend_lost = True
        self.unknown_acks: list[str] = []
        self._changes = changes
        self._choose = choose
        self._random = random.Random(seed)  # noqa: S311 - which connection gets an envelope is no secret
        self._by_id: dict[str, Delivery] = {}
        self._open: dict[str, Delivery] = {}
        self._closing = False
        self._tickets: set[str] = set()
        self._dead_from_the_start: bool | None = None
        self._redeliver_after: tuple[float, ...] = ()
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = 0

    def ticket(self) -> str:
        """Return a ticket that opens one connection."""
        self._numbers += 1
        ticket = f"ticket-{self._numbers}"
        self._tickets.add(ticket)
        return ticket

    def expire_tickets(self) -> None:
        """Let every ticket run out that opened no connection yet, as Slack's do after a while."""
        self._tickets.clear()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection."""
        ticket = request.query.get("ticket", "")
        if self.refusing or ticket not in self._tickets:
            return web.Response(status=503 if self.refusing else 401)
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(autoping=False, autoclose=False, timeout=_CLOSE_S)
        await socket.prepare(request)
        self.connected += 1
        transport = request.transport if isinstance(request.transport, asyncio.Transport) else None
        connection = Connection(number=self.connected, socket=socket, transport=transport)
        if len(self.connections) >= MAX_CONNECTIONS:
            await self._tell_to_go(connection, "too_many_websockets")
            await socket.close()
            return socket
        if self._dead_from_the_start is not None:
            connection.dead, connection.pongs = True, self._dead_from_the_start
        await self._serve(connection)
        return socket

    async def _serve(self, connection: Connection) -> None:
        self.connections.append(connection)
        try:
            if not connection.dead:
                await connection.socket.send_json(self._hello())
                await self._resend()
            self._changes.mark()
            while await self._receive(connection):
                pass
        finally:
            self.connections.remove(connection)
            self._changes.mark()
        await self._resend()

    def _hello(self) -> Json:
        debug = {"host": "fake", "build_number": 1, "approximate_connection_time": 18060}
        return {"type": "hello", "num_connections": len(self.connections), "debug_info": debug} | {
            "connection_info": {"app_id": "A00000001"}
        }

    async def _receive(self, connection: Connection) -> bool:
        message = await connection.socket.receive()
        match message.type:
            case WSMsgType.PING:
                connection.pings += 1
                self._changes.mark()
                if connection.pongs:
                    with suppress(ConnectionResetError):  # it hung up meanwhile: the next receive says so
                        await connection.socket.pong(message.data)
            case WSMsgType.TEXT:
                if not connection.dead:
                    self._acked(message.data)
            case WSMsgType.CLOSE:
                if connection.dead and not connection.pongs:
                    await connection.ended.wait()
                await connection.socket.close()
                return False
            case WSMsgType.CLOSING | WSMsgType.CLOSED | WSMsgType.ERROR:
                return False
        return True

    def _acked(self, text: str) -> None:
        answer = json.loads(text)
        delivery = self._by_id.get(answer.get("envelope_id", ""))
        if delivery is None:
            self.unknown_acks.append(text)
            return
        if delivery.acked_at is None:
            delivery.acked_at = asyncio.get_running_loop().time()
            delivery.answer = answer.get("payload")
            self._open.pop(delivery.envelope_id, None)
        self._changes.mark()

    async def deliver(
        self, kind: EnvelopeKind, payload: Json, *, attempt: int = 0, reason: str | None = None
    ) -> Delivery:
        """Send an envelope to one of the connections; without any it stays unsent."""
        self._numbers += 1
        delivery = Delivery(
            envelope_id=f"envelope-{self._numbers}", kind=kind, payload=payload, attempt=attempt, reason=reason
        )
        self.deliveries.append(delivery)
        self._by_id[delivery.envelope_id] = delivery
        if kind == "events_api":
            self._open[delivery.envelope_id] = delivery
        await self._send(delivery)
        if kind == "events_api" and attempt < len(self._redeliver_after):
            self._later(delivery, self._redeliver_after[attempt])
        self._changes.mark()
        return delivery

    async def _send(self, delivery: Delivery) -> None:
        able = [connection for connection in self.connections if not connection.leaving]
        if not able:
            return
        chosen = self._random.choice(able) if self._choose == "random" else able[self._numbers % len(able)]
        delivery.connection = chosen
        delivery.sent_at = asyncio.get_running_loop().time()
        if not chosen.dead:
            with suppress(ConnectionResetError):  # a connection that breaks now loses the envelope, as in life
                await chosen.socket.send_json(delivery.envelope())

    async def redeliver(self, delivery: Delivery, *, reason: str = "timeout") -> Delivery:
        """Send an event again, as Slack does when it was not acknowledged: same payload, `retry_attempt` one higher."""
        delivery.superseded = True
        self._open.pop(delivery.envelope_id, None)
        return await self.deliver(delivery.kind, delivery.payload, attempt=delivery.attempt + 1, reason=reason)

    async def redeliver_unacked(self) -> list[Delivery]:
        """Send every event again that was not acknowledged."""
        return [await self.redeliver(delivery) for delivery in self.unacked]

    @property
    def unacked(self) -> list[Delivery]:
        """The events whose newest delivery is unacknowledged."""
        return list(self._open.values())

    @property
    def slowest_ack_s(self) -> float:
        """How long the slowest acknowledgement took."""
        return max((delivery.ack_s for delivery in self.deliveries if delivery.ack_s is not None), default=0.0)

    def redeliver_by_itself(self, after_s: Sequence[float]) -> None:
        """From now on send an unacknowledged event again after these times; Slack's are 0, 60 and 300 seconds."""
        self._redeliver_after = tuple(after_s)

    def _later(self, delivery: Delivery, after_s: float) -> None:
        task = asyncio.create_task(self._redeliver_after_wait(delivery, after_s))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _redeliver_after_wait(self, delivery: Delivery, after_s: float) -> None:
        await asyncio.sleep(after_s)
        if not delivery.acked and not delivery.superseded:
            await self.redeliver(delivery)

    async def _resend(self) -> None:
        if not self.resend_lost or self._closing or not self.connections:
            return
        for delivery in self.unacked:
            if delivery.connection is None or delivery.connection not in self.connections:
                await self.redeliver(delivery)

    async def until_connected(self, count: int = 1, *, within_s: float = 10.0) -> None:
        """Wait until so many connections are open."""
        await self._changes.until(lambda: len(self.connections) >= count, within_s=within_s, showing=self._state)

    async def until_acked(self, *deliveries: Delivery, within_s: float = 10.0) -> None:
        """Wait until these events, or all that there are, are acknowledged."""
        await self._changes.until(
            lambda: all(each.acked for each in deliveries) if deliveries else not self._open,
            within_s=within_s,
            showing=self._state,
        )

    def _state(self) -> str:
        waiting = [f"{each.envelope_id} {each.kind} {each.event.get('type', '')}" for each in self.unacked]
        return f"{len(self.connections)} connections, unacknowledged: {waiting}"

    async def disconnect(self, reason: DisconnectReason = "refresh_requested") -> None:
        """Tell every connection to go; the app closes them and opens others."""
        for connection in list(self.connections):
            connection.leaving = True
            await self._tell_to_go(connection, reason)

    async def _tell_to_go(self, connection: Connection, reason: DisconnectReason) -> None:
        with suppress(ConnectionResetError):  # it has gone already
            await connection.socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "fake"}})

    def drop(self) -> None:
        """Cut every connection without a word."""
        for connection in list(self.connections):
            connection.ended.set()
            if connection.transport is not None:
                connection.transport.abort()

    def go_dead(self, *, pongs: bool = False) -> None:
        """Say nothing more on any connection, nor on new ones, while TCP lives; `pongs` still answers pings."""
        self._dead_from_the_start = pongs
        for connection in self.connections:
            connection.dead, connection.pongs = True, pongs

    def revive(self) -> None:
        """Let new connections live; the dead ones stay dead."""
        self._dead_from_the_start = None

    async def close(self) -> None:
        """End every connection and every task."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks) if self._tasks else None
        for connection in list(self.connections):
            connection.ended.set()
            with suppress(ConnectionResetError):  # it has gone already
                await connection.socket.close()
