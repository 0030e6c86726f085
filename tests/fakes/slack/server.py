"""The fake Slack: a true HTTP server and a true Socket Mode WebSocket, over workspaces a test sets up."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web

from tests.fakes.changes import Changes
from tests.fakes.slack import files, response_urls
from tests.fakes.slack.channel import Channel
from tests.fakes.slack.deliveries import Delivery
from tests.fakes.slack.faults import Faults
from tests.fakes.slack.model import BOT_SCOPES, STARTED_AT, Counter, Message, User
from tests.fakes.slack.socket_mode import SocketMode
from tests.fakes.slack.team import Team
from tests.fakes.slack.web_api import WebApi
from tests.fakes.slack.world import MassMention, Received, Refusal, TeamState, World


class SlackServer:
    """An async context manager; `url` is what `SLACK_API_URL` is set to.

    Attributes:
        faults: What goes wrong on demand, by method; "response_url", "files.download" and "files.upload" count as such.
        socket: The Socket Mode side: connections, deliveries, acknowledgements.
        world: Settings for all workspaces: `subscriptions` (None is all), `stream_bytes`, `stream_appends` (how many a
            stream takes before it expires), `dm_roots_carry_thread_ts`.
        teams: The workspaces, by id.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        seed: int = 0,
        choose: Literal["random", "round_robin"] = "random",
        started_at: int = STARTED_AT,
        now: Callable[[], float] | None = None,
    ) -> None:
        changes = Changes()
        self.faults = Faults()
        self.socket = SocketMode(changes, seed=seed, choose=choose)
        self.world = World(counter=Counter(started_at, now), changes=changes, socket=self.socket)
        self.teams: dict[str, Team] = {}
        self._api = WebApi(self.world, self.faults, channels=self._channels, open_dm=self._open_dm)
        self._scopes: frozenset[str] = BOT_SCOPES
        self._agent_view = True
        self._port = port
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self._api.handle)
        app.router.add_get("/link/", self.socket.handle)
        app.router.add_get("/files-pri/{name}/{tail:.+}", self._download)
        app.router.add_post("/upload/v1/{team}/{file}/{length}", self._upload)
        app.router.add_post("/{kind:commands|actions}/{team}/{key}/secret", self._respond)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.world.base_url = f"http://127.0.0.1:{self._port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        await self.socket.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        """The Web API's base URL."""
        return f"{self.world.base_url}/api/"

    @property
    def app_token(self) -> str:
        """The app-level token."""
        return self.world.app_token

    @property
    def calls(self) -> list[Received]:
        """Every call, in order, faults included."""
        return self.world.calls

    @property
    def refusals(self) -> list[Refusal]:
        """Every call that ended with `ok: false`, faults not included."""
        return self.world.refusals

    @property
    def mass_mentions(self) -> list[MassMention]:
        """What the app pinged many people with: what a test wants empty."""
        return self.world.mass_mentions

    def calls_of(self, method: str) -> list[Received]:
        """Return every call of one method."""
        return [call for call in self.calls if call.method == method]

    def team(self, name: str = "acme", *, bot_name: str = "recall") -> Team:
        """Return a workspace by name, a new one with the app installed if there is none."""
        known = [team for team in self.teams.values() if team.state.domain == name]
        if known:
            return known[0]
        team_id = self.world.counter.name("T")
        bot = User(
            user_id=self.world.counter.name("U", scope=team_id),
            name=bot_name,
            team_id=team_id,
            is_bot=True,
            bot_id=self.world.counter.name("B", scope=team_id),
            app_id=self.world.app_id,
        )
        state = TeamState(
            team_id=team_id,
            name=name.title(),
            domain=name,
            bot=bot,
            bot_token=f"xoxb-{name}-fake",
            scopes=set(self._scopes),
            agent_view=self._agent_view,
        )
        state.users[bot.user_id] = bot
        state.bots[str(bot.bot_id)] = bot
        self.world.states[team_id] = state
        self.teams[team_id] = Team(self.world, state)
        return self.teams[team_id]

    def install(self, manifest: Mapping[str, Any]) -> None:
        """Give the app in every workspace, also those to come, what a parsed manifest asks for, and nothing else."""
        features, settings = manifest.get("features", {}), manifest.get("settings", {})
        home = features.get("app_home", {})
        self._scopes = frozenset(manifest.get("oauth_config", {}).get("scopes", {}).get("bot", []))
        self._agent_view = "agent_view" in features
        for team in self.teams.values():
            team.state.scopes, team.state.agent_view = set(self._scopes), self._agent_view
        self.world.subscriptions = frozenset(settings.get("event_subscriptions", {}).get("bot_events", []))
        commands = features.get("slash_commands", [])
        self.world.commands = {each["command"]: bool(each.get("should_escape")) for each in commands}
        self.world.shortcuts = frozenset(each["callback_id"] for each in features.get("shortcuts", []))
        self.world.home_tab = bool(home.get("home_tab_enabled"))
        self.world.messages_tab = bool(home.get("messages_tab_enabled")) and not home.get(
            "messages_tab_read_only_enabled"
        )

    def release(self) -> None:
        """Let held calls go on."""
        self._api.release()

    def expire_streams(self) -> list[Message]:
        """Let Slack forget that any message is streaming; what was streamed stays. Return those messages."""
        found = [
            message
            for team in self.teams.values()
            for channel in team.channels.values()
            for message in channel.messages.values()
            if message.streaming
        ]
        for message in found:
            if message.stream is not None:
                message.stream.state = "expired"
        self.world.changes.mark()
        return found

    def deliveries_of(self, message: Message) -> list[Delivery]:
        """Return the deliveries that brought a message to the app, redeliveries included."""
        return [
            delivery
            for delivery in self.socket.deliveries
            if delivery.event.get("ts") == message.ts
            and delivery.event.get("channel") == message.channel_id
            and delivery.event["type"] in {"message", "app_mention"}
        ]

    async def resend(self, message: Message, *, times: int = 1, new_ids: bool = False) -> list[Delivery]:
        """Send the first event of a message again: as a retry, or under new event ids and without a word of retry."""
        first = self.deliveries_of(message)[0]
        sent: list[Delivery] = []
        for _ in range(times):
            if new_ids:
                payload = first.payload | {"event_id": self.world.counter.name("Ev")}
                sent.append(await self.socket.deliver("events_api", payload))
            else:
                sent.append(await self.socket.redeliver(sent[-1] if sent else first))
        return sent

    async def until(self, holds: Callable[[], bool], *, within_s: float = 10.0) -> None:
        """Wait until something holds, looked at whenever anything here changes."""
        await self.world.changes.until(holds, within_s=within_s, showing=lambda: f"{len(self.calls)} calls")

    async def until_called(self, method: str, times: int = 1, *, within_s: float = 10.0) -> list[Received]:
        """Wait until a method was called so often; return the calls."""
        await self.until(lambda: len(self.calls_of(method)) >= times, within_s=within_s)
        return self.calls_of(method)

    def _channels(self, state: TeamState) -> Mapping[str, Channel]:
        return self.teams[state.team_id].channels

    def _open_dm(self, state: TeamState, users: Sequence[User]) -> Channel:
        return self.teams[state.team_id].direct(users, state.bot)

    async def _perhaps(
        self, method: str, request: web.Request, serve: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Serve what is no method of the Web API, unless a fault strikes."""
        fault = self.faults.take(method, {})
        if fault is None:
            return await serve(request)
        if fault.after_effect:
            served = await serve(request)
            return await self._api.strike(request, fault) or served
        return await self._api.strike(request, fault) or await serve(request)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        return await self._perhaps("files.download", request, partial(files.download, self.world))

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        return await self._perhaps("files.upload", request, partial(files.receive_upload, self.world))

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        return await self._perhaps("response_url", request, self._responded)

    async def _responded(self, request: web.Request) -> web.Response:
        interaction = self.world.interactions.get(request.match_info["key"])
        channel = None
        if interaction is not None and interaction.channel_id is not None:
            channel = self.teams[interaction.team.team_id].channels.get(interaction.channel_id)
        return await response_urls.receive(self.world, channel, request)
