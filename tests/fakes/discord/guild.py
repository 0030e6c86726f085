"""A guild as a test sets it up: people, roles, channels, other bots, and what the app may do there."""

from collections.abc import Callable, Iterable
from typing import Any

from tests.fakes.discord import permissions, wire
from tests.fakes.discord.model import Member, Role, User
from tests.fakes.discord.permissions import Overwrite
from tests.fakes.discord.person import Person
from tests.fakes.discord.places import Channel, ChannelKind, GuildState
from tests.fakes.discord.speaker import Speaker
from tests.fakes.discord.world import World

Json = dict[str, Any]


class Guild:
    """A guild; people, roles and channels are new unless their name is known."""

    def __init__(self, world: World, state: GuildState, *, person: Callable[[str], Person]) -> None:
        self.world = world
        self.state = state
        self._person = person

    @property
    def guild_id(self) -> str:
        """Its id."""
        return self.state.guild_id

    @property
    def bot(self) -> User:
        """The app's user."""
        return self.world.bot

    @property
    def channels(self) -> list[Channel]:
        """Its channels and threads that still are."""
        return [each for each in self.state.channels.values() if not each.deleted]

    def user(self, name: str, *, roles: Iterable[Role] = ()) -> Person:
        """Return a person who is a member; the same one in every guild."""
        person = self._person(name)
        self._join(person.user)
        self.state.members[person.user_id].roles += [role.role_id for role in roles]
        return person

    def other_bot(self, name: str = "datadog") -> Speaker:
        """Return another bot, which writes with text and embeds."""
        known = [each.user for each in self.state.members.values() if each.user.name == name and each.user.is_bot]
        user = known[0] if known else User(user_id=self.world.counter.snowflake(), name=name, is_bot=True)
        self.world.users[user.user_id] = user
        self._join(user)
        return Speaker(self.world, user)

    def webhook(self, name: str = "alerts") -> Speaker:
        """Return an incoming webhook; it is nobody's member."""
        user = User(user_id=self.world.counter.snowflake(), name=name, is_bot=True, is_webhook=True)
        self.world.users[user.user_id] = user
        return Speaker(self.world, user)

    def _join(self, user: User) -> None:
        if user.user_id in self.state.members:
            return
        member = Member(user=user, joined_at_s=self.world.now_s())
        self.state.members[user.user_id] = member
        event = wire.member_json(member) | {"guild_id": self.guild_id}
        self.world.emit("GUILD_MEMBER_ADD", event, guild=self.state)

    def role(self, name: str, *names: str, mentionable: bool = False) -> Role:
        """Return a role with these permissions."""
        known = [role for role in self.state.roles.values() if role.name == name]
        if known:
            return known[0]
        role = Role(
            role_id=self.world.counter.snowflake(),
            name=name,
            permissions=permissions.bits(names),
            mentionable=mentionable,
        )
        self.state.roles[role.role_id] = role
        event = {"guild_id": self.guild_id, "role": wire.role_json(role)}
        self.world.emit("GUILD_ROLE_CREATE", event, guild=self.state)
        return role

    def channel(
        self,
        name: str,
        *people: Person,
        kind: ChannelKind = "text",
        private: bool = False,
        roles: Iterable[Role] = (),
        with_bot: bool = True,
    ) -> Channel:
        """Return a channel: one that @everyone sees, or a private one that some people, roles and the app see."""
        known = [each for each in self.channels if each.name == name and not each.is_thread]
        if known:
            return known[0]
        channel = Channel(
            channel_id=self.world.counter.snowflake(),
            kind=kind,
            name=name,
            bot=self.world.bot,
            changes=self.world.changes,
            now_s=self.world.now_s,
            guild=self.state,
            created_at_s=self.world.now_s(),
        )
        if private:
            everyone, view = self.state.guild_id, permissions.VIEW_CHANNEL
            of_roles = [(role.role_id, True) for role in roles]
            of_people = [(person.user_id, False) for person in people]
            bot = [(self.world.bot.user_id, False)] if with_bot else []
            every = [Overwrite(target_id=each, is_role=role, allow=view) for each, role in of_roles + of_people + bot]
            hidden = Overwrite(target_id=everyone, is_role=True, deny=view)
            channel.overwrites = {each.target_id: each for each in [hidden, *every]}
        self.state.channels[channel.channel_id] = self.world.channels[channel.channel_id] = channel
        self.world.emit("CHANNEL_CREATE", wire.channel_json(channel), guild=self.state)
        return channel

    def bot_may(self, *names: str) -> None:
        """Give the app's role exactly these permissions in the guild, and @everyone none of those that are left out."""
        allowed = permissions.bits(names)
        own = next(role for role in self.state.roles.values() if role.bot_id is not None)
        own.permissions = allowed
        self.state.everyone.permissions &= ~(permissions.BOT & ~allowed)
        for role in (own, self.state.everyone):
            self._role_changed(role)

    def allow_bot(self, allowed: int) -> None:
        """Let the app have these permissions, as Discord's number, and no others, whatever @everyone has."""
        own = next(role for role in self.state.roles.values() if role.bot_id is not None)
        own.permissions = self.state.bot_at_most = allowed
        self._role_changed(own)

    def _role_changed(self, role: Role) -> None:
        event = {"guild_id": self.guild_id, "role": wire.role_json(role)}
        self.world.emit("GUILD_ROLE_UPDATE", event, guild=self.state)
        self.world.changes.mark()
