"""Guilds and channels as they now are, who may do what in them, and what people read there.

A thread is a channel with a parent, a DM one without a guild. Knows no HTTP, and sends no events.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, Self

from tests.fakes.changes import Changes
from tests.fakes.discord import permissions
from tests.fakes.discord.model import Member, Message, Role, User

ChannelKind = Literal[
    "text", "dm", "voice", "category", "announcement", "announcement_thread", "public_thread", "private_thread", "forum"
]
TYPES: dict[ChannelKind, int] = {
    "text": 0, "dm": 1, "voice": 2, "category": 4, "announcement": 5,
    "announcement_thread": 10, "public_thread": 11, "private_thread": 12, "forum": 15,
}  # fmt: skip
WITHIN_S = 10.0


@dataclass(kw_only=True, eq=False)
class GuildState:
    """A guild; `available` is false during an outage, and `has_bot` once the app was removed.

    Attributes:
        bot_at_most: What the app may do at most, whatever @everyone may: what its install link asks for.
    """

    guild_id: str
    name: str
    owner: User
    bot: User
    roles: dict[str, Role] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    channels: dict[str, "Channel"] = field(default_factory=dict)
    bot_at_most: int = permissions.ALL
    available: bool = True
    has_bot: bool = True

    @property
    def everyone(self) -> Role:
        """The role that everybody has."""
        return self.roles[self.guild_id]

    def base_permissions(self, user_id: str) -> int:
        """Return what somebody may, before channels add to it or take from it."""
        member = self.members.get(user_id)
        if member is None:
            return 0
        if user_id == self.owner.user_id:
            return permissions.ALL
        total = self.everyone.permissions
        for role_id in member.roles:
            total |= self.roles[role_id].permissions
        total = permissions.ALL if total & permissions.ADMINISTRATOR else total
        return total & self.bot_at_most if user_id == self.bot.user_id else total


@dataclass(kw_only=True, eq=False)
class Channel:
    """A channel, thread, forum post or DM.

    Attributes:
        people: The members of a thread, or the two of a DM.
        typing_at_s: When each user last began to type.
        sent: How many messages there ever were.
    """

    channel_id: str
    kind: ChannelKind
    name: str
    bot: User
    changes: Changes
    now_s: Callable[[], float]
    guild: GuildState | None = None
    parent: "Channel | None" = None
    owner: User | None = None
    overwrites: dict[str, permissions.Overwrite] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    by_id: dict[str, Message] = field(default_factory=dict)
    ephemerals: list[Message] = field(default_factory=list)
    typing_at_s: dict[str, float] = field(default_factory=dict)
    created_at_s: float = 0.0
    archived_at_s: float | None = None
    archived: bool = False
    locked: bool = False
    invitable: bool = True
    auto_archive_min: int = 4320
    slowmode_s: int = 0
    topic: str | None = None
    deleted: bool = False
    sent: int = 0

    @property
    def is_thread(self) -> bool:
        """Whether it is a thread or a forum's post."""
        return self.kind.endswith("_thread")

    @property
    def is_private_thread(self) -> bool:
        """Whether only its members see it."""
        return self.kind == "private_thread"

    @property
    def type(self) -> int:
        """Its kind as Discord numbers it."""
        return TYPES[self.kind]

    @property
    def messages(self) -> list[Message]:
        """What everyone sees here, oldest first."""
        return [message for message in self.by_id.values() if not message.deleted]

    @property
    def answers(self) -> list[Message]:
        """What the app says here, finished or not."""
        return [message for message in self.messages if message.author is self.bot and message.kind in {0, 19, 20, 23}]

    @property
    def finished(self) -> list[Message]:
        """What the app says here and is no longer at."""
        return [message for message in self.answers if not message.working]

    @property
    def text(self) -> str:
        """All of it, a line or more per message."""
        return "\n".join(f"{each.author.name}: {each.shown}" for each in self.messages)

    @property
    def bot_is_typing(self) -> bool:
        """Whether people see the app type: for ten seconds, or until it has said something."""
        return self.is_typing(self.bot)

    def __str__(self) -> str:
        return "\n".join([f"-- {self.name}", *map(str, self.messages), *["... is typing"] * self.bot_is_typing])

    def is_typing(self, user: User) -> bool:
        """Whether people see somebody type."""
        at_s = self.typing_at_s.get(user.user_id)
        return at_s is not None and self.now_s() - at_s < 10

    def permissions_of(self, user_id: str) -> int:
        """Return what somebody may do here; a thread takes it from its parent."""
        if self.guild is None:
            return permissions.DM if user_id in self.people else 0
        if self.parent is not None and self.is_thread:
            allowed = self.parent.permissions_of(user_id)
            outside = self.is_private_thread and user_id not in self.people
            return 0 if outside and not allowed & permissions.bits(["manage_threads"]) else allowed
        member = self.guild.members.get(user_id)
        return permissions.in_channel(
            base=self.guild.base_permissions(user_id),
            guild_id=self.guild.guild_id,
            user_id=user_id,
            roles=member.roles if member is not None else (),
            overwrites=self.overwrites.values(),
        )

    def allows(self, user_id: str, *names: str) -> bool:
        """Whether somebody has all these permissions here."""
        wanted = permissions.bits(names)
        return self.permissions_of(user_id) & wanted == wanted

    def add(self, message: Message) -> None:
        """Put a message where it belongs; only its reader sees an ephemeral one."""
        if message.ephemeral_to is not None:
            self.ephemerals.append(message)
        else:
            self.by_id[message.message_id] = message
            self.sent += 1
        self.typing_at_s.pop(message.author.user_id, None)
        self.changes.mark()

    def find(self, message_id: str) -> Message | None:
        """Return a message that everyone sees, None if there is none or no more."""
        message = self.by_id.get(message_id)
        return None if message is None or message.deleted else message

    def ephemerals_of(self, user: User) -> list[Message]:
        """Return what only one person sees."""
        return [each for each in self.ephemerals if each.ephemeral_to == user.user_id and not each.deleted]

    def seen_by(self, user: User) -> list[Message]:
        """Return what one person sees: everything, and what only they see; nothing if they may not look."""
        if self.deleted or not self.allows(user.user_id, "view_channel"):
            return []
        return sorted([*self.messages, *self.ephemerals_of(user)], key=lambda each: int(each.message_id))

    def thread_of(self, message: Message) -> "Channel | None":
        """Return the thread that began with a message."""
        thread = self.guild.channels.get(message.message_id) if self.guild is not None else None
        return thread if thread is not None and not thread.deleted else None

    @property
    def threads(self) -> "list[Channel]":
        """Its threads, archived or not, oldest first."""
        known: Iterable[Channel] = self.guild.channels.values() if self.guild is not None else ()
        return [each for each in known if each.parent is self and each.is_thread and not each.deleted]

    async def until(self, holds: Callable[[Self], bool], *, within_s: float = WITHIN_S) -> Self:
        """Wait until something holds here.

        Raises:
            AssertionError: It does not in time; the text shows the channel and its threads.
        """
        await self.changes.until(lambda: holds(self), within_s=within_s, showing=self._showing)
        return self

    def _showing(self) -> str:
        return "\n".join(map(str, [self, *self.threads]))

    async def until_answers(self, count: int = 1, *, within_s: float = WITHIN_S) -> list[Message]:
        """Wait until the app has said so much here, and is at nothing more; return that."""
        await self.until(lambda here: len(here.finished) >= count and here.answers == here.finished, within_s=within_s)
        return self.finished

    async def until_shows(self, words: str, *, within_s: float = WITHIN_S) -> Message:
        """Wait until an answer of the app, finished, contains these words; return it."""
        await self.until(lambda here: any(words in each.shown for each in here.finished), within_s=within_s)
        return next(each for each in self.finished if words in each.shown)

    async def until_thread(self, message: Message, *, within_s: float = WITHIN_S) -> "Channel":
        """Wait until a message has a thread; return it."""
        await self.until(lambda here: here.thread_of(message) is not None, within_s=within_s)
        thread = self.thread_of(message)
        if thread is None:
            raise AssertionError("the thread is gone")
        return thread
