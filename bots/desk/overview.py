"""All that somebody can see and set of their memory at once: looked up and shown, and its switches pressed."""

from dataclasses import dataclass, replace

from bots.commands import Commands
from bots.desk.asking import Asker
from bots.desk.home import home_sheet, settings_sheet
from bots.desk.pausing import PauseDesk
from bots.desk.sheets import Sheet, Words
from bots.desk.ways import Ways
from bots.press import Press


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What people see and set.

    Attributes:
        commands: Their memories.
        pausing: Whether they are kept.
        ways: How much is shown at once.
    """

    commands: Commands
    pausing: PauseDesk
    ways: Ways

    async def home(self, who: Asker, press: Press, *, note: str = "") -> Sheet:
        """Show all of it."""
        found = await self.commands.show(who.user_id, press.words)
        usage = await self.commands.usage(who.user_id)
        pauses = await self.pausing.pauses(who)
        return home_sheet(found, press, ways=self.ways, usage=usage, paused=pauses.person, note=note)

    async def settings(self, who: Asker, *, note: str = "") -> Sheet:
        """Show what is paused for them, and in their thread, with the same switches."""
        text = await self.pausing.settings(who)
        usage = await self.commands.usage(who.user_id)
        here = Press(action="pause", user=who.user_id, thread=who.session_id)
        pauses = await self.pausing.pauses(who)
        return settings_sheet(text, here, ways=self.ways, usage=usage, pauses=pauses, note=note)

    async def press_pause(self, who: Asker, press: Press) -> Sheet:
        """Keep nothing of what they say any more, or with a thread of what anybody says there."""
        if press.thread is not None:
            there = replace(who, session_id=press.thread)
            return await self._as_set(there, await self.pausing.pause_thread(there))
        return await self._switch(who, press, paused=True)

    async def press_resume(self, who: Asker, press: Press) -> Sheet:
        """Keep it again."""
        if press.thread is not None:
            there = replace(who, session_id=press.thread)
            return await self._as_set(there, await self.pausing.resume_thread(there))
        return await self._switch(who, press, paused=False)

    async def _as_set(self, there: Asker, done: Sheet) -> Sheet:
        """Return what all are told; where nothing changed, what is set, since their switches show what was."""
        return await self.settings(there, note=done.text) if isinstance(done, Words) else done

    async def _switch(self, who: Asker, press: Press, *, paused: bool) -> Sheet:
        note = await self.pausing.switch(who, paused=paused)
        return await (self.home(who, press, note=note) if press.home else self.settings(who, note=note))
