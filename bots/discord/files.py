"""What comes with a message of Discord: files, what was forwarded, and the alert that began a thread.

A message is accepted with their names and where they are; whoever answers it reads them then, by an address that is
asked for anew, since it expires. It is context: words of its sender are only what they wrote themselves.
"""

import asyncio

import discord
import structlog

from bots.discord.errors import DiscordUnavailableError
from bots.discord.inbound import Said, SharedFile
from bots.discord.rest import DiscordRest
from bots.file_kinds import may_be_text
from bots.platform import FileReader, PlatformError
from bots.text import clean_text, file_text
from memory.attached import MAX_FILE_BYTES
from memory.model import Attachment, ReadFile

_log = structlog.get_logger(__name__)

FORWARDED = "forwarded message"
ALERT = "alert"
EMPTY = "(an empty file)"

_ATTEMPTS = 2  # reading changes nothing, so a lost answer is asked for again at once


def attachments_of(said: Said, *, alert: str | None) -> tuple[Attachment, ...]:
    """Return what came with a message, files not read yet.

    Args:
        said: The message.
        alert: The channel where the message stands that began its thread, if it may be another bot's.
    """
    found = list(file_attachments(said))
    if said.forwarded:
        found.append(Attachment(name=FORWARDED, text=said.forwarded))
    if alert is not None:
        found.append(Attachment(name=ALERT, ref=f"message:{alert}:{said.channel}"))
    return tuple(found)


def file_attachments(said: Said) -> tuple[Attachment, ...]:
    """Return the files of a message as what is to be read later; a binary one has nothing to read."""
    return tuple(Attachment(name=file.name or "file", ref=_ref(said, file)) for file in said.files)


def _ref(said: Said, file: SharedFile) -> str:
    kind = "text" if may_be_text(file.name, file.mimetype) else "binary"
    return f"file:{kind}:{said.channel}:{said.message}:{file.file_id}"


class DiscordFiles(FileReader):
    """Reads files of messages, and what bots say that began threads.

    Args:
        rest: Discord.
    """

    def __init__(self, rest: DiscordRest) -> None:
        self._rest = rest

    async def read(self, ref: str) -> ReadFile | None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._read(ref)
            except DiscordUnavailableError as error:
                _log.warning("attachment_not_read", reason=str(error), attempt=attempt)
            except PlatformError as error:
                _log.warning("attachment_refused", reason=str(error))
                return None
        return None

    async def _read(self, ref: str) -> ReadFile | None:
        match ref.split(":"):
            case ["file", "text", channel, message, file]:
                return await self._file(await self._rest.message(channel, message), file)
            case ["message", channel, message]:
                return _alert(await self._rest.message(channel, message), own=self._rest.own_id)
        return None

    async def _file(self, message: discord.Message, file: str) -> ReadFile | None:
        found = next((each for each in message.attachments if str(each.id) == file), None)
        if found is None:
            return None
        data = await self._rest.download(found.url, most_bytes=MAX_FILE_BYTES)
        is_whole = len(data) >= found.size
        text = await asyncio.to_thread(file_text, data, is_whole=is_whole)
        return None if text is None else ReadFile(text=text or EMPTY, is_whole=is_whole)


def _alert(message: discord.Message, *, own: str) -> ReadFile:
    """Return what another bot's message says, embeds included; nothing of a person's, or of Recall's own."""
    is_other_bots = (message.author.bot or message.webhook_id is not None) and str(message.author.id) != own
    return ReadFile(text=clean_text(context_text(message)) if is_other_bots else "")


def context_text(message: discord.Message) -> str:
    """Return what a person reads in a message of a bot: its text, and its embeds."""
    pieces: list[str | None] = [message.content]
    for embed in message.embeds:
        pieces += [embed.author.name, embed.title, embed.description]
        pieces += [f"{field.name}: {field.value}" for field in embed.fields]
        pieces.append(embed.footer.text)
    return "\n".join(piece.strip() for piece in pieces if piece and piece.strip())
