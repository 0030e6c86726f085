"""The fake Discord: a true HTTP server and a true gateway, over guilds a test sets up."""

from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.fakes.changes import Changes
from tests.fakes.discord import events, files, permissions, posting, wire
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.guild import Guild
from tests.fakes.discord.intents import PRIVILEGED
from tests.fakes.discord.model import STARTED_AT, Counter, Member, Message, Role, User
from tests.fakes.discord.person import Person
from tests.fakes.discord.places import Channel, GuildState
from tests.fakes.discord.rest.api import PREFIX, RestApi
from tests.fakes.discord.rest.faults import Faults, matches
from tests.fakes.discord.world import Received, Refusal, World

Json = dict[str, Any]


class DiscordServer:
    """An async context manager; `api_url` and `gateway_url` are what the settings are set to.

    Attributes:
        faults: What goes wrong on demand, by route; "GET /attachments/*" is the content delivery network.
        gateway: The gateway's side: sessions, connections, and how they end.
        world: Everything that is there, and `app`, the application as the developer portal knows it.
        guilds: The guilds, by name.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        started_at: int = STARTED_AT,
        now: Callable[[], float] | None = None,
        shards: int = 1,
    ) -> None:
        changes = Changes()
        self.faults = Faults()
        self.gateway = Gateway(changes)
        self.world = World(counter=Counter(started_at, now), changes=changes, gateway=self.gateway)
        self.world.app.shards = shards
        self.gateway.begin = lambda session: events.first_events(self.world, session)
        self.gateway.members = lambda session, request: events.member_chunks(self.world, session, request)
        self.gateway.refuses = self._refuses
        self.gateway.exhausted = self.reset_token
        self.guilds: dict[str, Guild] = {}
        self._people: dict[str, Person] = {}
        self._allowed: int | None = None
        self._api = RestApi(self.world, self.faults)
        self._port = port
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=25 * 1024 * 1024)
        self._api.add_to(app.router)
        app.router.add_get("/gateway/", self.gateway.handle)
        app.router.add_get("/{kind:attachments|ephemeral-attachments}/{channel}/{file}/{name}", self._download)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.world.base_url = f"http://127.0.0.1:{self._port}"
        self.gateway.url = self.gateway_url
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        await self.gateway.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        """The REST API's base URL."""
        return f"{self.world.base_url}{PREFIX}"

    @property
    def gateway_url(self) -> str:
        """The gateway's URL."""
        return f"{self.world.base_url.replace('http', 'ws', 1)}/gateway/"

    @property
    def token(self) -> str:
        """The app's token."""
        return self.world.app.token

    @property
    def bot(self) -> User:
        """The app's user."""
        return self.world.bot

    @property
    def calls(self) -> list[Received]:
        """Every call, in order, faults included."""
        return self.world.calls

    @property
    def refusals(self) -> list[Refusal]:
        """Every call that Discord refused, unknown routes among them and faults not."""
        return self.world.refusals

    @property
    def invalid_requests(self) -> int:
        """How many calls counted as invalid: ten thousand in ten minutes are a ban."""
        return self._api.invalid

    @property
    def pings(self) -> list[Message]:
        """The app's messages that pinged anybody: what a test wants empty."""
        return self.world.pings

    def calls_of(self, route: str) -> list[Received]:
        """Return every call that a pattern names, as in "POST */messages", by route or by path."""
        return [call for call in self.calls if matches(route, call.route, call.path)]

    def switch_on(self, *intents: str) -> None:
        """Switch privileged intents on in the developer portal: "message_content", "members", "presences"."""
        self.world.app.portal |= {*intents} & PRIVILEGED.keys()

    def switch_off(self, *intents: str) -> None:
        """Switch privileged intents off in the developer portal."""
        self.world.app.portal -= {*intents}

    def install(self, allowed: int, *intents: str) -> None:
        """Let the app have in every guild, also those to come, what its install link asks for, and nothing else."""
        self._allowed = allowed
        self.world.app.portal = {*intents} & PRIVILEGED.keys()
        for guild in self.guilds.values():
            guild.allow_bot(allowed)

    def reset_token(self) -> None:
        """Take the app's token from it, as Discord does after too many sessions, and end what lives."""
        self.world.app.token_valid = False
        self.gateway.end_sessions()

    def _refuses(self, identify: Json) -> int | None:
        app = self.world.app
        if identify.get("token") != app.token or not app.token_valid:
            return 4004
        allowed = sum(PRIVILEGED[name] for name in app.portal)
        return 4014 if int(identify.get("intents", 0)) & sum(PRIVILEGED.values()) & ~allowed else None

    def user(self, name: str) -> Person:
        """Return a person by name, a new one if there is none."""
        if name not in self._people:
            user = User(user_id=self.world.counter.snowflake(), name=name)
            self.world.users[user.user_id] = user
            self._people[name] = Person(self.world, user)
        return self._people[name]

    def guild(self, name: str = "acme", *, shard: int | None = None) -> Guild:
        """Return a guild by name, a new one with the app in it if there is none; on a certain shard, if told."""
        if name in self.guilds:
            return self.guilds[name]
        world = self.world
        guild_id = world.counter.snowflake(shard=None if shard is None else (shard, world.app.shards))
        owner = User(user_id=world.counter.snowflake(), name=f"owner-of-{name}")
        world.users[owner.user_id] = owner
        state = GuildState(guild_id=guild_id, name=name, owner=owner, bot=world.bot)
        everyone = Role(role_id=guild_id, name="@everyone", permissions=permissions.EVERYONE, position=0)
        own = Role(
            role_id=world.counter.snowflake(),
            name=world.app.name,
            permissions=permissions.BOT,
            bot_id=world.bot.user_id,
        )
        state.roles = {role.role_id: role for role in (everyone, own)}
        for user, roles in ((owner, []), (world.bot, [own.role_id])):
            state.members[user.user_id] = Member(user=user, joined_at_s=world.now_s(), roles=roles)
        world.guilds[guild_id] = state
        self.guilds[name] = Guild(world, state, person=self.user)
        if self._allowed is not None:
            self.guilds[name].allow_bot(self._allowed)
        world.emit("GUILD_CREATE", wire.guild_create_json(state, joined=True), guild=state)
        return self.guilds[name]

    def release(self) -> None:
        """Let held calls go on."""
        self._api.release()

    def channel(self, channel_id: str) -> Channel:
        """Return a channel, thread or DM by its id."""
        return self.world.channels[channel_id]

    def resend(self, message: Message, *, times: int = 1) -> None:
        """Deliver a message's first event again, as the gateway is free to do."""
        for _ in range(times):
            posting.announce(self.world, self.world.channels[message.channel_id], message)

    async def until(self, holds: Callable[[], bool], *, within_s: float = 10.0) -> None:
        """Wait until something holds, looked at whenever anything here changes."""
        await self.world.changes.until(holds, within_s=within_s, showing=lambda: f"{len(self.calls)} calls")

    async def until_called(self, route: str, times: int = 1, *, within_s: float = 10.0) -> list[Received]:
        """Wait until a route was called so often; return the calls."""
        await self.until(lambda: len(self.calls_of(route)) >= times, within_s=within_s)
        return self.calls_of(route)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        serve = partial(files.download, self.world)
        fault = self.faults.take(f"GET {request.path}", request.path, None)
        if fault is None:
            return await serve(request)
        if fault.after_effect:
            served = await serve(request)
            return await self._api.strike(request, fault) or served
        return await self._api.strike(request, fault) or await serve(request)
