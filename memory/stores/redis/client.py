"""A pool of connections to Redis or Valkey: limits how long anything takes, and translates what fails."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError

from memory.errors import ConfigError, StoreUnavailableError


class RedisClient:
    """What every store in Redis is made with.

    Attributes:
        commands: redis-py's client; call it inside `limits` only.
        timeout_s: For each operation, connecting and sending again included.
    """

    def __init__(self, commands: "redis.asyncio.Redis", *, timeout_s: float) -> None:
        self.commands = commands
        self.timeout_s = timeout_s

    @asynccontextmanager
    async def limits(self, operation: str) -> AsyncIterator[None]:
        """Give the enclosed operation its time.

        Raises:
            StoreUnavailableError: Whatever failed in it.
        """
        try:
            async with asyncio.timeout(self.timeout_s):
                yield
        except TimeoutError as exc:
            raise StoreUnavailableError("redis", operation, f"no answer in {self.timeout_s:g} s") from exc
        except RedisConnectionError as exc:
            raise StoreUnavailableError("redis", operation, str(exc)) from exc
        except (RedisError, OSError) as exc:
            raise StoreUnavailableError("redis", operation, type(exc).__name__) from exc

    async def run(self, operation: str, script: AsyncScript, key: str, args: Sequence[bytes | int]) -> Any:
        """Run a script on one key, in one round trip; it is sent whole only to a server that does not have it.

        Raises:
            StoreUnavailableError: No answer in time.
        """
        async with self.limits(operation):
            try:
                return await self.commands.evalsha(script.sha, 1, key, *args)
            except NoScriptError:  # a restart or SCRIPT FLUSH forgot it; EVAL runs it and keeps it
                return await self.commands.eval(str(script.script), 1, key, *args)


@asynccontextmanager
async def open_client(url: str, *, timeout_s: float = 1.0, retries: int = 2) -> AsyncIterator[RedisClient]:
    """Open a client; it connects when it is first used.

    Args:
        url: `redis://`, `rediss://` (TLS, certificate checked) or `unix://`.
        timeout_s: For each operation, connecting and sending again included.
        retries: How often a command whose connection broke is sent again.

    Raises:
        ConfigError: `url` is not one.
    """
    retry = Retry(ExponentialWithJitterBackoff(base=0.01, cap=0.1), retries=retries)
    try:
        commands = redis.asyncio.Redis.from_url(
            url,
            protocol=2,
            retry=retry,
            socket_connect_timeout=timeout_s,
            socket_timeout=None,  # `limits` holds; with one redis-py uses wait_for, which can swallow a cancellation
        )
    except ValueError as exc:
        raise ConfigError(["REDIS_URL: must start with redis://, rediss:// or unix://"]) from exc
    try:
        yield RedisClient(commands, timeout_s=timeout_s)
    finally:
        await commands.aclose()
