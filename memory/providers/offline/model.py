"""The `LanguageModel` port without a model: it quotes what is remembered and keeps what it is told."""

import asyncio
from collections.abc import AsyncGenerator

from memory.lexical import content_terms
from memory.model import (
    ExtractionReply,
    ExtractionRequest,
    ReplyDone,
    ReplyEvent,
    ReplyRequest,
    Role,
    SummaryRequest,
    TextDelta,
    ToolCall,
)
from memory.ports import LanguageModel
from memory.providers.offline.learning import learn
from memory.providers.offline.quoting import quotes
from memory.providers.offline.sentences import is_question, is_request, own_text, sentences
from memory.providers.offline.statements import told_to_remember
from memory.tokens import clip_to_tokens, count_tokens

NOTICE = (
    "No language model is configured, so I do not answer in my own words: I quote the remembered sentences that bear "
    "on a question, and keep what you say about yourself and your environment. To talk to a model, set "
    "ANTHROPIC_API_KEY, or ANTHROPIC_BASE_URL for a server of your own."
)
NOTHING = "I remember nothing about that."
FOUND = "What I remember about that:"
KEPT = "Kept as you wrote it. I have no model to understand it with; ask me about it and I quote it."
HEARD = "I have no model to understand that with, and I keep nothing of it now."
EMPTY = "There is nothing in that message that I could look up or keep."
STORED = "Stored, in your words."
NOT_STORED = "I could not store that: only words you wrote yourself in this message can be remembered."


class OfflineModel(LanguageModel):
    """Deterministic: the same request gives the same answer."""

    @property
    def model_name(self) -> str:
        return "offline (no language model)"

    @property
    def notice(self) -> str | None:
        return NOTICE

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[ReplyEvent, None]:
        wanted = told_to_remember(own_text(request.message)) if request.may_remember else None
        if wanted is not None and not request.exchanges and wanted in request.message.text:
            yield ToolCall(call_id=f"remember-{request.message.message_id}", text=wanted)
            yield ReplyDone()
            return
        lines = _answer(request)
        spent = 0
        for position, line in enumerate(lines):
            text = line if position == 0 else f"\n{line}"
            spent += count_tokens(text)
            if position and spent > request.max_tokens:
                yield ReplyDone(truncated=True)
                return
            yield TextDelta(text=text)
        yield ReplyDone()

    async def summarize(self, request: SummaryRequest) -> str:
        """Keep the first sentence of each turn under the old summary; where room is short, the oldest lines go."""
        lines = [line for line in request.old_summary.splitlines() if line.strip()]
        for message in request.leaving:
            said = sentences(own_text(message)) if message.role is Role.USER else []
            if said and message.author is not None:
                lines.append(f"{message.sent_at:%Y-%m-%d} {message.author.name}: {said[0]}")
        return _newest_within(lines, request.max_tokens)

    async def extract(self, request: ExtractionRequest) -> ExtractionReply:
        # A batch of long messages takes a moment of pure Python: not on the event loop.
        return await asyncio.to_thread(learn, request)


def _answer(request: ReplyRequest) -> list[str]:
    if request.exchanges:
        results = [result for exchange in request.exchanges for result in exchange.results.values()]
        stored = bool(results) and not any(result.casefold().startswith("not") for result in results)
        return [STORED if stored else NOT_STORED]
    text = own_text(request.message)
    if not content_terms(text):
        return [EMPTY]
    said = sentences(text)
    if not any(is_question(sentence) or is_request(sentence) for sentence in said):
        return [KEPT if request.message.kept else HEARD]
    found = quotes(request)
    return [FOUND, *(quote.render() for quote in found)] if found else [NOTHING]


def _newest_within(lines: list[str], max_tokens: int) -> str:
    kept: list[str] = []
    left = max_tokens
    for line in reversed(lines):
        cost = count_tokens(line) + 1
        if cost > left:
            break
        kept.append(line)
        left -= cost
    if not kept and lines:
        return clip_to_tokens(lines[-1], max_tokens)
    return "\n".join(reversed(kept))
