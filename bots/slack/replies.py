"""Where answers are shown: the thread of the message they answer."""

from bots.platform import ReplySink
from bots.slack import ids
from bots.slack.ids import SlackThread
from bots.slack.inbound import Said
from bots.slack.sink import SlackReply
from bots.slack.web import SlackWeb
from memory.model import Message

_DM_PREFIX = "D"


class Replies:
    """Makes the place for each answer."""

    def __init__(self, web: SlackWeb) -> None:
        self._web = web

    def to(self, said: Said) -> ReplySink:
        """Return where a message is answered that nobody has begun to answer."""
        return self._in(said.thread, said.user, said.ts, fresh=True)

    def late(self, message: Message) -> ReplySink:
        """Return where a message is answered that may have been answered in part, by whichever process."""
        thread = ids.thread_of(message.session_id)
        user = ids.user_of(message.author.user_id)[1] if message.author is not None else ""
        return self._in(thread, user, message.platform_message_id or "", fresh=False)

    def _in(self, thread: SlackThread, user: str, ts: str, *, fresh: bool) -> ReplySink:
        in_channel = not thread.channel.startswith(_DM_PREFIX)
        return SlackReply(self._web, thread, message_id=ts, asker=user, in_channel=in_channel, fresh=fresh)
