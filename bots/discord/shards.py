"""The connections to the gateway, one for each shard: which are up, and when anything last came through."""

import discord

from bots.metrics import PlatformMetrics
from memory.ports import Clock


class Shards:
    """The shards of one bot.

    Args:
        client: Has them.
        metrics: Told of their state.
        clock: The time of day.
    """

    def __init__(self, client: discord.AutoShardedClient, *, metrics: PlatformMetrics, clock: Clock) -> None:
        self._client = client
        self._metrics = metrics
        self._clock = clock
        self._connected: dict[int, bool] = {}

    def of(self, guild: int) -> int:
        """Return which shard tells of a server."""
        return (guild >> 22) % (self._client.shard_count or 1)

    def set(self, shard: int, *, connected: bool) -> None:
        """Know that a shard came up or went down."""
        self._connected[shard] = connected
        self._metrics.socket(shard, connected=connected, heard_at=self._clock.now() if connected else None)

    def heard(self) -> None:
        """Know that something came through; the library does not say through which."""
        for shard, connected in self._connected.items():
            if connected:
                self._metrics.socket(shard, connected=True, heard_at=self._clock.now())

    def look(self) -> str | None:
        """Return what is not connected, for operators; None when all is."""
        if not self._connected:
            return "Discord: not connected"
        down = sorted(shard for shard, connected in self._connected.items() if not connected)
        return f"Discord: not connected (shards {', '.join(map(str, down))})" if down else None
