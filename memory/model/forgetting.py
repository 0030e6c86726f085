"""What a person asks to forget, what that would remove, and what it removed."""

from dataclasses import dataclass, fields

from memory.model.ids import MessageId, SessionId, UserId
from memory.model.memories import Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """`/forget 7`: one memory by its permanent number."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """`/forget last`: the newest memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThisThread:
    """`/forget this thread`: what this person said in it, and what came of that."""

    session_id: SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class ThisMessage:
    """One message of this person, as the platform names it, and what came of it."""

    session_id: SessionId
    platform_message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """`/forget about <words>`: every memory and message that has all of the words."""

    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """`/forget everything`."""


ForgetTarget = Numbered | Last | ThisThread | ThisMessage | About | Everything


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetPlan:
    """What a forget would remove, for the preview; carrying it out removes exactly this, plus what hangs on it.

    Attributes:
        memories: Facts and episodes that the person sees in `/memories`, history of a fact included.
        message_ids: The person's messages whose text goes.
        chosen_ids: Messages that are to go for themselves, not for a memory: whatever came only from them goes too.
        reply_ids: Recall's replies whose text goes.
        session_ids: Threads whose summary is made anew.
        everything: Whatever the person has at the moment of carrying out, not only what is listed.
    """

    owner: UserId
    memories: tuple[Memory, ...]
    message_ids: tuple[MessageId, ...]
    reply_ids: tuple[MessageId, ...]
    session_ids: tuple[SessionId, ...]
    chosen_ids: tuple[MessageId, ...] = ()
    everything: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to forget."""
        return not (self.memories or self.message_ids or self.reply_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was removed, in counts."""

    facts: int = 0
    episodes: int = 0
    messages: int = 0
    replies: int = 0
    summaries: int = 0

    def __add__(self, other: "Receipt") -> "Receipt":
        """Count both together."""
        return Receipt(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(Receipt)})
