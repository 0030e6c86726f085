"""Pausing in Slack: for a person, seen by them alone; for a thread, where everybody who may speak there can do it."""

from dataclasses import dataclass

from bots.pausing import HowToPause, Pausing, means_thread
from bots.slack import ids, views
from bots.slack.asked import Asked
from bots.slack.channels import Channels
from bots.slack.views import View
from memory.errors import InputError
from memory.model import Place
from memory.personal import Pauses

HOW_TO_PAUSE = HowToPause(
    pause="/memory pause",
    resume="/memory resume",
    pause_thread="@Recall pause this thread",
    resume_thread="@Recall resume this thread",
)
NO_THREAD = f"A slash command does not know its thread. Write it in the thread: {HOW_TO_PAUSE.pause_thread}"
NO_PLACE = "I cannot tell who reads this channel, so I keep nothing that is said here anyway."
PAUSED = "paused my memory in this thread."
RESUMED = "resumed my memory in this thread."


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseDesk:
    """The commands that pause in one workspace.

    Attributes:
        commands: What they do.
        channels: Who can read a channel.
    """

    commands: Pausing
    channels: Channels

    async def typed(self, who: Asked, verb: str, argument: str) -> View:
        """Do what somebody typed as a slash command: "pause" or "resume", and whom they mean."""
        if means_thread(argument):
            raise InputError(NO_THREAD)
        return await (self.pause(who) if verb == "pause" else self.resume(who))

    async def pause(self, who: Asked) -> View:
        """Keep nothing of what they say any more."""
        return views.words(await self.switch(who, paused=True))

    async def resume(self, who: Asked) -> View:
        """Keep again what they say."""
        return views.words(await self.switch(who, paused=False))

    async def switch(self, who: Asked, *, paused: bool) -> str:
        """Do either; return what they are to know."""
        tenant_id = ids.tenant_id(who.team)
        if paused:
            return await self.commands.pause(who.user_id, tenant_id)
        return await self.commands.resume(who.user_id, tenant_id, session_id=who.session_id)

    async def settings(self, who: Asked) -> str:
        """Say what is paused for them, and in their thread, and how to change it."""
        return await self.commands.settings(who.user_id, who.session_id)

    async def pauses(self, who: Asked) -> Pauses:
        """Say what is paused for them, and in their thread."""
        return await self.commands.pauses(who.user_id, who.session_id)

    async def pause_thread(self, who: Asked) -> View:
        """Keep nothing of what anybody says in their thread any more, and tell everybody there."""
        told = await self.commands.pause_thread(await self._place(who), who.user_id)
        return views.announcement(who.user, f"{PAUSED} {told}")

    async def resume_thread(self, who: Asked) -> View:
        """Keep again what is said in their thread, and tell everybody there."""
        told = await self.commands.resume_thread(await self._place(who), who.user_id)
        return views.announcement(who.user, f"{RESUMED} {told}")

    async def _place(self, who: Asked) -> Place:
        place = await self.channels.place_for(who.thread, who.user)
        if place is None:
            raise InputError(NO_PLACE)
        return place
