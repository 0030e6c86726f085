"""What a message of Discord means to Recall: said to it, or not for it.

Pure: a message of the library in, a value out. It knows no store, asks Discord nothing, and does not know which threads
Recall is part of.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import discord

from bots.discord.ids import DM
from bots.discord.markup import Names, decode_text

Reason = Literal["bot", "own", "system", "empty"]
"""Why a message is not for Recall; few enough to be a metric's label."""

_SAID = frozenset({discord.MessageType.default, discord.MessageType.reply})
# "hey @bob, ...", "cc @bob" and "@bob @eve" speak to somebody; "what did @bob say?" speaks of him.
_ADDRESS = r"(?:<@[!&]?[0-9]+>|@everyone|@here)"
_TO_SOMEBODY = re.compile(
    rf"\s*(?:(?:hey|hi|hello|ok|okay|thanks|thank you|thx|yes|no|cc|fyi|ping)[\s,:]+)?{_ADDRESS}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BotIdentity:
    """Who Recall is."""

    user_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedFile:
    """A file in a message; its address expires, so it is asked for again when it is read."""

    file_id: str
    name: str
    mimetype: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Somebody said something. Whether to answer: `is_mention or is_dm or (part of it and not addressed_to_other)`.

    Attributes:
        guild: The server; `ids.DM` in direct messages.
        channel: Where it stands: a channel, a thread, or direct messages.
        name: What the speaker is called there.
        text: As people read it, without mentions of Recall.
        replies_to: The message it replies to, in the same channel.
        forwarded: What messages say that were forwarded with it: others' words, never the speaker's own.
        edited_at: When it got this text; None for its first.
    """

    guild: str
    channel: str
    message: str
    user: str
    name: str
    text: str
    replies_to: str | None
    forwarded: str
    files: tuple[SharedFile, ...]
    is_mention: bool
    is_dm: bool
    addressed_to_other: bool
    sent_at: datetime
    edited_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overheard:
    """Nothing that was said to Recall."""

    reason: Reason


Inbound = Said | Overheard


def read_message(message: discord.Message, *, bot: BotIdentity, guild: str) -> Inbound:
    """Return what a message means, whether it comes as an event or from a channel's history.

    Args:
        message: The message.
        bot: Who Recall is.
        guild: The server; `ids.DM` in direct messages.
    """
    author = _not_from_a_person(message, bot)
    if author is not None:
        return Overheard(reason=author)
    if message.type not in _SAID:
        return Overheard(reason="system")
    said = _said(message, bot, guild)
    # A sticker or a poll; or words that Discord keeps back without the intent.
    return said if _says_something(said, message) else Overheard(reason="empty")


def read_edit(message: discord.Message, *, bot: BotIdentity, guild: str) -> tuple[Said, bool] | Overheard:
    """Return an edited message as it is now, and whether Discord keeps back what it says now.

    Args:
        message: The message.
        bot: Who Recall is.
        guild: The server; `ids.DM` in direct messages.
    """
    author = _not_from_a_person(message, bot)
    if author is not None:
        return Overheard(reason=author)
    said = _said(message, bot, guild)
    return said, not _says_something(said, message)


def _says_something(said: Said, message: discord.Message) -> bool:
    return bool(message.content.strip() or said.files or said.forwarded)


def _said(message: discord.Message, bot: BotIdentity, guild: str) -> Said:
    own = own_ids(message, bot)
    is_mention = _mentions(message, own)
    return Said(
        guild=guild,
        channel=str(message.channel.id),
        message=str(message.id),
        user=str(message.author.id),
        name=message.author.display_name,
        text=decode_text(message.content, names_in(message), own=own),
        replies_to=_replied_to(message),
        forwarded="\n\n".join(text for each in message.message_snapshots if (text := each.content.strip())),
        files=tuple(map(_file, message.attachments)),
        is_mention=is_mention,
        is_dm=guild == DM,
        addressed_to_other=not is_mention and _addresses_other(message, bot),
        sent_at=message.created_at,
        edited_at=message.edited_at,
    )


def _not_from_a_person(message: discord.Message, bot: BotIdentity) -> Reason | None:
    if str(message.author.id) == bot.user_id:
        return "own"
    if message.author.bot or message.webhook_id is not None:
        return "bot"
    return "system" if message.author.system else None


def own_ids(message: discord.Message, bot: BotIdentity) -> frozenset[str]:
    """Return the ids by which Recall is mentioned: its user, and the role that came with it."""
    role = message.guild.self_role if message.guild is not None else None
    return frozenset({bot.user_id} | ({str(role.id)} if role is not None else set()))


def _mentions(message: discord.Message, own: frozenset[str]) -> bool:
    """Whether it mentions Recall; a reply that pings it does."""
    return any(str(each.id) in own for each in _mentioned(message))


def _mentioned(message: discord.Message) -> Sequence[discord.abc.Snowflake]:
    return [*message.mentions, *message.role_mentions]


def _addresses_other(message: discord.Message, bot: BotIdentity) -> bool:
    replied = message.reference.resolved if message.reference is not None else None
    if isinstance(replied, discord.Message) and str(replied.author.id) != bot.user_id:
        return replied.author.id != message.author.id
    return _TO_SOMEBODY.match(message.content) is not None


def _replied_to(message: discord.Message) -> str | None:
    reference = message.reference
    if message.type is not discord.MessageType.reply or reference is None or reference.message_id is None:
        return None
    return str(reference.message_id)


def names_in(message: discord.Message) -> Names:
    """Return what is called how that a message mentions."""
    return Names(
        users={str(user.id): user.display_name for user in message.mentions},
        roles={str(role.id): role.name for role in message.role_mentions},
        channels={str(each.id): getattr(each, "name", str(each.id)) for each in message.channel_mentions},
    )


def _file(attachment: discord.Attachment) -> SharedFile:
    return SharedFile(
        file_id=str(attachment.id),
        name=attachment.filename,
        mimetype=(attachment.content_type or "").partition(";")[0].strip().lower(),
        size=attachment.size,
    )
