"""What pressing a button does, and what stands in its place then: what it stood in, with what came of it above."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from bots.commands import CommandResult
from bots.desk.asking import Asker, Retry
from bots.desk.desk import MemoryDesk, target_of
from bots.desk.feedback import Feedback
from bots.desk.lists import question
from bots.desk.sheets import Export, Sheet, Words
from bots.press import Action, Press
from memory.errors import InputError

_log = structlog.get_logger(__name__)

TOO_OLD = "I do not know that button any more. Give the command again."
NOTHING_CHANGED = "Nothing was changed."
NOTHING_TO_TRY = "I am answering that already, or it is answered or forgotten by now."
GONE = "There is nothing left of that to forget."

Pressed = Callable[[Asker, Press], Awaitable[Sheet | None]]


class NotYoursError(Exception):
    """Somebody pressed a button that was made for another person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buttons:
    """The buttons of one platform.

    Attributes:
        desk: Does what they are for.
        retry: Has a message answered whose turn failed.
        feedback: Takes what readers say of answers.
    """

    desk: MemoryDesk
    retry: Retry
    feedback: Feedback

    async def pressed(self, who: Asker, press: Press | None) -> Sheet | None:
        """Do what a button is for; return what takes the place of what it stood in, None for nothing.

        Args:
            who: Who pressed it.
            press: Which; None for one that nobody knows any more.

        Raises:
            NotYoursError: It was made for somebody else.
            InputError: It cannot be done; its text is for the person.
            StoreUnavailableError: The record cannot be reached; nothing was changed.
            PlatformUnavailableError: The platform does not answer what has to be known before.
        """
        if press is None:
            raise InputError(TOO_OLD)
        if press.user is not None and press.user != who.user_id:
            _log.warning("button_of_another_pressed", user=who.user_id)
            raise NotYoursError
        return await self._does[press.action](who, press)

    @property
    def _does(self) -> Mapping[Action, Pressed]:
        return {
            "forget": self._forget,
            "agree": self._forget,
            "keep": self._keep,
            "page": self._turn,
            "widen": self._widen,
            "narrow": self._narrow,
            "pause": self.desk.overview.press_pause,
            "resume": self.desk.overview.press_resume,
            "export": self._export,
            "why": self._why,
            "good": self._judge,
            "bad": self._judge,
            "retry": self._retry,
        }

    async def _forget(self, who: Asker, press: Press) -> Sheet:
        """Forget what was agreed to, or a line of a list; ask first, or again when it has changed meanwhile."""
        agreed = press.digest if press.action == "agree" else None
        try:
            result = await self.desk.commands.forget_target(who.user_id, target_of(press), agreed=agreed)
        except InputError as error:  # gone already, or the button was pressed twice
            return await self._again(who, press, note=str(error) if agreed is None else GONE)
        return await self._done(who, press, result)

    async def _widen(self, who: Asker, press: Press) -> Sheet:
        """Let a memory, or after a question all private ones, be used anywhere."""
        try:
            result = await self.desk.commands.widen(who.user_id, press.what, agreed=press.digest or None)
        except InputError as error:  # gone, or done already
            return await self._again(who, press, note=str(error))
        return await self._done(who, press, result)

    async def _narrow(self, who: Asker, press: Press) -> Sheet:
        """Take that back."""
        try:
            result = await self.desk.commands.narrow(who.user_id, press.what)
        except InputError as error:  # gone meanwhile
            return await self._again(who, press, note=str(error))
        return await self._again(who, press, note=result.text)

    async def _keep(self, who: Asker, press: Press) -> Sheet:
        return await self._again(who, press, note=NOTHING_CHANGED)

    async def _export(self, who: Asker, press: Press) -> Sheet:
        data = await self.desk.exported(who)
        return Export(data, await self._again(who, press, note=self.desk.ways.exported))

    async def _turn(self, who: Asker, press: Press) -> Sheet:
        return await (self.desk.overview.home(who, press) if press.home else self.desk.listed(who, press))

    async def _why(self, who: Asker, press: Press) -> Sheet:
        return await self.desk.why(who, press.message)

    async def _judge(self, who: Asker, press: Press) -> Sheet:
        return self.feedback.take(who, press.message, "good" if press.action == "good" else "bad")

    async def _retry(self, who: Asker, press: Press) -> Sheet | None:
        """Have a message answered again; what comes of it is seen where its end was shown."""
        if who.session_id is not None and await self.retry(who.session_id, press.message, who.user_id):
            return None
        return Words(NOTHING_TO_TRY)

    async def _done(self, who: Asker, press: Press, result: CommandResult) -> Sheet:
        if result.question is not None:
            return question(result, press)
        return await self._again(who, press, note=result.text)

    async def _again(self, who: Asker, press: Press, *, note: str) -> Sheet:
        """Show what the button stood in once more, with what came of pressing it."""
        here = replace(press, what="", digest="")
        if press.home:
            return await self.desk.overview.home(who, here, note=note)
        if press.why:
            return await self.desk.why(replace(who, session_id=press.thread or who.session_id), press.why, note=note)
        return Words(note) if press.page is None else await self.desk.listed(who, here, note=note)
