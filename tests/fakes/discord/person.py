"""A person: what they write, edit and delete, and the threads they begin, beside what their client lets them press.

Knows no HTTP.
"""

import re
from collections.abc import Sequence
from typing import Any

from tests.fakes.discord import posting, threads
from tests.fakes.discord.client import Client
from tests.fakes.discord.limits import trimmed
from tests.fakes.discord.model import DiscordRefusesError, File, Message
from tests.fakes.discord.places import Channel, ChannelKind
from tests.fakes.discord.rest.bodies import made_file

Json = dict[str, Any]
Upload = tuple[str, str | bytes]

_NAMED = re.compile(r"(?<![\w@#/.<])(?P<sign>[@#])(?P<name>\w[\w-]*)")


class Person(Client):
    """A person, the same one in every guild; `dm` is their conversation with the app."""

    async def says(
        self,
        channel: Channel,
        text: str = "",
        *,
        reply_to: Message | None = None,
        ping: bool = True,
        files: Sequence[Upload] = (),
        raw: bool = False,
    ) -> Message:
        """Write a message and let the app hear of it.

        Args:
            channel: A channel, a thread, or `dm`.
            text: As typed: `@recall`, `@bob` and `#general` become what Discord makes of them, unless `raw`.
            reply_to: The message it answers.
            ping: An answer that pings the one it answers.
            files: Names and contents to attach.
            raw: The text is as on the wire already.
        """
        self._must_write(channel, files=bool(files))
        content = trimmed(text if raw else self.encoded(channel, text))
        if not content and not files:
            raise DiscordRefusesError("there is nothing to send")
        message = Message(
            message_id=self.world.counter.snowflake(),
            channel_id=channel.channel_id,
            author=self.user,
            content=content,
            files=[self._upload(channel, *each) for each in files],
        )
        if reply_to is not None:
            message.kind, message.reference = 19, _reference(channel, reply_to)
        pinged = reply_to.author.user_id if reply_to is not None and ping else None
        message.mentions = posting.mentions_in(channel, self.user, content, replied_to=pinged)
        return posting.post(self.world, channel, message)

    def _upload(self, channel: Channel, name: str, content: str | bytes) -> File:
        data = content.encode() if isinstance(content, str) else content
        return made_file(self.world, channel.channel_id, name=name, content=data)

    def _must_write(self, channel: Channel, *, files: bool = False) -> None:
        self._must_see(channel)
        send = "send_messages_in_threads" if channel.is_thread else "send_messages"
        wanted = [send, *(["attach_files"] if files else [])]
        closed = channel.locked and not channel.allows(self.user_id, "manage_threads")
        if not channel.allows(self.user_id, *wanted) or closed or channel.kind == "forum":
            raise DiscordRefusesError(f"{self.name} may not write in {channel.name}")

    def encoded(self, channel: Channel, text: str) -> str:
        """Return what they type as it goes over the wire: names become ids."""
        guild = channel.guild
        people = {each.name: each.mention for each in channel.people.values()}
        roles: dict[str, str] = {}
        channels: dict[str, str] = {}
        if guild is not None:
            people |= {member.user.name: member.user.mention for member in guild.members.values()}
            every = guild.roles.values()
            roles = {
                role.name: f"<@&{role.role_id}>" for role in every if role is not guild.everyone and not role.bot_id
            }
            channels = {each.name: f"<#{each.channel_id}>" for each in guild.channels.values() if not each.deleted}

        def named(match: re.Match[str]) -> str:
            known = channels if match["sign"] == "#" else roles | people
            return known.get(match["name"], match[0])

        return _NAMED.sub(named, text)

    async def edits(self, message: Message, text: str) -> None:
        """Edit a message of theirs."""
        channel = self._own(message)
        message.versions.append(message.shown)
        message.content = trimmed(self.encoded(channel, text))
        message.mentions = posting.mentions_in(channel, self.user, message.content)
        posting.changed(self.world, channel, message, edited=True)

    async def deletes(self, message: Message) -> None:
        """Delete a message of theirs, or somebody's whose messages they manage."""
        channel = self.world.channels[message.channel_id]
        if message.ephemeral_to != self.user_id and not channel.allows(self.user_id, "manage_messages"):
            self._own(message)
        posting.delete(self.world, channel, message)

    def _own(self, message: Message) -> Channel:
        if message.author is not self.user:
            raise DiscordRefusesError("not their message")
        return self.world.channels[message.channel_id]

    async def reacts(self, message: Message, emoji: str) -> None:
        """Add a reaction to a message they see."""
        posting.react(self.world, self._seen_in(message), message, emoji, self.user)

    async def types(self, channel: Channel) -> None:
        """Begin to type."""
        self._must_write(channel)
        posting.type_in(self.world, channel, self.user)

    async def starts_thread(
        self,
        channel: Channel,
        name: str,
        *people: "Person",
        message: Message | None = None,
        private: bool = False,
    ) -> Channel:
        """Begin a thread: from a message, or by itself and perhaps only for some people; or a forum's post, empty."""
        self._must_see(channel)
        needed = "create_private_threads" if private else "create_public_threads"
        if not channel.allows(self.user_id, needed):
            raise DiscordRefusesError(f"{self.name} may not begin threads in {channel.name}")
        kind: ChannelKind = "private_thread" if private else "public_thread"
        members = [person.user for person in people]
        return threads.begin(
            self.world, channel, name=name, owner=self.user, message=message, kind=kind, members=members
        )

    async def posts(
        self, forum: Channel, title: str, text: str, *, files: Sequence[Upload] = ()
    ) -> tuple[Channel, Message]:
        """Post in a forum; return the post, which is a thread, and its first message, which has the post's id."""
        self._must_see(forum)
        if forum.kind != "forum" or not forum.allows(self.user_id, "send_messages"):
            raise DiscordRefusesError(f"{self.name} may not post in {forum.name}")
        thread = threads.begin(self.world, forum, name=title, owner=self.user)
        content = self.encoded(thread, text)
        first = Message(
            message_id=thread.channel_id,
            channel_id=thread.channel_id,
            author=self.user,
            content=content,
            files=[self._upload(thread, *each) for each in files],
            mentions=posting.mentions_in(thread, self.user, content),
        )
        posting.post(self.world, thread, first)
        return thread, first

    async def adds(self, thread: Channel, *people: "Person", bot: bool = False) -> None:
        """Add people, or the app, to a thread."""
        self._must_see(thread)
        posting.join(self.world, thread, [*(person.user for person in people), *([self.world.bot] if bot else [])])


def _reference(channel: Channel, message: Message) -> Json:
    reference = {"type": 0, "message_id": message.message_id, "channel_id": message.channel_id}
    return reference | ({"guild_id": channel.guild.guild_id} if channel.guild is not None else {})
