"""Everybody's pace in Redis or Valkey: one number a person, one round trip a turn. It knows no turn."""

from memory.model import UserId
from memory.pace import Rate
from memory.ports import Pace
from memory.stores.redis.client import RedisClient

_MICROSECONDS = 1_000_000

_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '') or 0, now)
local used_until = due + tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.0f', used_until), 'PX', math.ceil((used_until - now) / 1000))
return math.max(0, due - tonumber(ARGV[2]) - now)
"""
"""KEYS: person. ARGV: interval, tolerance; all times in microseconds. It is `memory.pace.Rate.take`."""


class RedisPace(Pace):
    """The rule in one Lua script, by the server's clock, so that processes whose clocks differ agree.

    A key lives until the person's turns are used up, when it says no more than its absence. A command whose connection
    broke is sent again and may reserve two turns: the person then waits one turn's part of a minute too long.
    """

    def __init__(self, client: RedisClient, *, per_min: int) -> None:
        self._client = client
        self._take = client.commands.register_script(_TAKE)
        rate = Rate(per_min)
        self._args = [round(seconds * _MICROSECONDS) for seconds in (rate.interval_s, rate.tolerance_s)]

    async def take(self, user_id: UserId) -> float:
        wait = await self._client.run("take", self._take, pace_key(user_id), self._args)
        return int(wait) / _MICROSECONDS


def pace_key(user_id: UserId) -> str:
    """Return the key of a person's pace."""
    return f"recall:{{{user_id}}}:pace"
