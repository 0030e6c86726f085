"""Where things were said: what a platform's adapter needs to follow up what it missed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from memory.model import Audience, ChannelId, SeenThread, SessionId, TenantId


class PlaceStore(Protocol):
    """The tenants, channels and threads that the record knows of. Reads only."""

    async def tenants(self, beginning: str) -> Sequence[TenantId]:
        """Return the tenants of which anything is kept and whose id begins so, in the order of their ids.

        One that was forgotten is none of them, until something is said there again.
        """
        ...

    async def known_channels(self, tenant_id: TenantId) -> Mapping[ChannelId, Audience]:
        """Return a tenant's channels in which something was said, each with the narrowest audience it ever had."""
        ...

    async def seen_threads(self, tenant_id: TenantId, *, since: datetime) -> Sequence[SeenThread]:
        """Return a tenant's threads in which something was accepted or settled since, last active first.

        Each with the newest message that was ever accepted there, by when it was sent: also one that is not answered
        yet, or was deleted or forgotten.
        """
        ...

    async def session_of(self, channel_id: ChannelId, name: str) -> SessionId | None:
        """Return the thread of a message by the platform's name of it, or of the answer's post; None if unknown.

        Args:
            channel_id: Where it is.
            name: The `platform_message_id` of a person's message, also a forgotten one, or what `note_post` was told.
        """
        ...
