"""Memory commands said in a message: done before the message is acknowledged, as far as they change anything.

Slack has no slash commands inside threads, so there people mention Recall. What words are a command says `bots.verbs`.
"""

from functools import partial

from bots.desk.desk import MemoryDesk
from bots.desk.outcome import Outcome, failed
from bots.desk.taken import Taken
from bots.slack import asked
from bots.slack.answering import Answering
from bots.slack.asked import Asked
from bots.slack.errors import SlackUnavailableError
from bots.slack.inbound import Said
from bots.verbs import Spoken, spoken
from memory.errors import StoreUnavailableError

NOT_YET = (
    "I could not do that yet: nothing was stored or changed. Slack asks me again within minutes; if I say nothing by "
    "then, say it once more."
)


class SpokenCommands:
    """The commands that people say in one workspace.

    Args:
        desk: Does what they want.
        answering: Shows what came of it.
        url: The workspace's, for links.
    """

    def __init__(self, desk: MemoryDesk, answering: Answering, *, url: str) -> None:
        self._desk = desk
        self._answering = answering
        self._url = url
        self._taken = Taken()

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
        who = asked.of_said(said, url=self._url)
        if said.is_copy:
            if command.pauses:  # whichever of its two events is first
                await self._answering.done(who, partial(self._desk.spoken, command=command), command.verb)
        elif not self._taken.is_done(said.channel, said.ts):
            await self._do(command, said, who, name=f"say {command.verb}")
            self._taken.note(said.channel, said.ts, is_done=True)
        return True

    async def _do(self, command: Spoken, said: Said, who: Asked, *, name: str) -> None:
        """Do what a message commands, as far as it changes anything; the rest in the background."""
        work = partial(self._desk.spoken, command=command)
        if command.only_shows:
            self._answering.start(who, work, name=name)
            return
        try:
            outcome = await self._answering.done(who, work, name)
        except (StoreUnavailableError, SlackUnavailableError) as error:
            if self._taken.note(said.channel, said.ts, is_done=False):
                self._answering.start_showing(who, Outcome(failed(NOT_YET, error, name)), name=name)
            raise
        self._answering.start_showing(who, outcome, name=name)
