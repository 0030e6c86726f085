"""A workspace as a test sets it up: people, bots, channels, and what happens to them and to the app's installation.

Knows no HTTP.
"""

from collections.abc import Sequence
from typing import Any, Literal

from tests.fakes.slack.channel import Channel
from tests.fakes.slack.model import ChannelKind, Message, User
from tests.fakes.slack.person import Person
from tests.fakes.slack.thread import Thread
from tests.fakes.slack.wire import user_json
from tests.fakes.slack.world import TeamState, World

Json = dict[str, Any]

_PREFIX = {"public": "C", "private": "C", "im": "D", "mpim": "G"}


class Team:
    """One workspace; ids of users and channels repeat across workspaces, as Slack's may.

    Attributes:
        state: What the Web API knows of it.
        channels: By id.
    """

    def __init__(self, world: World, state: TeamState) -> None:
        self.world = world
        self.state = state
        self.channels: dict[str, Channel] = {}
        self._people: dict[str, Person] = {}

    @property
    def team_id(self) -> str:
        """Its id."""
        return self.state.team_id

    @property
    def bot(self) -> User:
        """The app's own user."""
        return self.state.bot

    @property
    def bot_token(self) -> str:
        """The app's token here."""
        return self.state.bot_token

    def user(
        self,
        name: str,
        *,
        guest: Literal["no", "single_channel", "multi_channel"] = "no",
        home_team_id: str | None = None,
        admin: bool = False,
        email: str | None = None,
    ) -> Person:
        """Return a person by name, a new one if there is none; with `home_team_id` somebody of another workspace."""
        if name in self._people:
            return self._people[name]
        user = User(
            user_id=self.world.counter.name("U", scope=self.team_id),
            name=name,
            team_id=home_team_id or self.team_id,
            is_restricted=guest != "no",
            is_ultra_restricted=guest == "single_channel",
            is_admin=admin,
            email=email,
        )
        self.state.users[user.user_id] = user
        person = Person(
            self.world, self.state, user, channels=self.channels, dm=lambda: self.direct([user], self.state.bot)
        )
        self._people[name] = person
        return person

    def other_bot(self, name: str) -> User:
        """Return another app's bot, whose posts may begin an alert thread."""
        bot = User(
            user_id=self.world.counter.name("U", scope=self.team_id),
            name=name,
            team_id=self.team_id,
            is_bot=True,
            bot_id=self.world.counter.name("B", scope=self.team_id),
            app_id=self.world.counter.name("A", scope="other"),
        )
        self.state.users[bot.user_id] = bot
        self.state.bots[str(bot.bot_id)] = bot
        return bot

    def channel(
        self,
        name: str,
        *members: Person,
        kind: ChannelKind = "public",
        bot: bool = True,
        shared_with: str | None = None,
    ) -> Channel:
        """Return a channel by name, a new one if there is none; `shared_with` makes it Slack Connect."""
        found = [each for each in self.channels.values() if each.name == name and not each.deleted]
        if found:
            return found[0]
        users = [*(member.user for member in members), *([self.bot] if bot else [])]
        channel = self._add(name, kind, users)
        if shared_with is not None:
            channel.shared_with.add(shared_with)
        return channel

    def group(self, *members: Person) -> Channel:
        """Return the group DM of these people and the app."""
        return self.direct([member.user for member in members], self.bot)

    def direct(self, users: Sequence[User], bot: User) -> Channel:
        """Return the DM, or group DM, of the app and these users; a new one if there is none."""
        kind: ChannelKind = "im" if len(users) == 1 else "mpim"
        ids = {bot.user_id, *(user.user_id for user in users)}
        for channel in self.channels.values():
            if channel.kind == kind and set(channel.members) == ids:
                return channel
        name = "" if kind == "im" else "mpdm-" + "--".join(user.name for user in users)
        channel = self._add(name, kind, [*users, bot])
        channel.shared_with.update({user.team_id for user in users} - {self.team_id})
        return channel

    def _add(self, name: str, kind: ChannelKind, users: Sequence[User]) -> Channel:
        channel_id = self.world.counter.name(_PREFIX[kind], scope=self.team_id)
        channel = Channel(self.world, self.state, channel_id=channel_id, name=name, kind=kind, members=users)
        self.channels[channel_id] = channel
        return channel

    def thread(self, message: Message) -> Thread:
        """Return the thread a message is in, or begins."""
        return Thread(self.channels[message.channel_id], message.root_ts)

    async def bot_posts(
        self,
        bot: User,
        channel: Channel,
        text: str = "",
        *,
        attachments: Sequence[Json] = (),
        blocks: Sequence[Json] = (),
        thread: Thread | None = None,
        subtype: str | None = "bot_message",
    ) -> Message:
        """Let another app post, as an alert with its text only in attachments or blocks does."""
        message = Message(
            ts=self.world.counter.ts(),
            channel_id=channel.channel_id,
            author=bot,
            text=text,
            attachments=list(attachments),
            blocks=list(blocks),
            thread_ts=thread.ts if thread is not None else None,
            subtype=subtype,
        )
        await channel.post(message)
        return message

    async def unfurls(self, message: Message, attachment: Json) -> None:
        """Let Slack unfurl a link: a change of the message that changes no word of it."""

        def change(message: Message) -> None:
            message.attachments = [*message.attachments, attachment]

        await self.channels[message.channel_id].change(message, change, by=None)

    async def removes(self, message: Message) -> None:
        """Let an admin delete a message, whoever wrote it."""
        await self.channels[message.channel_id].remove(message)

    async def sends(self, event: Json, *, name: str | None = None) -> None:
        """Send any other event, if the app subscribed to it (`name`, its type unless given)."""
        await self.world.emit(self.state, {"event_ts": self.world.counter.ts(), **event}, name=name)

    async def uninstall(self) -> None:
        """Remove the app from the workspace."""
        self.state.installed = "uninstalled"
        await self.world.emit(self.state, {"type": "app_uninstalled", "event_ts": self.world.counter.ts()})

    async def revoke_tokens(self, *, bot: bool = True, users: Sequence[str] = ()) -> None:
        """Revoke the bot's token, or only those of users, which leaves the bot alone."""
        self.state.installed = "revoked" if bot else self.state.installed
        tokens = {"oauth": list(users), "bot": [self.bot.user_id] if bot else []}
        event = {"type": "tokens_revoked", "tokens": tokens, "event_ts": self.world.counter.ts()}
        await self.world.emit(self.state, event)

    async def joins(self, person: Person) -> None:
        """Tell the app that somebody is new in the workspace."""
        info = user_json(person.user, team_id=self.team_id, scopes=self.state.scopes)
        await self.world.emit(self.state, {"type": "team_join", "user": info, "event_ts": self.world.counter.ts()})

    async def deactivate(self, person: Person) -> None:
        """Deactivate an account."""
        person.user.deleted = True
        await self.user_changes(person)

    async def user_changes(self, person: Person) -> None:
        """Tell the app that something of a user changed."""
        event: Json = {
            "type": "user_change",
            "user": user_json(person.user, team_id=self.team_id, scopes=self.state.scopes),
        }
        event |= {"cache_ts": self.world.counter.seconds(), "event_ts": self.world.counter.ts()}
        await self.world.emit(self.state, event)
