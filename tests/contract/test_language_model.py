"""The LanguageModel contract on every implementation, and what the Messages API is sent."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from memory.errors import MalformedReplyError, ProviderRefusedError
from memory.model import (
    ExtractionRequest,
    LabelledMessage,
    Message,
    ReplyDone,
    ReplyEvent,
    ReplyRequest,
    SummaryRequest,
    TextDelta,
    ToolCall,
    ToolExchange,
)
from memory.ports import LanguageModel
from memory.prompts import load_prompt, prompt_version
from memory.providers.anthropic import AnthropicModel
from memory.providers.offline import OfflineModel
from memory.tokens import count_tokens
from tests.fakes.anthropic_server import Answer, AnthropicServer, Tool, echo, last_text
from tests.fakes.values import said

REPOSITORY = Path(__file__).resolve().parents[2]


def make_model(server: AnthropicServer, *, api_key: str | None = "sk-test", **options: Any) -> AnthropicModel:
    """Return a model that talks to the fake server."""
    return AnthropicModel(
        api_key=api_key, base_url=server.url, chat_model="claude-chat", extract_model="claude-extract", **options
    )


def make_request(message: Message, *history: Message, **changes: Any) -> ReplyRequest:
    """Return working memory with nothing recalled."""
    request = ReplyRequest(
        system="You are Recall.",
        summary="",
        history=history,
        recalled=(),
        memory_block="",
        message=message,
        max_tokens=500,
    )
    return replace(request, **changes)


def make_extraction(*messages: Message) -> ExtractionRequest:
    """Return a request to learn from messages, with no facts known."""
    return ExtractionRequest(
        system=load_prompt("extraction"),
        prompt="\n".join(message.text for message in messages),
        messages=tuple(
            LabelledMessage(label=label, message=message) for label, message in enumerate(messages, start=1)
        ),
        facts=(),
        max_tokens=1_000,
    )


def make_summary(*leaving: Message, old: str = "", max_tokens: int = 200) -> SummaryRequest:
    """Return a request to fold messages into a summary."""
    return SummaryRequest(
        system=load_prompt("summary"),
        prompt="\n".join([old, *(message.text for message in leaving)]),
        old_summary=old,
        leaving=leaving,
        max_tokens=max_tokens,
    )


async def collect(model: LanguageModel, request: ReplyRequest) -> list[ReplyEvent]:
    """Return all events of one answer."""
    return [event async for event in model.reply(request)]


def text_of(events: Sequence[ReplyEvent]) -> str:
    """Return the text of an answer."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def obliging(body: dict[str, Any]) -> Answer:
    """Answer as a real model would in the shared contract: use the tool when asked to, learn nothing, summarise."""
    newest = last_text(body)
    if newest.startswith("Remember that ") and body.get("tools"):
        return Answer(tools=[Tool(text=newest.removeprefix("Remember that ").rstrip("."))])
    return echo(body)


@asynccontextmanager
async def anthropic() -> AsyncIterator[LanguageModel]:
    """Open the Messages API model on the fake server."""
    async with AnthropicServer(script=obliging) as server, make_model(server) as model:
        yield model
        assert server.refused == []


@asynccontextmanager
async def offline() -> AsyncIterator[LanguageModel]:
    """Open the model that is none."""
    yield OfflineModel()


@pytest_asyncio.fixture(params=[anthropic, offline])
async def any_model(request: pytest.FixtureRequest) -> AsyncIterator[LanguageModel]:
    """Yield each implementation in turn."""
    implementation: Callable[[], Any] = request.param
    async with implementation() as model:
        yield model


@pytest_asyncio.fixture
async def model(anthropic_server: AnthropicServer) -> AsyncIterator[AnthropicModel]:
    """Yield a model on the test's own server."""
    async with make_model(anthropic_server) as opened:
        yield opened


async def test_an_answer_is_text_and_last_its_end(any_model: LanguageModel) -> None:
    """A reply streams at least one piece of text, and ends with exactly one end."""
    events = await collect(any_model, make_request(said(1, "Which cluster is staging?")))

    assert text_of(events).strip()
    assert isinstance(events[-1], ReplyDone)
    assert not any(isinstance(event, ReplyDone) for event in events[:-1])


async def test_a_model_says_who_it_is(any_model: LanguageModel) -> None:
    """Every model has a name to show; a notice, if any, names the settings that change it."""
    assert any_model.model_name
    assert any_model.notice is None or "ANTHROPIC_API_KEY" in any_model.notice


async def test_an_answer_can_be_abandoned(any_model: LanguageModel) -> None:
    """Stopping to read in the middle leaves the model usable."""
    request = make_request(said(1, "What do you know about the staging cluster?"))
    events = any_model.reply(request)
    assert isinstance(events, AsyncIterator)
    await anext(events)
    await events.aclose()

    assert text_of(await collect(any_model, request))


async def test_the_remember_tool_is_called_and_answered(any_model: LanguageModel) -> None:
    """Asked to remember something, a model calls the tool with words of the message, and goes on with its result."""
    request = make_request(said(1, "Remember that my shell is fish."))

    calls = [event for event in await collect(any_model, request) if isinstance(event, ToolCall)]
    assert [call.text for call in calls] == ["my shell is fish"]

    exchange = ToolExchange(text="", calls=tuple(calls), results={calls[0].call_id: "Stored."})
    events = await collect(any_model, replace(request, exchanges=(exchange,)))
    assert text_of(events)
    assert not any(isinstance(event, ToolCall) for event in events)


async def test_no_tool_is_called_when_none_is_offered(any_model: LanguageModel) -> None:
    """Without permission to remember, a model only answers."""
    events = await collect(any_model, make_request(said(1, "Remember that my shell is fish."), may_remember=False))

    assert text_of(events)
    assert not any(isinstance(event, ToolCall) for event in events)


async def test_nothing_to_learn_is_an_empty_extraction(any_model: LanguageModel) -> None:
    """A question and its answer teach nothing."""
    reply = await any_model.extract(make_extraction(said(1, "is prod up?"), said(2, "I cannot tell.", by=None)))

    assert reply.facts == []
    assert reply.episode is None


async def test_a_summary_is_text_within_its_limit(any_model: LanguageModel) -> None:
    """A summary is not empty and stays within its token limit, however much leaves."""
    leaving = [said(n, f"We moved service number {n} to the new cluster.") for n in range(1, 40)]

    summary = await any_model.summarize(make_summary(leaving[0], *leaving[1:3], old="The old summary."))
    long = await OfflineModel().summarize(make_summary(*leaving, max_tokens=60))

    assert summary.strip()
    assert count_tokens(summary) <= 200
    assert "39" in long
    assert count_tokens(long) <= 60


@pytest.mark.parametrize(
    "text", ["", "   ", "\x00", "\u202eيقول\u202c", "x" * 100_000, "line\n" * 20_000, "> only quoted"]
)
async def test_any_input_is_answered(any_model: LanguageModel, text: str) -> None:
    """Empty, huge, right-to-left and control-character messages get an answer like all others."""
    events = await collect(any_model, make_request(said(1, text)))

    assert text_of(events).strip()


async def test_request_puts_memory_after_the_cached_prefix(
    anthropic_server: AnthropicServer, model: AnthropicModel
) -> None:
    """System and history end in cache breakpoints; the memories and the new message come after, in one user turn."""
    history = (said(1, "hello"), said(2, "hi", by=None), said(3, "more"), said(4, "yes", by=None))
    request = make_request(
        said(5, "which?"), *history, summary="<summary>s</summary>", memory_block="<memories>m</memories>"
    )

    await collect(model, request)

    body = anthropic_server.received[0].body
    cached = {"cache_control": {"type": "ephemeral"}}
    assert body["system"] == [
        {"type": "text", "text": "You are Recall."} | cached,
        {"type": "text", "text": "<summary>s</summary>"},
    ]
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user", "assistant", "user"]
    assert body["messages"][3]["content"] == [{"type": "text", "text": "yes"} | cached]
    assert body["messages"][4]["content"] == [
        {"type": "text", "text": "<memories>m</memories>"},
        {"type": "text", "text": "which?"},
    ]
    assert (body["model"], body["max_tokens"], body["stream"]) == ("claude-chat", 500, True)
    assert [tool["name"] for tool in body["tools"]] == ["remember"]


async def test_prefix_is_the_same_in_the_next_turn(anthropic_server: AnthropicServer, model: AnthropicModel) -> None:
    """Up to the last block of the old history the next turn's request is byte for byte the same, so the cache hits."""
    first, answer = said(1, "hello"), said(2, "hi", by=None)

    await collect(model, make_request(said(3, "a"), first, answer, memory_block="<memories>1</memories>"))
    await collect(
        model,
        make_request(
            said(5, "b"), first, answer, said(3, "a"), said(4, "c", by=None), memory_block="<memories>2</memories>"
        ),
    )

    one, two = (received.body for received in anthropic_server.received)
    assert one["system"] == two["system"]
    assert one["tools"] == two["tools"]
    assert [block["text"] for block in one["messages"][0]["content"]] == [
        block["text"] for block in two["messages"][0]["content"]
    ]
    assert one["messages"][1]["content"][0]["text"] == two["messages"][1]["content"][0]["text"]


async def test_odd_histories_are_well_formed_requests(anthropic_server: AnthropicServer, model: AnthropicModel) -> None:
    """A failed turn, a forgotten message and a window that begins with an answer all give alternating turns."""
    history = (said(1, "an answer", by=None), said(2, "failed turn"), said(3, "   "), said(4, "again"))

    await collect(model, make_request(said(5, "and now?"), *history))

    assert anthropic_server.refused == []
    roles = [message["role"] for message in anthropic_server.received[0].body["messages"]]
    assert roles == ["user", "assistant", "user"]


async def test_tool_round_goes_back_as_the_model_sent_it(
    anthropic_server: AnthropicServer, model: AnthropicModel
) -> None:
    """Thinking blocks return with their signatures before the call they led to; no tool is offered in a last round."""
    anthropic_server.will_answer(Answer(thinking="hm", text="Sure.", tools=[Tool(text="my shell is fish")]), "Done.")
    request = make_request(said(1, "Remember that my shell is fish."))
    events = await collect(model, request)
    call = next(event for event in events if isinstance(event, ToolCall))
    exchange = ToolExchange(text="Sure.", calls=(call,), results={call.call_id: "Stored."})

    await collect(model, replace(request, exchanges=(exchange,), may_remember=False))

    body = anthropic_server.received[1].body
    assert [block["type"] for block in body["messages"][1]["content"]] == ["thinking", "text", "tool_use"]
    assert body["messages"][1]["content"][0]["signature"] == "signed:hm"
    assert body["messages"][2]["content"][0] == {
        "type": "tool_result",
        "tool_use_id": call.call_id,
        "content": "Stored.",
    }
    assert body["tool_choice"] == {"type": "none"}


async def test_tool_round_of_another_process_is_rebuilt(
    anthropic_server: AnthropicServer, model: AnthropicModel
) -> None:
    """A round that this process did not see is sent from what is known of it."""
    exchange = ToolExchange(
        text="Sure.", calls=(ToolCall(call_id="toolu_9", text="x is y"),), results={"toolu_9": "Stored."}
    )

    await collect(model, make_request(said(1, "Remember that x is y."), exchanges=(exchange,)))

    assert anthropic_server.refused == []
    assert anthropic_server.received[0].body["messages"][1]["content"][1]["input"] == {"text": "x is y"}


async def test_usage_and_truncation_are_reported(anthropic_server: AnthropicServer, model: AnthropicModel) -> None:
    """The end of an answer tells all input tokens, the cached part of them, and that the limit was reached."""
    anthropic_server.will_answer(Answer(text="one two", stop_reason="max_tokens", input_tokens=40, cached_tokens=900))

    events = await collect(model, make_request(said(1, "hello")))

    assert events[-1] == ReplyDone(truncated=True, input_tokens=940, output_tokens=2, cached_tokens=900)


async def test_a_key_is_sent_and_checked(anthropic_server: AnthropicServer, model: AnthropicModel) -> None:
    """The key arrives as a bearer token, and as the header that older gateways read."""
    await collect(model, make_request(said(1, "hello")))

    headers = anthropic_server.received[0].headers
    assert headers["authorization"] == "Bearer sk-test"
    assert headers["x-api-key"] == "sk-test"


async def test_without_a_key_no_credential_of_the_environment_leaves(
    anthropic_server: AnthropicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A local server needs no key, and gets none, even if the environment has one for somebody else."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token-secret")
    async with make_model(anthropic_server, api_key=None) as model:
        assert text_of(await collect(model, make_request(said(1, "hello"))))

    assert "secret" not in json.dumps(anthropic_server.received[0].headers)


async def test_a_base_url_may_end_in_the_version(anthropic_server: AnthropicServer) -> None:
    """`http://host/v1` and `http://host` are the same server."""
    async with AnthropicModel(
        api_key=None, base_url=f"{anthropic_server.url}/v1/", chat_model="m", extract_model="m"
    ) as model:
        assert text_of(await collect(model, make_request(said(1, "hello"))))


EXTRACTION = {
    "facts": [{"operation": "add", "subject": "A", "kind": "preference", "text": "Prefers vim.", "messages": [1]}],
    "episode": None,
}


@pytest.mark.parametrize(
    "wrapped",
    [
        "{}",
        "```json\n{}\n```",
        "Here is what I found:\n\n{}\n\nLet me know {{if}} you need more.",
        '<think>{{"a": 1}} hm</think>{}',
    ],
)
async def test_an_extraction_is_found_in_what_a_server_says(
    anthropic_server: AnthropicServer, model: AnthropicModel, wrapped: str
) -> None:
    """The schema is asked for; fences and prose around the object do no harm."""
    anthropic_server.will_answer(wrapped.format(json.dumps(EXTRACTION)))

    reply = await model.extract(make_extraction(said(1, "I prefer vim.")))

    assert [(fact.operation, fact.text, fact.kind.value) for fact in reply.facts] == [
        ("add", "Prefers vim.", "preference")
    ]
    body = anthropic_server.received[0].body
    assert body["output_config"]["format"]["type"] == "json_schema"
    assert body["model"] == "claude-extract"


async def test_an_unknown_kind_does_not_lose_the_fact(anthropic_server: AnthropicServer, model: AnthropicModel) -> None:
    """A kind serves showing only; one that does not exist becomes "other"."""
    fact = EXTRACTION["facts"][0] | {"kind": "tooling"}  # type: ignore[index]
    anthropic_server.will_answer(json.dumps({"facts": [fact]}))

    reply = await model.extract(make_extraction(said(1, "I prefer vim.")))

    assert [fact.kind.value for fact in reply.facts] == ["other"]


@pytest.mark.parametrize(
    "answer", ["", "no JSON at all", '{"facts": [{"operation": "ad', '{"facts": 3}', "[]", '{"x": {}}']
)
async def test_a_malformed_extraction_is_said_to_be_one(
    anthropic_server: AnthropicServer, model: AnthropicModel, answer: str
) -> None:
    """A reply that does not fit the schema is an error of its own, without the reply's text in it."""
    anthropic_server.will_answer(answer)

    with pytest.raises(MalformedReplyError) as raised:
        await model.extract(make_extraction(said(1, "I prefer vim.")))

    assert raised.value.request_id == "req_fake"
    assert "operation" not in str(raised.value)


async def test_a_server_without_structured_outputs_is_asked_without(anthropic_server: AnthropicServer) -> None:
    """A server of one's own that refuses the schema still extracts, and is not asked with it again."""
    anthropic_server.structured_outputs = False
    anthropic_server.will_answer(json.dumps(EXTRACTION), json.dumps(EXTRACTION))
    async with make_model(anthropic_server) as model:
        for _ in range(2):
            assert (await model.extract(make_extraction(said(1, "I prefer vim.")))).facts

    assert len(anthropic_server.refused) == 1


async def test_the_sdk_is_imported_at_the_first_call_only() -> None:
    """Making a model costs nothing: the SDK's two seconds are not on the start-up path."""
    program = """
import sys
from memory.providers.anthropic import AnthropicModel
AnthropicModel(api_key="k", base_url=None, chat_model="a", extract_model="b")
assert not {"anthropic", "httpx2"} & set(sys.modules)
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-c", program, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}
    )
    assert await process.wait() == 0


def test_prompts_have_a_version_that_models_do_not_see() -> None:
    """The first line of a prompt is its version; the text begins after it."""
    for name in ("extraction", "summary"):
        assert prompt_version(name).isdigit()
        assert not load_prompt(name).startswith("version")


@pytest.mark.parametrize("counts_tokens", [True, False])
async def test_whether_a_model_is_there_costs_nothing(*, counts_tokens: bool) -> None:
    """It is asked by counting tokens; a server that does not serve that cannot tell."""
    async with AnthropicServer() as server, make_model(server) as model:
        server.counts_tokens = counts_tokens

        assert await model.is_available("claude-chat") == counts_tokens
        assert server.received == []


@pytest.mark.parametrize(("api_key", "models"), [("sk-another", None), ("sk-test", {"claude-other"})])
async def test_a_refused_key_and_an_unknown_model_are_told_apart_from_silence(
    api_key: str, models: set[str] | None
) -> None:
    """Both are refusals that an operator sees to."""
    async with AnthropicServer(api_key="sk-test") as server, make_model(server, api_key=api_key) as model:
        server.models = models
        with pytest.raises(ProviderRefusedError) as refused:
            await model.is_available("claude-chat")

    assert refused.value.reason == "access"
