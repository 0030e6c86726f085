"""What happens to guilds, channels and members beside conversation, each with the events it sends."""

from collections.abc import Iterable, Sequence
from typing import Any

from tests.fakes.discord import permissions, posting, threads, wire
from tests.fakes.discord.intents import GUILD_MEMBERS
from tests.fakes.discord.model import Message, Role, User
from tests.fakes.discord.permissions import Overwrite
from tests.fakes.discord.places import Channel, GuildState
from tests.fakes.discord.sessions import Session
from tests.fakes.discord.world import World

Json = dict[str, Any]


def _guild_of(channel: Channel) -> GuildState:
    if channel.guild is None:
        raise ValueError("a DM belongs to no guild")
    return channel.guild


def overwrite(
    world: World, channel: Channel, target: Role | User, *, allow: Iterable[str] = (), deny: Iterable[str] = ()
) -> None:
    """Let a channel allow and deny a role or a member these permissions, and nothing else."""
    target_id = target.role_id if isinstance(target, Role) else target.user_id
    saw = channel.allows(world.bot.user_id, "view_channel")
    channel.overwrites[target_id] = Overwrite(
        target_id=target_id,
        is_role=isinstance(target, Role),
        allow=permissions.bits(allow),
        deny=permissions.bits(deny),
    )
    changed(world, channel)
    if not saw and channel.allows(world.bot.user_id, "view_channel"):
        _sync_threads(world, channel)


def _sync_threads(world: World, channel: Channel) -> None:
    """Tell the app of the open threads in a channel that it has come to see."""
    guild, bot = _guild_of(channel), world.bot.user_id
    found = [each for each in channel.threads if not each.archived and each.allows(bot, "view_channel")]
    event = {
        "guild_id": guild.guild_id,
        "channel_ids": [channel.channel_id],
        "threads": [wire.channel_json(each) for each in found],
        "members": [wire.thread_member_json(each, world.bot) for each in found if bot in each.people],
    }
    world.emit("THREAD_LIST_SYNC", event, guild=guild)


def make_private(world: World, channel: Channel, *people: User) -> None:
    """Hide a channel from @everyone; the app and these people still see it."""
    guild = _guild_of(channel)
    for user in (*people, world.bot):
        channel.overwrites[user.user_id] = Overwrite(
            target_id=user.user_id, is_role=False, allow=permissions.VIEW_CHANNEL
        )
    overwrite(world, channel, guild.everyone, deny=["view_channel"])


def make_public(world: World, channel: Channel) -> None:
    """Take every overwrite from a channel."""
    channel.overwrites.clear()
    changed(world, channel)


def changed(world: World, channel: Channel) -> None:
    """Tell of a channel that is not as it was."""
    world.changes.mark()
    event = "THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE"
    world.emit(event, wire.channel_json(channel), guild=channel.guild)


def rename(world: World, channel: Channel, name: str) -> None:
    """Give a channel or thread another name."""
    channel.name = name
    changed(world, channel)


def delete_channel(world: World, channel: Channel) -> None:
    """Delete a channel with its threads, of which no events tell."""
    event = wire.channel_json(channel)
    for each in [*channel.threads, channel]:
        each.deleted = True
    world.changes.mark()
    world.emit("CHANNEL_DELETE", event, guild=channel.guild)


def archive(world: World, thread: Channel, *, locked: bool = False) -> None:
    """Archive a thread."""
    threads.archive(world, thread, locked=locked)


def delete_thread(world: World, thread: Channel) -> None:
    """Delete a thread."""
    threads.delete(world, thread)


def leave_thread(world: World, thread: Channel, user: User) -> None:
    """Take somebody out of a thread."""
    threads.leave(world, thread, user)


def delete(world: World, message: Message) -> None:
    """Delete anybody's message, as moderators do."""
    posting.delete(world, world.channels[message.channel_id], message)


def delete_many(world: World, messages: Sequence[Message]) -> None:
    """Delete messages of one channel at once, as moderators do."""
    posting.delete_many(world, world.channels[messages[0].channel_id], messages)


def preview(world: World, message: Message, title: str) -> None:
    """Let Discord show a preview of a link in a message, which is no edit."""
    message.embeds = [*message.embeds, {"type": "link", "title": title, "url": "https://example.com/"}]
    posting.changed(world, world.channels[message.channel_id], message, edited=False)


def remove_app(world: World, guild: GuildState) -> None:
    """Take the app out of a guild."""
    world.emit("GUILD_DELETE", {"id": guild.guild_id}, guild=guild)
    guild.has_bot = False
    world.changes.mark()


def add_app(world: World, guild: GuildState) -> None:
    """Bring the app into a guild that it was taken out of."""
    guild.has_bot = True
    world.emit("GUILD_CREATE", wire.guild_create_json(guild, joined=True), guild=guild)


def begin_outage(world: World, guild: GuildState) -> None:
    """Let a guild be unavailable: nothing of it is heard."""
    world.emit("GUILD_DELETE", {"id": guild.guild_id, "unavailable": True}, guild=guild)
    guild.available = False
    world.changes.mark()


def end_outage(world: World, guild: GuildState) -> None:
    """Let a guild be available again."""
    guild.available = True
    world.emit("GUILD_CREATE", wire.guild_create_json(guild), guild=guild)


def leave_guild(world: World, guild: GuildState, user: User) -> None:
    """Take somebody out of a guild, and of its threads."""
    guild.members.pop(user.user_id, None)
    for channel in guild.channels.values():
        channel.people.pop(user.user_id, None)
        channel.overwrites.pop(user.user_id, None)
    world.changes.mark()
    event = {"guild_id": guild.guild_id, "user": wire.user_json(user)}
    world.emit("GUILD_MEMBER_REMOVE", event, guild=guild)


def give_role(world: World, guild: GuildState, user: User, role: Role) -> None:
    """Give a member a role."""
    guild.members[user.user_id].roles.append(role.role_id)
    _member_changed(world, guild, user)


def take_role(world: World, guild: GuildState, user: User, role: Role) -> None:
    """Take a role from a member."""
    guild.members[user.user_id].roles.remove(role.role_id)
    _member_changed(world, guild, user)


def _member_changed(world: World, guild: GuildState, user: User) -> None:
    """Tell of a changed member; an app is told of itself without the members intent too."""
    world.changes.mark()
    event = wire.member_json(guild.members[user.user_id]) | {"guild_id": guild.guild_id}

    def build(session: Session) -> Json | None:
        return event if user is world.bot or session.intents & GUILD_MEMBERS else None

    world.emit("GUILD_MEMBER_UPDATE", build, guild=guild)


def permit(world: World, guild: GuildState, role: Role, *names: str) -> None:
    """Give a role exactly these permissions."""
    role.permissions = permissions.bits(names)
    world.changes.mark()
    event = {"guild_id": guild.guild_id, "role": wire.role_json(role)}
    world.emit("GUILD_ROLE_UPDATE", event, guild=guild)


def delete_role(world: World, guild: GuildState, role: Role) -> None:
    """Delete a role, from its members and the channels too."""
    guild.roles.pop(role.role_id, None)
    for member in guild.members.values():
        member.roles = [each for each in member.roles if each != role.role_id]
    for channel in guild.channels.values():
        channel.overwrites.pop(role.role_id, None)
    world.changes.mark()
    world.emit("GUILD_ROLE_DELETE", {"guild_id": guild.guild_id, "role_id": role.role_id}, guild=guild)
