"""What a button stands for: everything its press needs, so that any process can answer it at any time. Pure.

How it is written into a button is the platform's business.
"""

from dataclasses import dataclass
from typing import Literal

from memory.errors import InputError
from memory.model import SessionId, UserId

Action = Literal[
    "forget", "agree", "keep", "page", "widen", "narrow", "pause", "resume", "export", "why", "good", "bad", "retry"
]
"""What pressing does; `bots.desk.buttons` carries it out."""

MOST_WORDS = 300
"""Of what a person typed, in characters."""
TOO_LONG = f"That is too long; name it in at most {MOST_WORDS} characters."


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button, as it is pressed.

    Attributes:
        user: Whom it was made for; None for everybody who sees it.
        what: What to forget, to widen or to narrow, as they would type it; "" for a message.
        message: The message to forget, to answer again, or whose answer is meant.
        thread: The thread that is meant.
        digest: Of the plan that pressing agrees to.
        words: What the list was searched for.
        page: Of the list, when it stands in one; the first is 0.
        why: Names the answer whose memories it stands below.
        home: It stands in the overview of all memories.
    """

    action: Action
    user: UserId | None = None
    what: str = ""
    message: str = ""
    thread: SessionId | None = None
    digest: str = ""
    words: str = ""
    page: int | None = None
    why: str = ""
    home: bool = False

    def __post_init__(self) -> None:
        """Refuse what does not fit into a button.

        Raises:
            InputError: Too many words.
        """
        if max(len(self.what), len(self.words)) > MOST_WORDS:
            raise InputError(TOO_LONG)


@dataclass(frozen=True, slots=True)
class Button:
    """A button as it is shown.

    Attributes:
        is_grave: What it does cannot be taken back.
    """

    label: str
    press: Press
    is_grave: bool = False


def undo(number: int, user: UserId) -> Button:
    """Return the button by which somebody takes back what was just stored of them."""
    return Button("Undo", Press(action="forget", user=user, what=f"#{number}"))
