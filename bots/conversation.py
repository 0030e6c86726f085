"""One turn: a claimed message becomes working memory, a streamed answer, and history. Knows no platform, no store."""

import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from bots.metrics import Metrics
from bots.platform import Reply, ReplySink
from memory.errors import (
    ProviderError,
    ProviderRefusedError,
    ProviderUnavailableError,
    StoreConflictError,
    StoreUnavailableError,
)
from memory.model import (
    ChannelId,
    Fact,
    Message,
    ReplyDone,
    ReplyRequest,
    SessionId,
    TextDelta,
    ToolCall,
    ToolExchange,
    TurnClaim,
    UserId,
)
from memory.ports import LanguageModel
from memory.redaction.marks import marked
from memory.service import MemoryService

_log = structlog.get_logger(__name__)

_MAX_TOOL_ROUNDS = 3
_STORED = "Stored."
_NOT_STORED = "Not stored: only words that the person wrote themselves in this message can be remembered."

UNAVAILABLE = "I could not get an answer from the language model. Your message is kept; ask again in a moment."
REFUSED = (
    "The language model refused the request (key, quota or content). Your message is kept; whoever runs me can find "
    "the reason in the log."
)
CUT_OFF = "The answer was cut off. Your message is kept; ask again in a moment."
NO_ANSWER = "The language model gave no answer. Your message is kept; put it another way, or ask again."
BROKEN = "Something went wrong on my side. Your message is kept; whoever runs me can find the reason in the log."
_KEPT, _NOT_KEPT = "Your message is kept", "Memory is paused, so your message is not kept"
GIVEN_UP = (
    "I began to answer this several times and never got to the end. Your message is kept; whoever runs me can find the "
    "reason in the log."
)
TOO_LONG = "The answer reached its length limit."
STOPPED = "Stopped."
FORGOTTEN = (
    "Something was forgotten while I was answering, so the answer is neither shown nor kept. Ask again if you want it."
)


def redaction_notice(findings: Mapping[str, int], *, where: str = "your message") -> str:
    """Return what a person is told about secrets that were taken out of their message, or of what came with it."""
    kinds = ", ".join(f"{count} x {kind}" for kind, count in sorted(findings.items()))
    return f"I removed what looks like a secret from {where} before it went any further ({kinds}). Rotate it."


def ending(words: str, message: Message) -> str:
    """Return the fixed words that end a turn without an answer, true of what becomes of the message."""
    return words if message.kept else words.replace(_KEPT, _NOT_KEPT)


def redaction_notices(message: Message) -> tuple[str, ...]:
    """Return what a person is told about secrets in a message that is kept already, by the marks in their place."""
    findings = marked("\n".join([message.text, *(attachment.text or "" for attachment in message.attachments)]))
    return (redaction_notice(findings),) if findings else ()


def broken(claim: TurnClaim, correlation_id: str) -> Reply:
    """Log the error that is being handled, and return the words that end its turn."""
    _log.exception("turn_broke", correlation_id=correlation_id, session_id=claim.head.session_id)
    return Reply(text=ending(BROKEN, claim.message), failed=True, correlation_id=correlation_id)


def given_up(claim: TurnClaim, correlation_id: str) -> Reply:
    """Log that a message is not tried again, and return the words that end its turn."""
    _log.error(
        "turn_given_up", correlation_id=correlation_id, session_id=claim.head.session_id, attempts=claim.attempts
    )
    return Reply(text=ending(GIVEN_UP, claim.message), failed=True, correlation_id=correlation_id)


@dataclass(slots=True)
class _Streamed:
    """An answer as far as it has come."""

    text: str = ""
    truncated: bool = False
    remembered: tuple[Fact, ...] = ()
    tokens: int = 0


class Conversation:
    """Answers claimed messages with the help of memory and a model.

    Args:
        service: The memory core.
        model: Who answers.
        system: The assistant's instructions.
        metrics: Told of what was recalled and stored, and of the model's failures; nobody is when None.
    """

    def __init__(
        self, *, service: MemoryService, model: LanguageModel, system: str, metrics: Metrics | None = None
    ) -> None:
        self._service = service
        self._model = model
        self._system = system
        self._metrics = metrics
        self._introduced: set[UserId] = set()
        self._shown: dict[SessionId, frozenset[str]] = {}
        self._to_show: dict[SessionId, frozenset[str]] = {}

    async def answer(self, claim: TurnClaim, sink: ReplySink, *, member_of: Collection[ChannelId] = ()) -> Reply:
        """Make the answer to one message, showing it as it comes; whoever asked for it commits and finishes it.

        Args:
            claim: The message, and the right to answer it.
            sink: Where it is shown.
            member_of: Channels that the asker is a member of now, where the asker alone reads the answer.

        Raises:
            StoreUnavailableError: The record cannot be reached, and nothing was shown yet: try again later.
            StoreConflictError: Another process has the turn now, and shows its answer.
        """
        correlation_id = secrets.token_hex(4)
        try:
            reply = await self._answer(claim, sink, correlation_id, member_of)
        except (StoreConflictError, StoreUnavailableError):
            raise
        except Exception:  # noqa: BLE001  # the message handler's boundary: whatever breaks, the thread goes on
            reply = broken(claim, correlation_id)
        return replace(reply, notices=self._introduction(claim) + reply.notices)

    def was_shown(self, claim: TurnClaim, reply: Reply) -> None:
        """Take the notices of a reply as read; what a person did not see is told again."""
        author, session_id = claim.message.author, claim.head.session_id
        if author is not None and self._model.notice in reply.notices:
            self._introduced.add(author.user_id)
        notices = self._to_show.pop(session_id, None)
        if notices is not None and notices - self._shown.get(session_id, frozenset()) <= {*reply.notices}:
            self._shown[session_id] = notices
        if not self._shown.get(session_id):
            self._shown.pop(session_id, None)

    async def _answer(
        self, claim: TurnClaim, sink: ReplySink, correlation_id: str, member_of: Collection[ChannelId]
    ) -> Reply:
        working = await self._service.working_memory(claim, system=self._system, member_of=member_of)
        notices = self._news(claim.head.session_id, working.notices)
        streamed = _Streamed()
        try:
            await self._stream(claim, working.request, sink, streamed)
        except ProviderError as error:
            _log.warning(
                "turn_failed",
                correlation_id=correlation_id,
                session_id=claim.head.session_id,
                error=type(error).__name__,
                reason=str(error),
            )
            if self._metrics is not None:
                self._metrics.model_failed(error)
            words = ending(_fixed_words(error, cut_off=bool(streamed.text)), claim.message)
            return Reply(
                text=words,
                notices=notices,
                remembered=streamed.remembered,
                failed=True,
                correlation_id=correlation_id,
            )
        if self._metrics is not None:
            for kind, count in Counter(item.memory.kind for item in working.request.recalled).items():
                self._metrics.recalled(kind, count)
        more = (TOO_LONG,) if streamed.truncated else ()
        return Reply(
            text=streamed.text,
            notices=notices + more,
            remembered=streamed.remembered,
            used=working.request.recalled,
            tokens=streamed.tokens,
        )

    async def _stream(self, claim: TurnClaim, request: ReplyRequest, sink: ReplySink, streamed: _Streamed) -> None:
        """Stream the answer, going back to the model after each round of tool use.

        Raises:
            ProviderError: The model failed, or said nothing at all.
        """
        for round_number in range(_MAX_TOOL_ROUNDS):
            before = streamed.text
            calls: list[ToolCall] = []
            last_round = round_number == _MAX_TOOL_ROUNDS - 1
            async for event in self._model.reply(
                replace(request, may_remember=request.may_remember and not last_round)
            ):
                match event:
                    case TextDelta(text=text) if text:
                        piece = text if streamed.text != before else _paragraph_after(before) + text
                        streamed.text += piece
                        await sink.append(piece)
                    case ToolCall():
                        calls.append(event)
                    case ReplyDone():
                        streamed.truncated = event.truncated
                        streamed.tokens += event.input_tokens + event.output_tokens
            if not calls or last_round:
                break
            results = await self._remember(claim, calls, streamed)
            exchange = ToolExchange(text=streamed.text[len(before) :].lstrip("\n"), calls=tuple(calls), results=results)
            request = replace(request, exchanges=(*request.exchanges, exchange))
        if not streamed.text.strip():
            raise ProviderError(self._model.model_name, "an empty answer")

    async def _remember(self, claim: TurnClaim, calls: Sequence[ToolCall], streamed: _Streamed) -> dict[str, str]:
        results = {}
        for call in calls:
            stored = await self._service.remember(claim, call.text)
            results[call.call_id] = _NOT_STORED if stored is None else _STORED
            if stored is not None and stored.fact_id not in {fact.fact_id for fact in streamed.remembered}:
                streamed.remembered += (stored,)
                self._measure_stored(stored)
        return results

    def _measure_stored(self, fact: Fact) -> None:
        if self._metrics is not None and not fact.confirmations:  # else it was stored before
            self._metrics.facts_written("remembered", 1)

    def _introduction(self, claim: TurnClaim) -> tuple[str, ...]:
        """Return what a person must know about the model, the first time this process answers them."""
        author = claim.message.author
        if self._model.notice is None or author is None or author.user_id in self._introduced:
            return ()
        return (self._model.notice,)

    def _news(self, session_id: SessionId, notices: tuple[str, ...]) -> tuple[str, ...]:
        """Return those notices that the last answer which was shown in the thread did not carry already."""
        known = self._shown.get(session_id, frozenset())
        if notices or known:
            self._to_show[session_id] = frozenset(notices)
        return tuple(notice for notice in notices if notice not in known)


def _paragraph_after(text: str) -> str:
    """Return what stands between the text of one round and that of the next."""
    return "" if not text.strip() else "\n\n"[len(text) - len(text.rstrip("\n")) :]


def _fixed_words(error: ProviderError, *, cut_off: bool) -> str:
    match error:
        case ProviderUnavailableError():
            return CUT_OFF if cut_off else UNAVAILABLE
        case ProviderRefusedError():
            return REFUSED
        case _:
            return NO_ANSWER
