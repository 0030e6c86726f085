"""Short-term memory in Redis or Valkey: one list per thread, one round trip per operation.

Knows nothing of SQL: a copy is believed or not by whoever compares its head with the record's.

A thread's key holds a list: "epoch:version", the summary, then the messages, oldest first. It is one key, so that it is
evicted, expires and is flushed as a whole: half a copy cannot exist. The copy is never cut either. An `append` that
would outgrow `max_messages` removes it and says False, and the next load rebuilds it from the record, whose own limit
is then the only one. `max_messages` should be at least twice that limit, so that this is rare.

What is removed leaves a head behind, alone in the list, for as long as a copy would live: it is no copy, but turns
away copies of an earlier head.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

from memory.model import CachedThread, Message, SessionId, ThreadHead, ThreadState
from memory.ports import SessionCache
from memory.stores.redis.client import RedisClient, open_client
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

    def __init__(self, client: RedisClient, *, ttl_s: float, max_messages: int) -> None:
        self._client = client
        self._ttl_ms = max(1, int(ttl_s * 1000))
        self._longest = max_messages + _PREAMBLE
        self._append = client.commands.register_script(_APPEND)
        self._replace = client.commands.register_script(_REPLACE)

    async def load(self, session_id: SessionId) -> CachedThread | None:
        key = thread_key(session_id)
        async with self._client.limits("load"), self._client.commands.pipeline(transaction=True) as pipe:
            pipe.lrange(key, 0, -1)
            pipe.pexpire(key, self._ttl_ms)
            elements, _ = await pipe.execute()
        if len(elements) < _PREAMBLE:
            return None
        try:
            return _decode(session_id, elements)
        except ValueError:  # another release wrote it: as good as absent
            async with self._client.limits("load"):
                await self._client.commands.unlink(key)
            return None

    async def append(self, messages: Sequence[Message], *, before: ThreadHead, after: ThreadHead) -> bool:
        encoded = [encode_message(message) for message in messages]
        args: list[bytes | int] = [_encode_head(before), _encode_head(after), self._ttl_ms, self._longest, *encoded]
        return bool(await self._client.run("append", self._append, thread_key(before.session_id), args))

    async def replace(self, thread: ThreadState) -> bool:
        encoded = [encode_summary(thread.summary), *(encode_message(message) for message in thread.messages)]
        args: list[bytes | int] = [_encode_head(thread.head), self._ttl_ms, self._longest, *encoded]
        return bool(await self._client.run("replace", self._replace, thread_key(thread.head.session_id), args))

    async def evict(self, heads: Collection[ThreadHead]) -> None:
        async with self._client.limits("evict"), self._client.commands.pipeline(transaction=False) as pipe:
            for head in heads:  # one command a key: a cluster keeps threads on different nodes
                pipe.eval(_EVICT, 1, thread_key(head.session_id), _encode_head(head), str(self._ttl_ms))
            await pipe.execute()

    async def ping(self) -> None:
        async with self._client.limits("ping"):
            await self._client.commands.ping()


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
    async with open_client(url, timeout_s=timeout_s) as client:
        yield RedisSessionCache(client, ttl_s=ttl_s, max_messages=max_messages)


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
