"""What a chat platform is to the rest of `bots`: the message it brings in, the reply it shows, and the port it fills.

Knows no platform, no store and no model.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from memory.errors import RecallError
from memory.model import Attachment, ChannelId, Fact, Person, Place, ReadFile, Recalled, UserId


class PlatformError(RecallError):
    """A chat platform did not do what it was asked; each platform says in its own `errors` how it can fail."""


class PlatformUnavailableError(PlatformError):
    """A chat platform gave no answer; that may pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMessage:
    """A message as a person sent it, secrets and all; nothing of it is stored before it is redacted.

    Attributes:
        platform_message_id: Unique within the channel; a second delivery carries the same one.
        sent_at: Aware, UTC.
        link: Where a person can open it, when the platform has such links.
        edited_at: When it got this text, aware, UTC; None for its first.
        attachments: What came with it: text that is others' words, and what a `FileReader` is to read later.
    """

    place: Place
    author: Person
    platform_message_id: str
    text: str
    sent_at: datetime
    link: str | None = None
    edited_at: datetime | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The whole answer to one message.

    Attributes:
        text: What was streamed before, or the fixed words that end a failed turn.
        notices: Lines beside the answer: degraded memory, removed secrets, no model.
        used: The memories the answer was given, best first; what "why" shows.
        used_before: How many it was given when another process made it, or an earlier one, where `used` is not known.
        remembered: The asker's facts that were stored at their wish during the turn.
        withheld: There was one, which may be neither shown nor kept; `text` says so.
        tokens: What the model read and wrote for it.
        failed: There is no answer; `text` says so.
        kept: The message is; a turn that failed without it cannot be tried again.
        correlation_id: Names the failed turn in the logs.
    """

    text: str
    notices: tuple[str, ...] = ()
    used: tuple[Recalled, ...] = ()
    used_before: int = 0
    remembered: tuple[Fact, ...] = ()
    tokens: int = 0
    withheld: bool = False
    failed: bool = False
    kept: bool = True
    correlation_id: str | None = None

    @property
    def uses(self) -> int:
        """How many memories the answer was given."""
        return len(self.used) or self.used_before


NotePost = Callable[[str], Awaitable[None]]
"""Commits where an answer is shown; raises StoreConflictError when another process answers now."""


ChannelsOf = Callable[[UserId], Awaitable[Collection[ChannelId]]]
"""Says which channels a person is a member of now; none where that is not known."""


async def no_channels(_person: UserId) -> Collection[ChannelId]:
    """Where people are members of nothing."""
    return ()


ReadersNow = Callable[[Place], Awaitable[bool]]
"""Says whether others than full members read a shared place now, or nobody knows."""


async def as_accepted(place: Place) -> bool:
    """Where the readers of a place do not change between a message and its answer."""
    return place.outsiders


class ReplySink(Protocol):
    """Where one reply is shown while it is made. One sink serves one message, from one task."""

    def begin(self, post: str | None, note_post: NotePost) -> None:  # noqa: ARG002 (the default needs neither)
        """Begin the turn; only statuses come before. A platform that names no posts need not implement it.

        Args:
            post: Where an earlier attempt has shown something, if it has.
            note_post: To be called with the name of the first post before any of the answer is in it.
        """
        return

    async def status(self, text: str) -> None:
        """Say what is going on while there is no text yet; the newest status replaces the one before."""
        ...

    async def working(self) -> None:
        """Say that the answer is being made. A platform that shows this by itself need not implement it."""
        return

    async def append(self, delta: str) -> None:
        """Show the next piece of the answer."""
        ...

    async def finish(self, reply: Reply) -> None:
        """Show the whole reply in place of what was appended. The last call, unless it is `abandon` or `retract`."""
        ...

    async def abandon(self) -> None:
        """Take back the status: nobody will finish this reply, or another process does. The last call."""
        ...

    async def retract(self) -> None:
        """Take back all that was shown: the message was deleted. The last call; one that shows no more is `abandon`."""
        await self.abandon()


class FileReader(Protocol):
    """Reads what came with messages, after they were acknowledged, in whichever process answers them."""

    async def read(self, ref: str) -> ReadFile | None:  # noqa: ARG002 (the default reads nothing)
        """Return what a text file says, up to `memory.attached.MAX_FILE_BYTES` of it; None when it cannot be read.

        It raises nothing, and comes back within seconds.

        Args:
            ref: `Attachment.ref`, as this platform made it.
        """
        return None


class NoFiles(FileReader):
    """Where messages come alone."""


class Platform(Protocol):
    """One way for people to talk with Recall."""

    async def run(self) -> None:
        """Take messages until the platform ends, `stop` is called, or the task is cancelled.

        What was accepted is answered or handed over before it returns.
        """
        ...

    def stop(self) -> None:
        """Take nothing more."""
        ...

    async def look(self) -> str | None:
        """Return what keeps people from reaching Recall here, for operators; None when nothing does."""
        return None

    def hopeless(self) -> str | None:
        """Return what will not pass unless somebody changes the settings, for operators; None while it may pass."""
        return None
