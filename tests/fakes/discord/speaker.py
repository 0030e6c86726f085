"""Whoever writes without a client: another bot, or a webhook."""

from collections.abc import Sequence
from typing import Any

from tests.fakes.discord import posting
from tests.fakes.discord.model import Message, User
from tests.fakes.discord.places import Channel
from tests.fakes.discord.world import World

Json = dict[str, Any]


class Speaker:
    """Another bot, or a webhook: what it writes is text, embeds or both."""

    def __init__(self, world: World, user: User) -> None:
        self.world = world
        self.user = user

    async def says(self, channel: Channel, text: str = "", *, embeds: Sequence[Json] = ()) -> Message:
        """Write a message and let the app hear of it."""
        message = Message(
            message_id=self.world.counter.snowflake(),
            channel_id=channel.channel_id,
            author=self.user,
            content=text,
            embeds=[{"type": "rich", **embed} for embed in embeds],
            webhook_id=self.user.user_id if self.user.is_webhook else None,
        )
        message.mentions = posting.mentions_in(channel, self.user, text)
        return posting.post(self.world, channel, message)

    async def edits(self, message: Message, text: str = "", *, embeds: Sequence[Json] = ()) -> None:
        """Change a message of its own."""
        message.versions.append(message.shown)
        message.content, message.embeds = text, [{"type": "rich", **embed} for embed in embeds]
        posting.changed(self.world, self.world.channels[message.channel_id], message, edited=True)
