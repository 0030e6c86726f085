"""What a Discord is made of: plain values, and the counter that names them.

Knows no server, no gateway and no limits.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.fakes.discord.components import label_of, walk

Json = dict[str, Any]

EPOCH_MS = 1_420_070_400_000
STARTED_AT = 1_764_000_000

EPHEMERAL = 1 << 6
LOADING = 1 << 7
HAS_THREAD = 1 << 5
COMPONENTS_V2 = 1 << 15


class DiscordRefusesError(Exception):
    """What the client would not let a person do: the button is not there, the channel is not hers to see."""


class Counter:
    """Snowflakes and times, each id once and in order; `now` makes the times those of a real clock."""

    def __init__(self, started_at: int = STARTED_AT, now: Callable[[], float] | None = None) -> None:
        self._now = now
        self._ms = started_at * 1_000
        self._last = 0

    def now_s(self) -> float:
        """Return the time of day, as everything here knows it."""
        return self._now() if self._now else self._ms / 1_000

    def pass_time(self, seconds: float) -> None:
        """Let everything to come be so much later; it changes nothing if the times are those of a real clock."""
        self._ms += int(seconds * 1_000)

    def snowflake(self, *, shard: tuple[int, int] | None = None) -> str:
        """Return an id later than every one before; of a guild, one that falls into this shard of so many."""
        now = int(self.now_s() * 1_000) - EPOCH_MS
        self._last = max(self._last + 1, now << 22)
        if shard is not None:
            self._last = ((self._last >> 22) + 1) << 22
            while (self._last >> 22) % shard[1] != shard[0]:
                self._last += 1 << 22
        return str(self._last)


def snowflake_at(snowflake: str) -> datetime:
    """Return the time a snowflake was made."""
    return datetime.fromtimestamp(((int(snowflake) >> 22) + EPOCH_MS) / 1_000, UTC)


def iso(at_s: float) -> str:
    """Return a time as Discord writes it."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="microseconds")


@dataclass(kw_only=True, eq=False)
class User:
    """A person, a bot, or a webhook.

    Attributes:
        dms_closed: They take no direct messages from the app.
    """

    user_id: str
    name: str
    is_bot: bool = False
    is_webhook: bool = False
    dms_closed: bool = False

    @property
    def mention(self) -> str:
        """What a message that mentions them carries."""
        return f"<@{self.user_id}>"


@dataclass(kw_only=True, eq=False)
class Role:
    """A role of a guild."""

    role_id: str
    name: str
    permissions: int
    position: int = 1
    mentionable: bool = False
    bot_id: str | None = None


@dataclass(kw_only=True, eq=False)
class Member:
    """A user in a guild."""

    user: User
    joined_at_s: float
    roles: list[str] = field(default_factory=list)
    nick: str | None = None


@dataclass(kw_only=True, eq=False)
class File:
    """An attachment.

    Attributes:
        sent_bytes: How much of it was fetched, all times together.
    """

    file_id: str
    name: str
    content: bytes
    channel_id: str
    content_type: str | None
    description: str | None = None
    ephemeral: bool = False
    sent_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentions:
    """Whom a message pings; what is written and not allowed is not in here."""

    users: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    everyone: bool = False

    @property
    def any(self) -> bool:
        """Whether it pings anybody."""
        return bool(self.users or self.roles or self.everyone)


@dataclass(kw_only=True, eq=False)
class Message:
    """A message as it now is.

    Attributes:
        versions: What it showed before each edit, oldest first.
        ephemeral_to: The only one who sees it.
        reference: The message it answers, or that began its thread.
        metadata: How an interaction brought it about.
    """

    message_id: str
    channel_id: str
    author: User
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    kind: int = 0
    flags: int = 0
    nonce: str | int | None = None
    mentions: Mentions = field(default_factory=Mentions)
    reference: Json | None = None
    edited_at_s: float | None = None
    webhook_id: str | None = None
    application_id: str | None = None
    metadata: Json | None = None
    ephemeral_to: str | None = None
    deleted: bool = False
    pinned: bool = False
    edits: int = 0
    reactions: list[tuple[str, str]] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """What a person reads: the content, the embeds, the names of the files."""
        parts = [self.content, *(part for embed in self.embeds for part in _embed_texts(embed))]
        parts += [each["content"] for each in walk(self.components) if "content" in each]
        return "\n".join(part for part in [*parts, *(file.name for file in self.files)] if part)

    @property
    def edited(self) -> bool:
        """Whether it says "(edited)"."""
        return self.edited_at_s is not None

    @property
    def elements(self) -> list[Json]:
        """The buttons and selects, in order."""
        return [element for element in walk(self.components) if "custom_id" in element or "url" in element]

    @property
    def buttons(self) -> dict[str, Json]:
        """What can be pressed, by label; a button without one by its emoji, a select by its placeholder."""
        return {label_of(element): element for element in self.elements}

    @property
    def loading(self) -> bool:
        """Whether it says "is thinking"."""
        return bool(self.flags & LOADING)

    @property
    def working(self) -> bool:
        """Whether the app is still at it: it thinks, waits, or shows a button that stops it."""
        return self.loading or not self.buttons.keys().isdisjoint({"Stop", "Waiting"})

    def __str__(self) -> str:
        marks = " (edited)" * self.edited + " (thinking)" * self.loading
        marks += f" (only {self.ephemeral_to} sees it)" if self.ephemeral_to else ""
        buttons = "".join(f" [{label}]" for label in self.buttons)
        return f"{self.message_id} {self.author.name}: {self.shown}{buttons}{marks}"


def _embed_texts(embed: Json) -> Iterator[str]:
    yield str((embed.get("author") or {}).get("name") or "")
    yield str(embed.get("title") or "")
    yield str(embed.get("description") or "")
    for each in embed.get("fields") or []:
        yield f"{each.get('name', '')}\n{each.get('value', '')}"
    yield str((embed.get("footer") or {}).get("text") or "")
