"""Where answers are shown: the thread of the message they answer, or the channel where there is none."""

from bots.discord import ids
from bots.discord.channels import Channels
from bots.discord.ids import DiscordThread
from bots.discord.inbound import Said
from bots.discord.posts import ReplyPosts
from bots.discord.render import Answered
from bots.discord.rest import DiscordRest
from bots.discord.room import Room
from bots.discord.sink import DiscordReply
from bots.platform import ReplySink
from memory.model import Message


class Replies:
    """Makes the place for each answer.

    Args:
        rest: Discord.
        channels: Knows which threads there are.
        auto_thread: Whether a mention opens a thread.
    """

    def __init__(self, rest: DiscordRest, channels: Channels, *, auto_thread: bool) -> None:
        self._rest = rest
        self._channels = channels
        self._auto_thread = auto_thread

    def to(self, said: Said, thread: DiscordThread) -> ReplySink:
        """Return where a message is answered that nobody has begun to answer."""
        return self._in(thread, said.message, said.user, said.text, stands_in=said.channel, fresh=True)

    def late(self, message: Message) -> ReplySink:
        """Return where a message is answered that may have been answered in part, by whichever process."""
        thread = ids.thread_of(message.session_id)
        user = ids.user_of(message.author.user_id)[1] if message.author is not None else ""
        stands_in = ids.channel_of_link(message.link) if message.link is not None else thread.thread
        return self._in(thread, message.platform_message_id or "", user, message.text, stands_in=stands_in, fresh=False)

    def _in(
        self, thread: DiscordThread, message: str, user: str, words: str, *, stands_in: str, fresh: bool
    ) -> ReplySink:
        room = Room(
            self._rest,
            thread,
            message=message,
            stands_in=stands_in,
            words=words,
            auto_thread=self._auto_thread,
            is_known=self._channels.has_thread,
        )
        answered = Answered(guild=thread.guild, thread=thread.thread, message=message, asker=user)
        return DiscordReply(ReplyPosts(self._rest, room, message=message), answered, fresh=fresh)
