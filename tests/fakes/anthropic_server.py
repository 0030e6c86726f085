"""A server that speaks the Messages API as far as Recall uses it, checks what it is sent, and fails on demand.

`python -m tests.fakes.anthropic_server --port 8080` runs it alone, to try the product with `ANTHROPIC_BASE_URL`.
"""

import argparse
import asyncio
import json
import re
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web

Json = dict[str, Any]

_MAX_BREAKPOINTS = 4
_MAX_PIECES = 100
_API_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A call of the `remember` tool."""

    text: str
    call_id: str = "toolu_01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model says: thinking, then text, then tool calls."""

    text: str = ""
    tools: Sequence[Tool] = ()
    thinking: str = ""
    stop_reason: str | None = None
    input_tokens: int = 100
    cached_tokens: int = 0

    def blocks(self) -> list[Json]:
        """Return the content blocks."""
        blocks: list[Json] = []
        if self.thinking:
            blocks.append({"type": "thinking", "thinking": self.thinking, "signature": f"signed:{self.thinking}"})
        if self.text:
            blocks.append({"type": "text", "text": self.text})
        blocks += [
            {"type": "tool_use", "id": tool.call_id, "name": "remember", "input": {"text": tool.text}}
            for tool in self.tools
        ]
        return blocks

    def usage(self) -> Json:
        """Return the token counts."""
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": max(1, len(self.text.split())),
            "cache_read_input_tokens": self.cached_tokens,
            "cache_creation_input_tokens": 0,
        }

    def stopped(self) -> str:
        """Return why the model stopped."""
        return self.stop_reason or ("tool_use" if self.tools else "end_turn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong with one request.

    Attributes:
        kind: "status" answers with an error; "hang" says nothing until `release`; "cut" closes the connection in the
            middle of the answer, "end" ends the stream there as if it were over, "silent" stops sending there until
            `release`, "error" sends an error event there; "garbled" sends a data line that is no JSON.
    """

    kind: Literal["status", "hang", "cut", "end", "silent", "error", "garbled"]
    status: int = 500
    message: str = "something went wrong"
    error_type: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request, as it arrived."""

    body: Json
    headers: dict[str, str]


Script = Callable[[Json], Answer]


class AnthropicServer:
    """An async context manager; `url` is the base URL.

    Attributes:
        received: Every well-formed request, in order, faults included.
        refused: Why malformed requests were refused: what a test wants empty.
        thinks_s: How long each answer takes, in seconds.
        models: The models there are; None is any.
        counts_tokens: Whether `/v1/messages/count_tokens` is served, which some servers do not.
    """

    def __init__(self, *, port: int = 0, script: Script | None = None, api_key: str | None = None) -> None:
        self.received: list[Received] = []
        self.refused: list[str] = []
        self.structured_outputs = True
        self.thinks_s = 0.0
        self.models: set[str] | None = None
        self.counts_tokens = True
        self._port = port
        self._script = script or echo
        self._api_key = api_key
        self._answers: deque[Answer] = deque()
        self._faults: deque[Fault] = deque()
        self._released = asyncio.Event()
        self._arrived = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_post("/v1/messages", self._messages)
        app.router.add_post("/v1/messages/count_tokens", self._count_tokens)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._released.set()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._port}"

    def will_answer(self, *answers: Answer | str) -> None:
        """Give these answers next, in order; afterwards the script answers again."""
        self._answers.extend(Answer(text=answer) if isinstance(answer, str) else answer for answer in answers)

    def answers_by(self, script: Script) -> None:
        """Answer by another script from now on."""
        self._script = script

    def will_fail(self, fault: Fault, *, times: int = 1) -> None:
        """Let the next requests fail."""
        self._faults.extend([fault] * times)

    def release(self) -> None:
        """Let hanging requests go on."""
        self._released.set()

    async def wait_for_requests(self, count: int) -> None:
        """Wait until so many requests have arrived."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.received) >= count)

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.json()
        except ValueError:
            return self._refuse("the body is not JSON")
        problem = check_headers(request.headers, self._api_key)
        if problem:
            return _error(401 if "api key" in problem else 400, problem)
        problem = check_body(body, structured_outputs=self.structured_outputs)
        if problem:
            return self._refuse(problem)
        async with self._arrived:
            self.received.append(Received(body=body, headers={k.lower(): v for k, v in request.headers.items()}))
            self._arrived.notify_all()
        fault = self._faults.popleft() if self._faults else None
        if fault is not None and fault.kind == "status":
            return _error(fault.status, fault.message, error_type=fault.error_type, headers=fault.headers)
        if fault is not None and fault.kind == "hang":
            await self._released.wait()
        await asyncio.sleep(self.thinks_s)
        answer = self._answers.popleft() if self._answers else self._script(body)
        if body.get("stream"):
            response = web.StreamResponse(headers={"content-type": "text/event-stream", "request-id": "req_fake"})
            with suppress(ConnectionResetError):  # the client stopped reading, as it may
                await self._stream(request, response, stream_events(body, answer), fault)
            return response
        return await self._whole(request, body, answer, fault)

    async def _count_tokens(self, request: web.Request) -> web.Response:
        if not self.counts_tokens:
            return web.Response(status=404, text="404 page not found")
        body = await request.json()
        if problem := check_headers(request.headers, self._api_key):
            return _error(401 if "api key" in problem else 400, problem)
        if self.models is not None and body["model"] not in self.models:
            return _error(404, f"model: {body['model']}")
        return web.json_response({"input_tokens": 8}, headers={"request-id": "req_fake"})

    def _refuse(self, problem: str) -> web.Response:
        self.refused.append(problem)
        return _error(400, problem)

    async def _whole(self, request: web.Request, body: Json, answer: Answer, fault: Fault | None) -> web.Response:
        if fault is not None and fault.kind == "cut" and request.transport is not None:
            request.transport.abort()
        message = _message(body, answer) | {"content": answer.blocks(), "stop_reason": answer.stopped()}
        return web.json_response(message, headers={"request-id": "req_fake"})

    async def _stream(
        self, request: web.Request, response: web.StreamResponse, events: list[Json], fault: Fault | None
    ) -> None:
        await response.prepare(request)
        middle = len(events) // 2 if fault is not None and fault.kind != "hang" else len(events)
        for event in events[:middle]:
            await response.write(_encoded(event))
        if middle < len(events) and fault is not None:
            await self._break(request, response, fault)
        else:
            await response.write_eof()

    async def _break(self, request: web.Request, response: web.StreamResponse, fault: Fault) -> None:
        match fault.kind:
            case "silent":
                await self._released.wait()
            case "cut" if request.transport is not None:
                request.transport.abort()
            case "error":
                kind = fault.error_type or "overloaded_error"
                await response.write(_encoded({"type": "error", "error": {"type": kind, "message": fault.message}}))
            case "garbled":
                await response.write(b"event: content_block_delta\ndata: {not json\n\n")


def check_headers(headers: Any, api_key: str | None) -> str | None:
    """Return what is wrong with a request's headers."""
    if not headers.get("anthropic-version"):
        return "anthropic-version: header is required"
    if api_key is None:
        return None
    sent = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    return None if sent == api_key else "invalid api key"


def check_body(body: Json, *, structured_outputs: bool = True) -> str | None:
    """Return what is wrong with a request's body, as far as the real server would say so."""
    if not isinstance(body.get("model"), str):
        return "model: field required"
    if not isinstance(body.get("max_tokens"), int) or body["max_tokens"] < 1:
        return "max_tokens: must be at least 1"
    if not structured_outputs and "output_config" in body:
        return "output_config: extra inputs are not permitted"
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "messages: at least one message is required"
    return _check_messages(messages) or _check_tools(body, messages) or _check_cache(body)


def _check_messages(messages: list[Json]) -> str | None:
    roles = [message.get("role") for message in messages]
    if roles[0] != "user" or roles[-1] != "user":
        return "messages: must begin and end with the user"
    if any(one == other for one, other in pairwise(roles)):
        return "messages: roles must alternate"
    for message in messages:
        for block in _blocks(message.get("content")):
            if block.get("type") == "text" and not str(block.get("text", "")).strip():
                return "messages: text content blocks must be non-empty"
        if not _blocks(message.get("content")):
            return "messages: content must be non-empty"
    return None


def _check_tools(body: Json, messages: list[Json]) -> str | None:
    called: set[str] = set()
    for message in messages:
        blocks = _blocks(message.get("content"))
        answered = {block["tool_use_id"] for block in blocks if block.get("type") == "tool_result"}
        if called != answered:
            return "messages: each tool_use must be followed by its tool_result"
        called = {block["id"] for block in blocks if block.get("type") == "tool_use"}
        if called and not body.get("tools"):
            return "tools: required when messages have tool_use blocks"
        if any(block.get("type") == "thinking" and not block.get("signature") for block in blocks):
            return "messages: thinking blocks must have their signature"
    return None


def _check_cache(body: Json) -> str | None:
    places = [*_blocks(body.get("system")), *body.get("tools", [])]
    places += [block for message in body["messages"] for block in _blocks(message.get("content"))]
    marked = sum(1 for block in places if "cache_control" in block)
    return (
        f"a maximum of 4 blocks with cache_control may be provided, found {marked}"
        if marked > _MAX_BREAKPOINTS
        else None
    )


def _blocks(content: Any) -> list[Json]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return list(content or [])


def stream_events(body: Json, answer: Answer) -> list[Json]:
    """Return the events of a streamed answer."""
    events: list[Json] = [{"type": "message_start", "message": _message(body, answer)}, {"type": "ping"}]
    for index, block in enumerate(answer.blocks()):
        empty, deltas = _pieces(block)
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    usage = {"output_tokens": answer.usage()["output_tokens"]}
    events.append(
        {"type": "message_delta", "delta": {"stop_reason": answer.stopped(), "stop_sequence": None}, "usage": usage}
    )
    return [*events, {"type": "message_stop"}]


def _pieces(block: Json) -> tuple[Json, list[Json]]:
    """Return a block as it starts, and the deltas that complete it."""
    match block["type"]:
        case "text":
            return block | {"text": ""}, [{"type": "text_delta", "text": piece} for piece in _split(block["text"])]
        case "thinking":
            deltas = [
                {"type": "thinking_delta", "thinking": block["thinking"]},
                {"type": "signature_delta", "signature": block["signature"]},
            ]
            return {"type": "thinking", "thinking": "", "signature": ""}, deltas
        case _:
            text = json.dumps(block["input"])
            cut = len(text) // 2
            parts = [{"type": "input_json_delta", "partial_json": part} for part in (text[:cut], text[cut:])]
            return block | {"input": {}}, parts


def _split(text: str) -> list[str]:
    """Return a text in words, several at a time if there are many."""
    words = re.findall(r"\S+\s*|\s+", text)
    step = max(1, len(words) // _MAX_PIECES)
    return ["".join(words[start : start + step]) for start in range(0, len(words), step)]


def _message(body: Json, answer: Answer) -> Json:
    return {
        "id": "msg_fake",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": answer.usage(),
    }


def _encoded(event: Json) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _error(
    status: int, message: str, *, error_type: str | None = None, headers: dict[str, str] | None = None
) -> web.Response:
    kind = error_type or _API_ERRORS.get(status, "api_error")
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_fake"}
    return web.json_response(body, status=status, headers={"request-id": "req_fake", **(headers or {})})


def last_text(body: Json) -> str:
    """Return the text of the newest message of a request, without what was put before it."""
    texts = [block["text"] for block in _blocks(body["messages"][-1]["content"]) if block.get("type") == "text"]
    return str(texts[-1]) if texts else ""


def echo(body: Json) -> Answer:
    """Answer sensibly without a model: learn nothing when asked to extract, otherwise say what was said and known."""
    if "output_config" in body:
        return Answer(text=json.dumps({"facts": [], "episode": None}))
    earlier = sum(1 for message in body["messages"] if message["role"] == "user") - 1
    blocks = [block["text"] for block in _blocks(body["messages"][-1]["content"]) if block.get("type") == "text"]
    lines = [f"You said: {last_text(body)}", f"(message {earlier + 1} of this request)"]
    return Answer(text="\n\n".join([*lines, *(f"Given from memory:\n\n{block}" for block in blocks[:-1])]))


async def _serve(port: int) -> None:
    async with AnthropicServer(port=port) as server:
        print(f"Messages API at {server.url} (ctrl-c ends it)")  # noqa: T201 - a command-line tool
        await asyncio.Event().wait()


def main() -> None:
    """Run the server until it is interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    try:
        asyncio.run(_serve(parser.parse_args().port))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
