"""Edits and deletions: what people change of a message in Discord changes in memory too.

Words that Discord keeps back, since an edited message does not mention Recall any more, are not known; the old ones are
forgotten then, since they are not what is said any more. Discord tells of a message before it tells of its changes, and
a channel's events are taken in order, so a change of a message that the record does not know is of none of Recall's.
"""

from collections.abc import Sequence
from datetime import datetime

import discord

from bots.conversation import redaction_notice
from bots.discord import ids
from bots.discord.channels import Channels
from bots.discord.files import file_attachments
from bots.discord.inbound import Said
from bots.discord.notes import Notes
from bots.text import clean_text
from memory.forgetting import Forgetting, PlatformChange
from memory.ports import Clock, PlaceStore

_SOMEBODY = "somebody"
"""Who deleted a message: Discord does not say, so this stands in the audit log."""


class Edits:
    """Takes edits and deletions.

    Args:
        forgetting: The memory core.
        places: Knows which messages are in which threads.
        channels: Who reads.
        notes: Tells people what was taken out of an edit.
        clock: The time of day.
    """

    def __init__(
        self, *, forgetting: Forgetting, places: PlaceStore, channels: Channels, notes: Notes, clock: Clock
    ) -> None:
        self._forgetting = forgetting
        self._places = places
        self._channels = channels
        self._notes = notes
        self._clock = clock

    async def edited(self, said: Said, *, at: datetime, is_withheld: bool) -> None:
        """Take an edit; an older one than what is known changes nothing.

        Args:
            said: The message as it is now.
            at: When it got so.
            is_withheld: Discord does not say what it says now.

        Raises:
            StoreUnavailableError: The record cannot be reached.
            DiscordUnavailableError: Discord does not say where the message stands.
        """
        change = await self._change(said.guild, said.channel, said.message, at=at, by=said.user)
        if change is None:
            return
        if is_withheld:
            await self._forgetting.message_deleted(change, stands=True)
            return
        findings = await self._forgetting.message_edited(
            change, clean_text(said.text), attachments=file_attachments(said)
        )
        if findings:
            self._notes.beside(said.channel, said.message, redaction_notice(findings))

    async def deleted(self, guild: str, channel: str, messages: Sequence[str]) -> None:
        """Take the deletion of messages of people, or of posts of Recall.

        Raises:
            StoreUnavailableError: The record cannot be reached.
            DiscordUnavailableError: Discord does not say where they stood.
        """
        for message in messages:
            change = await self._change(guild, channel, message, at=self._clock.now(), by=_SOMEBODY)
            if change is not None:
                await self._forgetting.message_deleted(change)

    async def _change(self, guild: str, channel: str, message: str, *, at: datetime, by: str) -> PlatformChange | None:
        """Return a change of a message or post that the record knows; None of any other."""
        unit = await self._channels.unit(guild, channel)
        session_id = await self._places.session_of(unit, message)
        if session_id is None:
            return None
        return PlatformChange(
            session_id=session_id,
            channel_id=unit,
            platform_message_id=message,
            sent_at=discord.utils.snowflake_time(int(message)),
            at=at,
            actor=ids.user_id(guild, by),
        )
