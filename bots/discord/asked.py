"""Who asks for something outside of a conversation, and where: slash commands, buttons, menus, said commands. Pure."""

from dataclasses import dataclass
from typing import Any

import discord

from bots.desk.asking import Asker, Chosen, Utterance
from bots.discord import ids
from bots.discord.buttons import marks_of
from bots.discord.ids import DM, DiscordThread
from bots.discord.inbound import BotIdentity, Said, names_in, own_ids
from bots.discord.marks import Mark
from bots.discord.markup import decode_text
from memory.model import ChannelId, SessionId

AnyInteraction = discord.Interaction[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Somebody wants something by way of an interaction.

    Attributes:
        asker: Who, and in which thread.
        interaction: What is answered.
        replaces: The answer takes the place of what they pressed, which only they see.
    """

    asker: Asker
    interaction: AnyInteraction
    replaces: bool = False


def guild_of(interaction: AnyInteraction) -> str:
    """Return the server of an interaction; `ids.DM` in direct messages."""
    return DM if interaction.guild_id is None else str(interaction.guild_id)


def of_command(interaction: AnyInteraction) -> Asked:
    """Return who gave a command."""
    return Asked(asker=_asker(interaction, session_here(interaction)), interaction=interaction)


def of_press(interaction: AnyInteraction) -> Asked:
    """Return who pressed a button of the desk."""
    message = interaction.message
    is_theirs = interaction.guild_id is None or (message is not None and message.flags.ephemeral)
    return Asked(asker=_asker(interaction, session_here(interaction)), interaction=interaction, replaces=is_theirs)


def of_mark(interaction: AnyInteraction, mark: Mark) -> Asked:
    """Return who pressed a button below a reply."""
    return Asked(asker=_asker(interaction, session_of(interaction, mark.thread)), interaction=interaction)


def of_said(said: Said, thread: DiscordThread) -> Asker:
    """Return who gave a command in a message."""
    link = ids.permalink(said.guild, said.channel, said.message)
    return Asker(
        user_id=ids.user_id(said.guild, said.user),
        tenant_id=ids.tenant_id(said.guild),
        session_id=ids.session_id(thread),
        name=said.name,
        said=Utterance(message=said.message, link=link, said_at=said.sent_at),
        open_in=ids.channel_id(said.guild, said.channel) if said.channel == thread.channel else None,
    )


def session_here(interaction: AnyInteraction) -> SessionId | None:
    """Return the thread in which somebody asks; None in a channel itself."""
    is_thread = interaction.guild_id is None or isinstance(interaction.channel, discord.Thread)
    return session_of(interaction, str(interaction.channel_id)) if is_thread else None


def session_of(interaction: AnyInteraction, thread: str) -> SessionId:
    """Return a thread of the channel in which somebody asks."""
    return ids.session_id(DiscordThread(guild_of(interaction), channel_of(interaction), thread))


def channel_of(interaction: AnyInteraction) -> str:
    """Return the channel in which somebody asks; that of the thread, in a thread."""
    here = interaction.channel
    return str(here.parent_id if isinstance(here, discord.Thread) else interaction.channel_id)


def chosen(interaction: AnyInteraction, message: discord.Message, bot: BotIdentity) -> Chosen:
    """Return a message from whose menu somebody chose."""
    guild, author = guild_of(interaction), message.author
    is_ours = str(author.id) == bot.user_id
    is_person = not author.bot and message.webhook_id is None
    found = mark_of(message) if is_ours else None
    return Chosen(
        message=str(message.id),
        author=ids.user_id(guild, str(author.id)) if is_person else None,
        is_ours=is_ours,
        answers=found.message if found is not None else "",
        text=decode_text(message.content, names_in(message), own=own_ids(message, bot)),
        link=ids.permalink(guild, str(message.channel.id), str(message.id)),
    )


def mark_of(message: discord.Message) -> Mark | None:
    """Return which reply a message of ours is part of; None for one that is none."""
    return next(iter(marks_of(message)), None)


def _asker(interaction: AnyInteraction, session_id: SessionId | None) -> Asker:
    guild, user = guild_of(interaction), interaction.user
    return Asker(
        user_id=ids.user_id(guild, str(user.id)),
        tenant_id=ids.tenant_id(guild),
        session_id=session_id,
        name=user.display_name,
        open_in=_open_channel(interaction),
    )


def _open_channel(interaction: AnyInteraction) -> ChannelId | None:
    """Return the channel of an interaction, as its payload has it; None in a thread that is not for all its readers."""
    here = interaction.channel
    if interaction.guild_id is None or (isinstance(here, discord.Thread) and here.is_private()):
        return None
    return ids.channel_id(guild_of(interaction), channel_of(interaction))
