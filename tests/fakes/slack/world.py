"""What all workspaces of one server share: the app, the counters, what went over the wire, and how events leave.

Knows no HTTP and no WebSocket; the socket side is given to it.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.fakes.changes import Changes
from tests.fakes.slack.deliveries import Delivery, EnvelopeKind
from tests.fakes.slack.events import Contact, Place, event_callback
from tests.fakes.slack.limits import STREAM_BYTES, mass_mentions, pinging_texts
from tests.fakes.slack.model import BOT_SCOPES, Counter, File, Message, Session, User, View
from tests.fakes.slack.socket_mode import SocketMode

Json = dict[str, Any]

TRIGGER_LIVES_S = 3.0
RESPONSE_URL_LIVES_S = 30 * 60.0
RESPONSE_URL_USES = 5

_SCOPES = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "member_joined_channel": "channels:read",
    "member_left_channel": "channels:read",
    "channel_archive": "channels:read",
    "channel_unarchive": "channels:read",
    "channel_deleted": "channels:read",
    "channel_rename": "channels:read",
    "channel_shared": "channels:read",
    "channel_left": "channels:read",
    "group_archive": "groups:read",
    "group_left": "groups:read",
    "group_unarchive": "groups:read",
    "group_deleted": "groups:read",
    "group_rename": "groups:read",
    "team_join": "users:read",
    "user_change": "users:read",
    "agent_session_stopped": "assistant:write",
    "app_context_changed": "assistant:write",
}


@dataclass(kw_only=True, eq=False)
class TeamState:
    """One workspace, and the app as it is installed there.

    Attributes:
        installed: "uninstalled" and "revoked" make the bot token useless, each with its own error.
        agent_view: Whether the app is declared an agent.
    """

    team_id: str
    name: str
    domain: str
    bot: User
    bot_token: str
    scopes: set[str] = field(default_factory=lambda: set(BOT_SCOPES))
    installed: Literal["installed", "uninstalled", "revoked"] = "installed"
    agent_view: bool = True
    users: dict[str, User] = field(default_factory=dict)
    bots: dict[str, User] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    uploads: dict[str, File] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)
    sessions: dict[tuple[str, str], Session] = field(default_factory=dict)
    prompts: dict[tuple[str, str], list[Json]] = field(default_factory=dict)

    def session(self, channel_id: str, thread_ts: str) -> Session:
        """Return a thread's agent session, a new one if it has none."""
        return self.sessions.setdefault((channel_id, thread_ts), Session(channel_id=channel_id, thread_ts=thread_ts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A call of the Web API, as it arrived."""

    method: str
    args: Json
    team_id: str | None
    at_s: float
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A call that ended with `ok: false`."""

    method: str
    error: str
    detail: Json
    args: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class MassMention:
    """A live mention of many people that an app's message carried."""

    team_id: str
    channel_id: str
    ts: str
    mention: str


@dataclass(kw_only=True, eq=False)
class Interaction:
    """How an app may answer one interaction: one modal within three seconds, five posts within thirty minutes."""

    key: str
    trigger_id: str
    team: TeamState
    user: User
    at_s: float
    channel_id: str | None = None
    message: Message | None = None
    uses: int = 0
    exchanged: bool = False
    posts: list[Message] = field(default_factory=list)


class World:
    """The state of one server."""

    def __init__(self, *, counter: Counter, changes: Changes, socket: SocketMode) -> None:
        self.counter = counter
        self.changes = changes
        self.socket = socket
        self.app_id = "A00000001"
        self.app_token = "xapp-1-A00000001-fake"
        self.app_scopes = {"connections:write"}
        self.base_url = ""
        self.states: dict[str, TeamState] = {}
        self.subscriptions: frozenset[str] | None = None
        self.calls: list[Received] = []
        self.refusals: list[Refusal] = []
        self.mass_mentions: list[MassMention] = []
        self.interactions: dict[str, Interaction] = {}
        self.stream_bytes = STREAM_BYTES
        self.stream_appends: int | None = None
        self.page_size: int | None = None  # Slack may give fewer than were asked for
        self.dm_roots_carry_thread_ts = False
        self.commands: dict[str, bool] | None = None
        self.shortcuts: frozenset[str] | None = None
        self.home_tab = True
        self.messages_tab = True

    def refuse(self, method: str, error: str, *, args: Json, detail: Json | None = None) -> None:
        """Record what the app did and Slack does not take."""
        self.refusals.append(Refusal(method=method, error=error, detail=detail or {}, args=args))
        self.changes.mark()

    def names(self) -> Iterator[str]:
        """Yield ids for blocks and elements that came without."""
        while True:
            yield self.counter.name("b")

    def now_s(self) -> float:
        """Return the loop's clock."""
        return asyncio.get_running_loop().time()

    def place(self, team: TeamState) -> Place:
        """Return what every payload says of where it comes from."""
        return Place(app_id=self.app_id, team_id=team.team_id, team_domain=team.domain, bot_user_id=team.bot.user_id)

    def subscribed(self, team: TeamState, name: str) -> bool:
        """Whether the app gets such events of this workspace."""
        if team.installed != "installed" and name not in {"app_uninstalled", "tokens_revoked"}:
            return False
        scope = _SCOPES.get(name)
        return (self.subscriptions is None or name in self.subscriptions) and (scope is None or scope in team.scopes)

    async def emit(
        self, team: TeamState, event: Json, *, name: str | None = None, ext_shared: bool = False
    ) -> Delivery | None:
        """Send an event if the app subscribed to it (`name`, the event's type unless given) and may see it."""
        if not self.subscribed(team, name or event["type"]):
            return None
        body = event_callback(
            self.place(team),
            event,
            event_id=self.counter.name("Ev"),
            event_time=self.counter.seconds(),
            ext_shared=ext_shared,
        )
        return await self.socket.deliver("events_api", body)

    async def send(self, kind: EnvelopeKind, payload: Json) -> Delivery:
        """Send an interaction."""
        return await self.socket.deliver(kind, payload)

    def interaction(
        self,
        team: TeamState,
        user: User,
        *,
        channel_id: str | None = None,
        message: Message | None = None,
    ) -> Interaction:
        """Begin an interaction."""
        number = self.counter.name("")
        interaction = Interaction(
            key=number,
            trigger_id=f"{number}.{team.team_id}.trigger",
            team=team,
            user=user,
            at_s=self.now_s(),
            channel_id=channel_id,
            message=message,
        )
        self.interactions[number] = interaction
        return interaction

    def contact(self, interaction: Interaction, *, path: Literal["commands", "actions"]) -> Contact:
        """Return how the app may answer."""
        url = f"{self.base_url}/{path}/{interaction.team.team_id}/{interaction.key}/secret"
        return Contact(trigger_id=interaction.trigger_id, response_url=url)

    def watch_mentions(self, team: TeamState, message: Message) -> None:
        """Record what a message of the app would ping many people with; one and the same only once."""
        if message.author is not team.bot or message.ephemeral_to is not None:
            return
        texts = [message.text, *pinging_texts(message.blocks), *pinging_texts(message.attachments)]
        if message.stream is not None:
            texts.append(message.stream.text)
        for mention in dict.fromkeys(found for text in texts for found in mass_mentions(text)):
            record = MassMention(team_id=team.team_id, channel_id=message.channel_id, ts=message.ts, mention=mention)
            if record not in self.mass_mentions:
                self.mass_mentions.append(record)
