"""Slack as a platform: one workspace in Socket Mode, from its parts.

Which messages are for Recall says `intake`, what people command `controls`, how an answer is shown `sink`.
"""

import asyncio
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp

from bots.conversation import Conversation
from bots.delivery import Delivery, Stops
from bots.desk.buttons import Buttons
from bots.desk.desk import open_desk
from bots.desk.feedback import Feedback
from bots.metrics import PlatformMetrics
from bots.platform import Platform
from bots.slack import ids
from bots.slack.answering import Answering
from bots.slack.bolt import bolt_app
from bots.slack.changes import Changes
from bots.slack.channels import Channels
from bots.slack.connection import SlackConnection
from bots.slack.controls import Controls
from bots.slack.edits import Edits
from bots.slack.exports import Exports
from bots.slack.files import SlackFiles
from bots.slack.guests import PATIENCE_S, Guests
from bots.slack.intake import Intake
from bots.slack.lifecycle import Lifecycle
from bots.slack.prompts import offer_prompts
from bots.slack.replies import Replies
from bots.slack.spoken_commands import SpokenCommands
from bots.slack.stop_button import StopButton
from bots.slack.surroundings import SlackSurroundings
from bots.slack.tenancy import only
from bots.slack.ways import DISCLOSURE, WAYS
from bots.slack.web import SlackWeb
from bots.slack.workspace import Workspace, identify
from memory.errors import RecallError
from memory.forgetting import Forgetting
from memory.personal import PersonalMemory
from memory.ports import Clock, Pace, Signals
from memory.service import MemoryService
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)

_RECOVER_EVERY_S = 30.0
_LAST_CALLS_S = 5.0
_ANYTHING = re.compile(".*")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSettings:
    """What the platform is told.

    Attributes:
        api_url: Slack's when None.
        follow_up: Whether to answer without a mention in threads that Recall is part of.
        ping_every_s: How often the connection is asked for a sign of life, in seconds.
        patience_s: How long an event waits to hear whether guests read along, in seconds.
    """

    bot_token: str
    app_token: str
    api_url: str | None = None
    follow_up: bool = True
    ping_every_s: float = 5.0
    patience_s: float = PATIENCE_S


class SlackPlatform(Platform):
    """One workspace, in Socket Mode.

    Args:
        settings: Tokens and choices.
        service: The memory core.
        forgetting: Told of edits and deletions.
        personal: What people do with their own memories.
        conversation: Who answers.
        pace: How often a person may ask.
        metrics: Told of turns, rate limits and the connection.
        signals: Tells the other processes to stop an answer that one of them makes, and who reads a channel now.
        clock: The time of day.
        disclosure: What the first answer in the workspace, and in a person's direct messages, says of memory.
        recover_every_s: How often to look for messages that nobody answers, in seconds.
    """

    def __init__(
        self,
        *,
        settings: SlackSettings,
        service: MemoryService,
        forgetting: Forgetting,
        personal: PersonalMemory,
        conversation: Conversation,
        pace: Pace,
        metrics: PlatformMetrics,
        signals: Signals,
        clock: Clock,
        disclosure: str | None = DISCLOSURE,
        recover_every_s: float = _RECOVER_EVERY_S,
    ) -> None:
        self._settings = settings
        self._service = service
        self._recover_every_s = recover_every_s
        self._metrics = metrics
        self._web = SlackWeb(settings.bot_token, api_url=settings.api_url, on_rate_limited=metrics.rate_limited)
        self._tasks = TaskTracker()
        self._guests = Guests(self._web, clock, self._tasks, patience_s=settings.patience_s)
        self._channels = Channels(self._web, clock, self._guests)
        self._desk = open_desk(
            personal=personal,
            service=service,
            surroundings=SlackSurroundings(self._channels),
            ways=WAYS,
            metrics=metrics.overall,
        )
        self._clock = clock
        self._signals = signals
        self._files = SlackFiles(self._web)
        self._replies = Replies(self._web)
        self._delivery = Delivery(
            service=service,
            conversation=conversation,
            late=self._replies.late,
            pace=pace,
            disclosure=disclosure,
            outsiders_in=self._channels.outsiders_in,
            channels_of=self._channels.joined_by,
            files=self._files,
            metrics=metrics,
        )
        self._stops = Stops(delivery=self._delivery, signals=signals, tasks=self._tasks)
        self._connection: SlackConnection | None = None
        self._edits = Edits(
            forgetting=forgetting, service=service, channels=self._channels, web=self._web, tasks=self._tasks
        )
        self._lifecycle = Lifecycle(forgetting=forgetting, channels=self._channels, signals=signals, end=self.stop)
        self._is_closing = asyncio.Event()

    async def run(self) -> None:
        """Serve until it is closed.

        Raises:
            ConfigError: Slack refuses a token, or has ended the installation.
            UnreachableError: Slack cannot be reached.
        """
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._web.close)
            workspace = await identify(self._web)
            self._files.bot = workspace.bot
            changes = Changes(
                channels=self._channels,
                guests=self._guests,
                service=self._service,
                signals=self._signals,
                team=workspace.team,
                bot=workspace.bot,
            )
            app = self._app(workspace, changes)
            stack.push_async_callback(self._tasks.close, grace_s=_LAST_CALLS_S)
            await stack.enter_async_context(self._guests.kept(workspace.team))
            await stack.enter_async_context(changes.shared())
            await stack.enter_async_context(self._delivery)
            self._connection = SlackConnection(
                app,
                app_token=self._settings.app_token,
                api_url=self._settings.api_url,
                clock=self._clock,
                ping_every_s=self._settings.ping_every_s,
            )
            await stack.enter_async_context(self._connection)
            _log.info("serving_slack", workspace=workspace.url, bot=workspace.bot.user_id)
            await stack.enter_async_context(self._stops.heard())
            await stack.enter_async_context(self._lifecycle.followed(workspace.team))
            await self._recover_until_closed(workspace)
        self._lifecycle.check()

    def stop(self) -> None:
        self._is_closing.set()

    async def idle(self) -> None:
        """Wait until nothing that was taken is under way."""
        if self._connection is not None:
            await self._connection.idle()
        await self._delivery.idle()
        await self._tasks.idle()

    async def look(self) -> str | None:
        problem = "Slack: not connected" if self._connection is None else self._connection.problem
        heard_at = None if self._connection is None else self._connection.heard_at
        self._metrics.socket(0, connected=problem is None, heard_at=heard_at)
        return self._refused_token or problem

    def hopeless(self) -> str | None:
        return self._refused_token or (None if self._connection is None else self._connection.hopeless)

    @property
    def _refused_token(self) -> str | None:
        code = self._web.refused_token
        return f"Slack: SLACK_BOT_TOKEN is refused ({code})" if code else None

    async def _recover_until_closed(self, workspace: Workspace) -> None:
        """Answer now and then what nobody answers: after a crash, here or in another process."""
        while not self._is_closing.is_set():
            await self.look()
            try:
                await self._delivery.recover(ids.tenant_id(workspace.team))
            except RecallError as error:
                _log.warning("recovery_failed", error=type(error).__name__, reason=str(error))
            try:
                async with asyncio.timeout(self._recover_every_s):
                    await self._is_closing.wait()
            except TimeoutError:
                continue

    def _app(self, workspace: Workspace, changes: Changes) -> AsyncApp:
        """Register what is listened to; any other event is acknowledged unseen, lest Slack delivers it again."""
        app = bolt_app(workspace, api_url=self._web.client.base_url)
        app.use(only(workspace.team))

        desk, answering = self._desk, Answering(self._web, Exports(self._web), self._tasks)
        buttons = Buttons(desk=desk, retry=self._delivery.retry, feedback=Feedback(self._metrics))
        controls = Controls(workspace=workspace, desk=desk, buttons=buttons, answering=answering)
        intake = Intake(
            workspace=workspace,
            web=self._web,
            channels=self._channels,
            service=self._service,
            delivery=self._delivery,
            replies=self._replies,
            commands=SpokenCommands(desk, answering, url=workspace.url),
            edits=self._edits,
            tasks=self._tasks,
            follow_up=self._settings.follow_up,
        )

        async def on_message(event: dict[str, Any], body: dict[str, Any]) -> None:
            await changes.follow(event, body.get("team_id") or workspace.team)
            await intake.take(event, body)

        stop_button = StopButton(web=self._web, stops=self._stops, tasks=self._tasks)

        async def on_stop(event: dict[str, Any], body: dict[str, Any]) -> None:
            stop_button.take(event, team=body.get("team_id") or workspace.team)

        async def on_anything(event: dict[str, Any], body: dict[str, Any]) -> None:
            await changes.follow(event, body.get("team_id") or workspace.team)

        app.event("message")(on_message)
        app.event("app_mention")(on_message)
        app.event("agent_session_stopped")(on_stop)
        controls.register(app)
        self._lifecycle.register(app, team=workspace.team)
        offer_prompts(app, web=self._web, tasks=self._tasks)
        app.event(_ANYTHING)(on_anything)
        app.error(_not_taken)
        return app


async def _not_taken(error: Exception) -> None:
    """Log what failed before it was acknowledged; Slack sends an event again, and a person who pressed sees an error.

    Said in our words, since the library's line would carry what a driver says, and that may carry people's words.
    """
    if isinstance(error, RecallError):
        _log.warning("not_acknowledged", error=type(error).__name__, reason=str(error))
    else:
        _log.error("not_acknowledged", error=type(error).__name__, exc_info=error)
