"""What is shown to people who ask: a few kinds of sheets, which each platform puts into its own form.

All text is plain: nothing in it is markup, and people's words in it must not become live.
"""

from dataclasses import dataclass

from bots.press import Button
from memory.model import UserId


@dataclass(frozen=True, slots=True)
class Words:
    """Some lines."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Some lines, and buttons for what can be done then: a question, a receipt, what is set.

    Attributes:
        note: What came of what they did, above the lines; "" for nothing.
    """

    text: str
    buttons: tuple[Button, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Announcement:
    """What everybody in a thread is to see; nobody but `by` is mentioned.

    Attributes:
        by: Who did something.
        text: What they did, after their name, and what follows from it.
    """

    by: UserId
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a memory comes from; `link` may be any text."""

    by: str = ""
    day: str
    link: str | None
    thread: str = ""
    until: str = ""
    reach: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A memory in a sheet.

    Attributes:
        number: None for what is not theirs.
        forget: None for what is not theirs.
        reach: Widens or narrows it; None where neither can be done.
    """

    number: int | None
    text: str
    origin: Origin
    forget: Button | None = None
    reach: Button | None = None

    @property
    def shown(self) -> str:
        """The memory as it is read: with its number, or as somebody else's words."""
        return f"“{self.text}”" if self.number is None else f"#{self.number}  {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryList:
    """One page of somebody's memories.

    Attributes:
        note: What came of what they did; "" for nothing.
        turn: The buttons to newer and to older pages, where there are any.
    """

    note: str
    heading: str
    lines: tuple[Line, ...]
    turn: tuple[Button, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """The memories that an answer was given; the reader's own can be forgotten.

    Attributes:
        more: How many more there are, in words; "" for none.
        keep: Leaves all as it is.
    """

    note: str
    heading: str
    lines: tuple[Line, ...]
    more: str
    keep: Button


@dataclass(frozen=True, slots=True)
class Group:
    """Memories of one kind."""

    kind: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """All that somebody can see and set of their memory at once.

    Attributes:
        state: Whether what they say is kept.
        switch: Pauses or resumes that.
        words: What it was searched for.
        groups: One page of memories; empty when there are none.
        span: Which of how many are shown; "" when it is all.
        empty: What to say when there are none.
        usage: What they asked lately, and what is kept of them.
        buttons: What is not about one memory.
    """

    note: str
    state: str
    switch: Button
    words: str
    groups: tuple[Group, ...]
    span: str
    turn: tuple[Button, ...]
    empty: str
    usage: str
    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Export:
    """All that is kept of somebody, to be handed to them alone.

    Attributes:
        data: JSON.
        then: What is shown beside it, or once it is handed over.
    """

    data: str
    then: "Sheet"


Sheet = Words | Offer | Announcement | MemoryList | Reasons | Home | Export
