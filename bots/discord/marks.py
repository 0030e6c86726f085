"""What a button below a reply carries: which reply and part it stands below, and what its press needs. Pure.

So any process can answer a press at any time, and finds the posts of a reply again in a channel's history.
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args

Action = Literal["stop", "waiting", "part", "broken", "ended", "why", "good", "bad", "retry", "undo"]
"""`waiting`, `part`, `broken` (a part of what failed) and `ended` cannot be pressed; they only mark a post."""

_ACTIONS: tuple[Action, ...] = get_args(Action)
_UNFINISHED = frozenset[Action]({"stop", "waiting"})
_FAILED = frozenset[Action]({"retry", "broken", "ended"})
_ID = "[0-9]{1,20}"
# At most 91 characters, of the 100 that Discord allows.
TEMPLATE = re.compile(
    rf"recall:(?P<action>{'|'.join(_ACTIONS)}):(?P<thread>{_ID}):(?P<message>{_ID}):(?P<part>[0-9]{{1,2}})"
    rf":(?P<user>{_ID})?:(?P<number>[0-9]{{1,9}})?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A button below a reply.

    Attributes:
        thread: The conversation, as `DiscordThread.thread`; server and channel are where the button stands.
        message: The message that is answered.
        part: Of the reply, from 0.
        user: Who alone may press it; "" for everybody.
        number: The memory to undo; "" for none.
    """

    action: Action
    thread: str
    message: str
    part: int
    user: str = ""
    number: str = ""

    @property
    def is_done(self) -> bool:
        """Whether the post has its final text."""
        return self.action not in _UNFINISHED

    @property
    def is_failed(self) -> bool:
        """Whether that text says that there is no answer."""
        return self.action in _FAILED

    def encoded(self) -> str:
        """Return the `custom_id` of the button."""
        return f"recall:{self.action}:{self.thread}:{self.message}:{self.part}:{self.user}:{self.number}"


def decoded(custom_id: str) -> Mark | None:
    """Return the mark that a `custom_id` stands for; None if it is none."""
    found = TEMPLATE.fullmatch(custom_id)
    return of_match(found) if found else None


def of_match(found: re.Match[str]) -> Mark:
    """Return the mark that `TEMPLATE` has found."""
    action = next(each for each in _ACTIONS if each == found["action"])
    return Mark(
        action=action,
        thread=found["thread"],
        message=found["message"],
        part=int(found["part"]),
        user=found["user"] or "",
        number=found["number"] or "",
    )
