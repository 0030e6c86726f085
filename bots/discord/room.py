"""Where an answer is posted: the thread of its conversation, made from the message that began it if there is none yet.

Making it is repeated freely: a message has one thread at most, and its id is the message's own. Where Discord makes
none (no permission, a voice channel's chat), the answer is a reply in the channel. What was asked in a thread is
answered there or nowhere: others read the channel.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bots.discord.errors import DiscordRefusedError, DiscordUnavailableError
from bots.discord.ids import DiscordThread
from bots.discord.rest import DiscordRest
from memory.redaction import redact

_log = structlog.get_logger(__name__)

_NAME_CHARS = 80
_UNNAMED = "Recall"

IsKnown = Callable[[DiscordThread], bool]
"""Whether a conversation has a thread that Discord has told of."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to post.

    Attributes:
        channel: A channel, a thread or direct messages.
        reply_to: The message there to reply to, where others talk beside.
    """

    channel: str
    reply_to: str | None = None


class Room:
    """Finds the place for the answers to one message.

    Args:
        rest: Discord.
        thread: The conversation.
        message: The message that is answered.
        stands_in: The channel, thread or direct messages where that stands.
        words: What it says, for the name of a thread; secrets and all.
        auto_thread: Whether to make a thread where there is none.
        is_known: Spares the question.
    """

    def __init__(
        self,
        rest: DiscordRest,
        thread: DiscordThread,
        *,
        message: str,
        stands_in: str,
        words: str,
        auto_thread: bool,
        is_known: IsKnown,
    ) -> None:
        self._rest = rest
        self._thread = thread
        self._message = message
        self._stands_in = stands_in
        self._words = words
        self._auto_thread = auto_thread
        self._is_known = is_known
        self._target: Target | None = None

    async def find(self) -> Target:
        """Return where to post.

        Raises:
            DiscordUnavailableError: Discord does not say.
        """
        if self._target is None:
            self._target = await self._find()
        return self._target

    async def _find(self) -> Target:
        thread = self._thread
        if self._stands_in == thread.thread or self._is_known(thread):
            return Target(thread.thread)
        is_first = thread.thread == self._message
        if (is_first and self._auto_thread and await self._made()) or (not is_first and await self._is_there()):
            return Target(thread.thread)
        return Target(thread.channel, reply_to=self._message)

    async def _made(self) -> bool:
        """Make the thread; whether there is one now."""
        name = thread_name((await asyncio.to_thread(redact, self._words)).text)
        try:
            await self._rest.open_thread(self._thread.channel, self._message, name=name)
        except DiscordRefusedError as error:
            _log.info("no_thread", status=error.status, code=error.code)
            return await self._is_there()
        except DiscordUnavailableError:
            if not await self._is_there():
                raise
        return True

    async def _is_there(self) -> bool:
        try:
            await self._rest.channel(self._thread.thread)
        except DiscordRefusedError:
            return False
        return True


def thread_name(words: str) -> str:
    """Return what a thread is called that a message opens: its first words, on one line."""
    line = " ".join(words.split())
    if len(line) <= _NAME_CHARS:
        return line or _UNNAMED
    return line[: _NAME_CHARS - 1].rsplit(" ", 1)[0] + "…"
