"""The memory commands in Slack: slash commands, buttons and menus, each answered to whoever used it and to nobody else.

Everything is acknowledged at once and done behind it. What is shown, and what a button carries, says `views`.
"""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp

from bots.commands import Commands
from bots.slack import asked, views
from bots.slack.asked import Asked
from bots.slack.channels import Channels
from bots.slack.views import View
from bots.slack.web import SlackWeb
from memory.errors import InputError, StoreUnavailableError
from memory.model import Place
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)

UNREACHABLE = "The record cannot be reached, so nothing was stored or changed. Try again in a moment."
BROKEN = "Something went wrong on my side; whoever runs me can find the reason in the log."
NO_PLACE = "I cannot tell who reads this channel, so I keep nothing that is said here. Tell me in our direct messages."

Work = Callable[[Asked], Awaitable[View]]


class Controls:
    """What people do with their memories in one workspace.

    Args:
        web: The workspace's Web API.
        channels: Who can read a channel.
        commands: What the commands do.
        tasks: Owns what is done behind an acknowledgement.
    """

    def __init__(self, *, web: SlackWeb, channels: Channels, commands: Commands, tasks: TaskTracker) -> None:
        self._web = web
        self._channels = channels
        self._commands = commands
        self._tasks = tasks

    def register(self, app: AsyncApp, *, team: str) -> None:
        """Listen to what people command, press and choose.

        Args:
            app: Where it comes in.
            team: The workspace, for payloads that name none.
        """

        def on_command(name: str, run: Callable[[Asked, str], Awaitable[View]]) -> None:
            async def listener(ack: AsyncAck, body: dict[str, Any]) -> None:
                await ack()
                who = asked.of_command(body, team=team)
                if who is not None:
                    self._start(who, lambda who: run(who, body.get("text") or ""), name=name)

            app.command(name)(listener)

        on_command("/memories", self._memories)
        on_command("/forget", self._forget)
        on_command("/remember", self._remember)

    def _start(self, who: Asked, work: Work, *, name: str) -> None:
        self._tasks.start(self._run(who, work, name), name=name)

    async def _run(self, who: Asked, work: Work, name: str) -> None:
        """Do what was asked and show what came of it; fixed words when it failed."""
        correlation_id = secrets.token_hex(4)
        try:
            view = await work(who)
        except InputError as error:
            view = views.plain(str(error))
        except StoreUnavailableError as error:
            _log.warning("control_failed", control=name, correlation_id=correlation_id, reason=str(error))
            view = views.plain(f"{UNREACHABLE}\nError id: {correlation_id}")
        except Exception:  # the boundary of a command: whatever breaks, the person is told
            _log.exception("control_broke", control=name, correlation_id=correlation_id)
            view = views.plain(f"{BROKEN}\nError id: {correlation_id}")
        await self._answer(who, view)

    async def _answer(self, who: Asked, view: View) -> None:
        """Show something to one person."""
        thread = {"thread_ts": who.thread_ts} if who.thread_ts and not who.replaces else {}
        shown = {"text": view.text, "blocks": list(view.blocks), **thread}
        if who.response_url:
            body = {**shown, "response_type": "ephemeral", "replace_original": who.replaces}
            await self._web.post(who.response_url, body, name="response_url")
        else:
            await self._web.call("chat.postEphemeral", channel=who.channel, user=who.user, **shown)

    async def _memories(self, who: Asked, words: str) -> View:
        return views.plain((await self._commands.show(who.user_id, words)).text)

    async def _forget(self, who: Asked, argument: str) -> View:
        result = await self._commands.forget(who.user_id, argument, session_id=who.session_id)
        return views.plain(result.text)

    async def _remember(self, who: Asked, text: str) -> View:
        place = await self._place(who)
        person = await self._channels.person(who.team, who.user)
        return views.plain((await self._commands.remember(place, person, text)).text)

    async def _place(self, who: Asked) -> Place:
        """Return where something is asked.

        Raises:
            InputError: It is no place of this workspace alone.
        """
        place = None
        if not await self._channels.is_outsider(who.team, who.user):
            place = await self._channels.place(who.thread)
        if place is None:
            raise InputError(NO_PLACE)
        return place
