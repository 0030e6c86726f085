"""Who can read a channel, as its server's permissions say now; what they do not say for sure counts as nobody.

A channel that everyone in the server can see, with what was said there before, is for the server; any other channel,
and any private thread, is for those in it. The library keeps the permissions as Discord tells of them, so nothing is
asked here but where a thread is that it has not heard of.
"""

from dataclasses import dataclass

import discord

from bots.discord import ids
from bots.discord.errors import DiscordRefusedError, DiscordUnavailableError
from bots.discord.ids import DiscordThread
from bots.discord.rest import DiscordRest
from memory.audience import everyone_in, members_of
from memory.model import Audience, ChannelId, Place


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a message stands in a server.

    Attributes:
        channel: The channel; that of the thread, in a thread.
        thread: The thread; None in the channel itself.
        unit: What people can be let into or kept out of: the channel, or a private thread itself.
    """

    guild: str
    channel: str
    thread: str | None
    unit: ChannelId


class Channels:
    """Knows the channels of all servers.

    Args:
        client: Is told of them.
        rest: Asked for threads that nobody has told of.
    """

    def __init__(self, client: discord.Client, rest: DiscordRest) -> None:
        self._client = client
        self._rest = rest

    async def spot(self, guild: str, channel: str) -> Spot | None:
        """Return where a channel or thread of a server is; None for one that Recall does not see.

        Raises:
            DiscordUnavailableError: Discord does not answer.
        """
        try:
            found = await self._found(guild, channel)
        except DiscordRefusedError:
            return None
        return None if found is None else _spot(guild, found)

    async def unit(self, guild: str, channel: str) -> ChannelId:
        """Return what people can be let into or kept out of where something stands; itself, if it is not seen.

        Raises:
            DiscordUnavailableError: Discord does not answer.
        """
        spot = None if guild == ids.DM else await self.spot(guild, channel)
        return spot.unit if spot is not None else ids.channel_id(guild, channel)

    async def place(self, thread: DiscordThread, *, user: str = "", open_in: ChannelId | None = None) -> Place | None:
        """Return a thread as a place; None where its readers are not known.

        Args:
            thread: Where.
            user: Whose direct messages they are.
            open_in: A channel whose threads, as far as they can be meant, have its readers; spares the question.

        Raises:
            DiscordUnavailableError: Discord does not answer.
        """
        if thread.is_dm:
            return ids.dm_place(thread.channel, user)
        made = None
        if open_in != ids.channel_id(thread.guild, thread.channel):
            try:
                made = await self._found(thread.guild, thread.thread)
            except DiscordRefusedError:  # it is there, and kept from Recall: who reads it is not known
                return None
        spot = await self.spot(thread.guild, thread.channel) if made is None else _spot(thread.guild, made)
        return self.place_at(thread, spot) if spot is not None else None

    def place_at(self, thread: DiscordThread, spot: Spot) -> Place | None:
        """Return a thread of a server as a place; None where its readers are not known.

        Args:
            thread: The conversation.
            spot: Where it is held; the channel, where no thread was made yet.
        """
        channel = self._channel(thread.guild, thread.channel)
        if channel is None:
            return None
        is_private = spot.unit == ids.channel_id(spot.guild, spot.thread or "")
        audience = members_of(spot.unit) if is_private else audience_of(channel)
        return ids.place(thread, spot.unit, audience=audience, shared=True)

    def knows(self, guild: str) -> bool:
        """Whether a server can be seen now; not before its session began, and not during its outage."""
        here = None if guild == ids.DM else self._client.get_guild(int(guild))
        return guild == ids.DM or (here is not None and not here.unavailable)

    def has_guild(self, guild: str) -> bool:
        """Whether Recall is in a server, be it out or not, as far as Discord has told."""
        return guild == ids.DM or self._client.get_guild(int(guild)) is not None

    def has_thread(self, thread: DiscordThread) -> bool:
        """Whether Discord has told of a conversation's thread."""
        here = self._client.get_guild(int(thread.guild)) if not thread.is_dm else None
        return here is not None and here.get_thread(int(thread.thread)) is not None

    def starter_of(self, thread: DiscordThread) -> str:
        """Return where the message stands that began a thread: in its channel, or of a forum in the thread itself."""
        return (
            thread.thread
            if isinstance(self._channel(thread.guild, thread.channel), discord.ForumChannel)
            else thread.channel
        )

    def newest_in(self, thread: DiscordThread) -> int | None:
        """Return the last message of a thread as far as Discord has told; None when it has not."""
        here = self._client.get_guild(int(thread.guild)) if not thread.is_dm else None
        known = here.get_thread(int(thread.thread)) if here is not None else None
        return known.last_message_id if known is not None else None

    async def outsiders_in(self, place: Place) -> bool:
        """Whether somebody reads a place of whom nothing is known, since its channel is not seen any more."""
        thread = ids.thread_of(place.session_id)
        return not thread.is_dm and self._channel(thread.guild, thread.channel) is None

    def audience_now(self, channel: ChannelId) -> Audience | None:
        """Return who reads a channel now; None for a private thread, and for a channel that Recall does not see."""
        guild, name = ids.channel_of(channel)
        found = self._channel(guild, name)
        return audience_of(found) if found is not None else None

    def _channel(self, guild: str, channel: str) -> discord.abc.GuildChannel | None:
        here = self._client.get_guild(int(guild))
        if here is None or here.unavailable or not channel.isdigit():
            return None
        return here.get_channel(int(channel))

    async def _found(self, guild: str, name: str) -> discord.abc.GuildChannel | discord.Thread | None:
        """Return a channel or a thread; one that was archived is asked for. None for what is not there.

        Raises:
            DiscordRefusedError: It is there, and kept from Recall.
            DiscordUnavailableError: Discord does not answer.
        """
        here = self._client.get_guild(int(guild))
        if here is None:
            return None
        if here.unavailable:  # nobody knows, neither yes nor no
            raise DiscordUnavailableError("channel", "the server is out", sent=False)
        found = here.get_channel_or_thread(int(name))
        if found is not None:
            return found
        try:
            asked = await self._rest.channel(name)
        except DiscordRefusedError as error:
            if error.is_gone:
                return None
            raise
        if isinstance(asked, discord.abc.GuildChannel | discord.Thread) and asked.guild.id == here.id:
            return asked
        return None


def _spot(guild: str, found: discord.abc.GuildChannel | discord.Thread) -> Spot:
    if isinstance(found, discord.Thread):
        unit = str(found.id if found.is_private() else found.parent_id)
        return Spot(guild, str(found.parent_id), str(found.id), ids.channel_id(guild, unit))
    return Spot(guild, str(found.id), None, ids.channel_id(guild, str(found.id)))


def audience_of(channel: discord.abc.GuildChannel) -> Audience:
    """Return who reads what is said in a channel, and what was said there before."""
    guild = str(channel.guild.id)
    allowed = channel.permissions_for(channel.guild.default_role)
    may_enter = allowed.connect or not isinstance(channel, discord.VoiceChannel | discord.StageChannel)
    if allowed.view_channel and allowed.read_message_history and may_enter:
        return everyone_in(ids.tenant_id(guild))
    return members_of(ids.channel_id(guild, str(channel.id)))
