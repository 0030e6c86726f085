"""What is posted, changed and deleted, with the events that follow from it; for people and the app alike."""

from collections.abc import Sequence
from typing import Any

from tests.fakes.discord import message_wire, wire
from tests.fakes.discord.intents import GUILD_MEMBERS
from tests.fakes.discord.mentions import mentioned
from tests.fakes.discord.model import Mentions, Message, User
from tests.fakes.discord.places import Channel
from tests.fakes.discord.sessions import Session
from tests.fakes.discord.world import World

Json = dict[str, Any]


def mentions_in(channel: Channel, author: User, content: str, *, replied_to: str | None = None) -> Mentions:
    """Return whom a text pings, from what its author may mention here."""
    guild = channel.guild
    if guild is None:
        return mentioned(content, users=channel.people, roles=(), may_ping_all=False, replied_to=replied_to)
    may_ping_all = channel.allows(author.user_id, "mention_everyone") or author.is_webhook
    roles = [role.role_id for role in guild.roles.values() if role.mentionable or may_ping_all]
    users = guild.members
    return mentioned(content, users=users, roles=roles, may_ping_all=may_ping_all, replied_to=replied_to)


def post(world: World, channel: Channel, message: Message) -> Message:
    """Add a message and send its event; what only one person sees sends none."""
    channel.add(message)
    if message.author is world.bot and message.mentions.any:
        world.pings.append(message)
    if message.ephemeral_to is not None:
        return message
    if channel.archived:
        unarchive(world, channel)
    if channel.is_thread and message.author.user_id not in channel.people and not message.author.is_webhook:
        join(world, channel, [message.author])
    announce(world, channel, message)
    return message


def announce(world: World, channel: Channel, message: Message) -> None:
    """Send the event of a new message."""
    _emit(world, "MESSAGE_CREATE", channel, message)


def _emit(world: World, event: str, channel: Channel, message: Message) -> None:
    if message.ephemeral_to is None:
        world.emit_in(channel, event, lambda session: message_wire.message_event(world, message, session))


def changed(world: World, channel: Channel, message: Message, *, edited: bool) -> None:
    """Send the event of a change that was made; one that nobody `edited` (a preview, a thread) leaves no mark.

    An edit pings nobody, whatever it names.
    """
    if edited:
        message.edited_at_s = world.now_s()
        message.edits += 1
    world.changes.mark()
    _emit(world, "MESSAGE_UPDATE", channel, message)


def delete(world: World, channel: Channel, message: Message) -> None:
    """Delete a message; its thread stays."""
    message.deleted = True
    world.changes.mark()
    if message.ephemeral_to is None:
        world.emit_in(channel, "MESSAGE_DELETE", {"id": message.message_id} | _place(channel))


def delete_many(world: World, channel: Channel, messages: Sequence[Message]) -> None:
    """Delete messages at once."""
    for message in messages:
        message.deleted = True
    world.changes.mark()
    ids = [message.message_id for message in messages]
    world.emit_in(channel, "MESSAGE_DELETE_BULK", {"ids": ids} | _place(channel))


def _place(channel: Channel) -> Json:
    place = {"channel_id": channel.channel_id}
    return place | ({"guild_id": channel.guild.guild_id} if channel.guild is not None else {})


def react(world: World, channel: Channel, message: Message, name: str, user: User) -> None:
    """Add a reaction."""
    if (name, user.user_id) not in message.reactions:
        message.reactions.append((name, user.user_id))
        extra = {"message_author_id": message.author.user_id, "burst": False, "type": 0}
        world.emit_in(channel, "MESSAGE_REACTION_ADD", _reaction(channel, message, name, user) | extra)
    world.changes.mark()


def unreact(world: World, channel: Channel, message: Message, name: str, user: User) -> None:
    """Take a reaction away."""
    if (name, user.user_id) in message.reactions:
        message.reactions.remove((name, user.user_id))
        extra = {"burst": False, "type": 0}
        world.emit_in(channel, "MESSAGE_REACTION_REMOVE", _reaction(channel, message, name, user) | extra)
    world.changes.mark()


def _reaction(channel: Channel, message: Message, name: str, user: User) -> Json:
    emoji = {"id": None, "name": name}
    return {"user_id": user.user_id, "message_id": message.message_id, "emoji": emoji} | _place(channel)


def type_in(world: World, channel: Channel, user: User) -> None:
    """Show somebody typing."""
    channel.typing_at_s[user.user_id] = world.now_s()
    world.changes.mark()
    event = {"user_id": user.user_id, "timestamp": int(world.now_s())} | _place(channel)
    world.emit_in(channel, "TYPING_START", event)


def join(world: World, thread: Channel, users: Sequence[User]) -> None:
    """Add members to a thread; the app is told of the thread it comes to."""
    fresh = [user for user in users if user.user_id not in thread.people]
    thread.people |= {user.user_id: user for user in fresh}
    world.changes.mark()
    if world.bot in fresh:
        world.emit_in(thread, "THREAD_CREATE", wire.channel_json(thread))
    if fresh:
        members_event(world, thread, added=fresh)


def members_event(world: World, thread: Channel, *, added: Sequence[User] = (), removed: Sequence[User] = ()) -> None:
    """Tell who came to a thread and who left it; without the members intent an app is told of itself alone."""
    guild = thread.guild
    if guild is None:
        return

    def build(session: Session) -> Json | None:
        every = bool(session.intents & GUILD_MEMBERS)
        came = [user for user in added if every or user is world.bot]
        left = [user for user in removed if every or user is world.bot]
        event: Json = {"id": thread.channel_id, "guild_id": guild.guild_id, "member_count": len(thread.people)}
        event |= {"added_members": [wire.thread_member_json(thread, user) for user in came]} if came else {}
        event |= {"removed_member_ids": [user.user_id for user in left]} if left else {}
        return event if came or left else None

    if world.bot in removed:  # it no longer sees a private thread, and is told of it all the same
        world.emit("THREAD_MEMBERS_UPDATE", build, guild=guild)
    else:
        world.emit_in(thread, "THREAD_MEMBERS_UPDATE", build)


def unarchive(world: World, thread: Channel) -> None:
    """Open an archived thread again."""
    thread.archived, thread.archived_at_s = False, world.now_s()
    world.emit_in(thread, "THREAD_UPDATE", wire.channel_json(thread))
