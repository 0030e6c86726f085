"""A thread as a person reads it, and waiting until it shows something."""

from collections.abc import Callable

from tests.fakes.slack.channel import Channel
from tests.fakes.slack.model import Message, User

WITHIN_S = 10.0


class Thread:
    """One thread of a channel; always what it shows now."""

    def __init__(self, channel: Channel, ts: str) -> None:
        self.channel = channel
        self.ts = ts

    @property
    def messages(self) -> list[Message]:
        """What everyone sees, oldest first."""
        return self.channel.in_thread(self.ts)

    @property
    def replies(self) -> list[Message]:
        """What everyone sees below the first message."""
        return [message for message in self.messages if message.ts != self.ts]

    @property
    def answers(self) -> list[Message]:
        """What the app says in it, finished or not."""
        return [message for message in self.replies if message.author is self.channel.team.bot]

    @property
    def finished(self) -> list[Message]:
        """What the app says in it and no longer streams."""
        return [message for message in self.answers if not message.streaming]

    @property
    def status(self) -> str:
        """What stands under the thread while the app works."""
        session = self.channel.team.sessions.get((self.channel.channel_id, self.ts))
        return session.status_text if session is not None else ""

    @property
    def session_status(self) -> str | None:
        """The agent session's status, None if there is no session."""
        session = self.channel.team.sessions.get((self.channel.channel_id, self.ts))
        return session.status if session is not None else None

    @property
    def title(self) -> str | None:
        """The agent session's title."""
        session = self.channel.team.sessions.get((self.channel.channel_id, self.ts))
        return session.title if session is not None else None

    def seen_by(self, user: User) -> list[Message]:
        """Return what one person sees: everything, and what only they see."""
        mine = [each for each in self.channel.ephemerals_of(user) if each.thread_ts == self.ts]
        return sorted([*self.messages, *mine], key=lambda message: message.ts)

    @property
    def text(self) -> str:
        """The whole thread, a line or more per message."""
        return "\n".join(f"{each.username or each.author.name}: {each.shown}" for each in self.messages)

    def __str__(self) -> str:
        status = f"\n... {self.status or self.session_status}" if self.status or self.session_status else ""
        return "\n".join(map(str, self.messages)) + status

    async def until(self, holds: Callable[["Thread"], bool], *, within_s: float = WITHIN_S) -> "Thread":
        """Wait until something holds of the thread.

        Raises:
            AssertionError: It does not in time; the text shows the thread.
        """
        await self.channel.world.changes.until(lambda: holds(self), within_s=within_s, showing=lambda: str(self))
        return self

    async def until_answers(self, count: int = 1, *, within_s: float = WITHIN_S) -> list[Message]:
        """Wait until the app has said so much in it, and streams nothing more; return that."""
        await self.until(
            lambda thread: len(thread.finished) >= count and thread.answers == thread.finished, within_s=within_s
        )
        return self.finished

    async def until_shows(self, words: str, *, within_s: float = WITHIN_S) -> Message:
        """Wait until an answer of the app, no longer streaming, contains these words; return it."""
        await self.until(lambda thread: any(words in each.shown for each in thread.finished), within_s=within_s)
        return next(each for each in self.finished if words in each.shown)
