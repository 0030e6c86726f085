"""What is hot in Redis or Valkey: short-term memory, everybody's pace, and signals between processes.

Losing all of it at any moment loses nothing. `client` holds the connections; the others are one port each.
"""

from memory.stores.redis.client import RedisClient, open_client
from memory.stores.redis.pace import RedisPace
from memory.stores.redis.session_cache import RedisSessionCache, open_redis, thread_key
from memory.stores.redis.signals import RedisSignals, open_signals

__all__ = [
    "RedisClient",
    "RedisPace",
    "RedisSessionCache",
    "RedisSignals",
    "open_client",
    "open_redis",
    "open_signals",
    "thread_key",
]
