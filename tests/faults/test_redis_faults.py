"""Redis flushed, restarted, hanging, evicting, unreachable, or holding what another program wrote."""

import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import redis.asyncio

from memory.errors import ConfigError, StoreUnavailableError
from memory.model import SessionId
from memory.ports import SessionCache
from memory.stores.embedded import DataFolder, open_valkey
from memory.stores.redis import open_redis, thread_key
from tests.contract.test_session_cache import A, B, head, message, thread
from tests.fixtures.servers import free_port

pytestmark = pytest.mark.service

OPERATIONS: list[Callable[[SessionCache], Awaitable[object]]] = [
    lambda cache: cache.load(A),
    lambda cache: cache.append([message(2)], before=head(1), after=head(2)),
    lambda cache: cache.replace(thread(1, 1)),
    lambda cache: cache.evict([head(1)]),
    lambda cache: cache.ping(),
]


async def test_flushall_midway_loses_only_the_copy(valkey_url: str, valkey: "redis.asyncio.Redis") -> None:
    """After a flush there is no copy, not half a one, and the next write makes a whole one."""
    async with open_redis(valkey_url, ttl_s=60, max_messages=9) as cache:
        await cache.replace(thread(1, 1))
        await valkey.flushall()

        assert not await cache.append([message(2)], before=head(1), after=head(2))
        assert await cache.load(A) is None
        assert await cache.replace(thread(2, 1, 2))
        assert await cache.load(A) == thread(2, 1, 2)


async def test_forgotten_scripts_are_sent_again(valkey_url: str, valkey: "redis.asyncio.Redis") -> None:
    """SCRIPT FLUSH, as a restart does it, goes unnoticed."""
    async with open_redis(valkey_url, ttl_s=60, max_messages=9) as cache:
        await cache.replace(thread(1, 1))
        await valkey.script_flush()

        assert await cache.append([message(2)], before=head(1), after=head(2))
        await valkey.script_flush()
        assert await cache.replace(thread(3, 1))


async def test_restart_is_ridden_out(tmp_path: Path) -> None:
    """The same cache works on after its server ended and came back, empty."""
    folder = DataFolder(tmp_path)
    async with open_valkey(folder) as url, open_redis(url, ttl_s=60, max_messages=9, timeout_s=10) as cache:
        await cache.replace(thread(1, 1))
        async with redis.asyncio.Redis.from_url(url, protocol=2) as client:
            with pytest.raises(redis.exceptions.ConnectionError):
                await client.execute_command("SHUTDOWN", "NOSAVE")  # type: ignore[no-untyped-call]
        with pytest.raises(StoreUnavailableError):
            await cache.load(A)

        async with open_valkey(folder) as again:
            assert again == url
            assert await cache.load(A) is None
            assert await cache.replace(thread(1, 1))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("url", ["redis://ann:s3cret@127.0.0.1:{port}", "rediss://127.0.0.1:{port}", "unix:///nowhere"])
async def test_unreachable_is_unavailable(url: str, operation: Callable[[SessionCache], Awaitable[object]]) -> None:
    """Every operation says which store failed, without the password."""
    async with open_redis(url.format(port=free_port()), ttl_s=60, max_messages=9) as cache:
        with pytest.raises(StoreUnavailableError) as caught:
            await operation(cache)

    assert caught.value.store == "redis"
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_hanging_server_is_unavailable(
    valkey_url: str, valkey: "redis.asyncio.Redis", operation: Callable[[SessionCache], Awaitable[object]]
) -> None:
    """No answer in time is an error, and a late answer is never taken for that of the next question."""
    async with open_redis(valkey_url, ttl_s=60, max_messages=9, timeout_s=0.5) as cache:
        await cache.replace(thread(7, 7, session_id=B))
        server = (await valkey.info("server"))["process_id"]
        os.kill(server, signal.SIGSTOP)
        try:
            with pytest.raises(StoreUnavailableError):
                await operation(cache)
        finally:
            os.kill(server, signal.SIGCONT)

        assert await cache.load(B) == thread(7, 7, session_id=B)


@pytest.mark.parametrize(
    "elements",
    [
        [b"no head", b"{}"],
        [b"0:1", b"{}"],
        [b"0:1", b'{"t":"","p":[],"u":0}', b"not json"],
        [b"0:1", b'{"t":"","p":[],"u":0}', b'{"i":1}'],
    ],
)
async def test_foreign_values_are_no_copy(
    valkey_url: str, valkey: "redis.asyncio.Redis", elements: list[bytes]
) -> None:
    """What another release wrote is as good as absent, and goes."""
    await valkey.rpush(thread_key(A), *elements)
    async with open_redis(valkey_url, ttl_s=60, max_messages=9) as cache:
        assert await cache.load(A) is None
        assert not await valkey.exists(thread_key(A))


async def test_foreign_head_gives_way(valkey_url: str, valkey: "redis.asyncio.Redis") -> None:
    """A head that cannot be read is older than any."""
    await valkey.rpush(thread_key(A), b"no head")
    async with open_redis(valkey_url, ttl_s=60, max_messages=9) as cache:
        assert await cache.replace(thread(0, 1))
        assert await cache.load(A) == thread(0, 1)


async def test_value_of_another_type_is_an_error_of_ours(valkey_url: str, valkey: "redis.asyncio.Redis") -> None:
    """No exception of redis-py reaches a caller."""
    await valkey.set(thread_key(A), b"x")
    async with open_redis(valkey_url, ttl_s=60, max_messages=9) as cache:
        with pytest.raises(StoreUnavailableError):
            await cache.load(A)


async def test_eviction_takes_whole_threads(tmp_path: Path) -> None:
    """Under memory pressure a thread is there whole or not at all."""
    sessions = [SessionId(f"s{number}") for number in range(300)]
    text = "x" * 10_000
    async with (
        open_valkey(DataFolder(tmp_path), max_memory_mb=4) as url,
        open_redis(url, ttl_s=60, max_messages=9, timeout_s=10) as cache,
    ):
        for each in sessions:
            await cache.replace(thread(1, 1, session_id=each))
            await cache.append(
                [message(2, each, text), message(3, each, text)],
                before=head(1, session_id=each),
                after=head(2, session_id=each),
            )
        copies = [await cache.load(each) for each in sessions]

    there = [copy for copy in copies if copy is not None]
    assert 0 < len(there) < len(sessions)
    assert all(len(copy.messages) == 3 for copy in there)


@pytest.mark.parametrize("url", ["http://host", "localhost:6379", "redis://:s3cret@host:port"])
async def test_bad_url_is_a_config_error(url: str) -> None:
    """What is no URL of Redis is told at once, in one line without the password."""
    with pytest.raises(ConfigError, match="REDIS_URL") as caught:
        async with open_redis(url, ttl_s=60, max_messages=9):
            pass

    assert "s3cret" not in str(caught.value)
