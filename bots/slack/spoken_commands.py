"""Memory commands said in a message: done before the message is acknowledged, as far as they change anything.

Slack has no slash commands inside threads, so there people mention Recall. What words are a command says `bots.verbs`.
"""

from collections import OrderedDict
from collections.abc import Mapping
from functools import partial

from bots.slack import asked
from bots.slack.answering import Answering, Work, failed
from bots.slack.asked import Asked
from bots.slack.desk import MemoryDesk
from bots.slack.errors import SlackUnavailableError
from bots.slack.inbound import Said
from bots.slack.views import View
from bots.verbs import PlainVerb, Spoken, Verb, spoken
from memory.errors import StoreUnavailableError

NOT_YET = (
    "I could not do that yet: nothing was stored or changed. Slack asks me again within minutes; if I say nothing by "
    "then, say it once more."
)

_KNOWN_COMMANDS = 1_000
_ONLY_SHOW = frozenset[Verb]({"memories", "why", "export", "settings"})
"""What may be lost with a process: it changes nothing, and who misses the answer asks again."""
_PAUSES = frozenset[Verb]({"pause", "resume", "pause_thread", "resume_thread"})
"""What must be done before the next message of its thread comes in, by whichever of its two events is first."""


class SpokenCommands:
    """The commands that people say in one workspace.

    Args:
        desk: Does what they want.
        answering: Shows what came of it.
    """

    def __init__(self, desk: MemoryDesk, answering: Answering) -> None:
        self._desk = desk
        self._answering = answering
        self._taken: OrderedDict[tuple[str, str], bool] = OrderedDict()

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
                await self._answering.done(who, partial(self._spoken, command=command), command.verb)
        elif not self._taken.get((said.channel, said.ts)):
            await self._do(command, who, name=f"say {command.verb}")
            self._note(who, is_done=True)
        return True

    async def _do(self, command: Spoken, who: Asked, *, name: str) -> None:
        """Do what a message commands, as far as it changes anything; the rest in the background."""
        work = partial(self._spoken, command=command)
        if command.verb in _ONLY_SHOW:
            self._answering.start(who, work, name=name)
            return
        try:
            answer = await self._answering.done(who, work, name)
        except (StoreUnavailableError, SlackUnavailableError) as error:
            if self._note(who, is_done=False):
                self._answering.start_showing(who, failed(NOT_YET, error, name), name=name)
            raise
        self._answering.start_showing(*answer, name=name)

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
