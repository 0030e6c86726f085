"""A language model that says what the test tells it to, and remembers what it was asked."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from memory.errors import ProviderError
from memory.model import (
    ExtractionReply,
    ExtractionRequest,
    ReplyDone,
    ReplyEvent,
    ReplyRequest,
    SummaryRequest,
    TextDelta,
    ToolCall,
)
from memory.ports import LanguageModel


@dataclass(frozen=True)
class Pause:
    """A place in a reply at which the model takes its time."""


@dataclass
class ScriptedModel(LanguageModel):
    """Answers by script; each list is used up from the front, then the default is used.

    Attributes:
        replies: What the next replies are: a text, an error, or events in order; an error among them breaks the stream,
            and at a pause it waits for `go_on`.
        extractions: What the next extractions return or raise.
        summary: Makes a summary of a request.
        gate: While it is not set, replies wait.
    """

    replies: list[str | ProviderError | list[ReplyEvent | ProviderError | Pause]] = field(default_factory=list)
    extractions: list[ExtractionReply | ProviderError] = field(default_factory=list)
    summary: Callable[[SummaryRequest], str] = lambda request: f"{len(request.leaving)} messages went before."
    asked: list[ReplyRequest] = field(default_factory=list)
    extracted: list[ExtractionRequest] = field(default_factory=list)
    summarized: list[SummaryRequest] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    paused: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    summary_error: ProviderError | None = None

    def __post_init__(self) -> None:
        """Start with the gate open."""
        self.gate.set()

    @property
    def model_name(self) -> str:
        return "scripted"

    @property
    def notice(self) -> str | None:
        return None

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[ReplyEvent, None]:
        self.asked.append(request)
        self.waiting.set()
        await self.gate.wait()
        script = self.replies.pop(0) if self.replies else f"answer {len(self.asked)}"
        if isinstance(script, ProviderError):
            raise script
        for event in [TextDelta(text=script)] if isinstance(script, str) else script:
            if isinstance(event, ProviderError):
                raise event
            if isinstance(event, Pause):
                self.paused.set()
                await self.go_on.wait()
            else:
                yield event
        yield ReplyDone()

    async def summarize(self, request: SummaryRequest) -> str:
        self.summarized.append(request)
        if self.summary_error is not None:
            raise self.summary_error
        return self.summary(request)

    async def extract(self, request: ExtractionRequest) -> ExtractionReply:
        self.extracted.append(request)
        await self.gate.wait()
        script = self.extractions.pop(0) if self.extractions else ExtractionReply()
        if isinstance(script, ProviderError):
            raise script
        return script


def remembers(text: str) -> list[ReplyEvent | ProviderError | Pause]:
    """Return a round in which the model asks to remember `text`."""
    return [ToolCall(call_id="call-1", text=text)]
