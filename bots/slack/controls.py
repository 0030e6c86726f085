"""The memory commands in Slack: slash commands, mentions, buttons and menus, answered to whoever used them.

Each is acknowledged at once and done behind that. What it does says `desk`, what is shown `views`; here stands how it
comes in, how it is answered, and what is said when it fails.
"""

import re
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp

from bots.metrics import PlatformMetrics
from bots.slack import asked, ids, views
from bots.slack.asked import Asked
from bots.slack.desk import MemoryDesk
from bots.slack.errors import SlackUnavailableError
from bots.slack.feedback import Feedback
from bots.slack.inbound import Said
from bots.slack.mrkdwn import decode_text
from bots.slack.press import Press, decoded
from bots.slack.render import FEEDBACK_ACTION, RETRY_ACTION, WHY_ACTION
from bots.slack.views import View
from bots.slack.web import SlackWeb
from bots.verbs import PlainVerb, Spoken, Verb, spoken
from memory.errors import InputError, RecallError, StoreUnavailableError
from memory.model import SessionId, UserId
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)

UNREACHABLE = "The record cannot be reached, so nothing was stored or changed. Try again in a moment."
NOT_YET = (
    "I could not do that yet: nothing was stored or changed. Slack asks me again within minutes; if I say nothing by "
    "then, say it once more."
)
NO_SLACK = "Slack did not answer what I had to ask for this. Try again in a moment."
BROKEN = "Something went wrong on my side; whoever runs me can find the reason in the log."
NOT_YOURS = "That button was made for somebody else."
NOTHING_TO_TRY = "I am answering that already, or it is answered or forgotten by now."
TOO_OLD = "I do not know that button any more. Give the command again."

SHORTCUTS = ("recall_remember_this", "recall_forget_this", "recall_why_this")
"""Callback ids of the message shortcuts."""

_ANYTHING = re.compile(".*")
_KNOWN_COMMANDS = 1_000
_ONLY_SHOW = frozenset[Verb]({"memories", "why", "export", "settings"})
"""What may be lost with a process: it changes nothing, and who misses the answer asks again."""
_PAUSES = frozenset[Verb]({"pause", "resume", "pause_thread", "resume_thread"})
"""What must be done before the next message of its thread comes in, by whichever of its two events is first."""

Work = Callable[[Asked], Awaitable[View | None]]
"""What comes of it; None when there is nothing to show."""
Retry = Callable[[SessionId, str, UserId], Awaitable[bool]]


class Controls:
    """What people do with their memories in one workspace.

    Args:
        web: The workspace's Web API.
        desk: Does what they want.
        retry: Has a message answered whose turn failed; False when there is nothing left to answer.
        metrics: Told of what readers say of answers.
        tasks: Owns what is done behind an acknowledgement.
    """

    def __init__(
        self, *, web: SlackWeb, desk: MemoryDesk, retry: Retry, metrics: PlatformMetrics, tasks: TaskTracker
    ) -> None:
        self._web = web
        self._desk = desk
        self._retry = retry
        self._feedback = Feedback(metrics)
        self._tasks = tasks
        self._taken: OrderedDict[tuple[str, str], bool] = OrderedDict()

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

    async def take(self, said: Said) -> bool:
        """Do what a message commands; False for a message that is no command, which is for the conversation.

        What a command changes is committed when this returns; only what it shows comes behind that. A mention in a
        channel comes as two events, maybe in two processes: the one named for it is what counts. A delivery that comes
        again later, elsewhere, may show its answer again; it changes nothing.

        Raises:
            StoreUnavailableError: The record does not take it, so it must come again.
            SlackUnavailableError: Slack does not say who reads along; the same.
        """
        command = spoken(said.text, is_addressed=said.is_mention)
        if command is None or not (said.is_mention or said.is_dm):
            return False
        who = asked.of_said(said)
        if said.is_copy:
            if command.verb in _PAUSES:
                await self._done(who, partial(self._spoken, command=command), command.verb)
        elif not self._taken.get((said.channel, said.ts)):
            await self._do(command, who, name=f"say {command.verb}")
            self._note(who, is_done=True)
        return True

    async def _do(self, command: Spoken, who: Asked, *, name: str) -> None:
        """Do what a message commands, as far as it changes anything; the rest in the background."""
        work = partial(self._spoken, command=command)
        if command.verb in _ONLY_SHOW:
            self._start(who, work, name=name)
            return
        try:
            answer = await self._done(who, work, name)
        except (StoreUnavailableError, SlackUnavailableError) as error:
            if self._note(who, is_done=False):
                self._tasks.start(self._show(who, _failed(NOT_YET, error, name)), name=name)
            raise
        self._tasks.start(self._show(*answer), name=name)

    def _note(self, who: Asked, *, is_done: bool) -> bool:
        """Note how far a message's command has come; say whether that is news."""
        name = (who.channel, who.said_ts)
        is_news = self._taken.get(name) is not is_done
        self._taken[name] = is_done
        while len(self._taken) > _KNOWN_COMMANDS:
            self._taken.popitem(last=False)
        return is_news

    async def _spoken(self, who: Asked, command: Spoken) -> View | None:
        match command.verb:
            case "memories":
                return await self._desk.memories(who, command.argument)
            case "forget":
                return await self._desk.forget(who, command.argument)
            case "remember":
                return await self._desk.remember(who, command.argument)
            case verb:
                return await self._plain(verb)(who)

    def _plain(self, verb: PlainVerb) -> Work:
        """Return what a command does that needs no words."""
        desk, pausing = self._desk, self._desk.pausing
        works: Mapping[PlainVerb, Work] = {
            "export": desk.export,
            "why": desk.why_last,
            "settings": desk.overview.settings,
            "pause": pausing.pause,
            "resume": pausing.resume,
            "pause_thread": pausing.pause_thread,
            "resume_thread": pausing.resume_thread,
        }
        return works[verb]

    def _on_commands(self, app: AsyncApp, team: str) -> None:
        desk = self._desk

        def on(name: str, run: Callable[[Asked, str], Awaitable[View]]) -> None:
            async def listener(ack: AsyncAck, body: dict[str, Any]) -> None:
                await ack()
                who = asked.of_command(body, team=team)
                if who is not None:
                    typed = decode_text(str(body.get("text") or ""))
                    self._start(who, lambda who: run(who, typed), name=name)

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
                    self._start(who, lambda who: run(who, body["message"]), name=callback_id)

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
                    self._start(who, lambda who: run(who, str(action.get("value") or "")), name=action_id)

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
                self._start(who, lambda who: self._desk.overview.home(who, Press(user=who.user)), name="home")

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

    def _start(self, who: Asked, work: Work, *, name: str) -> None:
        self._tasks.start(self._run(who, work, name), name=name)

    async def _run(self, who: Asked, work: Work, name: str) -> None:
        """Do what was asked and show what came of it; fixed words when it failed."""
        try:
            answer = await self._done(who, work, name)
        except (StoreUnavailableError, SlackUnavailableError) as error:
            words = NO_SLACK if isinstance(error, SlackUnavailableError) else UNREACHABLE
            answer = who.beside(), _failed(words, error, name)
        await self._show(*answer)

    async def _done(self, who: Asked, work: Work, name: str) -> tuple[Asked, View | None]:
        """Do what was asked and return what to show of it, and how.

        Raises:
            StoreUnavailableError: The record cannot be reached; nothing was changed.
            SlackUnavailableError: Slack does not answer what has to be known before.
        """
        try:
            return who, await work(who)
        except NotYoursError:
            return who.beside(), views.words(NOT_YOURS)
        except InputError as error:  # its text is for the person
            return who, views.words(str(error))
        except (StoreUnavailableError, SlackUnavailableError):
            raise
        except Exception as error:  # noqa: BLE001  # the boundary of a command: whatever breaks, the person is told
            return who.beside(), _failed(BROKEN, error, name)

    async def _show(self, who: Asked, view: View | None) -> None:
        if view is not None:
            await self._answer(who, view)

    async def _answer(self, who: Asked, view: View) -> None:
        """Show something to one person, or to everybody in a thread when it is for all.

        A receipt for what was done is worth more than one attempt.
        """
        if who.is_home:
            tab = {"type": "home", "blocks": list(view.blocks)}
            await self._web.insist(lambda: self._web.call("views.publish", user_id=who.user, view=tab))
            return
        shown: dict[str, Any] = {"text": view.text, "blocks": list(view.blocks)}
        if who.thread_ts and (view.is_for_all or not who.replaces):
            shown["thread_ts"] = who.thread_ts
        if view.is_for_all:
            await self._web.insist(partial(self._web.call, "chat.postMessage", channel=who.channel, **shown))
        elif who.response_url:
            url, kind = who.response_url, {"response_type": "ephemeral", "replace_original": who.replaces}
            await self._web.insist(lambda: self._web.post(url, {**shown, **kind}, name="response_url"))
        else:
            post = partial(self._web.call, "chat.postEphemeral", channel=who.channel, user=who.user, **shown)
            await self._web.insist(post)


class NotYoursError(Exception):
    """Somebody pressed a button that was made for another person."""


def _failed(words: str, error: Exception, name: str) -> View:
    """Log what failed, and return fixed words with the id of the log line."""
    correlation_id = secrets.token_hex(4)
    if isinstance(error, RecallError):
        _log.warning("control_failed", control=name, correlation_id=correlation_id, reason=str(error))
    else:
        _log.error("control_broke", control=name, correlation_id=correlation_id, exc_info=error)
    return views.words(f"{words}\nError id: {correlation_id}")
