"""What a workspace is made of: plain values, and the counters that name them.

Knows no server, no delivery and no limits.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.fakes.slack.blocks import elements, visible_text

Json = dict[str, Any]
ChannelKind = Literal["public", "private", "im", "mpim"]
StreamState = Literal["streaming", "stopped", "expired", "stopped_by_user"]

STARTED_AT = 1_764_000_000
BOT_SCOPES = frozenset(
    {
        "app_mentions:read",
        "assistant:write",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:write",
        "mpim:history",
        "reactions:write",
        "users:read",
    }
)


class SlackRefusesError(Exception):
    """What the client would not let a person do: the button is not there, the channel is not hers to see."""


class ApiError(Exception):
    """A Web API call that ends with `ok: false`."""

    def __init__(self, error: str, **extra: Any) -> None:
        super().__init__(error)
        self.error = error
        self.extra = extra


class Counter:
    """Names and times, each one once and in order; `now` makes the times those of a real clock."""

    def __init__(self, started_at: int = STARTED_AT, now: Callable[[], float] | None = None) -> None:
        self._micros = started_at * 1_000_000
        self._now = now
        self._numbers: defaultdict[str, int] = defaultdict(int)

    def ts(self) -> str:
        """Return a message's time stamp, later than every one before."""
        self._micros = max(self._micros + 100, int(self._now() * 1_000_000) if self._now else 0)
        return f"{self._micros // 1_000_000}.{self._micros % 1_000_000:06d}"

    def seconds(self) -> int:
        """Return the time of the newest stamp, in whole seconds."""
        return self._micros // 1_000_000

    def now_s(self) -> float:
        """Return the time of day, as everything here knows it."""
        return self._now() if self._now else self._micros / 1_000_000

    def pass_time(self, seconds: float) -> None:
        """Let the next time stamps be so much later."""
        self._micros += int(seconds * 1_000_000)

    def name(self, prefix: str, *, scope: str = "") -> str:
        """Return an id; those of two scopes are alike, as Slack's are in two workspaces."""
        self._numbers[scope + prefix] += 1
        return f"{prefix}{self._numbers[scope + prefix]:08d}"


@dataclass(kw_only=True, eq=False)
class User:
    """A person or a bot; `team_id` is where they are at home."""

    user_id: str
    name: str
    team_id: str
    is_bot: bool = False
    bot_id: str | None = None
    app_id: str | None = None
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_admin: bool = False
    deleted: bool = False
    email: str | None = None
    tz: str = "Europe/Madrid"


@dataclass(kw_only=True, eq=False)
class File:
    """A file in a workspace.

    Attributes:
        sent_bytes: How much of it was fetched, all times together.
    """

    file_id: str
    name: str
    content: bytes
    user_id: str
    team_id: str
    mimetype: str = "text/plain"
    filetype: str = "text"
    title: str = ""
    base_url: str = ""
    sent_bytes: int = 0


@dataclass(kw_only=True, eq=False)
class Stream:
    """The streaming side of a message."""

    state: StreamState = "streaming"
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    appends: int = 0


@dataclass(kw_only=True, eq=False)
class Message:
    """A message as it now is.

    Attributes:
        versions: What it showed before each edit, oldest first.
        ephemeral_to: The only one who sees it.
        response_key: The interaction it answers, if it came by a response URL.
    """

    ts: str
    channel_id: str
    author: User
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    files: list[File] = field(default_factory=list)
    metadata: Json | None = None
    subtype: str | None = None
    username: str | None = None
    broadcast: bool = False
    edited_ts: str | None = None
    edited_by: str | None = None
    ephemeral_to: str | None = None
    response_key: str | None = None
    stream: Stream | None = None
    deleted: bool = False
    reactions: list[tuple[str, str]] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """What a person reads: the blocks if there are any, else the text; then the attachments."""
        parts = [visible_text(self.blocks) if self.blocks else unescaped(self.text)]
        for attachment in self.attachments:
            parts += [visible_text(attachment.get("blocks") or [])]
            parts += [unescaped(str(attachment[key])) for key in ("pretext", "title", "text") if attachment.get(key)]
        return "\n".join(part for part in parts if part)

    @property
    def edited(self) -> bool:
        """Whether it says "(edited)"."""
        return self.edited_ts is not None

    @property
    def buttons(self) -> dict[str, Json]:
        """What can be pressed, by action id."""
        return {element["action_id"]: element for element in elements(self.blocks)}

    @property
    def streaming(self) -> bool:
        """Whether text may still be appended."""
        return self.stream is not None and self.stream.state == "streaming"

    @property
    def root_ts(self) -> str:
        """The thread it belongs to, its own if it began it."""
        return self.thread_ts or self.ts

    @property
    def in_thread(self) -> bool:
        """Whether it is a reply."""
        return self.thread_ts is not None and self.thread_ts != self.ts

    def __str__(self) -> str:
        marks = " (edited)" * self.edited + " (streaming)" * self.streaming
        marks += f" (only {self.ephemeral_to} sees it)" if self.ephemeral_to else ""
        buttons = "".join(f" [{action_id}]" for action_id in self.buttons)
        return f"{self.ts} {self.username or self.author.name}: {self.shown}{buttons}{marks}"


@dataclass(kw_only=True, eq=False)
class View:
    """A Home tab or a modal."""

    view_id: str
    team_id: str
    user_id: str
    body: Json
    view_hash: str
    app_id: str
    bot_id: str
    root_view_id: str = ""
    previous_view_id: str | None = None
    closed: bool = False
    trigger_id: str | None = None
    values: dict[str, dict[str, Json]] = field(default_factory=dict)

    @property
    def blocks(self) -> list[Json]:
        """The blocks."""
        return list(self.body.get("blocks", []))

    @property
    def shown(self) -> str:
        """What a person reads."""
        title = (self.body.get("title") or {}).get("text", "")
        return "\n".join(part for part in (title, visible_text(self.blocks)) if part)

    @property
    def buttons(self) -> dict[str, Json]:
        """What can be pressed or filled in, by action id."""
        return {element["action_id"]: element for element in elements(self.blocks)}


@dataclass(kw_only=True, eq=False)
class Session:
    """An agent session of one thread; `status_text` is what `assistant.threads.setStatus` shows."""

    channel_id: str
    thread_ts: str
    status: str | None = None
    title: str | None = None
    status_text: str = ""
    history: list[str] = field(default_factory=list)


def escaped(text: str) -> str:
    """Return a text with Slack's three control characters escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescaped(text: str) -> str:
    """Return a text with Slack's three control characters as people see them."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
