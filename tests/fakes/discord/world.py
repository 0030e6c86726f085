"""What all guilds of one server share: the app, the counters, what went over the wire, and how events leave.

Knows no HTTP and no WebSocket; the gateway is given to it.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.changes import Changes
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.intents import APPLICATION_FLAGS
from tests.fakes.discord.model import Counter, File, Message, User
from tests.fakes.discord.places import Channel, GuildState
from tests.fakes.discord.sessions import Session

Json = dict[str, Any]
Build = Callable[[Session], Json | None]

RESPONSE_WITHIN_S = 3.0
TOKEN_LIVES_S = 15 * 60.0
CDN_LIVES_S = 24 * 3600.0
NONCE_LIVES_S = 5 * 60.0
_CDN_KEY = b"the fake's content delivery network"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A call of the REST API, as it arrived.

    Attributes:
        route: Method and path with its parameters' names, as in "POST /channels/{channel_id}/messages".
        path: The path as it was.
        files: Names of uploaded files.
    """

    route: str
    path: str
    query: Json
    body: Any
    files: tuple[str, ...]
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A call that Discord refused, faults not included."""

    route: str
    path: str
    status: int
    code: int
    body: Json


@dataclass(kw_only=True, eq=False)
class Interaction:
    """Something a person did that the app may answer: once within three seconds, then for fifteen minutes.

    Attributes:
        kind: 2 a command, 3 a component, 4 autocomplete, 5 a modal.
        message: The message whose button was pressed, also behind a modal that it opened.
        response: The type of the one answer, None before it came.
        original: The message that answer is or, of an update, was made to.
        posts: Every message that came of it, the original first.
        late: The person has been told that the app did not respond.
    """

    interaction_id: str
    token: str
    kind: int
    user: User
    channel: Channel
    created_at_s: float
    data: Json = field(default_factory=dict)
    message: Message | None = None
    response: int | None = None
    original: Message | None = None
    posts: list[Message] = field(default_factory=list)
    modal: Json | None = None
    choices: list[Json] | None = None
    late: bool = False

    @property
    def deferred(self) -> bool:
        """Whether its answer is still a "thinking"."""
        return self.original is not None and self.original.loading


@dataclass(kw_only=True, eq=False)
class App:
    """The application, as its owner set it up in the developer portal.

    Attributes:
        portal: The privileged intents that are switched on: "members", "presences", "message_content".
        shards: How many the gateway recommends.
    """

    app_id: str
    name: str
    token: str
    portal: set[str] = field(default_factory=set)
    shards: int = 1
    token_valid: bool = True

    @property
    def flags(self) -> int:
        """The flags that tell which privileged intents it has; an unverified app's are the limited ones."""
        return sum(APPLICATION_FLAGS[name] for name in self.portal)


def token_of(app_id: str) -> str:
    """Return a token as Discord makes it: the id in base 64, and two more parts."""
    return f"{b64encode(app_id.encode()).decode().rstrip('=')}.Gfake1.fake-token-of-the-app-that-is-long-enough"


class World:
    """The state of one server.

    Attributes:
        commands: What was synced: by guild id, "" for the global ones.
        old_edits: How often a message older than an hour may be edited; None is without end.
    """

    def __init__(self, *, counter: Counter, changes: Changes, gateway: Gateway) -> None:
        self.counter = counter
        self.changes = changes
        self.gateway = gateway
        app_id = counter.snowflake()
        self.app = App(app_id=app_id, name="recall", token=token_of(app_id))
        self.bot = User(user_id=app_id, name="recall", is_bot=True)
        self.base_url = ""
        self.users: dict[str, User] = {app_id: self.bot}
        self.guilds: dict[str, GuildState] = {}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, File] = {}
        self.commands: dict[str, list[Json]] = {}
        self.created_commands = 0
        self.interactions: dict[str, Interaction] = {}
        self.nonces: dict[str, tuple[Message, float]] = {}
        self.calls: list[Received] = []
        self.refusals: list[Refusal] = []
        self.pings: list[Message] = []
        self.old_edits: int | None = None

    def now_s(self) -> float:
        """Return the time of day here."""
        return self.counter.now_s()

    def channel(self, channel_id: str) -> Channel | None:
        """Return a channel, thread or DM that still is."""
        channel = self.channels.get(channel_id)
        if channel is None or channel.deleted:
            return None
        return None if channel.guild is not None and not channel.guild.has_bot else channel

    def dm(self, user: User) -> Channel:
        """Return the conversation of a person with the app, a new one if there is none."""
        for channel in self.channels.values():
            if channel.kind == "dm" and user.user_id in channel.people:
                return channel
        channel = Channel(
            channel_id=self.counter.snowflake(),
            kind="dm",
            name=f"dm of {user.name}",
            bot=self.bot,
            changes=self.changes,
            now_s=self.now_s,
            people={user.user_id: user, self.bot.user_id: self.bot},
        )
        self.channels[channel.channel_id] = channel
        return channel

    def emit(self, event: str, build: Build | Json, *, guild: GuildState | None) -> None:
        """Send an event to every session of the guild's shard (DMs: of shard 0) whose intents ask for it.

        A `build` that returns None for a session leaves that session out.
        """
        if guild is not None and not (guild.has_bot and guild.available):
            return
        payload: Build = build if callable(build) else lambda _session: build
        self.gateway.dispatch(event, payload, guild_id=guild.guild_id if guild is not None else None)
        self.changes.mark()

    def emit_in(self, channel: Channel, event: str, build: Build | Json) -> None:
        """Send an event of a channel, if the app sees that channel."""
        if channel.allows(self.bot.user_id, "view_channel"):
            self.emit(event, build, guild=channel.guild)

    def signed_url(self, file: File) -> str:
        """Return where a file can be fetched, for a day."""
        issued = int(self.now_s())
        expires = issued + int(CDN_LIVES_S)
        signature = self.signature(file.file_id, f"{expires:x}", f"{issued:x}")
        kind = "ephemeral-attachments" if file.ephemeral else "attachments"
        path = f"{self.base_url}/{kind}/{file.channel_id}/{file.file_id}/{file.name}"
        return f"{path}?ex={expires:x}&is={issued:x}&hm={signature}&"

    @staticmethod
    def signature(file_id: str, expires: str, issued: str) -> str:
        """Return what proves that a link was made here."""
        return hmac.new(_CDN_KEY, f"{file_id}.{expires}.{issued}".encode(), hashlib.sha256).hexdigest()
