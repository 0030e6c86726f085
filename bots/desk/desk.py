"""What people want done with their memories, as they type it or choose it from a message's menu.

Everything is for one person: whoever asks acts on their own memories, and is shown what they may see where they ask.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bots.commands import Commands, parse_forget
from bots.desk.asking import Asker, Chosen, Surroundings
from bots.desk.lists import memory_list, question, reasons, remembered
from bots.desk.overview import Overview
from bots.desk.pausing import PauseDesk
from bots.desk.sheets import Export, Sheet, Words
from bots.desk.ways import Ways
from bots.metrics import Metrics
from bots.pausing import Pausing
from bots.press import Press
from bots.text import clean_input
from bots.verbs import PlainVerb, Spoken
from bots.wording import one_line
from memory.errors import InputError
from memory.model import ForgetTarget, Message, Numbered, SessionId, ThisMessage
from memory.personal import PersonalMemory
from memory.service import MemoryService

NO_PLACE = "I cannot tell who reads this channel, so I keep nothing that is said here. Tell me in our direct messages."
NOT_HERE = "I cannot tell who reads this channel, so I show no memories of answers here."
FORGET_USAGE = "Say what to forget, such as /forget #7, last, about <words>, or everything."
NOT_SAID_BY_YOU = "Only what you said yourself can be remembered as yours."
FORGET_NOT_YOURS = "You can forget only what you said yourself."
FORGET_MINE = (
    'That is my own message. To forget what it repeats, choose "Why did you say that?", and forget what I was given.'
)
WHY_MINE_ONLY = "I can tell why only of my own answers."
NO_ANSWER = "I know no answer of mine there."
NO_MEMORY = "That answer was given no memory that you may see here, or it is forgotten by now."

_THIS_THREAD = frozenset({"this thread", "thread"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryDesk:
    """The memory commands of one platform.

    Attributes:
        commands: What they do.
        pausing: The commands that pause.
        service: Knows what answers were given.
        surroundings: Who asks, and who reads where.
        ways: How the platform calls things.
    """

    commands: Commands
    pausing: PauseDesk
    service: MemoryService
    surroundings: Surroundings
    ways: Ways

    @property
    def overview(self) -> Overview:
        """All they can see and set at once."""
        return Overview(commands=self.commands, pausing=self.pausing, ways=self.ways)

    async def memories(self, who: Asker, words: str) -> Sheet:
        """List their memories; with words, those that have all of them."""
        return await self.listed(who, Press(action="page", user=who.user_id, words=_clean(words), page=0))

    async def home(self, who: Asker, words: str = "") -> Sheet:
        """Show all they can see and set; with words, those of their memories that have all of them."""
        return await self.overview.home(who, Press(action="page", user=who.user_id, words=_clean(words)))

    async def remember(self, who: Asker, text: str) -> Sheet:
        """Store one sentence; once, however often the message is delivered that says so."""
        if who.said is None:
            return await self._remember_unseen(who, _clean(text))
        return await self._remember(who, _clean(text), message=who.said.message, link=who.said.link)

    async def forget(self, who: Asker, argument: str) -> Sheet:
        """Forget one memory, or ask first: about what may be another one when the message is delivered again, too."""
        words = _clean(argument)
        if not words:
            raise InputError(FORGET_USAGE)
        if words.casefold() in _THIS_THREAD and who.session_id is None:
            raise InputError(self.ways.no_thread)
        press = Press(action="forget", user=who.user_id, what=words, thread=who.session_id)
        names_one = isinstance(target_of(press), Numbered)
        return await self._ask(who, press, always_ask=who.said is not None and not names_one)

    async def memory(self, who: Asker, argument: str) -> Sheet:
        """Do what else there is."""
        verb, _, rest = _clean(argument).casefold().partition(" ")
        match verb:
            case "export":
                return await self.export(who)
            case "widen":
                return await self.widen(who, rest)
            case "narrow":
                return await self.narrow(who, rest)
            case "settings":
                return await self.overview.settings(who)
            case "pause" | "resume":
                return await self.pausing.typed(who, verb, rest)
            case "" | "help":
                return Words(self.ways.memory_usage)
            case _:
                return Words(f"There is no /memory {one_line(verb)}.\n{self.ways.memory_usage}")

    async def export(self, who: Asker) -> Sheet:
        """Hand them all that is kept of them."""
        return Export(await self.exported(who), Words(self.ways.exported))

    async def exported(self, who: Asker) -> str:
        """Return all that is kept of them, as JSON."""
        return (await self.commands.export(who.user_id)).text

    async def widen(self, who: Asker, what: str) -> Sheet:
        """Let a memory be used anywhere, or ask first when it is all of them."""
        try:
            result = await self.commands.widen(who.user_id, what)
        except InputError as error:  # gone, or done already
            return Words(str(error))
        return question(result, Press(action="widen", user=who.user_id, what=what))

    async def narrow(self, who: Asker, what: str) -> Sheet:
        """Take that back."""
        return Words((await self.commands.narrow(who.user_id, what)).text)

    async def remember_message(self, who: Asker, chosen: Chosen) -> Sheet:
        """Store what they said in a message."""
        if chosen.author != who.user_id:
            raise InputError(NOT_SAID_BY_YOU)
        return await self._remember(who, _clean(chosen.text), message=chosen.message, link=chosen.link)

    async def forget_message(self, who: Asker, chosen: Chosen) -> Sheet:
        """Forget what they said in a message."""
        if chosen.is_ours:
            raise InputError(FORGET_MINE)
        if chosen.author != who.user_id:
            raise InputError(FORGET_NOT_YOURS)
        press = Press(action="forget", user=who.user_id, message=chosen.message, thread=who.session_id)
        return await self._ask(who, press, always_ask=True)

    async def why_message(self, who: Asker, chosen: Chosen) -> Sheet:
        """Show what an answer was given."""
        if not chosen.is_ours:
            raise InputError(WHY_MINE_ONLY)
        return await self.why(who, chosen.answers or chosen.message)

    async def why_last(self, who: Asker) -> Sheet:
        """Show what the last answer in their thread was given."""
        session_id = _answered_in(who)
        return await self._reasons(who, session_id, await self.service.newest_reply(session_id), "")

    async def why(self, who: Asker, name: str, *, note: str = "") -> Sheet:
        """Show what an answer was given; `name` is its post, or the message it answers."""
        session_id = _answered_in(who)
        return await self._reasons(who, session_id, await self.service.reply_at(session_id, name), name, note=note)

    async def spoken(self, who: Asker, command: Spoken) -> Sheet:
        """Do what a message commands."""
        match command.verb:
            case "memories":
                return await self.memories(who, command.argument)
            case "forget":
                return await self.forget(who, command.argument)
            case "remember":
                return await self.remember(who, command.argument)
            case verb:
                return await self._plain(verb)(who)

    async def listed(self, who: Asker, press: Press, *, note: str = "") -> Sheet:
        """Show a page of their list, with what came of what they did there."""
        result = await self.commands.show(who.user_id, press.words)
        if not result.memories:
            return Words(f"{note}\n{result.text}".strip())
        return memory_list(result.memories, press, ways=self.ways, note=note)

    def _plain(self, verb: PlainVerb) -> Callable[[Asker], Awaitable[Sheet]]:
        """Return what a command does that needs no words."""
        works: Mapping[PlainVerb, Callable[[Asker], Awaitable[Sheet]]] = {
            "export": self.export,
            "why": self.why_last,
            "settings": self.overview.settings,
            "pause": self.pausing.pause,
            "resume": self.pausing.resume,
            "pause_thread": self.pausing.pause_thread,
            "resume_thread": self.pausing.resume_thread,
        }
        return works[verb]

    async def _ask(self, who: Asker, press: Press, *, always_ask: bool) -> Sheet:
        result = await self.commands.forget_target(who.user_id, target_of(press), always_ask=always_ask)
        return question(result, press)

    async def _remember_unseen(self, who: Asker, text: str) -> Sheet:
        """Store what nobody else saw them type."""
        place = await self.surroundings.own_place(who)
        if place is None:
            raise InputError(NO_PLACE)
        result = await self.commands.remember(place, await self.surroundings.person(who), text)
        return remembered(result, who.user_id, note=self.ways.seen_by_nobody, use_private=self.ways.use_private)

    async def _remember(self, who: Asker, text: str, *, message: str, link: str | None) -> Sheet:
        place = None if who.session_id is None else await self.surroundings.place(who, who.session_id)
        if place is None:
            raise InputError(NO_PLACE)
        person = await self.surroundings.person(who)
        said_at = None if who.said is None else who.said.said_at
        result = await self.commands.remember(place, person, text, message=message, link=link, said_at=said_at)
        return remembered(result, who.user_id)

    async def _reasons(
        self, who: Asker, session_id: SessionId, reply: Message | None, name: str, *, note: str = ""
    ) -> Sheet:
        if reply is None:
            raise InputError(NO_ANSWER)
        place = await self.surroundings.place(who, session_id)
        if place is None:
            raise InputError(NOT_HERE)
        member_of = () if place.shared else await self.surroundings.channels_of(who)
        result = await self.commands.why(place, who.user_id, reply.used, member_of=member_of)
        if not result.recalled:
            return Words(f"{note}\n{NO_MEMORY}".strip())
        ask = Press(action="forget", user=who.user_id, why=name, thread=session_id)
        return reasons(result.recalled, ask, ways=self.ways, note=note)


def open_desk(
    *,
    personal: PersonalMemory,
    service: MemoryService,
    surroundings: Surroundings,
    ways: Ways,
    metrics: Metrics | None = None,
) -> MemoryDesk:
    """Return the desk of one platform; `metrics` is told of what was stored and forgotten."""
    commands = Commands(
        personal,
        platform_copy=ways.platform_copy,
        how_to_agree="",
        how_to_pause=ways.how_to_pause,
        tenant=ways.tenant,
        can_widen=ways.can_widen,
        metrics=metrics,
    )
    pausing = PauseDesk(
        commands=Pausing(
            personal, how=ways.how_to_pause, mode=service.mode, tenant=ways.tenant, has_threads=ways.has_threads
        ),
        surroundings=surroundings,
        ways=ways,
    )
    return MemoryDesk(commands=commands, pausing=pausing, service=service, surroundings=surroundings, ways=ways)


def target_of(press: Press) -> ForgetTarget:
    """Return what a button is to forget.

    Raises:
        InputError: It names nothing.
    """
    if press.message and press.thread is not None:
        return ThisMessage(session_id=press.thread, platform_message_id=press.message)
    return parse_forget(press.what, session_id=press.thread)


def _answered_in(who: Asker) -> SessionId:
    if who.session_id is None:
        raise InputError(NO_ANSWER)
    return who.session_id


def _clean(text: str) -> str:
    """Return what somebody typed after a command, safe to store and show; nothing is fine."""
    return clean_input(text) if text.strip() else ""
