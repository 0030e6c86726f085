"""The memory commands in Slack: slash commands, shortcuts, buttons and the Home tab, answered to whoever used them.

Each is acknowledged at once and done behind that. What it does says `bots.desk`, what is shown `views`, and how
`answering`; here stands how it comes in. What people say in a message is in `spoken_commands`.
"""

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bots.desk.asking import Asker, Chosen
from bots.desk.buttons import Buttons
from bots.desk.desk import MemoryDesk
from bots.desk.sheets import Sheet
from bots.slack import asked
from bots.slack.answering import Answering
from bots.slack.mrkdwn import decode_text
from bots.slack.press import ACTION_ID, SEARCH, decoded
from bots.slack.workspace import Workspace

SHORTCUTS = ("recall_remember_this", "recall_forget_this", "recall_why_this")
"""Callback ids of the message shortcuts."""

_ANYTHING = re.compile(".*")


class Controls:
    """What people do with their memories in one workspace.

    Args:
        workspace: Which.
        desk: Does what they type and choose.
        buttons: Does what they press.
        answering: Shows what came of it.
    """

    def __init__(self, *, workspace: Workspace, desk: MemoryDesk, buttons: Buttons, answering: Answering) -> None:
        self._workspace = workspace
        self._team = workspace.team  # for payloads that name none
        self._desk = desk
        self._buttons = buttons
        self._answering = answering

    def register(self, app: AsyncApp) -> None:
        """Listen to what people command, press and choose; `app` is where it comes in."""
        self._on_commands(app)
        self._on_shortcuts(app)
        self._on_buttons(app)
        self._on_home(app)

    def _on_commands(self, app: AsyncApp) -> None:
        desk = self._desk

        def on(name: str, run: Callable[[Asker, str], Awaitable[Sheet]]) -> None:
            async def listener(ack: AsyncAck, body: dict[str, Any]) -> None:
                await ack()
                who = asked.of_command(body, team=self._team)
                if who is not None:
                    typed = decode_text(str(body.get("text") or ""))
                    self._answering.start(who, lambda asker: run(asker, typed), name=name)

            app.command(name)(listener)

        on("/memories", desk.memories)
        on("/forget", desk.forget)
        on("/remember", desk.remember)
        on("/memory", desk.memory)

    def _on_shortcuts(self, app: AsyncApp) -> None:
        bot_user, url = self._workspace.bot.user_id, self._workspace.url

        def on(callback_id: str, run: Callable[[Asker, Chosen], Awaitable[Sheet]]) -> None:
            async def listener(ack: AsyncAck, body: dict[str, Any]) -> None:
                await ack()
                who = asked.of_interaction(body, team=self._team)
                if who is not None:
                    read = partial(asked.chosen, body["message"], who, bot_user=bot_user, url=url)
                    self._answering.start(who, lambda asker: run(asker, read()), name=callback_id)

            app.message_shortcut(callback_id)(listener)

        remember, forget, why = SHORTCUTS
        on(remember, self._desk.remember_message)
        on(forget, self._desk.forget_message)
        on(why, self._desk.why_message)

    def _on_buttons(self, app: AsyncApp) -> None:
        async def press(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
            await ack()
            who, action_id = asked.of_interaction(body, team=self._team), str(action["action_id"])
            if who is not None:
                pressed = decoded(action_id, action.get("value"), team=who.team, channel=who.channel)
                name = action_id.partition(":")[0]
                self._answering.start(who, lambda asker: self._buttons.pressed(asker, pressed), name=name)

        async def search(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
            await ack()
            who, words = asked.of_interaction(body, team=self._team), str(action.get("value") or "")
            if who is not None:
                self._answering.start(who, lambda asker: self._desk.home(asker, words), name=SEARCH)

        async def ignore(ack: AsyncAck) -> None:
            await ack()

        app.action(ACTION_ID)(press)
        app.action(SEARCH)(search)
        app.action(_ANYTHING)(ignore)  # a button of an older version is acknowledged, or it shows an error

    def _on_home(self, app: AsyncApp) -> None:
        async def is_home(event: dict[str, Any]) -> bool:
            return event.get("tab") == "home"

        async def listener(event: dict[str, Any], body: dict[str, Any]) -> None:
            who = asked.of_home(event, body, team=self._team)
            if who is not None:
                self._answering.start(who, self._desk.home, name="home")

        app.event("app_home_opened", matchers=[is_home])(listener)
