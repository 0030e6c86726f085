"""The memory commands in Slack: slash commands, shortcuts, buttons and the Home tab, answered to whoever used them.

Each is acknowledged at once and done behind that. What it does says `desk`, what is shown `views`, and how `answering`;
here stands how it comes in. What people say in a message is in `spoken_commands`.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp

from bots.metrics import PlatformMetrics
from bots.slack import asked, ids, views
from bots.slack.answering import Answering, NotYoursError
from bots.slack.asked import Asked
from bots.slack.desk import MemoryDesk
from bots.slack.feedback import Feedback
from bots.slack.mrkdwn import decode_text
from bots.slack.press import Press, decoded
from bots.slack.render import FEEDBACK_ACTION, RETRY_ACTION, WHY_ACTION
from bots.slack.views import View
from memory.errors import InputError
from memory.model import SessionId, UserId

_log = structlog.get_logger(__name__)

NOTHING_TO_TRY = "I am answering that already, or it is answered or forgotten by now."
TOO_OLD = "I do not know that button any more. Give the command again."

SHORTCUTS = ("recall_remember_this", "recall_forget_this", "recall_why_this")
"""Callback ids of the message shortcuts."""

_ANYTHING = re.compile(".*")

Retry = Callable[[SessionId, str, UserId], Awaitable[bool]]


class Controls:
    """What people do with their memories in one workspace.

    Args:
        desk: Does what they want.
        retry: Has a message answered whose turn failed; False when there is nothing left to answer.
        answering: Shows what came of it.
        metrics: Told of what readers say of answers.
    """

    def __init__(self, *, desk: MemoryDesk, retry: Retry, answering: Answering, metrics: PlatformMetrics) -> None:
        self._desk = desk
        self._retry = retry
        self._feedback = Feedback(metrics)
        self._answering = answering

    def register(self, app: AsyncApp, *, team: str) -> None:
        """Listen to what people command, press and choose.

        Args:
            app: Where it comes in.
            team: The workspace, for payloads that name none.
        """
        self._on_commands(app, team)
        self._on_shortcuts(app, team)
        self._on_buttons(app, team)
        self._on_home(app, team)

    def _on_commands(self, app: AsyncApp, team: str) -> None:
        desk = self._desk

        def on(name: str, run: Callable[[Asked, str], Awaitable[View]]) -> None:
            async def listener(ack: AsyncAck, body: dict[str, Any]) -> None:
                await ack()
                who = asked.of_command(body, team=team)
                if who is not None:
                    typed = decode_text(str(body.get("text") or ""))
                    self._answering.start(who, lambda who: run(who, typed), name=name)

            app.command(name)(listener)

        on("/memories", desk.memories)
        on("/forget", desk.forget)
        on("/remember", desk.remember)
        on("/memory", desk.memory)

    def _on_shortcuts(self, app: AsyncApp, team: str) -> None:
        def on(callback_id: str, run: Callable[[Asked, Mapping[str, Any]], Awaitable[View]]) -> None:
            async def listener(ack: AsyncAck, body: dict[str, Any]) -> None:
                await ack()
                who = asked.of_interaction(body, team=team)
                if who is not None:
                    self._answering.start(who, lambda who: run(who, body["message"]), name=callback_id)

            app.message_shortcut(callback_id)(listener)

        remember, forget, why = SHORTCUTS
        on(remember, self._desk.remember_message)
        on(forget, self._desk.forget_message)
        on(why, self._desk.why_message)

    def _on_buttons(self, app: AsyncApp, team: str) -> None:
        def on(action_id: str, run: Callable[[Asked, str], Awaitable[View | None]]) -> None:
            async def listener(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
                await ack()
                who = asked.of_interaction(body, team=team)
                if who is not None:
                    self._answering.start(who, lambda who: run(who, str(action.get("value") or "")), name=action_id)

            app.action(re.compile(rf"^{action_id}(:.*)?$"))(listener)

        async def ignore(ack: AsyncAck) -> None:
            await ack()

        on(WHY_ACTION, self._desk.why)
        on(FEEDBACK_ACTION, self._feedback.take)
        on(RETRY_ACTION, self._own(self._try_again))
        on(views.FORGET, self._own(self._desk.press_forget))
        on(views.AGREE, self._own(self._desk.press_agree))
        on(views.KEEP, self._own(self._desk.press_keep))
        on(views.PAGE, self._own(self._desk.press_page))
        on(views.WIDEN, self._own(self._desk.press_widen))
        on(views.NARROW, self._own(self._desk.press_narrow))
        on(views.PAUSE, self._own(self._desk.overview.press_pause))
        on(views.RESUME, self._own(self._desk.overview.press_resume))
        on(views.EXPORT, self._own(self._desk.press_export))
        on(views.SEARCH, self._desk.search)
        app.action(_ANYTHING)(ignore)  # a button of an older version is acknowledged, or it shows an error

    def _on_home(self, app: AsyncApp, team: str) -> None:
        async def is_home(event: dict[str, Any]) -> bool:
            return event.get("tab") == "home"

        async def listener(event: dict[str, Any], body: dict[str, Any]) -> None:
            who = asked.of_home(event, body, team=team)
            if who is not None:
                self._answering.start(who, lambda who: self._desk.overview.home(who, Press(user=who.user)), name="home")

        app.event("app_home_opened", matchers=[is_home])(listener)

    def _own(
        self, run: Callable[[Asked, Press], Awaitable[View | None]]
    ) -> Callable[[Asked, str], Awaitable[View | None]]:
        """Let only the person press a button whom it was made for."""

        async def checked(who: Asked, value: str) -> View | None:
            press = decoded(value)
            if press is None:
                raise InputError(TOO_OLD)
            if press.user != who.user:
                _log.warning("button_of_another_pressed", user=who.user_id)
                raise NotYoursError
            return await run(who, press)

        return checked

    async def _try_again(self, who: Asked, press: Press) -> View | None:
        """Have a message answered again; what comes of it is seen where its end was shown."""
        if await self._retry(ids.session_id(who.thread), press.message, who.user_id):
            return None
        return views.words(NOTHING_TO_TRY)
