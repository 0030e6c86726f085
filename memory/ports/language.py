"""The chat model."""

from collections.abc import AsyncGenerator
from typing import Protocol

from memory.model import (
    ExtractionReply,
    ExtractionRequest,
    ReplyEvent,
    ReplyRequest,
    SummaryRequest,
)


class LanguageModel(Protocol):
    """A chat model, for replies, summaries and extraction."""

    @property
    def model_name(self) -> str:
        """What is shown to people."""
        ...

    @property
    def notice(self) -> str | None:
        """Something a person must know about this model once, before its first answer; None for nothing."""
        ...

    def reply(self, request: ReplyRequest) -> AsyncGenerator[ReplyEvent, None]:
        """Stream one answer: text, tool calls, and last a `ReplyDone`. Closing the stream early ends the request.

        Raises:
            ProviderUnavailableError: Unreachable, overloaded, too slow or cut off, possibly after some text.
            ProviderRefusedError: Credentials, quota or content.
        """
        ...

    async def summarize(self, request: SummaryRequest) -> str:
        """Return the new summary; raises as `reply` does."""
        ...

    async def extract(self, request: ExtractionRequest) -> ExtractionReply:
        """Return what the turns teach; raises as `reply` does.

        Raises:
            MalformedReplyError: The reply did not fit the schema.
        """
        ...
