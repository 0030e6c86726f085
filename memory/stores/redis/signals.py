"""Signals over Redis or Valkey: one connection per process that follows all topics, and is renewed when it is lost.

Nothing here knows what a signal means. What is sent while a process is not connected, it never hears.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from redis.asyncio.client import PubSub
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from memory.breaker import Breaker
from memory.errors import StoreUnavailableError
from memory.ports import Clock, Signals
from memory.stores.in_memory import InMemorySignals
from memory.stores.redis.client import RedisClient, open_client
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)

_PREFIX = "recall:signals:"
_SEND_AGAIN_S = 1.0
"""How long an outage is not tried again with a word: each try may cost the whole timeout."""
_LONGEST_BACK_OFF = 10
"""Failures counted: more would wait no longer, and two to their power is no float some day."""


@dataclass(slots=True)
class _Topic:
    """A topic that is listened to here; `tried` is set once the server knows of it, or cannot be reached."""

    listeners: int = 0
    tried: asyncio.Event = field(default_factory=asyncio.Event)


class RedisSignals(Signals):
    """PUBLISH and SUBSCRIBE. Listeners of the sender's own process are told directly, and so once.

    Args:
        client: It must not send a command again by itself: a word could be heard twice.
        clock: The time of day.
        quiet_s: A connection that was silent for so long is asked whether it lives, and given up after as long again.
    """

    def __init__(self, client: RedisClient, *, clock: Clock, quiet_s: float) -> None:
        self._quiet_s = quiet_s
        self._client = client
        self._breaker = Breaker(clock, cool_down_s=_SEND_AGAIN_S)
        self._back_off = ExponentialWithJitterBackoff(base=0.05, cap=5)
        self._origin = secrets.token_hex(8)
        self._local = InMemorySignals()
        self._topics: dict[str, _Topic] = {}
        self._changed = asyncio.Event()
        self._answered = asyncio.Event()
        self._failures = 0
        self._is_closed = False

    async def send(self, topic: str, payload: str) -> None:
        await self._local.send(topic, payload)
        if not self._breaker.allows:
            return
        try:
            async with self._breaker.guard(), self._client.limits("publish"):
                await self._client.commands.publish(_PREFIX + topic, json.dumps([self._origin, payload]))
        except StoreUnavailableError as error:
            _log.warning("signal_not_sent", topic=topic, reason=str(error))

    @asynccontextmanager
    async def listen(self, topic: str) -> AsyncIterator[AsyncIterator[str]]:
        async with self._local.listen(topic) as heard:
            state = self._topics.setdefault(topic, _Topic())
            state.listeners += 1
            if self._failures:
                state.tried.set()
            self._changed.set()
            try:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._client.timeout_s):
                        await state.tried.wait()
                yield heard
            finally:
                state.listeners -= 1
                if not state.listeners:
                    del self._topics[topic]
                    self._changed.set()

    async def follow(self) -> None:
        """Follow the topics until it is closed and cancelled; nothing is connected before the first one."""
        await self._changed.wait()
        while not self._is_closed:
            if self._failures:
                await asyncio.sleep(self._back_off.compute(self._failures))
            try:
                async with self._client.commands.pubsub() as pubsub:
                    await self._follow(pubsub)
            except* (RedisError, OSError) as lost:  # a timeout is an OSError
                if not self._failures:
                    _log.warning("signals_lost", reason=type(lost.exceptions[0]).__name__)
            for topic in self._topics.values():
                topic.tried.set()
            self._failures = min(self._failures + 1, _LONGEST_BACK_OFF)

    def close(self) -> None:
        """Connect no more: a cancellation alone is lost if a task of the group below fails at the same moment."""
        self._is_closed = True

    async def _follow(self, pubsub: PubSub) -> None:
        async with asyncio.timeout(self._client.timeout_s):
            await pubsub.connect()  # type: ignore[no-untyped-call]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read(pubsub))
            group.create_task(self._subscribe(pubsub))

    async def _subscribe(self, pubsub: PubSub) -> None:
        """Make the server follow what is listened to here, one command at a time."""
        followed: set[str] = set()
        while True:
            self._changed.clear()
            for topic in followed.difference(self._topics):
                await self._ask(pubsub.unsubscribe(_PREFIX + topic))
                followed.remove(topic)
            for topic in set(self._topics).difference(followed):
                await self._ask(pubsub.subscribe(_PREFIX + topic))
                followed.add(topic)
            for topic in followed.intersection(self._topics):
                self._topics[topic].tried.set()
            if self._failures:
                _log.info("signals_back")
                self._failures = 0
            await self._changed.wait()

    async def _ask(self, command: Awaitable[Any]) -> None:
        self._answered.clear()
        async with asyncio.timeout(self._client.timeout_s):
            await command
            await self._answered.wait()

    async def _read(self, pubsub: PubSub) -> None:
        is_asked = False
        while True:
            message = await pubsub.get_message(timeout=self._quiet_s)
            if message is not None:
                is_asked = False
                await self._take(message)
            elif is_asked:
                raise RedisConnectionError("silent")
            else:
                is_asked = True
                await pubsub.ping()

    async def _take(self, message: dict[str, Any]) -> None:
        if message["type"] in {"subscribe", "unsubscribe"}:
            self._answered.set()
        elif message["type"] == "message":
            try:
                origin, payload = json.loads(message["data"])
            except (ValueError, TypeError):  # another program, or another release, spoke
                return
            if origin != self._origin:
                await self._local.send(message["channel"].decode().removeprefix(_PREFIX), payload)


@asynccontextmanager
async def open_signals(
    url: str, *, clock: Clock, timeout_s: float = 1.0, quiet_s: float = 5.0
) -> AsyncIterator[RedisSignals]:
    """Open signals; nothing is connected before the first one is sent or listened to.

    Args:
        url: `redis://`, `rediss://` (TLS, certificate checked) or `unix://`.
        clock: The time of day.
        timeout_s: For each command, connecting included.
        quiet_s: A dead connection is noticed within twice this time, in seconds.

    Raises:
        ConfigError: `url` is not one.
    """
    async with open_client(url, timeout_s=timeout_s, retries=0) as client:
        signals = RedisSignals(client, clock=clock, quiet_s=quiet_s)
        tasks = TaskTracker()
        tasks.start(signals.follow(), name="follow signals")
        try:
            yield signals
        finally:
            signals.close()
            await tasks.close(grace_s=0)
