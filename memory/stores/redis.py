"""Short-term memory in Redis or Valkey: one list per thread, one round trip per operation.

Knows nothing of SQL: a copy is believed or not by whoever compares its head with the record's.

A thread's key holds a list: "epoch:version", the summary, then the messages, oldest first. It is one key, so that it is
evicted, expires and is flushed as a whole: half a copy cannot exist. The copy is never cut either. An `append` that
would outgrow `max_messages` removes it and says False, and the next load rebuilds it from the record, whose own limit
is then the only one. `max_messages` should be at least twice that limit, so that this is rare.

What is removed leaves a head behind, alone in the list, for as long as a copy would live: it is no copy, but turns
away copies of an earlier head.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError

from memory.errors import ConfigError, StoreUnavailableError
from memory.model import CachedThread, Message, SessionId, ThreadHead, ThreadState
from memory.ports import SessionCache
from memory.stores.thread_codec import decode_message, decode_summary, encode_message, encode_summary

_PREAMBLE = 2  # elements of the list before the first message: head, summary

_APPEND = """
local head = redis.call('LINDEX', KEYS[1], 0)
local length = redis.call('LLEN', KEYS[1])
if head == ARGV[1] and length > 1 and length + #ARGV - 4 <= tonumber(ARGV[4]) then
  redis.call('LSET', KEYS[1], 0, ARGV[2])
  for i = 5, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return 1
end
redis.call('LTRIM', KEYS[1], 0, 0)
return 0
"""
"""KEYS: thread. ARGV: head before, head after, time to live in ms, longest list, messages."""

_AGE = """
local function age(of, than)
  local function numbers(head)
    local epoch, version = string.match(head, '^(%d+):(%d+)$')
    return tonumber(epoch) or -1, tonumber(version) or -1
  end
  local epoch, version = numbers(of)
  local than_epoch, than_version = numbers(than)
  if epoch ~= than_epoch then return epoch - than_epoch end
  return version - than_version
end
"""
"""A function of two heads: below 0 when the first is the older one, 0 when they are equal."""

_REPLACE = (
    _AGE
    + """
local there = redis.call('LINDEX', KEYS[1], 0)
if there then
  local newer_by = age(ARGV[1], there)
  if newer_by < 0 or (newer_by == 0 and redis.call('LLEN', KEYS[1]) > 1) then return 0 end
end
local fits = #ARGV - 2 <= tonumber(ARGV[3])
redis.call('UNLINK', KEYS[1])
redis.call('RPUSH', KEYS[1], ARGV[1])
for i = 4, fits and #ARGV or 0 do redis.call('RPUSH', KEYS[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return fits and 1 or 0
"""
)
"""KEYS: thread. ARGV: head, time to live in ms, longest list, summary, messages."""

_EVICT = (
    _AGE
    + """
local there = redis.pcall('LINDEX', KEYS[1], 0)
if type(there) == 'string' and age(there, ARGV[1]) > 0 then return end
redis.call('UNLINK', KEYS[1])
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
)
"""KEYS: thread. ARGV: head, time to live in ms."""


class RedisSessionCache(SessionCache):
    """Threads in Redis. `append` and `replace` are one Lua script each, `load` is one MULTI.

    A command whose connection broke is sent again (twice at most, within the timeout). That is safe: an `append` that
    had arrived finds another head, and removes the copy.
    """

    def __init__(
        self, client: "redis.asyncio.Redis", *, ttl_s: float, max_messages: int, timeout_s: float = 1.0
    ) -> None:
        self._client = client
        self._ttl_ms = max(1, int(ttl_s * 1000))
        self._longest = max_messages + _PREAMBLE
        self._timeout_s = timeout_s
        self._append = client.register_script(_APPEND)
        self._replace = client.register_script(_REPLACE)

    async def load(self, session_id: SessionId) -> CachedThread | None:
        key = thread_key(session_id)
        async with self._limits("load"), self._client.pipeline(transaction=True) as pipe:
            pipe.lrange(key, 0, -1)
            pipe.pexpire(key, self._ttl_ms)
            elements, _ = await pipe.execute()
        if len(elements) < _PREAMBLE:
            return None
        try:
            return _decode(session_id, elements)
        except ValueError:  # another release wrote it: as good as absent
            async with self._limits("load"):
                await self._client.unlink(key)
            return None

    async def append(self, messages: Sequence[Message], *, before: ThreadHead, after: ThreadHead) -> bool:
        encoded = [encode_message(message) for message in messages]
        args: list[bytes | int] = [_encode_head(before), _encode_head(after), self._ttl_ms, self._longest, *encoded]
        return await self._run("append", self._append, before.session_id, args)

    async def replace(self, thread: ThreadState) -> bool:
        encoded = [encode_summary(thread.summary), *(encode_message(message) for message in thread.messages)]
        args: list[bytes | int] = [_encode_head(thread.head), self._ttl_ms, self._longest, *encoded]
        return await self._run("replace", self._replace, thread.head.session_id, args)

    async def evict(self, heads: Collection[ThreadHead]) -> None:
        async with self._limits("evict"), self._client.pipeline(transaction=False) as pipe:
            for head in heads:  # one command a key: a cluster keeps threads on different nodes
                pipe.eval(_EVICT, 1, thread_key(head.session_id), _encode_head(head), str(self._ttl_ms))
            await pipe.execute()

    async def ping(self) -> None:
        async with self._limits("ping"):
            await self._client.ping()

    async def _run(self, operation: str, script: Any, session_id: SessionId, args: Sequence[bytes | int]) -> bool:
        keys = [thread_key(session_id)]
        async with self._limits(operation):
            try:
                return bool(await self._client.evalsha(script.sha, len(keys), *keys, *args))
            except NoScriptError:  # a restart or SCRIPT FLUSH forgot it; EVAL runs it and keeps it
                return bool(await self._client.eval(script.script, len(keys), *keys, *args))

    @asynccontextmanager
    async def _limits(self, operation: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._timeout_s):
                yield
        except TimeoutError as exc:
            raise StoreUnavailableError("redis", operation, f"no answer in {self._timeout_s:g} s") from exc
        except RedisConnectionError as exc:
            raise StoreUnavailableError("redis", operation, str(exc)) from exc
        except (RedisError, OSError) as exc:
            raise StoreUnavailableError("redis", operation, type(exc).__name__) from exc


@asynccontextmanager
async def open_redis(
    url: str, *, ttl_s: float, max_messages: int, timeout_s: float = 1.0
) -> AsyncIterator[RedisSessionCache]:
    """Open a session cache; connects when it is first used.

    Args:
        url: `redis://`, `rediss://` (TLS, certificate checked) or `unix://`.
        ttl_s: Time to live of a thread's copy, refreshed on every read and write.
        max_messages: A copy never grows longer; see the module.
        timeout_s: For each operation, connecting and sending again included.

    Raises:
        ConfigError: `url` is not one.
    """
    try:
        client = redis.asyncio.Redis.from_url(
            url, protocol=2, retry=Retry(ExponentialWithJitterBackoff(base=0.01, cap=0.1), retries=2)
        )
    except ValueError as exc:
        raise ConfigError(["REDIS_URL: must start with redis://, rediss:// or unix://"]) from exc
    try:
        yield RedisSessionCache(client, ttl_s=ttl_s, max_messages=max_messages, timeout_s=timeout_s)
    finally:
        await client.aclose()


def thread_key(session_id: SessionId) -> str:
    """Return the key of a thread; the braces keep all keys of one thread on one node of a cluster."""
    return f"recall:{{{session_id}}}:thread"


def _encode_head(head: ThreadHead) -> bytes:
    return f"{head.forget_epoch}:{head.version}".encode()


def _decode(session_id: SessionId, elements: Sequence[bytes]) -> CachedThread:
    first, summary, *messages = elements
    epoch, version = first.split(b":")
    return CachedThread(
        head=ThreadHead(session_id=session_id, version=int(version), forget_epoch=int(epoch)),
        summary=decode_summary(summary),
        messages=tuple(decode_message(message, session_id) for message in messages),
    )
