"""What was said while nobody listened: Discord tells nothing twice, so Recall's threads and DMs are read again.

What was said elsewhere meanwhile is lost: a mention in a channel, or in a thread that Recall was never part of.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

import discord
import structlog

from bots.discord import ids
from bots.discord.changes import Changes
from bots.discord.channels import Channels
from bots.discord.errors import DiscordRefusedError
from bots.discord.ids import DiscordThread
from bots.discord.inbound import BotIdentity, Said, read_message
from bots.discord.inbox import Work
from bots.discord.intake import Intake
from bots.discord.lifecycle import Lifecycle
from bots.discord.rest import PAGE, DiscordRest
from bots.ids import join_parts
from memory.model import SeenThread
from memory.ports import Clock, PlaceStore
from memory.service import MemoryService

_log = structlog.get_logger(__name__)

BACK = timedelta(days=7)
"""Threads that have been quiet for longer are not read."""
MOST_PAGES = 10
_AT_ONCE = 5


class CatchUp:
    """Reads back for one bot.

    Args:
        rest: Discord.
        places: Knows Recall's threads, and what was said there last.
        service: Knows where answers were posted.
        intake: Takes what was said since.
        changes: Told which servers it is for.
        lifecycle: Told of threads and servers that are gone.
        clock: The time of day.
        identity: Says who Recall is.
        shard_of: Says which shard tells of a server; of direct messages the first does.
        channels: Knows the servers, and what was said last in their threads.
    """

    def __init__(
        self,
        *,
        rest: DiscordRest,
        places: PlaceStore,
        service: MemoryService,
        intake: Intake,
        changes: Changes,
        lifecycle: Lifecycle,
        clock: Clock,
        identity: Callable[[], BotIdentity],
        shard_of: Callable[[int], int],
        channels: Channels,
    ) -> None:
        self._rest = rest
        self._places = places
        self._service = service
        self._intake = intake
        self._changes = changes
        self._lifecycle = lifecycle
        self._clock = clock
        self._identity = identity
        self._shard_of = shard_of
        self._channels = channels
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def backlog(self, shard: int) -> Sequence[tuple[str, Work]]:
        """Return what is to be read back for a shard: the channel, and the work that reads it.

        Raises:
            StoreUnavailableError: The record cannot be reached.
        """
        since = self._clock.now() - BACK
        found: list[tuple[str, Work]] = []
        for tenant in await self._places.tenants(join_parts(ids.PLATFORM, "")):
            guild = ids.guild_of(tenant)
            if shard != (0 if guild == ids.DM else self._shard_of(int(guild))):
                continue
            if guild != ids.DM:
                found.append((ids.guild_queue(guild), partial(self._see_guild, guild)))
            if not self._channels.has_guild(guild):
                continue
            for seen in await self._places.seen_threads(tenant, since=since):
                thread = ids.thread_of(seen.session_id)
                if self._may_have_more(thread, seen):
                    found.append((thread.thread, partial(self._read, thread, seen.platform_message_id)))
        _log.info("reading_back", shard=shard, places=len(found))
        return found

    async def _see_guild(self, guild: str) -> None:
        """Follow what became of a server while nobody listened; one that Recall was taken out of is forgotten.

        Raises:
            StoreUnavailableError: The record does not take it.
            DiscordUnavailableError: Discord does not say.
        """
        try:
            await self._rest.guild(guild)  # the library keeps servers of an earlier session
        except DiscordRefusedError as error:
            _log.info("guild_not_seen", guild=guild, status=error.status)
            if error.is_gone:
                await self._lifecycle.guild_removed(guild)
        else:
            await self._changes.guild_changed(guild)

    def _may_have_more(self, thread: DiscordThread, seen: SeenThread) -> bool:
        if not seen.platform_message_id.isdigit() or not thread.thread.isdigit():
            return False
        newest = self._channels.newest_in(thread)
        return newest is None or newest > int(seen.platform_message_id)

    async def _read(self, thread: DiscordThread, newest: str) -> None:
        """Take what was said in a thread after the newest message that is known.

        Raises:
            StoreUnavailableError: The record does not take it.
            DiscordUnavailableError: Discord does not say.
        """
        async with self._at_once:
            try:
                said = await self._said_since(thread, newest)
            except DiscordRefusedError as error:
                await self._not_readable(thread, error, newest=newest)
                return
            await self._take(said, guild=thread.guild)

    async def _said_since(self, thread: DiscordThread, newest: str) -> Sequence[discord.Message]:
        """Return what stands in a thread after a message, all of it before any is taken: replies tell what is done."""
        said: list[discord.Message] = []
        for _ in range(MOST_PAGES):
            page = await self._rest.after(thread.thread, str(said[-1].id) if said else newest, guild=thread.guild)
            said += page
            if len(page) < PAGE:
                return said
        _log.warning("not_all_read_back", thread=thread.thread)
        return said

    async def _take(self, read: Sequence[discord.Message], *, guild: str) -> None:
        bot = self._identity()
        answered = {
            str(each.reference.message_id)
            for each in read
            if str(each.author.id) == bot.user_id and each.reference is not None
        }
        for message in read:
            said = read_message(message, bot=bot, guild=guild)
            if isinstance(said, Said) and said.message not in answered:
                await self._intake.take(said)

    async def _not_readable(self, thread: DiscordThread, error: DiscordRefusedError, *, newest: str) -> None:
        """Forget a thread that was deleted meanwhile."""
        _log.info("not_read_back", thread=thread.thread, status=error.status)
        if error.is_gone and not thread.is_dm and await self._was_thread(thread, newest):
            await self._lifecycle.thread_removed(thread.guild, thread.channel, thread.thread)

    async def _was_thread(self, thread: DiscordThread, newest: str) -> bool:
        """Whether a conversation had a thread, and not only a reply in the channel.

        What was said in one says so, and what was said later in the channel; else the message does that it began with.
        If that is gone, so is the conversation.
        """
        message = await self._service.find_message(ids.session_id(thread), newest)
        if message is None or message.link is None:
            return False
        if ids.channel_of_link(message.link) == thread.thread:
            return True
        if newest != thread.thread:
            return False
        try:
            began = await self._rest.message(thread.channel, thread.thread)
        except DiscordRefusedError as refused:
            return refused.is_gone
        return began.flags.has_thread
