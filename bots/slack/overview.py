"""All that somebody can see and set of their memory at once in Slack: the Home tab, and `/memory settings`."""

from dataclasses import dataclass, replace

from bots.commands import Commands
from bots.slack.asked import Asked
from bots.slack.home import home_tab, settings_view
from bots.slack.pause_desk import PauseDesk
from bots.slack.press import Press
from bots.slack.views import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What one workspace's people see and set.

    Attributes:
        commands: Their memories.
        pausing: Whether they are kept.
    """

    commands: Commands
    pausing: PauseDesk

    async def home(self, who: Asked, press: Press, *, note: str = "") -> View:
        """Show the Home tab."""
        result = await self.commands.show(who.user_id, press.words)
        usage = await self.commands.usage(who.user_id)
        pauses = await self.pausing.pauses(who)
        return home_tab(result.memories, press, usage=usage, paused=pauses.person, note=note, empty=result.text)

    async def settings(self, who: Asked, *, note: str = "") -> View:
        """Show what is paused for them, and in their thread, with the same switches."""
        text = await self.pausing.settings(who)
        usage = await self.commands.usage(who.user_id)
        here = Press(user=who.user, thread=who.thread_ts)
        return settings_view(text, here, usage=usage, pauses=await self.pausing.pauses(who), note=note)

    async def press_pause(self, who: Asked, press: Press) -> View:
        """Keep nothing of what they say any more, or with a thread of what anybody says there."""
        if press.thread:
            return await self.pausing.pause_thread(replace(who, thread_ts=press.thread))
        return await self._switch(who, press, paused=True)

    async def press_resume(self, who: Asked, press: Press) -> View:
        """Keep it again."""
        if press.thread:
            return await self.pausing.resume_thread(replace(who, thread_ts=press.thread))
        return await self._switch(who, press, paused=False)

    async def _switch(self, who: Asked, press: Press, *, paused: bool) -> View:
        note = await self.pausing.switch(who, paused=paused)
        return await (self.home(who, press, note=note) if press.home else self.settings(who, note=note))
