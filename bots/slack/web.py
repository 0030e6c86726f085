"""Slack's Web API as the rest of `bots.slack` calls it: a timeout, a bounded wait for rate limits, errors of ours.

The SDK's own retries are off: its default repeats a post whose answer was lost, which shows it twice. Only an explicit
429 is repeated here, since Slack says that such a call had no effect.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from yarl import URL

from bots.network import why_unanswered
from bots.slack.errors import SlackRefusedError, SlackUnavailableError

T = TypeVar("T")

API_URL = "https://slack.com/api/"
TIMEOUT_S = 10.0
LONGEST_WAIT_S = 60.0
"""A call waits no longer than this for rate limits, all its attempts together."""

_PAUSES_S = (0.5, 2.0, 8.0)
"""Between attempts at what is insisted on."""
_RETRY_AFTER_S = 1.0
_FILE = "file"
_FILES = URL("https://files.slack.com")
_CHUNK_BYTES = 65_536
_OK = 200
_CLIENT_ERROR, _TOO_MANY, _SERVER_ERROR = 400, 429, 500
_CODE = re.compile("[a-z_]{1,50}")
_LIMITED = frozenset({"ratelimited", "rate_limited"})
# Slack's own words for "some of it may have happened".
_BROKEN = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "update_failed"})
# The token is of no use any more, nor will be: another one must be set.
_REFUSED_TOKEN = frozenset({"invalid_auth", "account_inactive", "token_revoked", "token_expired"})
_NEVER_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


def _nothing() -> None:
    """Nobody counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The beginning of a file.

    Attributes:
        content_type: Without parameters, in lower case.
        is_whole: False when there is more.
    """

    content_type: str
    data: bytes
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackAnswer:
    """What a method answered.

    Attributes:
        headers: By their names in lower case.
    """

    data: dict[str, Any]
    headers: Mapping[str, str]


class SlackWeb:
    """The Web API for one bot token.

    Args:
        token: A bot token, or an app-level one.
        api_url: Slack's when None.
        timeout_s: For one attempt at a call, connecting included.
        wait: Waits so many seconds.
        on_rate_limited: Called whenever Slack says to come back later.

    Attributes:
        refused_token: Slack's word for what is wrong with the token; None while Slack takes it.
    """

    def __init__(
        self,
        token: str,
        *,
        api_url: str | None = None,
        timeout_s: float = TIMEOUT_S,
        wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
        on_rate_limited: Callable[[], None] = _nothing,
    ) -> None:
        self._timeout_s = timeout_s
        self._wait = wait
        self._on_rate_limited = on_rate_limited
        self.refused_token: str | None = None
        self.client = AsyncWebClient(token, base_url=api_url or API_URL, timeout=round(timeout_s), retry_handlers=[])
        """The SDK's client, for what takes one, such as Bolt."""

    async def call(self, method: str, /, *, within_s: float = LONGEST_WAIT_S, **arguments: Any) -> dict[str, Any]:
        """Call a method and return its answer.

        Args:
            method: Such as "chat.postMessage".
            within_s: The longest wait for rate limits.
            **arguments: As Slack names them; what is None is left out.

        Raises:
            SlackUnavailableError: No answer, or still rate limited.
            SlackRefusedError: Slack said no.
        """
        return (await self.ask(method, within_s=within_s, **arguments)).data

    async def ask(self, method: str, /, *, within_s: float = LONGEST_WAIT_S, **arguments: Any) -> SlackAnswer:
        """Call a method as `call` does, and return its headers too."""
        waited_s = 0.0
        while True:
            try:
                answer = await self._attempt(method, arguments)
            except SlackRefusedError as error:
                self.refused_token = error.code if error.code in _REFUSED_TOKEN else None
                raise
            except SlackUnavailableError as error:
                if error.retry_after_s is not None:
                    self._on_rate_limited()
                if error.retry_after_s is None or waited_s + error.retry_after_s > within_s:
                    raise
                waited_s += error.retry_after_s
                await self._wait(error.retry_after_s)
            else:
                self.refused_token = None
                return answer

    async def insist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Repeat a call as long as it surely had no effect: rate limited, or never connected. Not for ever.

        Raises:
            SlackUnavailableError: It may have had an effect, or still had none.
            SlackRefusedError: Slack said no.
        """
        for pause_s in _PAUSES_S:
            try:
                return await attempt()
            except SlackUnavailableError as error:
                asked_s = error.retry_after_s or 0.0
                if error.sent is not False or asked_s > LONGEST_WAIT_S:
                    raise
                wait_s = max(pause_s, asked_s)
            await self._wait(wait_s)
        return await attempt()

    async def post(
        self, url: str, data: bytes | Mapping[str, Any], *, name: str, timeout_s: float | None = None
    ) -> None:
        """Post to a URL that Slack gave: bytes as they are, anything else as JSON. One attempt.

        Args:
            url: Where; it is a secret.
            data: What.
            name: What errors call it.
            timeout_s: For all of it; that of a call when None.

        Raises:
            SlackUnavailableError: No answer, or rate limited.
            SlackRefusedError: Slack said no.
        """
        body = {"data": data} if isinstance(data, bytes) else {"json": data}
        timeout = aiohttp.ClientTimeout(total=timeout_s or self._timeout_s)
        try:
            async with self._open_session().post(url, timeout=timeout, **body) as response:
                status, text, headers = response.status, await response.text(), response.headers
        except _NEVER_CONNECTED as error:
            raise SlackUnavailableError(name, why_unanswered(error), sent=False) from error
        except (aiohttp.ClientError, OSError) as error:
            raise SlackUnavailableError(name, why_unanswered(error), sent=None) from error
        if status == _TOO_MANY:
            self._on_rate_limited()
            wait_s = _retry_after_s(headers)
            raise SlackUnavailableError(name, f"rate limited for {wait_s:g} s", sent=False, retry_after_s=wait_s)
        if status >= _SERVER_ERROR:
            raise SlackUnavailableError(name, f"status {status}", sent=True)
        if status >= _CLIENT_ERROR:
            raise SlackRefusedError(name, text if _CODE.fullmatch(text) else f"status {status}")

    async def fetch(self, url: str, *, max_bytes: int) -> Fetched:
        """Get a file that Slack keeps, with the token, up to `max_bytes` of it. One attempt; no redirect is followed.

        Raises:
            SlackUnavailableError: No answer in time, or rate limited.
            SlackRefusedError: Slack said no or points elsewhere, or the URL is none of Slack's: nothing is sent there.
        """
        if not self._is_slacks(url):
            raise SlackRefusedError(_FILE, "foreign_url")
        headers = {"Authorization": f"Bearer {self.client.token}", "Accept-Encoding": "identity"}
        timeout = aiohttp.ClientTimeout(total=self._timeout_s)
        try:
            async with self._open_session().get(
                url, headers=headers, allow_redirects=False, timeout=timeout
            ) as response:
                if response.status >= _SERVER_ERROR or response.status == _TOO_MANY:
                    raise SlackUnavailableError(_FILE, f"status {response.status}", sent=False)
                if response.status != _OK:
                    raise SlackRefusedError(_FILE, f"status {response.status}")
                data = bytearray()
                async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                    data += chunk
                    if len(data) > max_bytes:
                        response.close()  # the rest need not come
                        break
        except (aiohttp.ClientError, OSError) as error:
            raise SlackUnavailableError(_FILE, why_unanswered(error), sent=None) from error
        return Fetched(
            content_type=response.content_type, data=bytes(data[:max_bytes]), is_whole=len(data) <= max_bytes
        )

    async def close(self) -> None:
        """Close the connections."""
        if self.client.session is not None:
            await self.client.session.close()

    async def _attempt(self, method: str, arguments: Mapping[str, Any]) -> SlackAnswer:
        self._open_session()
        try:
            response = await self.client.api_call(method, data={name: _field(arguments[name]) for name in arguments})
        except SlackApiError as error:
            raise _translated(method, error.response) from error
        except _NEVER_CONNECTED as error:
            raise SlackUnavailableError(method, why_unanswered(error), sent=False) from error
        except (aiohttp.ClientError, SlackClientError, OSError) as error:
            raise SlackUnavailableError(method, why_unanswered(error), sent=None) from error
        except AttributeError as error:  # the SDK's, on a plain text answer with status 200, as some proxies give
            raise SlackUnavailableError(method, "unreadable answer", sent=True) from error
        data = dict(response.data) if isinstance(response.data, dict) else {}
        return SlackAnswer(data=data, headers=_lower(response.headers))

    def _is_slacks(self, url: str) -> bool:
        """Whether files of Slack can be there: on its own host for files, or where its API is, as behind a proxy."""
        try:
            wanted, api = URL(url), URL(self.client.base_url)
            origin = wanted.origin()
        except ValueError:
            return False
        has_login = wanted.user is not None or wanted.password is not None
        return not has_login and origin in {_FILES, URL(f"https://files.{api.host}"), api.origin()}

    def _open_session(self) -> aiohttp.ClientSession:
        """Keep one session, so that connections are used again; it belongs to the loop that runs now."""
        if self.client.session is None:
            self.client.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._timeout_s))
        return self.client.session


def _field(value: Any) -> str | None:
    """Return a form field: reading methods take no JSON bodies, and every method takes a form."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
    return json.dumps(value)


def _translated(method: str, response: Any) -> SlackUnavailableError | SlackRefusedError:
    """Return our error for an answer that is not "ok"."""
    if not isinstance(response, AsyncSlackResponse):
        return SlackUnavailableError(method, "unreadable answer", sent=True)
    code = str(response.data.get("error", "")) if isinstance(response.data, dict) else ""
    status = response.status_code
    if status == _TOO_MANY or code in _LIMITED:
        wait_s = _retry_after_s(response.headers)
        return SlackUnavailableError(method, f"rate limited for {wait_s:g} s", sent=False, retry_after_s=wait_s)
    if status >= _SERVER_ERROR or code in _BROKEN or (status < _CLIENT_ERROR and not code):
        return SlackUnavailableError(method, code or f"status {status}", sent=True)
    return SlackRefusedError(method, code or f"status {status}")


def _retry_after_s(headers: Mapping[str, str]) -> float:
    """Return how long to wait, at least a moment: an unreadable or past time must not make a busy loop."""
    found = _lower(headers).get("retry-after", "")
    return max(float(found), _RETRY_AFTER_S) if found.isdecimal() else _RETRY_AFTER_S


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
