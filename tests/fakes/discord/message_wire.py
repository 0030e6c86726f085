"""Messages as Discord's JSON, whole or as an app without the Message Content intent gets them."""

from typing import Any

from tests.fakes.discord import wire
from tests.fakes.discord.intents import MESSAGE_CONTENT, blanked
from tests.fakes.discord.model import File, Message, User, iso, snowflake_at
from tests.fakes.discord.places import GuildState
from tests.fakes.discord.sessions import Session
from tests.fakes.discord.world import World

Json = dict[str, Any]


def file_json(world: World, file: File) -> Json:
    """Return an attachment, with a link that works for a day."""
    url = world.signed_url(file)
    result: Json = {"id": file.file_id, "filename": file.name, "size": len(file.content), "url": url, "flags": 0}
    result |= {"proxy_url": url, "content_scan_version": 0}
    if file.content_type is not None:
        result["content_type"] = file.content_type
    if file.description is not None:
        result["description"] = file.description
    return result | ({"ephemeral": True} if file.ephemeral else {})


def message_json(world: World, message: Message, *, nested: bool = False) -> Json:
    """Return a message with everything in it; one `nested` within another shows no third one."""
    channel = world.channels[message.channel_id]
    result: Json = {
        "id": message.message_id,
        "channel_id": message.channel_id,
        "type": message.kind,
        "author": wire.user_json(message.author),
        "content": message.content,
        "timestamp": snowflake_at(message.message_id).isoformat(timespec="microseconds"),
        "edited_timestamp": iso(message.edited_at_s) if message.edited_at_s is not None else None,
        "tts": False,
        "pinned": message.pinned,
        "flags": message.flags,
        "mention_everyone": message.mentions.everyone,
        "mention_roles": list(message.mentions.roles),
        "mentions": [_mentioned(world.users[user], channel.guild) for user in message.mentions.users],
        "attachments": [file_json(world, file) for file in message.files],
        "embeds": message.embeds,
        "components": message.components,
    }
    optional = {
        "nonce": message.nonce,
        "webhook_id": message.webhook_id,
        "application_id": message.application_id,
        "interaction_metadata": message.metadata,
        "message_reference": message.reference,
    }
    result |= {name: value for name, value in optional.items() if value is not None}
    if message.reactions:
        result["reactions"] = _reactions(world, message)
    thread = channel.thread_of(message)
    if thread is not None and not channel.is_thread:
        result["thread"] = wire.channel_json(thread)
    if message.reference is not None and not nested:
        result["referenced_message"] = _referenced(world, message.reference)
    return result


def _mentioned(user: User, guild: GuildState | None) -> Json:
    member = guild.members.get(user.user_id) if guild is not None else None
    return wire.user_json(user) | ({"member": wire.member_json(member, with_user=False)} if member is not None else {})


def _reactions(world: World, message: Message) -> list[Json]:
    names = dict.fromkeys(name for name, _ in message.reactions)
    result: list[Json] = []
    for name in names:
        users = [user for each, user in message.reactions if each == name]
        counts = {"count": len(users), "count_details": {"burst": 0, "normal": len(users)}, "burst_colors": []}
        mine = {"me": world.bot.user_id in users, "me_burst": False, "burst_me": False, "burst_count": 0}
        result.append({"emoji": {"id": None, "name": name}} | counts | mine)
    return result


def _referenced(world: World, reference: Json) -> Json | None:
    channel = world.channels.get(str(reference.get("channel_id")))
    message = channel.find(str(reference.get("message_id"))) if channel is not None else None
    return message_json(world, message, nested=True) if message is not None else None


def shown_to_app(world: World, message: Message, *, has_content: bool) -> Json:
    """Return a message as the app may read it."""
    in_guild = world.channels[message.channel_id].guild is not None
    whole = message_json(world, message)
    return whole if has_content else blanked(whole, bot_id=world.bot.user_id, in_guild=in_guild)


def message_event(world: World, message: Message, session: Session) -> Json:
    """Return the event of a new or changed message, as one session gets it."""
    channel = world.channels[message.channel_id]
    result = shown_to_app(world, message, has_content=bool(session.intents & MESSAGE_CONTENT))
    if channel.guild is None:
        return result | {"channel_type": channel.type}
    result |= {"guild_id": channel.guild.guild_id, "channel_type": channel.type}
    member = channel.guild.members.get(message.author.user_id)
    return result | ({"member": wire.member_json(member, with_user=False)} if member is not None else {})
