"""The Messages API down, slow, refusing, and cut off: the caller gets the right error, and the next turn works."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from memory.errors import ProviderError, ProviderRefusedError, ProviderUnavailableError
from memory.model import ReplyEvent, ReplyRequest, TextDelta
from memory.providers.anthropic import AnthropicModel
from tests.fakes.anthropic_server import Answer, AnthropicServer, Fault
from tests.fakes.values import said

SECRET = "the-text-of-the-message"
AT_ONCE = {"retry-after-ms": "1"}
LONG = "one two three four five six seven eight nine ten"


def make_model(
    base_url: str, *, max_retries: int = 0, timeout_s: float = 20.0, idle_timeout_s: float = 20.0
) -> AnthropicModel:
    """Return a model with the given patience."""
    return AnthropicModel(
        api_key="sk-test",
        base_url=base_url,
        chat_model="claude-chat",
        extract_model="claude-extract",
        max_retries=max_retries,
        timeout_s=timeout_s,
        idle_timeout_s=idle_timeout_s,
        background_timeout_s=timeout_s,
    )


def make_request() -> ReplyRequest:
    """Return a request whose text must appear in no error."""
    return ReplyRequest(
        system="You are Recall.",
        summary="",
        history=(),
        recalled=(),
        memory_block="",
        message=said(1, f"hello, {SECRET}"),
        max_tokens=100,
    )


async def ask(model: AnthropicModel) -> str:
    """Return the text of an answer."""
    return "".join([event.text async for event in model.reply(make_request()) if isinstance(event, TextDelta)])


async def collect_into(seen: list[ReplyEvent], model: AnthropicModel) -> None:
    """Append the events of an answer as they come, so that those before an error are kept."""
    async for event in model.reply(make_request()):
        seen.append(event)  # noqa: PERF401 - a comprehension would lose what came before the error


@pytest_asyncio.fixture
async def model(anthropic_server: AnthropicServer) -> AsyncIterator[AnthropicModel]:
    """Yield a model that does not retry, so that each fault shows."""
    async with make_model(anthropic_server.url) as opened:
        yield opened


@pytest.mark.parametrize(
    ("status", "error_type", "error"),
    [
        (400, None, ProviderRefusedError),
        (401, None, ProviderRefusedError),
        (402, "billing_error", ProviderRefusedError),
        (403, None, ProviderRefusedError),
        (404, None, ProviderRefusedError),
        (413, None, ProviderRefusedError),
        (408, None, ProviderUnavailableError),
        (409, None, ProviderUnavailableError),
        (429, None, ProviderUnavailableError),
        (429, "billing_error", ProviderRefusedError),
        (500, None, ProviderUnavailableError),
        (502, None, ProviderUnavailableError),
        (503, None, ProviderUnavailableError),
        (529, None, ProviderUnavailableError),
    ],
)
async def test_each_status_is_sorted_by_whether_asking_again_may_help(
    anthropic_server: AnthropicServer,
    model: AnthropicModel,
    status: int,
    error_type: str | None,
    error: type[ProviderError],
) -> None:
    """Every status becomes the right kind of error, with the request's id and without a word of the message."""
    anthropic_server.will_fail(Fault(kind="status", status=status, error_type=error_type, message=f"bad: {SECRET}"))

    with pytest.raises(error) as raised:
        await ask(model)

    assert raised.value.request_id == "req_fake"
    assert SECRET not in str(raised.value)
    assert await ask(model)


@pytest.mark.parametrize(
    ("status", "message", "reason"),
    [
        (400, "messages: at least one message is required", "content"),
        (400, "Your credit balance is too low.", "quota"),
        (401, "invalid x-api-key", "access"),
        (402, "pay first", "quota"),
        (403, "not yours", "access"),
        (404, "model: none", "access"),
        (413, "too large", "content"),
    ],
)
async def test_a_refusal_says_whose_matter_it_is(
    anthropic_server: AnthropicServer, model: AnthropicModel, status: int, message: str, reason: str
) -> None:
    """What an operator can mend is told apart from what lies in the request itself."""
    anthropic_server.will_fail(Fault(kind="status", status=status, message=message))

    with pytest.raises(ProviderRefusedError) as raised:
        await ask(model)

    assert raised.value.reason == reason


async def test_used_up_credit_is_refused(anthropic_server: AnthropicServer, model: AnthropicModel) -> None:
    """A quota that is used up is no outage, and the text says what it is."""
    anthropic_server.will_fail(Fault(kind="status", status=400, message="Your credit balance is too low."))

    with pytest.raises(ProviderRefusedError, match="quota or credit is used up"):
        await ask(model)


async def test_the_wait_that_a_server_asks_for_is_passed_on(
    anthropic_server: AnthropicServer, model: AnthropicModel
) -> None:
    """A 429 with `retry-after` tells its caller how long to wait."""
    anthropic_server.will_fail(Fault(kind="status", status=429, headers={"retry-after": "17"}))

    with pytest.raises(ProviderUnavailableError) as raised:
        await ask(model)

    assert raised.value.retry_after_s == 17.0


async def test_a_passing_fault_is_retried(anthropic_server: AnthropicServer) -> None:
    """Overload and server errors before the first byte are retried; the person sees only the answer."""
    anthropic_server.will_fail(Fault(kind="status", status=529, headers=AT_ONCE))
    anthropic_server.will_fail(Fault(kind="status", status=500, headers=AT_ONCE))
    async with make_model(anthropic_server.url, max_retries=2) as model:
        assert await ask(model)

    assert len(anthropic_server.received) == 3


@pytest.mark.parametrize("kind", ["cut", "end", "error", "garbled"])
async def test_an_answer_that_breaks_off_is_an_outage(
    anthropic_server: AnthropicServer, model: AnthropicModel, kind: str
) -> None:
    """What was said so far has streamed; then the error comes, also when the connection ends as if all were well."""
    anthropic_server.will_answer(LONG)
    anthropic_server.will_fail(Fault(kind=kind))  # type: ignore[arg-type]  # the parameters are its literals
    seen: list[ReplyEvent] = []

    with pytest.raises(ProviderUnavailableError):
        await collect_into(seen, model)

    text = "".join(event.text for event in seen if isinstance(event, TextDelta))
    assert text
    assert LONG.startswith(text)
    assert len(text) < len(LONG)
    assert await ask(model)


async def test_a_server_that_falls_silent_is_given_up(anthropic_server: AnthropicServer) -> None:
    """Silence in the middle of an answer ends after the idle timeout."""
    anthropic_server.will_answer(LONG)
    anthropic_server.will_fail(Fault(kind="silent"))
    async with make_model(anthropic_server.url, idle_timeout_s=0.2) as model:
        with pytest.raises(ProviderUnavailableError, match="no answer in time"):
            await ask(model)

        assert await ask(model)


async def test_a_server_that_never_answers_is_given_up(anthropic_server: AnthropicServer) -> None:
    """The wait for the beginning of an answer is bounded, retries included."""
    anthropic_server.will_fail(Fault(kind="hang"), times=3)
    async with make_model(anthropic_server.url, timeout_s=0.5, max_retries=2) as model:
        await model.warm()
        with pytest.raises(ProviderUnavailableError, match="no answer in time"):
            await ask(model)


async def test_no_server_at_all_is_an_outage() -> None:
    """A refused connection is reported with the host, and without the password a URL may hold."""
    async with AnthropicServer() as server:
        url = server.url
    async with make_model(url.replace("http://", "http://user:hunter2@")) as model:
        with pytest.raises(ProviderUnavailableError, match=r"no connection to 127\.0\.0\.1") as raised:
            await ask(model)

    assert "hunter2" not in str(raised.value)


async def test_a_server_that_speaks_something_else_is_an_outage(anthropic_server: AnthropicServer) -> None:
    """An address that is no Messages API gives one readable error."""
    async with make_model(f"{anthropic_server.url}/elsewhere") as model:
        with pytest.raises(ProviderRefusedError, match="no such model or URL"):
            await ask(model)


async def test_a_model_that_declines_is_refused(anthropic_server: AnthropicServer, model: AnthropicModel) -> None:
    """An answer that ends in a refusal is not passed off as one."""
    anthropic_server.will_answer(Answer(text="I", stop_reason="refusal"))

    with pytest.raises(ProviderRefusedError, match="declined"):
        await ask(model)


async def test_a_fault_of_one_turn_does_not_touch_another(
    anthropic_server: AnthropicServer, model: AnthropicModel
) -> None:
    """While one answer hangs, others stream."""
    anthropic_server.will_fail(Fault(kind="hang"))
    hanging = asyncio.ensure_future(ask(model))
    await anthropic_server.wait_for_requests(1)

    assert await ask(model)

    anthropic_server.release()
    assert await hanging
