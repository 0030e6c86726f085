"""Doing what somebody asked, and showing what came of it to them; what is said when it fails. Decides nothing else."""

import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import structlog

from bots.slack import views
from bots.slack.asked import Asked
from bots.slack.errors import SlackUnavailableError
from bots.slack.views import View
from bots.slack.web import SlackWeb
from memory.errors import InputError, RecallError, StoreUnavailableError
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)

UNREACHABLE = "The record cannot be reached, so nothing was stored or changed. Try again in a moment."
NO_SLACK = "Slack did not answer what I had to ask for this. Try again in a moment."
BROKEN = "Something went wrong on my side; whoever runs me can find the reason in the log."
NOT_YOURS = "That button was made for somebody else."

Work = Callable[[Asked], Awaitable[View | None]]
"""What comes of it; None when there is nothing to show."""


class NotYoursError(Exception):
    """Somebody pressed a button that was made for another person."""


class Answering:
    """Does what is asked in one workspace, and answers who asked.

    Args:
        web: The workspace's Web API.
        tasks: Owns what is done behind an acknowledgement.
    """

    def __init__(self, web: SlackWeb, tasks: TaskTracker) -> None:
        self._web = web
        self._tasks = tasks

    def start(self, who: Asked, work: Work, *, name: str) -> None:
        """Do something in the background, and show what came of it; fixed words when it failed."""
        self._tasks.start(self._run(who, work, name), name=name)

    def start_showing(self, who: Asked, view: View | None, *, name: str) -> None:
        """Show something in the background; nothing when there is nothing."""
        if view is not None:
            self._tasks.start(self._show(who, view), name=name)

    async def _run(self, who: Asked, work: Work, name: str) -> None:
        """Do what was asked and show what came of it; fixed words when it failed."""
        try:
            answer = await self.done(who, work, name)
        except (StoreUnavailableError, SlackUnavailableError) as error:
            words = NO_SLACK if isinstance(error, SlackUnavailableError) else UNREACHABLE
            answer = who.beside(), failed(words, error, name)
        if (view := answer[1]) is not None:
            await self._show(answer[0], view)

    async def done(self, who: Asked, work: Work, name: str) -> tuple[Asked, View | None]:
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
            return who.beside(), failed(BROKEN, error, name)

    async def _show(self, who: Asked, view: View) -> None:
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


def failed(words: str, error: Exception, name: str) -> View:
    """Log what failed, and return fixed words with the id of the log line."""
    correlation_id = secrets.token_hex(4)
    if isinstance(error, RecallError):
        _log.warning("control_failed", control=name, correlation_id=correlation_id, reason=str(error))
    else:
        _log.error("control_broke", control=name, correlation_id=correlation_id, exc_info=error)
    return views.words(f"{words}\nError id: {correlation_id}")
