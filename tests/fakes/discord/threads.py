"""How threads begin, close and end, with the events that follow; for people and the app alike."""

from collections.abc import Sequence

from tests.fakes.discord import posting, wire
from tests.fakes.discord.model import HAS_THREAD, Message, User
from tests.fakes.discord.places import Channel, ChannelKind
from tests.fakes.discord.world import World


def begin(
    world: World,
    parent: Channel,
    *,
    name: str,
    owner: User,
    message: Message | None = None,
    kind: ChannelKind = "public_thread",
    members: Sequence[User] = (),
    thread_id: str | None = None,
) -> Channel:
    """Begin a thread, from a message of its channel or by itself; the thread of a message has the message's id."""
    people = [owner, *([message.author] if message is not None else []), *members]
    thread = Channel(
        channel_id=message.message_id if message is not None else thread_id or world.counter.snowflake(),
        kind="announcement_thread" if parent.kind == "announcement" else kind,
        name=name,
        bot=world.bot,
        changes=world.changes,
        now_s=world.now_s,
        guild=parent.guild,
        parent=parent,
        owner=owner,
        people={user.user_id: user for user in people if not user.is_webhook},
        created_at_s=world.now_s(),
    )
    world.channels[thread.channel_id] = thread
    if parent.guild is not None:
        parent.guild.channels[thread.channel_id] = thread
    world.emit_in(thread, "THREAD_CREATE", wire.channel_json(thread) | {"newly_created": True})
    if message is not None:
        message.flags |= HAS_THREAD
        posting.changed(world, parent, message, edited=False)
        _mark(world, thread, kind=21, author=message.author, points_to=parent, message=message)
    elif parent.kind != "forum" and not thread.is_private_thread:
        _mark(world, parent, kind=18, author=owner, points_to=thread, content=name)
    world.changes.mark()
    return thread


def _mark(
    world: World,
    channel: Channel,
    *,
    kind: int,
    author: User,
    points_to: Channel,
    message: Message | None = None,
    content: str = "",
) -> None:
    """Post what Discord itself says of a thread: in it, the message it began with; in its channel, that it began."""
    reference = {"type": 0, "channel_id": points_to.channel_id}
    reference |= {"message_id": message.message_id} if message is not None else {}
    reference |= {"guild_id": channel.guild.guild_id} if channel.guild is not None else {}
    said = Message(
        message_id=world.counter.snowflake(),
        channel_id=channel.channel_id,
        author=author,
        content=content,
        kind=kind,
        reference=reference,
    )
    posting.post(world, channel, said)


def archive(world: World, thread: Channel, *, locked: bool = False) -> None:
    """Archive a thread: it leaves the lists of open ones, and opens again with the next message unless `locked`."""
    thread.archived, thread.locked, thread.archived_at_s = True, locked, world.now_s()
    world.changes.mark()
    world.emit_in(thread, "THREAD_UPDATE", wire.channel_json(thread))


def delete(world: World, thread: Channel) -> None:
    """Delete a thread with everything in it; the message it began with stays."""
    parent, guild = thread.parent, thread.guild
    if parent is None or guild is None:
        return
    event = {"id": thread.channel_id, "guild_id": guild.guild_id, "parent_id": parent.channel_id, "type": thread.type}
    visible = thread.allows(world.bot.user_id, "view_channel")
    thread.deleted = True
    world.changes.mark()
    if visible:
        world.emit("THREAD_DELETE", event, guild=guild)


def leave(world: World, thread: Channel, user: User) -> None:
    """Take somebody out of a thread."""
    if thread.people.pop(user.user_id, None) is not None:
        world.changes.mark()
        posting.members_event(world, thread, removed=[user])
