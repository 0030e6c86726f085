"""The `LanguageModel` port over the Messages API: Anthropic's, or any server that speaks it.

The SDK takes two seconds to import, so that happens in a thread, at `warm` or at the first call.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from memory.errors import (
    MalformedReplyError,
    ProviderError,
    ProviderRefusedError,
    ProviderUnavailableError,
    Refusal,
)
from memory.model import (
    ExtractionReply,
    ExtractionRequest,
    ReplyEvent,
    ReplyRequest,
    SummaryRequest,
    ToolExchange,
)
from memory.ports import LanguageModel
from memory.providers.messages_api import Json, StreamReader, answer_text, reply_body
from memory.providers.structured import parse_extraction

if TYPE_CHECKING:
    from anthropic import APIStatusError, AsyncAnthropic
    from anthropic.types import Message

PROVIDER = "anthropic"
_API_URL = "https://api.anthropic.com"
_KEPT_TURNS = 64
_RETRYABLE = {408, 409, 429}
_OUTAGES = {"overloaded_error", "api_error", "timeout_error", "rate_limit_error"}
_REASONS = {
    401: "the API key was refused",
    402: "the quota or credit is used up",
    403: "the API key may not do this",
    404: "no such model or URL",
    413: "the request is too large",
}
_NO_SUCH_ENDPOINT = {404, 405, 501}
_CHECK_WITHIN_S = 10.0
_REFUSALS: dict[int, Refusal] = {401: "access", 402: "quota", 403: "access", 404: "access"}


class AnthropicModel(LanguageModel):
    """Streams answers with prompt caching; the SDK retries what failed before the first byte."""

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str | None,
        chat_model: str,
        extract_model: str,
        timeout_s: float = 120.0,
        background_timeout_s: float = 600.0,
        idle_timeout_s: float = 60.0,
        connect_timeout_s: float = 10.0,
        max_retries: int = 2,
    ) -> None:
        """Prepare; nothing is imported or connected yet.

        Args:
            api_key: None for a server that needs none; then no credential of the environment is sent to it either.
            base_url: None for Anthropic's own.
            chat_model: Answers.
            extract_model: Summaries and extraction.
            timeout_s: Longest wait for the beginning of an answer, retries included.
            background_timeout_s: Longest wait for a whole summary or extraction, retries included.
            idle_timeout_s: Longest silence within an answer.
            connect_timeout_s: Longest wait for a connection.
            max_retries: Of the SDK, for requests that failed in a way that may pass.
        """
        self._api_key = api_key
        self._own_server = base_url is not None
        self._base_url = (base_url or _API_URL).rstrip("/").removesuffix("/v1")
        self._chat_model = chat_model
        self._extract_model = extract_model
        self._timeout_s = timeout_s
        self._background_timeout_s = background_timeout_s
        self._idle_timeout_s = idle_timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._max_retries = max_retries
        self._loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="anthropic")
        self._sdk: Any = None
        self._http: Any = None
        self._client: AsyncAnthropic | None = None
        self._turns: OrderedDict[str, list[Json]] = OrderedDict()
        self._structured = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def warm(self) -> None:
        """Load the SDK now rather than at the first call."""
        await self._connected()

    async def is_available(self, model: str) -> bool:
        """Say whether a model is there, by counting tokens, which costs nothing; False when the server cannot tell.

        Raises:
            ProviderError: It is not there, or the server gives no answer or refuses the key.
        """
        client = (await self._connected()).with_options(max_retries=0, timeout=_CHECK_WITHIN_S)
        with self._translated():
            try:
                async with asyncio.timeout(_CHECK_WITHIN_S):
                    await client.messages.count_tokens(model=model, messages=[{"role": "user", "content": "ready?"}])
            except self._sdk.APIStatusError as exc:
                if self._own_server and exc.status_code in _NO_SUCH_ENDPOINT and model not in str(exc):
                    return False  # it knows no such endpoint; a 404 for the model would name it
                raise
        return True

    async def aclose(self) -> None:
        """Close the connections."""
        self._loader.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            await self._client.close()

    @property
    def model_name(self) -> str:
        return self._chat_model

    @property
    def notice(self) -> str | None:
        return None

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[ReplyEvent, None]:
        client = await self._connected()
        body = reply_body(request, model=self._chat_model, raw_turn=self._raw_turn)
        reader = StreamReader()
        with self._translated():
            async with asyncio.timeout(self._timeout_s):
                stream = await client.messages.create(**body, stream=True)
            async with stream:
                async for event in stream:
                    for part in reader.feed(event.to_dict()):
                        yield part
        request_id = stream.response.headers.get("request-id")
        if reader.refused:
            raise ProviderRefusedError(PROVIDER, "the model declined to answer", request_id=request_id)
        if not reader.finished:
            raise ProviderUnavailableError(PROVIDER, "the answer was cut off", request_id=request_id)
        self._keep_turn(reader.blocks)
        yield reader.done()

    async def summarize(self, request: SummaryRequest) -> str:
        message = await self._complete(request.system, request.prompt, max_tokens=request.max_tokens, schema=None)
        return answer_text([block.to_dict() for block in message.content]).strip()

    async def extract(self, request: ExtractionRequest) -> ExtractionReply:
        await self._connected()
        schema = self._sdk.transform_schema(ExtractionReply)
        message = await self._complete(request.system, request.prompt, max_tokens=request.max_tokens, schema=schema)
        reply = parse_extraction(answer_text([block.to_dict() for block in message.content]))
        if reply is None:
            detail = f"the extraction does not fit its schema (stopped by {message.stop_reason})"
            raise MalformedReplyError(PROVIDER, detail, request_id=_request_id(message))
        return reply

    async def _complete(self, system: str, prompt: str, *, max_tokens: int, schema: Json | None) -> "Message":
        """Ask for a whole answer. Another server that refuses the schema is asked without: the prompt says it."""
        client = await self._connected()
        body: Json = {
            "model": self._extract_model,
            "max_tokens": max_tokens,
            "system": system,
            "messages": [{"role": "user", "content": prompt}],
        }
        formatted: Json = {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
        with self._translated():
            async with asyncio.timeout(self._background_timeout_s):
                if schema is None or not self._structured:
                    return self._accepted(await self._create(client, body))
                try:
                    return self._accepted(await self._create(client, body | formatted))
                except self._sdk.BadRequestError:
                    if not self._own_server:
                        raise
                message = await self._create(client, body)
                self._structured = False
                return self._accepted(message)

    async def _create(self, client: "AsyncAnthropic", body: Json) -> "Message":
        message: Message = await client.messages.create(**body, timeout=self._timeouts(self._background_timeout_s))
        return message

    def _accepted(self, message: "Message") -> "Message":
        if message.stop_reason == "refusal":
            raise ProviderRefusedError(PROVIDER, "the model declined to answer", request_id=_request_id(message))
        return message

    async def _connected(self) -> "AsyncAnthropic":
        if self._client is None:
            await asyncio.get_running_loop().run_in_executor(self._loader, self._connect)
        if self._client is None:  # pragma: no cover - _connect sets it or raises
            raise ProviderUnavailableError(PROVIDER, "not connected")
        return self._client

    def _connect(self) -> None:
        """Import the SDK and make a client. Runs in the one loader thread, so never twice at once."""
        if self._client is not None:
            return
        self._sdk, self._http = import_module("anthropic"), import_module("httpx2")
        # Always explicit, so that the SDK never looks for other credentials or another URL in the environment.
        self._client = self._sdk.AsyncAnthropic(
            api_key=self._api_key or "",
            base_url=self._base_url,
            timeout=self._timeouts(self._idle_timeout_s),
            max_retries=self._max_retries,
            default_headers=self._auth_headers(),
        )

    def _auth_headers(self) -> dict[str, Any]:
        if not self._api_key:
            return {"Authorization": self._sdk.omit}
        # The SDK sends a bearer token; gateways made for earlier versions read this header.
        return {"x-api-key": self._api_key} if self._own_server else {}

    def _timeouts(self, read_s: float) -> Any:
        return self._sdk.Timeout(read_s, connect=self._connect_timeout_s)

    def _raw_turn(self, exchange: ToolExchange) -> list[Json] | None:
        """Return a tool round as the model sent it: thinking blocks have to come back, with their signatures."""
        return self._turns.get(exchange.calls[0].call_id)

    def _keep_turn(self, blocks: Sequence[Json]) -> None:
        for block in blocks:
            if block.get("type") == "tool_use":
                self._turns[str(block["id"])] = list(blocks)
        while len(self._turns) > _KEPT_TURNS:
            self._turns.popitem(last=False)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what the SDK and its transport raise into our errors."""
        host = urlsplit(self._base_url).netloc.rpartition("@")[2]
        try:
            yield
        except self._sdk.APIStatusError as exc:
            raise _status_error(exc) from exc
        except (TimeoutError, self._sdk.APITimeoutError, self._http.TimeoutException) as exc:
            raise ProviderUnavailableError(PROVIDER, f"no answer in time from {host}") from exc
        except self._sdk.APIConnectionError as exc:
            raise ProviderUnavailableError(PROVIDER, f"no connection to {host}") from exc
        except self._http.HTTPError as exc:
            raise ProviderUnavailableError(PROVIDER, "the answer was cut off") from exc
        except (self._sdk.AnthropicError, ValueError, KeyError, TypeError) as exc:
            # A server that does not keep to the protocol, seen while its answer is decoded.
            raise ProviderUnavailableError(PROVIDER, f"an answer that cannot be read ({type(exc).__name__})") from exc


def _status_error(exc: "APIStatusError") -> ProviderError:
    """Sort an error status by whether asking again may help. The server's own words stay out: they may quote text."""
    kind = exc.type or ""
    in_stream = exc.status_code < HTTPStatus.BAD_REQUEST
    exhausted = (
        kind == "billing_error" or "spend_limit" in (exc.error_code or "") or "credit" in (exc.api_message or "")
    )
    retryable = kind in _OUTAGES if in_stream else _may_pass(exc.status_code)
    reason = "the quota or credit is used up" if exhausted else _REASONS.get(exc.status_code, kind or "an error")
    detail = reason if in_stream else f"{reason} (HTTP {exc.status_code})"
    if exhausted or not retryable:
        why: Refusal = "quota" if exhausted else _REFUSALS.get(exc.status_code, "content")
        return ProviderRefusedError(PROVIDER, detail, request_id=exc.request_id, reason=why)
    wait_s = _seconds(exc.response.headers.get("retry-after"))
    return ProviderUnavailableError(PROVIDER, detail, request_id=exc.request_id, retry_after_s=wait_s)


def _may_pass(status: int) -> bool:
    return status in _RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _request_id(message: "Message") -> str | None:
    return message._request_id  # noqa: SLF001 - the SDK's documented name for it


def _seconds(header: str | None) -> float | None:
    try:
        return float(header) if header else None
    except ValueError:
        return None
