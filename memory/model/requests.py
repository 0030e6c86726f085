"""What a language model is asked and what it answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from memory.model.memories import FactKind
from memory.model.messages import Message
from memory.model.recall import Recalled


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """The model asks to remember something.

    Attributes:
        call_id: The provider's id of the call.
        text: What it wants to remember.
    """

    call_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolExchange:
    """One round of tool use: what the model said before it, its calls, and what came of each, by `call_id`."""

    text: str
    calls: tuple[ToolCall, ...]
    results: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRequest:
    """Working memory: everything one model call sees, within the token budget.

    Attributes:
        system: Instructions; the same for every turn, so a provider can cache them.
        summary: The thread's summary and pins, rendered as data; empty when there is none.
        history: The settled turns that fit, oldest first.
        recalled: The memories that fit, best first.
        memory_block: `recalled` rendered as fenced data; empty when there are none.
        message: The new message.
        exchanges: Rounds of tool use so far in this turn.
        may_remember: Whether the `remember` tool is offered.
    """

    system: str
    summary: str
    history: tuple[Message, ...]
    recalled: tuple[Recalled, ...]
    memory_block: str
    message: Message
    max_tokens: int
    exchanges: tuple[ToolExchange, ...] = ()
    may_remember: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyDone:
    """The end of one model call.

    Attributes:
        truncated: The answer ran into `max_tokens`.
    """

    truncated: bool = False
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0


ReplyEvent = TextDelta | ToolCall | ReplyDone


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRequest:
    """A running summary to be made anew.

    Attributes:
        system: Instructions.
        prompt: The old summary and the leaving turns, rendered.
        old_summary: Empty the first time.
        leaving: The turns that leave, oldest first.
        max_tokens: The new summary's limit.
    """

    system: str
    prompt: str
    old_summary: str
    leaving: tuple[Message, ...]
    max_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledMessage:
    """A message under extraction; `label` is the small integer that the model calls it by."""

    label: int
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledFact:
    """An existing fact that the new turns may touch; `label` is what the model calls it by."""

    label: int
    fact_id: int
    text: str
    subject: str
    said_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionRequest:
    """New turns to learn from.

    Attributes:
        system: Instructions.
        prompt: Turns, speakers and facts, rendered for a model.
        messages: The same turns, for a provider that needs no prompt; people's and Recall's, oldest first.
        facts: Existing facts nearest to them.
    """

    system: str
    prompt: str
    messages: tuple[LabelledMessage, ...]
    facts: tuple[LabelledFact, ...]
    max_tokens: int


class FactOperation(BaseModel):
    """One change to what is known."""

    model_config = ConfigDict(extra="ignore")

    operation: Literal["add", "update", "confirm", "retract"]
    label: int | None = Field(default=None, description="Number of the existing fact; not for add.")
    subject: str = Field(default="team", description='The speaker\'s letter, or "team".')
    kind: FactKind = FactKind.OTHER
    text: str = Field(default="", description="The fact as one sentence; not for confirm and retract.")
    messages: list[int] = Field(default_factory=list, description="Numbers of the messages it comes from.")


class ProposedEpisode(BaseModel):
    """What was worked on in the thread."""

    model_config = ConfigDict(extra="ignore")

    title: str
    happened: str
    outcome: str = ""
    messages: list[int] = Field(default_factory=list, description="Numbers of the messages it tells of.")


class ExtractionReply(BaseModel):
    """What a model proposes; code decides what of it is stored."""

    model_config = ConfigDict(extra="ignore")

    facts: list[FactOperation] = Field(default_factory=list)
    episode: ProposedEpisode | None = None
