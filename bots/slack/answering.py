"""Doing what somebody asked, and showing what came of it to them. Decides nothing of either."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from bots.desk.asking import Asker
from bots.desk.outcome import Outcome, outcome_if_reached, outcome_of
from bots.desk.sheets import Export, Sheet
from bots.slack.asked import Asked
from bots.slack.exports import Exports
from bots.slack.views import view
from bots.slack.ways import WAYS
from bots.slack.web import SlackWeb
from memory.tasks import TaskTracker

Work = Callable[[Asker], Awaitable[Sheet | None]]
"""What comes of it; None when there is nothing to show."""


class Answering:
    """Does what is asked in one workspace, and answers who asked.

    Args:
        web: The workspace's Web API.
        exports: Sends people what is kept of them.
        tasks: Owns what is done behind an acknowledgement.
    """

    def __init__(self, web: SlackWeb, exports: Exports, tasks: TaskTracker) -> None:
        self._web = web
        self._exports = exports
        self._tasks = tasks

    def start(self, asked: Asked, work: Work, *, name: str) -> None:
        """Do something in the background, and show what came of it; fixed words when it failed."""
        self._tasks.start(self._run(asked, work, name), name=name)

    def start_showing(self, asked: Asked, outcome: Outcome, *, name: str) -> None:
        """Show in the background what came of something."""
        self._tasks.start(self._show(asked, outcome), name=name)

    async def done(self, asked: Asked, work: Work, name: str) -> Outcome:
        """Do what was asked and return what came of it.

        Raises:
            StoreUnavailableError: The record cannot be reached; nothing was changed.
            SlackUnavailableError: Slack does not answer what has to be known before.
        """
        return await outcome_if_reached(self._do(asked, work), name=name)

    async def _run(self, asked: Asked, work: Work, name: str) -> None:
        await self._show(asked, await outcome_of(self._do(asked, work), name=name, ways=WAYS))

    async def _do(self, asked: Asked, work: Work) -> Sheet | None:
        sheet = await work(asked.asker)
        if not isinstance(sheet, Export):
            return sheet
        await self._exports.send(asked.user, sheet.data)
        return sheet.then

    async def _show(self, asked: Asked, outcome: Outcome) -> None:
        """Show something to one person, or to everybody in a thread when it is for all.

        A receipt for what was done is worth more than one attempt.
        """
        if outcome.sheet is None:
            return
        shown = view(outcome.sheet)
        content: dict[str, Any] = {"text": shown.text, "blocks": list(shown.blocks)}
        replaces = asked.replaces and not outcome.is_beside
        if asked.is_home:
            tab = {"type": "home", "blocks": content["blocks"]}
            await self._web.insist(lambda: self._web.call("views.publish", user_id=asked.user, view=tab))
            return
        if asked.thread_ts and (shown.is_for_all or not replaces):
            content["thread_ts"] = asked.thread_ts
        if shown.is_for_all:
            await self._web.insist(partial(self._web.call, "chat.postMessage", channel=asked.channel, **content))
        elif asked.response_url:
            url, kind = asked.response_url, {"response_type": "ephemeral", "replace_original": replaces}
            await self._web.insist(lambda: self._web.post(url, {**content, **kind}, name="response_url"))
        else:
            post = partial(self._web.call, "chat.postEphemeral", channel=asked.channel, user=asked.user, **content)
            await self._web.insist(post)
