"""Short-term memory: messages, turns, the running summary, and a thread as it stands."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from memory.model.ids import ChannelId, MemoryKey, MessageId, Person, Place, SessionId

NO_MESSAGE = MessageId(0)
"""Row numbers start at 1."""


class Role(StrEnum):
    """Who speaks."""

    USER = "user"
    ASSISTANT = "assistant"


class MessageState(StrEnum):
    """How far a person's message has come. Answered and failed ones are settled: part of the thread's history."""

    RECEIVED = "received"
    ANSWERING = "answering"
    ANSWERED = "answered"
    FAILED = "failed"

    @property
    def is_settled(self) -> bool:
        """Whether nobody will answer the message any more."""
        return self in (MessageState.ANSWERED, MessageState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """What came with a message and is nobody's own words there: a log, a manifest, an alert. Never a fact's source.

    Attributes:
        name: As people know it, such as a file's name.
        text: What it says, secrets redacted, digested; None while it has not been read, "" when it says nothing.
        ref: Where the platform finds it, in the platform's own terms; "" when there is nothing to read later. That of
            a file, which an edit can take away, begins with `file:`.
        is_whole: False when only its beginning was read, since it is too large.
    """

    name: str
    text: str | None = None
    ref: str = ""
    is_whole: bool = True

    @property
    def is_file(self) -> bool:
        """Whether it is a file, and not what was quoted or looked up."""
        return self.ref.startswith("file:")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """What a platform read of an attachment, secrets and all; nothing of it is stored before it is redacted.

    Attributes:
        text: Empty when there is nothing to attach after all.
        is_whole: False when it is only the beginning.
    """

    text: str
    is_whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """A message as a platform delivered it, secrets already redacted.

    Attributes:
        platform_message_id: Unique within the channel; with it, what makes a second delivery a duplicate.
        sent_at: Aware, UTC.
        link: Where a person can open it, when the platform has such links.
        attachments: What came with it.
        edited_at: When it got this text, by the platform's clock; None for its first.
    """

    place: Place
    platform_message_id: str
    author: Person
    text: str
    sent_at: datetime
    link: str | None = None
    attachments: tuple[Attachment, ...] = ()
    edited_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message in the record.

    Attributes:
        text: Empty when it was forgotten.
        sent_at: Aware, UTC.
        author: The person, or None for Recall itself.
        reply_to: For a reply, the message it answers.
        used: For a reply, keys of the memories it was given.
        version: 1, and one more for each edit.
        platform_message_id: The platform's own name for it; None for Recall's replies.
        post: For a person's message, where the platform shows the answer; None until that is known.
        attachments: What came with a person's message.
        kept: False for what was said while paused: it is answered, then its text is erased.
    """

    message_id: MessageId
    session_id: SessionId
    role: Role
    author: Person | None
    text: str
    sent_at: datetime
    version: int = 1
    reply_to: MessageId | None = None
    used: tuple[MemoryKey, ...] = ()
    link: str | None = None
    platform_message_id: str | None = None
    post: str | None = None
    attachments: tuple[Attachment, ...] = ()
    kept: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How a turn ended without an answer.

    Attributes:
        words: The fixed words that say so; nothing of what anybody said.
        correlation_id: Names the turn in the logs, when there is something about it.
    """

    words: str
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnd:
    """How a turn was settled whose end may never have reached the person.

    Attributes:
        settled_at: Aware, UTC.
        answer: What it ended with, without text once forgotten; None for a turn that failed.
        failure: What it ended with in place of an answer.
    """

    settled_at: datetime
    answer: Message | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The outcome of accepting a message: its row, and whether an earlier delivery made it."""

    message_id: MessageId
    duplicate: bool
    state: MessageState


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReply:
    """Recall's answer, secrets redacted, with the memories it was given.

    Attributes:
        tokens: What the model read and wrote for it; None when nobody counted.
    """

    text: str
    sent_at: datetime
    used: tuple[MemoryKey, ...] = ()
    tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A literal that code carries verbatim past every summary: a path, a command, a version, an id, a number, a name.

    Attributes:
        message_id: Where it was said; when that message is forgotten, the pin goes too.
    """

    text: str
    kind: str
    said_by: Role
    message_id: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What stands for a thread's older turns.

    Attributes:
        through: The last message it covers; 0 when it covers none.
    """

    text: str = ""
    pins: tuple[Pin, ...] = ()
    through: MessageId = NO_MESSAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadHead:
    """The state of a thread's record that a copy of it must match to be believed.

    Attributes:
        version: Grows with every change of the settled history or the summary, and with every edit.
        forget_epoch: Grows with every forget or deletion in the thread.
    """

    session_id: SessionId
    version: int
    forget_epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadState:
    """A thread's short-term memory: the settled messages that the summary does not cover yet, oldest first.

    A reply stands right after the message it answers. Forgotten messages are absent.
    """

    head: ThreadHead
    summary: Summary
    messages: tuple[Message, ...]


CachedThread = ThreadState
"""The same thing as Redis holds it; believed only when its head equals the record's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadInfo:
    """One line of a person's list of threads."""

    session_id: SessionId
    channel_id: ChannelId
    title: str
    last_active_at: datetime
    message_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenThread:
    """A thread, and the newest of people's messages that was ever accepted there.

    Attributes:
        platform_message_id: Of that message.
        sent_at: When it was sent.
    """

    session_id: SessionId
    platform_message_id: str
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnClaim:
    """The right to answer one message, and to show how its turn ends, for as long as its lease is renewed.

    Attributes:
        head: The thread as it stood when the turn began.
        author_epoch: The asker's forget epoch at that moment; a commit under a newer one stores no text.
        holder: Who holds the thread's lease.
        fence: The lease's fencing number.
        attempts: How often the answer was begun, this time included, and neither committed nor given back.
        end: How the turn was settled already: it is left to be shown. None for a message that wants an answer.
    """

    message: Message
    place: Place
    head: ThreadHead
    author_epoch: int
    holder: str
    fence: int
    attempts: int = 1
    end: TurnEnd | None = None
