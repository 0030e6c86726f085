"""Discord as a platform: one bot in all its servers, from its parts.

Which messages are for Recall says `intake`, who may read along `channels`, which process acts `shifts`, and how an
answer is shown `sink`.
"""

import asyncio
from asyncio import FIRST_COMPLETED
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog

from bots.conversation import Conversation
from bots.delivery import Delivery, Stops
from bots.desk.buttons import Buttons
from bots.desk.desk import open_desk
from bots.desk.feedback import Feedback
from bots.desk.ways import Ways
from bots.discord import ids
from bots.discord.answering import Answering
from bots.discord.asked import AnyInteraction
from bots.discord.catch_up import CatchUp
from bots.discord.changes import Changes
from bots.discord.channels import Channels
from bots.discord.client import RecallClient, point_at
from bots.discord.command_sync import CommandSync
from bots.discord.controls import Controls
from bots.discord.edits import Edits
from bots.discord.files import DiscordFiles
from bots.discord.gateway import connected, log_in, see_gateway, wait_for_budget
from bots.discord.inbound import BotIdentity
from bots.discord.inbox import Inbox
from bots.discord.intake import Intake
from bots.discord.lifecycle import Lifecycle
from bots.discord.listener import Listener
from bots.discord.notes import Notes
from bots.discord.presses import ButtonsOf, Presses
from bots.discord.replies import Replies
from bots.discord.rest import DiscordRest
from bots.discord.shards import Shards
from bots.discord.shifts import LEASE_S, Shifts
from bots.discord.spoken_commands import SpokenCommands
from bots.discord.surroundings import DiscordSurroundings
from bots.discord.ways import DIRECT, DISCLOSURE, SERVER
from bots.ids import join_parts
from bots.metrics import PlatformMetrics
from bots.platform import Platform
from memory.errors import RecallError
from memory.forgetting import Forgetting
from memory.personal import PersonalMemory
from memory.ports import Clock, LeaseStore, NamedValues, Pace, PlaceStore, Signals
from memory.reaching import REACH_WITHIN_S, until_reached
from memory.service import MemoryService
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)

_RECOVER_EVERY_S = 30.0
_LAST_CALLS_S = 5.0
_HOLDS_WITHIN_S = 1.0
"""How long an interaction waits for this process to take its shard over, of the three seconds for a sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscordSettings:
    """What the platform is told.

    Attributes:
        api_url: With its version; Discord's when None.
        gateway_url: Discord's when None.
        follow_up: Whether to answer without a mention in threads that Recall is part of.
        auto_thread: Whether a mention opens a thread.
        ready_timeout_s: How long a session waits for its next server before it counts as begun, in seconds.
        lease_s: How long another process waits for this one's shards when it dies, in seconds.
        silent_after_s: After so many seconds without a word a connection is replaced.
        reach_within_s: How long each step of a start tries to reach Discord, in seconds.
    """

    token: str
    api_url: str | None = None
    gateway_url: str | None = None
    follow_up: bool = False
    auto_thread: bool = True
    ready_timeout_s: float = 2.0
    lease_s: float = LEASE_S
    reach_within_s: float = REACH_WITHIN_S
    silent_after_s: float = 60.0


class DiscordPlatform(Platform):
    """One bot.

    Args:
        settings: The token and choices.
        service: The memory core.
        forgetting: Told of edits and deletions.
        personal: What people do with their own memories.
        places: Knows where things were said.
        values: Knows which commands Discord was told of.
        leases: Says which process acts for a shard.
        holder: Names this process.
        conversation: Who answers.
        pace: How often a person may ask.
        metrics: Told of turns, rate limits and the connection.
        signals: Tells the other processes to stop an answer that one of them makes.
        clock: The time of day.
        disclosure: What the first answer in a server, and in a person's direct messages, says of memory.
        recover_every_s: How often to look for messages that nobody answers, in seconds.
    """

    def __init__(
        self,
        *,
        settings: DiscordSettings,
        service: MemoryService,
        forgetting: Forgetting,
        personal: PersonalMemory,
        places: PlaceStore,
        values: NamedValues,
        leases: LeaseStore,
        holder: str,
        conversation: Conversation,
        pace: Pace,
        metrics: PlatformMetrics,
        signals: Signals,
        clock: Clock,
        disclosure: str | None = DISCLOSURE,
        recover_every_s: float = _RECOVER_EVERY_S,
    ) -> None:
        point_at(api_url=settings.api_url, gateway_url=settings.gateway_url)
        self._settings = settings
        self._places = places
        self._recover_every_s = recover_every_s
        self._tasks = TaskTracker()
        self._client = RecallClient(
            follow_up=settings.follow_up,
            on_rate_limited=metrics.rate_limited,
            ready_timeout_s=settings.ready_timeout_s,
            silent_after_s=settings.silent_after_s,
            gateway_url=settings.gateway_url,
        )
        self._shards = Shards(self._client, metrics=metrics, clock=clock)
        self._rest = DiscordRest(self._client)
        self._channels = Channels(self._client, self._rest)
        self._notes = Notes(self._rest, self._tasks)
        self._replies = Replies(self._rest, self._channels, auto_thread=settings.auto_thread)
        self._delivery = Delivery(
            service=service,
            conversation=conversation,
            late=self._replies.late,
            pace=pace,
            disclosure=disclosure,
            outsiders_in=self._channels.outsiders_in,
            files=DiscordFiles(self._rest),
            metrics=metrics,
        )
        self._stops = Stops(delivery=self._delivery, signals=signals, tasks=self._tasks)
        feedback = Feedback(metrics)

        def buttons_of(ways: Ways) -> Buttons:
            desk = open_desk(
                personal=personal,
                service=service,
                surroundings=DiscordSurroundings(self._channels),
                ways=ways,
                metrics=metrics.overall,
            )
            return Buttons(desk=desk, retry=self._delivery.retry, feedback=feedback)

        buttons = ButtonsOf(servers=buttons_of(SERVER), dms=buttons_of(DIRECT))
        answering = Answering(self._rest, self._tasks)
        controls = Controls(
            buttons=buttons,
            answering=answering,
            channels=self._channels,
            places=places,
            identity=self._identity,
            is_ours=self._is_ours,
        )
        self._sync = CommandSync(controls.register(self._client), values)
        presses = Presses(buttons=buttons, answering=answering, stops=self._stops, is_ours=self._is_ours)
        presses.register(self._client)
        lifecycle = Lifecycle(forgetting)
        intake = Intake(
            channels=self._channels,
            service=service,
            delivery=self._delivery,
            replies=self._replies,
            places=places,
            notes=self._notes,
            commands=SpokenCommands(buttons, self._rest, self._tasks),
            follow_up=settings.follow_up,
        )
        changes = Changes(channels=self._channels, service=service, places=places, rest=self._rest, lifecycle=lifecycle)
        catch_up = CatchUp(
            rest=self._rest,
            places=places,
            service=service,
            intake=intake,
            changes=changes,
            lifecycle=lifecycle,
            clock=clock,
            identity=self._identity,
            shard_of=self._shards.of,
            channels=self._channels,
        )
        self._inbox = Inbox(on_room=self._read_back)
        self._shifts = Shifts(
            leases=leases,
            holder=holder,
            inbox=self._inbox,
            backlog=catch_up.backlog,
            clock=clock,
            lease_s=settings.lease_s,
        )
        self._client.ears = Listener(
            shifts=self._shifts,
            shards=self._shards,
            intake=intake,
            edits=Edits(forgetting=forgetting, places=places, channels=self._channels, notes=self._notes, clock=clock),
            changes=changes,
            lifecycle=lifecycle,
            identity=self._identity,
        )
        self._is_closing = asyncio.Event()

    async def run(self) -> None:
        """Serve until it is closed.

        Raises:
            ConfigError: Discord refuses the token or an intent.
            UnreachableError: Discord cannot be reached.
        """
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._client)
            await self._begin()
            listening = asyncio.create_task(connected(self._client), name="listen to discord")
            stack.push_async_callback(self._hang_up, listening)
            stack.push_async_callback(self._tasks.close, grace_s=_LAST_CALLS_S)
            stack.push_async_callback(self._sync.close)
            self._tasks.start(self._sync.run(), name="sync commands")
            await stack.enter_async_context(self._delivery)
            stack.push_async_callback(self._inbox.close, grace_s=_LAST_CALLS_S)
            stack.push_async_callback(self._shifts.close)
            await stack.enter_async_context(self._stops.heard())
            await self._recover_until_closed(listening)
            if listening.done():
                listening.result()

    def stop(self) -> None:
        self._is_closing.set()

    async def idle(self) -> None:
        """Wait until nothing that was taken is under way."""
        await self._inbox.idle()
        await self._delivery.idle()
        await self._tasks.idle()

    async def look(self) -> str | None:
        return self._shards.look()

    async def _is_ours(self, interaction: AnyInteraction) -> bool:
        """Whether this process acts for the shard that told of an interaction."""
        shard = 0 if interaction.guild_id is None else self._shards.of(interaction.guild_id)
        return await self._shifts.holds_soon(shard, within_s=_HOLDS_WITHIN_S)

    def _read_back(self) -> None:
        self._shifts.read_back()

    def _identity(self) -> BotIdentity:
        return BotIdentity(user_id=self._rest.own_id)

    async def _begin(self) -> None:
        """Log in, and see that a session may be begun."""
        token, follow_up, within_s = self._settings.token, self._settings.follow_up, self._settings.reach_within_s
        await until_reached(
            lambda left_s: log_in(self._client, token, follow_up=follow_up, within_s=left_s), within_s=within_s
        )
        await wait_for_budget(self._client, self._until_closed, within_s=within_s)
        await until_reached(lambda left_s: see_gateway(within_s=left_s), within_s=within_s)

    async def _hang_up(self, listening: asyncio.Task[None]) -> None:
        """Close the gateway; answers that were being made are over by now."""
        await self._client.close()
        await asyncio.wait([listening], timeout=_LAST_CALLS_S)
        listening.cancel()  # while it tries for a first connection, the library does not see that it is closed
        await asyncio.wait([listening])

    async def _recover_until_closed(self, listening: asyncio.Task[None]) -> None:
        """Answer now and then what nobody answers: after a crash, here or in another process."""
        ready = asyncio.create_task(self._client.wait_until_ready())
        try:
            await self._first_of(ready, listening)
        finally:
            ready.cancel()
        while not (self._is_closing.is_set() or listening.done()):
            try:
                for tenant_id in await self._places.tenants(join_parts(ids.PLATFORM, "")):
                    if self._channels.knows(ids.guild_of(tenant_id)):  # else nobody could say who reads the answer
                        await self._delivery.recover(tenant_id)
            except RecallError as error:
                _log.warning("recovery_failed", error=type(error).__name__, reason=str(error))
            await self._first_of(listening, within_s=self._recover_every_s)

    async def _first_of(self, *tasks: asyncio.Task[None], within_s: float | None = None) -> None:
        """Wait until a task is over, or the platform is to stop."""
        closing = asyncio.create_task(self._is_closing.wait())
        try:
            await asyncio.wait([closing, *tasks], timeout=within_s, return_when=FIRST_COMPLETED)
        finally:
            closing.cancel()

    async def _until_closed(self, seconds: float) -> None:
        """Wait so many seconds, or until the platform is to stop."""
        try:
            async with asyncio.timeout(seconds):
                await self._is_closing.wait()
        except TimeoutError:
            return
