"""What a request and a stream look like in the Messages API. Pure: plain JSON in and out, no SDK, no network.

The order is what prompt caching needs: tools, system, summary, history (all the same as in the turn before, up to the
last history block), and only then what this turn alone has: the recalled memories and the new message.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from memory.attached import shown_text
from memory.model import ReplyDone, ReplyEvent, ReplyRequest, Role, TextDelta, ToolCall, ToolExchange

Json = dict[str, Any]
RawTurn = Callable[[ToolExchange], list[Json] | None]
"""Gives the content blocks of a tool round exactly as the model sent them, if they are still known."""

REMEMBER = "remember"
REMEMBER_TOOL: Json = {
    "name": REMEMBER,
    "description": (
        "Store one lasting fact about the person or their environment at once. Use it when the person asks you to "
        "remember something. Quote the person's own words of this message exactly; anything else is refused."
    ),
    "input_schema": {
        "type": "object",
        "properties": {"text": {"type": "string", "description": "The words to remember, verbatim."}},
        "required": ["text"],
        "additionalProperties": False,
    },
}
_CACHED: Json = {"cache_control": {"type": "ephemeral"}}
_TRUNCATED = {"max_tokens", "model_context_window_exceeded"}
_REFUSED = "refusal"
_EMPTY = "(an empty message)"
_BEGAN_EARLIER = "(The conversation began earlier.)"


def reply_body(request: ReplyRequest, *, model: str, raw_turn: RawTurn) -> Json:
    """Return the body of the request for one answer."""
    body: Json = {
        "model": model,
        "max_tokens": request.max_tokens,
        "system": _system(request),
        "messages": _messages(request, raw_turn),
    }
    if request.may_remember or request.exchanges:
        # A conversation that has tool calls in it must still say what the tools are.
        body["tools"] = [REMEMBER_TOOL]
    if request.exchanges and not request.may_remember:
        body["tool_choice"] = {"type": "none"}
    return body


def _system(request: ReplyRequest) -> list[Json]:
    blocks = [_text(request.system) | _CACHED] if request.system.strip() else []
    return blocks + ([_text(request.summary)] if request.summary.strip() else [])


def _messages(request: ReplyRequest, raw_turn: RawTurn) -> list[Json]:
    turns: list[Json] = []
    for message in request.history:
        shown = shown_text(message)
        if shown.strip():
            _append(turns, message.role.value, [_text(shown)])
    if turns:
        turns[-1]["content"][-1] |= _CACHED
    if turns and turns[0]["role"] == Role.ASSISTANT:
        turns.insert(0, {"role": "user", "content": [_text(_BEGAN_EARLIER)]})
    new = [_text(request.memory_block)] if request.memory_block.strip() else []
    asked = shown_text(request.message)
    _append(turns, "user", [*new, _text(asked if asked.strip() else _EMPTY)])
    for exchange in request.exchanges:
        if exchange.calls:
            _append(turns, "assistant", raw_turn(exchange) or _called(exchange))
            _append(turns, "user", _results(exchange))
    return turns


def _append(turns: list[Json], role: str, blocks: list[Json]) -> None:
    """Add blocks, to the last turn if it is of the same role: roles must alternate."""
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"].extend(blocks)
    else:
        turns.append({"role": role, "content": list(blocks)})


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _called(exchange: ToolExchange) -> list[Json]:
    said = [_text(exchange.text)] if exchange.text.strip() else []
    return said + [
        {"type": "tool_use", "id": call.call_id, "name": REMEMBER, "input": {"text": call.text}}
        for call in exchange.calls
    ]


def _results(exchange: ToolExchange) -> list[Json]:
    return [
        {
            "type": "tool_result",
            "tool_use_id": call.call_id,
            "content": exchange.results.get(call.call_id) or "not done",
        }
        for call in exchange.calls
    ]


def answer_text(content: Sequence[Json]) -> str:
    """Return the text of a complete answer."""
    return "".join(str(block.get("text", "")) for block in content if block.get("type") == "text")


class StreamReader:
    """Turns the stream's events into an answer's, and keeps the blocks for the next round of tool use.

    Attributes:
        finished: The stream said that it was over; otherwise it was cut off.
        blocks: The content blocks as they are to be sent back.
    """

    def __init__(self) -> None:
        self.finished = False
        self.blocks: list[Json] = []
        self._open: dict[int, Json] = {}
        self._input_json: dict[int, str] = {}
        self._usage: dict[str, int] = {}
        self._stop_reason: str | None = None

    @property
    def refused(self) -> bool:
        """Whether the model declined to answer."""
        return self._stop_reason == _REFUSED

    def done(self) -> ReplyDone:
        """Return the end of the answer. `input_tokens` is all of the input, `cached_tokens` the cached part of it."""
        cached = self._usage.get("cache_read_input_tokens", 0)
        fresh = self._usage.get("input_tokens", 0) + self._usage.get("cache_creation_input_tokens", 0)
        return ReplyDone(
            truncated=self._stop_reason in _TRUNCATED,
            input_tokens=fresh + cached,
            output_tokens=self._usage.get("output_tokens", 0),
            cached_tokens=cached,
        )

    def feed(self, event: Json) -> list[ReplyEvent]:
        """Take one event of the stream; return what it adds to the answer."""
        match event.get("type"):
            case "message_start":
                self._count(event.get("message", {}).get("usage"))
            case "content_block_start":
                return self._start(event["index"], event["content_block"])
            case "content_block_delta":
                return self._delta(event["index"], event["delta"])
            case "content_block_stop":
                return self._stop(event["index"])
            case "message_delta":
                self._stop_reason = event.get("delta", {}).get("stop_reason") or self._stop_reason
                self._count(event.get("usage"))
            case "message_stop":
                self.finished = True
        return []

    def _count(self, usage: Json | None) -> None:
        # Counts are running totals; those that an event leaves out keep their value.
        self._usage |= {name: value for name, value in (usage or {}).items() if isinstance(value, int)}

    def _start(self, index: int, block: Json) -> list[ReplyEvent]:
        self._open[index] = dict(block)
        text = block.get("text") if block.get("type") == "text" else None
        return [TextDelta(text=text)] if text else []

    def _delta(self, index: int, delta: Json) -> list[ReplyEvent]:
        block = self._open[index]
        match delta.get("type"):
            case "text_delta":
                block["text"] = block.get("text", "") + delta["text"]
                return [TextDelta(text=delta["text"])] if delta["text"] else []
            case "input_json_delta":
                self._input_json[index] = self._input_json.get(index, "") + delta["partial_json"]
            case "thinking_delta":
                block["thinking"] = block.get("thinking", "") + delta["thinking"]
            case "signature_delta":
                block["signature"] = delta["signature"]
        return []

    def _stop(self, index: int) -> list[ReplyEvent]:
        block = self._open.pop(index)
        if block.get("type") == "tool_use":
            block["input"] = _object(self._input_json.pop(index, "")) or block.get("input") or {}
        if block.get("type") != "text" or block.get("text", "").strip():
            self.blocks.append(block)
        if block.get("type") != "tool_use" or block.get("name") != REMEMBER:
            return []
        return [ToolCall(call_id=str(block["id"]), text=str(block["input"].get("text", "")))]


def _object(text: str) -> Json:
    """Return the object that `text` is; empty when it is none, so that the call is answered and fails there."""
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
