"""Who asks for something outside of a conversation, what they point at, and what a platform must tell of it."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from memory.model import ChannelId, Person, Place, SessionId, TenantId, UserId

Retry = Callable[[SessionId, str, UserId], Awaitable[bool]]
"""Has a message answered whose turn failed; False when there is nothing left to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """The message that says a command.

    Attributes:
        message: The platform's name of it.
        link: Where a person can open it.
        said_at: Aware, UTC: it may be delivered again.
    """

    message: str
    link: str | None
    said_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Somebody wants something that only they see the answer to.

    Attributes:
        session_id: The thread they ask in; None outside of threads.
        name: As they show it here; "" when the platform would have to ask for it.
        said: The message that says it; None when nobody else saw it, as with a slash command or a button.
        open_in: The channel whose readers read every thread they can mean, where the platform says so with what they
            did; None where that has to be asked.
    """

    user_id: UserId
    tenant_id: TenantId
    session_id: SessionId | None = None
    name: str = ""
    said: Utterance | None = None
    open_in: ChannelId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A message from whose menu somebody chose.

    Attributes:
        message: The platform's name of it.
        author: Who said it; None when nobody that memory could know did.
        is_ours: It is a post of Recall's own.
        answers: For such a post, the message it answers, where the post itself tells; else "".
        text: As people read it.
        link: Where a person can open it.
    """

    message: str
    author: UserId | None
    is_ours: bool = False
    answers: str = ""
    text: str = ""
    link: str | None = None


class Surroundings(Protocol):
    """What a platform tells of people and places, as it is now.

    Each call raises `PlatformUnavailableError` when the platform gives no answer, and nobody knows.
    """

    async def place(self, who: Asker, session_id: SessionId) -> Place | None:
        """Return a thread as a place where somebody asks; None where outsiders may read, or one of them asks."""
        ...

    async def own_place(self, who: Asker) -> Place | None:
        """Return where somebody types what nobody else sees; None for who is no full member."""
        ...

    async def person(self, who: Asker) -> Person:
        """Return who asks, with the name they show."""
        ...

    async def channels_of(self, who: Asker) -> Collection[ChannelId]:
        """Return the channels that are not for everybody and that somebody is in; none that is not known."""
        ...
