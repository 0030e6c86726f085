"""Messages on their way in: which are for Recall, and committed before anything is done about them.

What a message means says `inbound`, who can read a channel `channels`. What cannot be decided now is raised, and tried
again by the inbox.
"""

import structlog

from bots.delivery import Delivery
from bots.discord import ids
from bots.discord.channels import Channels, Spot
from bots.discord.files import attachments_of
from bots.discord.ids import DM, DiscordThread
from bots.discord.inbound import Said
from bots.discord.notes import Notes
from bots.discord.replies import Replies
from bots.discord.spoken_commands import SpokenCommands
from bots.platform import IncomingMessage
from memory.errors import InputError, OutdatedMessageError
from memory.ports import PlaceStore
from memory.service import MemoryService

_log = structlog.get_logger(__name__)


class Intake:
    """Takes in what is said.

    Args:
        channels: Who reads.
        service: Knows which threads Recall is part of.
        delivery: Accepts what is to be answered.
        replies: Where that is answered.
        places: Knows which thread a message or an answer is in.
        notes: Says why a message is not taken.
        commands: Does what messages command.
        follow_up: Whether to answer without a mention in threads that Recall is part of.
    """

    def __init__(
        self,
        *,
        channels: Channels,
        service: MemoryService,
        delivery: Delivery,
        replies: Replies,
        places: PlaceStore,
        notes: Notes,
        commands: SpokenCommands,
        follow_up: bool,
    ) -> None:
        self._channels = channels
        self._service = service
        self._delivery = delivery
        self._replies = replies
        self._places = places
        self._notes = notes
        self._commands = commands
        self._follow_up = follow_up

    async def take(self, said: Said) -> None:
        """Take a message; when this returns, it is committed, or not for Recall.

        Raises:
            StoreUnavailableError: The record does not take it.
            DiscordUnavailableError: Discord does not say where it stands.
        """
        spot = None if said.is_dm else await self._channels.spot(said.guild, said.channel)
        thread = await self._thread(said, spot)
        if thread is None or not await self._is_for_us(said, thread):
            return
        if await self._commands.take(said, thread):
            return
        place = self._channels.place_at(thread, spot) if spot is not None else ids.dm_place(said.channel, said.user)
        if place is None:
            _log.info("place_unknown", channel=said.channel)
            return
        message = IncomingMessage(
            place=place,
            author=ids.person(said.guild, said.user, said.name),
            platform_message_id=said.message,
            text=said.text,
            sent_at=said.sent_at,
            edited_at=said.edited_at,
            link=ids.permalink(said.guild, said.channel, said.message),
            attachments=attachments_of(said, alert=await self._alert(said, thread)),
        )
        try:
            await self._delivery.accept(message, self._replies.to(said, thread))
        except InputError as error:
            self._notes.beside(said.channel, said.message, str(error))
        except OutdatedMessageError as error:  # its words are not known any more; nothing is answered
            _log.info("not_accepted", reason=str(error))

    async def _alert(self, said: Said, thread: DiscordThread) -> str | None:
        """Return where the message stands that began a thread which is new to Recall; None without such a thread.

        Discord gives a thread the id of its first message, and a post in a forum has that message in itself.
        """
        if said.is_dm or thread.thread == said.message or said.channel != thread.thread:
            return None
        is_new = await self._service.place_of(ids.session_id(thread)) is None
        return self._channels.starter_of(thread) if is_new else None

    async def _thread(self, said: Said, spot: Spot | None) -> DiscordThread | None:
        """Return the conversation that a message belongs to; None where that cannot be seen."""
        if said.is_dm:
            return DiscordThread(DM, said.channel, said.channel)
        if spot is None:
            return None
        if spot.thread is not None:
            return DiscordThread(said.guild, spot.channel, spot.thread)
        known = None if said.replies_to is None else await self._places.session_of(spot.unit, said.replies_to)
        return DiscordThread(said.guild, spot.channel, said.message) if known is None else ids.thread_of(known)

    async def _is_for_us(self, said: Said, thread: DiscordThread) -> bool:
        if said.is_mention or said.is_dm:
            return True
        if not self._follow_up or said.addressed_to_other or thread.thread == said.message:
            return False  # in a plain channel, a reply to an answer goes on with its conversation
        return await self._service.place_of(ids.session_id(thread)) is not None
