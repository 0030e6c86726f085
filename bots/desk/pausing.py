"""Pausing: for a person, seen by them alone; for a thread, where everybody who may speak there can do it."""

from dataclasses import dataclass

from bots.desk.asking import Asker, Surroundings
from bots.desk.sheets import Announcement, Sheet, Words
from bots.desk.ways import Ways
from bots.pausing import Pausing, ThreadPause, means_thread
from memory.errors import InputError
from memory.model import Place
from memory.personal import Pauses

NO_PLACE = "I cannot tell who reads this channel, so I keep nothing that is said here anyway."
PAUSED = "paused my memory in this thread."
RESUMED = "resumed my memory in this thread."
ALREADY_PAUSED = "My memory is paused in this thread already."
NOT_PAUSED = "My memory is not paused in this thread."


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseDesk:
    """The commands that pause.

    Attributes:
        commands: What they do.
        surroundings: Who can read a thread.
        ways: What to say outside of threads.
    """

    commands: Pausing
    surroundings: Surroundings
    ways: Ways

    async def typed(self, who: Asker, verb: str, argument: str) -> Sheet:
        """Do what somebody typed after a command: "pause" or "resume", and whom they mean."""
        if means_thread(argument):
            return await (self.pause_thread(who) if verb == "pause" else self.resume_thread(who))
        return await (self.pause(who) if verb == "pause" else self.resume(who))

    async def pause(self, who: Asker) -> Sheet:
        """Keep nothing of what they say any more."""
        return Words(await self.switch(who, paused=True))

    async def resume(self, who: Asker) -> Sheet:
        """Keep again what they say."""
        return Words(await self.switch(who, paused=False))

    async def switch(self, who: Asker, *, paused: bool) -> str:
        """Do either; return what they are to know."""
        if paused:
            return await self.commands.pause(who.user_id, who.tenant_id)
        return await self.commands.resume(who.user_id, who.tenant_id, session_id=who.session_id)

    async def settings(self, who: Asker) -> str:
        """Say what is paused for them, and in their thread, and how to change it."""
        return await self.commands.settings(who.user_id, who.session_id)

    async def pauses(self, who: Asker) -> Pauses:
        """Say what is paused for them, and in their thread."""
        return await self.commands.pauses(who.user_id, who.session_id)

    async def pause_thread(self, who: Asker) -> Sheet:
        """Keep nothing of what anybody says in their thread any more, and tell everybody there."""
        if not self.ways.has_threads:
            raise InputError(self.ways.no_thread_to_pause)
        done = await self.commands.pause_thread(await self._place(who), who.user_id)
        return _told(who, done, PAUSED, otherwise=ALREADY_PAUSED)

    async def resume_thread(self, who: Asker) -> Sheet:
        """Keep again what is said in their thread, and tell everybody there."""
        done = await self.commands.resume_thread(await self._place(who), who.user_id)
        return _told(who, done, RESUMED, otherwise=NOT_PAUSED)

    async def _place(self, who: Asker) -> Place:
        if who.session_id is None:
            raise InputError(self.ways.no_thread_to_pause)
        place = await self.surroundings.place(who, who.session_id)
        if place is None:
            raise InputError(NO_PLACE)
        return place


def _told(who: Asker, done: ThreadPause, what: str, *, otherwise: str) -> Sheet:
    """Return what everybody is to see of a change; where there was none, who asked is told so.

    A command that everybody reads is answered for everybody: it may be the second delivery of what made the change.
    """
    if done.changed or who.said is not None:
        return Announcement(who.user_id, f"{what} {done.told}")
    return Words(otherwise)
