"""The library's client as Recall sets it up, and what it hears.

It keeps no messages and no members: Recall has its own record. It pings nobody, whatever it posts.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import aiohttp
import discord
import structlog
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

_log = structlog.get_logger(__name__)

discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # it warns of what voice lacks, which is not used

_TOO_MANY = 429
_LONGEST_RATE_LIMIT_S = 60.0
"""A call that is to wait longer for its rate limit fails at once."""


class Ears(Protocol):
    """Who is told what the gateway says; none of it may wait."""

    def message(self, message: discord.Message) -> None:
        """Take a new message."""
        ...

    def edited(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Take an edit, which may be of previews only."""
        ...

    def deleted(self, guild: int | None, channel: int, messages: Sequence[int]) -> None:
        """Take the deletion of messages."""
        ...

    def channel_changed(self, channel: discord.abc.GuildChannel) -> None:
        """Take a change of a channel, maybe of who reads it."""
        ...

    def channel_removed(self, channel: discord.abc.GuildChannel) -> None:
        """Take the end of a channel."""
        ...

    def thread_removed(self, payload: discord.RawThreadDeleteEvent) -> None:
        """Take the end of a thread."""
        ...

    def guild_changed(self, guild: discord.Guild) -> None:
        """Take a change of a server's roles, or its first appearance in a session."""
        ...

    def guild_removed(self, guild: discord.Guild) -> None:
        """Take the end of Recall's membership in a server."""
        ...

    def session_began(self, shard: int, *, of: str) -> None:
        """Know that a shard is heard from now on, and what was said before is not told; `of` names all shards."""
        ...

    def connected(self, shard: int, *, is_so: bool) -> None:
        """Know that a shard came up again or went down."""
        ...

    def heard(self) -> None:
        """Know that something came through the gateway."""
        ...


class RecallClient(discord.AutoShardedClient):
    """One bot, on all its shards.

    Args:
        follow_up: Whether to read messages that do not mention Recall; the bot needs the Message Content intent then.
        on_rate_limited: Called whenever Discord says to come back later.
        ready_timeout_s: How long a session waits for its next server before it counts as begun, in seconds.
        silent_after_s: After so many seconds without a word a connection is replaced.
        gateway_url: Where sessions are resumed, too; where Discord says when None.

    Attributes:
        ears: Told of everything; to be set before it connects.
    """

    ears: Ears

    def __init__(
        self,
        *,
        follow_up: bool,
        on_rate_limited: Callable[[], None],
        ready_timeout_s: float,
        silent_after_s: float,
        gateway_url: str | None,
    ) -> None:
        super().__init__(
            intents=intents(follow_up=follow_up),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_ratelimit_timeout=_LONGEST_RATE_LIMIT_S,
            guild_ready_timeout=ready_timeout_s,
            heartbeat_timeout=silent_after_s,
            http_trace=_traced(on_rate_limited),
        )
        self._gateway = URL(gateway_url) if gateway_url is not None else None

    async def on_message(self, message: discord.Message) -> None:
        """Hear a message."""
        self.ears.message(message)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Hear an edit."""
        self.ears.edited(payload)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Hear a deletion."""
        self.ears.deleted(payload.guild_id, payload.channel_id, [payload.message_id])

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Hear many deletions."""
        self.ears.deleted(payload.guild_id, payload.channel_id, sorted(payload.message_ids))

    async def on_guild_channel_update(self, _: discord.abc.GuildChannel, channel: discord.abc.GuildChannel) -> None:
        """Hear that a channel changed."""
        self.ears.channel_changed(channel)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Hear that a channel is gone."""
        self.ears.channel_removed(channel)

    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        """Hear that a thread is gone."""
        self.ears.thread_removed(payload)

    async def on_guild_role_update(self, _: discord.Role, role: discord.Role) -> None:
        """Hear that a role changed; that of everybody decides who reads channels."""
        if role.is_default():
            self.ears.guild_changed(role.guild)

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Hear of a server at the beginning of a session, or after an outage."""
        self.ears.guild_changed(guild)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Hear that Recall is in a server, maybe once more."""
        self.ears.guild_changed(guild)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Hear that Recall is out of a server."""
        self.ears.guild_removed(guild)

    async def on_ready(self) -> None:
        """Say that all shards are heard, as whom and where."""
        servers, shards = len(self.guilds), sorted(self.shards)
        _log.info(
            "serving_discord", bot=str(self.user), application=self.application_id, servers=servers, shards=shards
        )

    async def on_shard_connect(self, shard: int) -> None:
        """Hear that a session began; the address at which Discord would have it resumed is past a proxy."""
        if self._gateway is not None:
            self._get_websocket(shard_id=shard).gateway = self._gateway

    async def on_shard_ready(self, shard: int) -> None:
        """Hear that a session began."""
        self.ears.session_began(shard, of=f"{self.application_id} {self.shard_count}")

    async def on_shard_resumed(self, shard: int) -> None:
        """Hear that a session goes on; what was missed has come."""
        self.ears.connected(shard, is_so=True)

    async def on_shard_disconnect(self, shard: int) -> None:
        """Hear that a shard is cut off."""
        self.ears.connected(shard, is_so=False)

    async def on_socket_event_type(self, _: str) -> None:
        """Hear that the gateway lives."""
        self.ears.heard()

    async def on_error(self, event_method: str, /, *_: object, **__: object) -> None:
        """Say in our words what broke in a listener; the library would print it."""
        _log.exception("discord_listener_broke", listener=event_method)


def intents(*, follow_up: bool) -> discord.Intents:
    """Return what Recall asks to be told of: servers and messages, with their words in follow-up mode."""
    return discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=follow_up)


def point_at(*, api_url: str | None, gateway_url: str | None) -> None:
    """Have the library talk to other servers than Discord's; it knows one address for the whole process.

    Args:
        api_url: Of the REST API, with its version; None for Discord's.
        gateway_url: Of the gateway; None for Discord's.
    """
    if api_url is not None:
        Route.BASE = api_url.rstrip("/")
    if gateway_url is not None:
        DiscordWebSocket.DEFAULT_GATEWAY = URL(gateway_url)


def _traced(on_rate_limited: Callable[[], None]) -> aiohttp.TraceConfig:
    trace = aiohttp.TraceConfig()

    async def on_end(_session: object, _context: object, ended: aiohttp.TraceRequestEndParams) -> None:
        if ended.response.status == _TOO_MANY:
            on_rate_limited()

    trace.on_request_end.append(on_end)
    return trace
