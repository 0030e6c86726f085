"""Ids of Discord: the one place that makes and reads them. Pure.

A guild is what people call a server. Ids of users are global, so every id carries its guild, which keeps what is
learned in one from all others; direct messages belong to none, and count as a tenant of their own.
"""

from dataclasses import dataclass

from bots.ids import join_parts, split_parts
from memory.audience import private_to
from memory.model import DIRECT, Audience, ChannelId, Person, Place, SessionId, TenantId, UserId

PLATFORM = "discord"
DM = DIRECT
"""In place of a guild: direct messages."""
_OWN = "@"
_SITE = "https://discord.com/channels"


@dataclass(frozen=True, slots=True)
class DiscordThread:
    """A thread as Discord names it, by snowflakes in digits.

    Attributes:
        guild: The server; `DM` for direct messages.
        channel: The channel that the thread is in.
        thread: The thread; where there is none (yet), the message that began the conversation, whose id a thread made
            from it takes; in direct messages the channel once more.
    """

    guild: str
    channel: str
    thread: str

    @property
    def is_dm(self) -> bool:
        """Whether it is somebody's direct messages with Recall."""
        return self.guild == DM


def tenant_id(guild: str) -> TenantId:
    """Return the id of a server, or of direct messages."""
    return TenantId(join_parts(PLATFORM, guild))


def channel_id(guild: str, channel: str) -> ChannelId:
    """Return the id of a channel, or of a private thread, which is read by others than its channel."""
    return ChannelId(join_parts(PLATFORM, guild, channel))


def user_id(guild: str, user: str) -> UserId:
    """Return the id of somebody in a server, or in their direct messages."""
    return UserId(join_parts(PLATFORM, guild, user))


def session_id(thread: DiscordThread) -> SessionId:
    """Return the id of a thread."""
    return SessionId(join_parts(PLATFORM, thread.guild, thread.channel, thread.thread))


def person(guild: str, user: str, name: str) -> Person:
    """Return somebody in a server, or in their direct messages."""
    return Person(user_id=user_id(guild, user), name=name)


def place(thread: DiscordThread, channel: ChannelId, *, audience: Audience, shared: bool) -> Place:
    """Return a thread as a place; see `Place` for who can read it.

    Args:
        thread: Where.
        channel: What people can be let into or kept out of: its channel, or a private thread itself.
        audience: Who reads it.
        shared: Whether more than one person may.
    """
    return Place(
        session_id=session_id(thread),
        channel_id=channel,
        tenant_id=tenant_id(thread.guild),
        audience=audience,
        shared=shared,
    )


def dm_place(channel: str, user: str) -> Place:
    """Return somebody's direct messages with Recall as a place."""
    thread = DiscordThread(DM, channel, channel)
    return place(thread, channel_id(DM, channel), audience=private_to(user_id(DM, user)), shared=False)


def own_place(guild: str, user: str) -> Place:
    """Return where somebody types what nobody else sees, wherever that is; no channel of Discord has its name."""
    alone = DiscordThread(guild, f"{_OWN}{user}", "")
    return place(alone, channel_id(guild, alone.channel), audience=private_to(user_id(guild, user)), shared=False)


def permalink(guild: str, channel: str, message: str) -> str:
    """Return the link of a message as Discord makes it; `channel` is the thread where it stands in one."""
    return f"{_SITE}/{'@me' if guild == DM else guild}/{channel}/{message}"


def channel_of_link(link: str) -> str:
    """Return the channel or thread where the message of a permalink stands."""
    return link.removeprefix(_SITE).split("/")[2]


def guild_queue(guild: str) -> str:
    """Return what names the order in which changes of a server are taken."""
    return f"guild {guild}"


def thread_of(session: SessionId) -> DiscordThread:
    """Return the thread that a session is.

    Raises:
        ValueError: `session` is not of Discord.
    """
    match split_parts(session):
        case [platform, guild, channel, thread] if platform == PLATFORM:
            return DiscordThread(guild, channel, thread)
    raise ValueError(f"not a Discord session: {session!r}")


def user_of(user: UserId) -> tuple[str, str]:
    """Return guild and user of a user id.

    Raises:
        ValueError: `user` is not of Discord.
    """
    return _pair(user, "user")


def channel_of(channel: ChannelId) -> tuple[str, str]:
    """Return guild and channel of a channel id.

    Raises:
        ValueError: `channel` is not of Discord.
    """
    return _pair(channel, "channel")


def guild_of(tenant: TenantId) -> str:
    """Return the guild of a tenant.

    Raises:
        ValueError: `tenant` is not of Discord.
    """
    match split_parts(tenant):
        case [platform, guild] if platform == PLATFORM:
            return guild
    raise ValueError(f"not a Discord server: {tenant!r}")


def _pair(joined: str, what: str) -> tuple[str, str]:
    match split_parts(joined):
        case [platform, guild, name] if platform == PLATFORM:
            return guild, name
    raise ValueError(f"not a Discord {what}: {joined!r}")
