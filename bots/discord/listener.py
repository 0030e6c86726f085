"""What the gateway says, as work for the inbox: each event in its channel's order. Decides nothing else."""

from collections.abc import Callable, Sequence
from functools import partial

import discord

from bots.discord import ids
from bots.discord.changes import Changes
from bots.discord.client import Ears
from bots.discord.edits import Edits
from bots.discord.ids import DM
from bots.discord.inbound import BotIdentity, Overheard, Said, read_edit, read_message
from bots.discord.inbox import Work
from bots.discord.intake import Intake
from bots.discord.lifecycle import Lifecycle
from bots.discord.shards import Shards
from bots.discord.shifts import Shifts


class Listener(Ears):
    """Hears for one bot.

    Args:
        shifts: Takes the work, if it is this process's.
        shards: Told of the connections.
        intake: Takes messages.
        edits: Takes edits and deletions.
        changes: Takes changes of who reads.
        lifecycle: Takes the end of threads, channels and servers.
        identity: Says who Recall is.
    """

    def __init__(
        self,
        *,
        shifts: Shifts,
        shards: Shards,
        intake: Intake,
        edits: Edits,
        changes: Changes,
        lifecycle: Lifecycle,
        identity: Callable[[], BotIdentity],
    ) -> None:
        self._shifts = shifts
        self._shards = shards
        self._intake = intake
        self._edits = edits
        self._changes = changes
        self._lifecycle = lifecycle
        self._identity = identity

    def message(self, message: discord.Message) -> None:
        match read_message(message, bot=self._identity(), guild=_name(message.guild)):
            case Said() as said:
                self._put(message.guild, said.channel, partial(self._intake.take, said))

    def edited(self, payload: discord.RawMessageUpdateEvent) -> None:
        message = payload.message
        if message.edited_at is None:  # only its previews changed
            return
        guild = _name(message.guild) if message.guild is not None else _guild(payload.guild_id)
        read = read_edit(message, bot=self._identity(), guild=guild)
        if isinstance(read, Overheard):
            return
        said, is_withheld = read
        work = partial(self._edits.edited, said, at=message.edited_at, is_withheld=is_withheld)
        self._put(payload.guild_id, said.channel, work)

    def deleted(self, guild: int | None, channel: int, messages: Sequence[int]) -> None:
        gone = [str(each) for each in messages]
        self._put(guild, str(channel), partial(self._edits.deleted, _guild(guild), str(channel), gone))

    def channel_changed(self, channel: discord.abc.GuildChannel) -> None:
        guild = str(channel.guild.id)
        self._put(channel.guild, str(channel.id), partial(self._changes.channel_changed, guild, str(channel.id)))

    def channel_removed(self, channel: discord.abc.GuildChannel) -> None:
        guild = str(channel.guild.id)
        self._put(channel.guild, str(channel.id), partial(self._lifecycle.channel_removed, guild, str(channel.id)))
        self.guild_changed(channel.guild)  # its private threads are gone too, of which Discord may not tell

    def thread_removed(self, payload: discord.RawThreadDeleteEvent) -> None:
        guild, channel, thread = str(payload.guild_id), str(payload.parent_id), str(payload.thread_id)
        self._put(payload.guild_id, thread, partial(self._lifecycle.thread_removed, guild, channel, thread))

    def guild_changed(self, guild: discord.Guild) -> None:
        self._put(guild, ids.guild_queue(str(guild.id)), partial(self._changes.guild_changed, str(guild.id)))

    def guild_removed(self, guild: discord.Guild) -> None:
        self._put(guild, ids.guild_queue(str(guild.id)), partial(self._lifecycle.guild_removed, str(guild.id)))

    def session_began(self, shard: int, *, of: str) -> None:
        self._shards.set(shard, connected=True)
        self._shifts.began(shard, of=of)

    def connected(self, shard: int, *, is_so: bool) -> None:
        self._shards.set(shard, connected=is_so)
        self._shifts.connected(shard, is_so=is_so)

    def heard(self) -> None:
        self._shards.heard()

    def _put(self, guild: discord.Guild | int | None, channel: str, work: Work) -> None:
        number = guild.id if isinstance(guild, discord.Guild) else guild
        self._shifts.put(0 if number is None else self._shards.of(number), channel, work)


def _name(guild: discord.Guild | None) -> str:
    return _guild(guild.id if guild is not None else None)


def _guild(number: int | None) -> str:
    return DM if number is None else str(number)
