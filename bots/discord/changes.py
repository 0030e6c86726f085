"""What follows from a change of permissions: what was said in a channel is for no more people than read it now.

Discord tells a process of changes only while it listens, so what the record knows of a server is held against the
server's permissions whenever it appears.
"""

from bots.discord import ids
from bots.discord.channels import Channels
from bots.discord.errors import DiscordRefusedError
from bots.discord.lifecycle import Lifecycle
from bots.discord.rest import DiscordRest
from memory.audience import is_for_everyone, members_of
from memory.ports import PlaceStore
from memory.service import MemoryService


class Changes:
    """Follows who reads channels.

    Args:
        channels: Knows it.
        service: Keeps what was said in them.
        places: Knows of which channels anything is kept.
        rest: Asked for channels that are not seen any more.
        lifecycle: Told of those that are gone.
    """

    def __init__(
        self,
        *,
        channels: Channels,
        service: MemoryService,
        places: PlaceStore,
        rest: DiscordRest,
        lifecycle: Lifecycle,
    ) -> None:
        self._channels = channels
        self._service = service
        self._places = places
        self._rest = rest
        self._lifecycle = lifecycle

    async def channel_changed(self, guild: str, channel: str) -> None:
        """Follow a change of a channel.

        Raises:
            StoreUnavailableError: The record does not take it.
        """
        if not self._channels.knows(guild):  # it appears again, or it is gone and forgotten
            return
        channel_id = ids.channel_id(guild, channel)
        audience = self._channels.audience_now(channel_id) or members_of(channel_id)
        if not is_for_everyone(audience):
            await self._service.narrow_channel(channel_id, audience, tenant_id=ids.tenant_id(guild))

    async def guild_changed(self, guild: str) -> None:
        """Follow all that may have changed in a server, while nobody listened too.

        Raises:
            StoreUnavailableError: The record does not take it.
            DiscordUnavailableError: Discord does not say what became of a channel.
        """
        if not self._channels.knows(guild):
            return
        for channel_id in await self._places.known_channels(ids.tenant_id(guild)):
            _, channel = ids.channel_of(channel_id)
            if self._channels.audience_now(channel_id) is not None or await self._is_there(channel):
                await self.channel_changed(guild, channel)
            else:
                await self._lifecycle.channel_removed(guild, channel)

    async def _is_there(self, channel: str) -> bool:
        """Whether a channel, or a private thread, that is not seen exists; one that is kept from Recall does."""
        if not channel.isdigit():
            return True  # nobody's channel: what people typed where nobody else saw it
        try:
            await self._rest.channel(channel)
        except DiscordRefusedError as error:
            return not error.is_gone
        return True
