"""One person's console: what each line means and what comes of it. Knows no terminal and no pipe."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bots.commands import CommandResult, Commands, Plan
from bots.console import ids, slash
from bots.console.screen import Screen
from bots.conversation import Conversation
from bots.delivery import Delivery
from bots.files import write_new
from bots.pausing import Pausing, means_thread
from bots.platform import IncomingMessage, Reply, ReplySink
from bots.text import clean_input
from bots.wording import counted
from memory.errors import InputError
from memory.model import ForgetPlan, MemoryKey, Place, Role, SessionId
from memory.personal import PersonalMemory
from memory.ports import Clock, Pace
from memory.service import MemoryService

KEPT = "Nothing was forgotten."
AS_BEFORE = "All stays as it was."
ALREADY = "There is nothing to confirm: it is forgotten already."
STOPPED = "Stopped."

_EARLIER = 6
_ARROW_KEYS = 200
_YES = frozenset({"yes", "y"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """What stands behind a console.

    Attributes:
        sweep: Learns from every thread that has something new; says in one line what came of it.
    """

    service: MemoryService
    conversation: Conversation
    pace: Pace
    commands: Commands
    pausing: Pausing
    personal: PersonalMemory
    sweep: Callable[[], Awaitable[str]]
    clock: Clock


class ConsoleSession:
    """Takes a person's lines one by one.

    Args:
        backend: What stands behind it.
        delivery: Takes what the person says.
        screen: Where answers go.
        user: Who types.
        thread: The thread to start in.
        on_thread: Told what the person said in a thread before, whenever they enter one.
    """

    def __init__(
        self,
        *,
        backend: Backend,
        delivery: Delivery,
        screen: Screen,
        user: str,
        thread: str,
        on_thread: Callable[[Sequence[str]], None],
    ) -> None:
        self._backend = backend
        self._delivery = delivery
        self._screen = screen
        self._user = user
        self._person = ids.person(user)
        self._thread = thread
        self._on_thread = on_thread
        self._used: Sequence[MemoryKey] = ()
        self._question: Plan | None = None
        self._just_forgot = False
        self._answered = False
        self._commands: Mapping[str, Callable[[str], Awaitable[None]]] = {
            "new": self._new,
            "thread": self._go_to,
            "threads": self._threads,
            "memories": self._memories,
            "remember": self._remember,
            "forget": self._forget,
            "widen": self._widen,
            "narrow": self._narrow,
            "pause": self._pause,
            "resume": self._resume,
            "settings": self._settings,
            "why": self._why,
            "sweep": self._sweep,
            "export": self._export,
            "help": self._help,
        }

    @property
    def thread(self) -> str:
        """Name of the current thread."""
        return self._thread

    def shows(self, session_id: SessionId) -> bool:
        """Whether this is the thread that is open."""
        return session_id == self._place.session_id

    async def enter(self, thread: str) -> None:
        """Go to a thread and show where it stands."""
        self._thread = thread
        settled = await self._backend.service.history(self._place.session_id, limit=_ARROW_KEYS)
        kept = [message for message in settled if message.text]
        self._screen.earlier(kept[-_EARLIER:])
        self._on_thread([message.text for message in kept if message.role is Role.USER])
        newest = await self._backend.service.newest_reply(self._place.session_id)
        self._used = newest.used if newest is not None else ()

    async def take(self, line: str) -> bool:
        """Do what a line asks; False when the person wants to leave.

        Raises:
            InputError: The line cannot be done; the text says why.
            RecallError: A store or the model failed.
        """
        self._answered = False
        if not line.strip() or await self._answers_question(line):
            return True
        command = slash.parse(line)
        if command is None:
            await self._say(clean_input(line))
        elif command.name == "quit":
            return False
        elif command.is_known:
            await self._commands[command.name](clean_input(command.argument) if command.argument else "")
        else:
            self._screen.say(slash.unknown(command))
        return True

    def stop_answer(self) -> bool:
        """Stop the answer that is being made; say whether there was one."""
        return self._delivery.stop(self._place.session_id)

    def stopped(self) -> None:
        """Say that the line was stopped, if nothing has said so yet."""
        if not self._answered:
            self._screen.say(STOPPED)

    def leave(self) -> None:
        """Say so if a question stays without an answer."""
        if self._question is not None:
            self._screen.say(_left(self._question))
            self._question = None

    @property
    def _place(self) -> Place:
        return ids.place(self._user, self._thread)

    async def _answers_question(self, line: str) -> bool:
        """Take the line as the answer to an open question; True when there is nothing else to do with it."""
        question, self._question = self._question, None
        just_forgot, self._just_forgot = self._just_forgot, False
        confirms = line.strip().casefold() in _YES
        if question is None:
            if confirms and just_forgot:
                self._screen.say(ALREADY)
                return True
            return False
        if not confirms:
            self._screen.say(_left(question))
            return line.strip().casefold() in {"no", "n"}
        with self._screen.busy("Forgetting" if isinstance(question, ForgetPlan) else "Widening"):
            self._forgot(await self._backend.commands.confirm(question))
        return True

    async def _say(self, text: str) -> None:
        message = IncomingMessage(
            place=self._place,
            author=self._person,
            platform_message_id=uuid.uuid4().hex,
            text=text,
            sent_at=self._backend.clock.now(),
        )
        with self._screen.answering() as sink:
            await self._delivery.handle(message, _Noting(sink, self._note_used))

    def _note_used(self, reply: Reply) -> None:
        self._answered = True
        self._used = [item.memory.key for item in reply.used]

    async def _new(self, name: str) -> None:
        await self._enter_named(name or f"{self._backend.clock.now():%Y-%m-%d %H:%M:%S}")

    async def _go_to(self, name: str) -> None:
        if not name:
            raise InputError("Name a thread, as /threads lists them: /thread NAME")
        place = ids.place(self._user, name)
        is_new = await self._backend.service.place_of(place.session_id) is None
        await self._enter_named(name, note=" (a new one)" if is_new else "")

    async def _enter_named(self, name: str, *, note: str = "") -> None:
        self._screen.say(f"Thread: {name}{note}")
        await self.enter(name)

    async def _threads(self, _argument: str) -> None:
        threads = await self._backend.personal.threads(self._person.user_id)
        lines = [
            f"{name}  ({counted(info.message_count, 'message')}, last {_minute(info.last_active_at)})"
            for info, (_, name) in ((info, ids.thread_of(info.session_id)) for info in threads)
        ]
        self._screen.say("\n".join(lines) or "There is no thread of yours yet.")

    async def _memories(self, words: str) -> None:
        self._show(await self._backend.commands.show(self._person.user_id, words))

    async def _remember(self, text: str) -> None:
        self._show(await self._backend.commands.remember(self._place, self._person, text))

    async def _forget(self, argument: str) -> None:
        with self._screen.busy("Forgetting"):
            result = await self._backend.commands.forget(
                self._person.user_id, argument, session_id=self._place.session_id
            )
        self._question = result.question
        self._forgot(result)

    def _forgot(self, result: CommandResult) -> None:
        """Show what came of a forget."""
        self._just_forgot = result.plan is not None
        self._show(result)

    async def _widen(self, argument: str) -> None:
        result = await self._backend.commands.widen(self._person.user_id, argument)
        self._question = result.question
        self._show(result)

    async def _narrow(self, argument: str) -> None:
        self._show(await self._backend.commands.narrow(self._person.user_id, argument))

    async def _pause(self, argument: str) -> None:
        pausing, owner = self._backend.pausing, self._person.user_id
        if means_thread(argument):
            self._screen.say((await pausing.pause_thread(self._place, owner)).told)
        else:
            self._screen.say(await pausing.pause(owner, ids.TENANT))

    async def _resume(self, argument: str) -> None:
        pausing, owner = self._backend.pausing, self._person.user_id
        if means_thread(argument):
            self._screen.say((await pausing.resume_thread(self._place, owner)).told)
        else:
            self._screen.say(await pausing.resume(owner, ids.TENANT, session_id=self._place.session_id))

    async def _settings(self, _argument: str) -> None:
        self._screen.say(await self._backend.pausing.settings(self._person.user_id, self._place.session_id))

    async def _why(self, _argument: str) -> None:
        self._show(await self._backend.commands.why(self._place, self._person.user_id, self._used))

    async def _sweep(self, _argument: str) -> None:
        with self._screen.busy("Learning from finished turns"):
            said = await self._backend.sweep()
        self._screen.say(said)

    async def _export(self, file_name: str) -> None:
        result = await self._backend.commands.export(self._person.user_id)
        if not file_name:
            self._show(result)
            return
        target = await asyncio.to_thread(write_new, file_name, result.text)
        self._screen.say(f"Written to {target}.")

    async def _help(self, _argument: str) -> None:
        self._screen.say(slash.help_text())

    def _show(self, result: CommandResult) -> None:
        self._screen.say(result.text)


class _Noting(ReplySink):
    """A sink that also tells what the reply was given."""

    def __init__(self, sink: ReplySink, note: Callable[[Reply], None]) -> None:
        self._sink = sink
        self._note = note

    async def status(self, text: str) -> None:
        await self._sink.status(text)

    async def append(self, delta: str) -> None:
        await self._sink.append(delta)

    async def finish(self, reply: Reply) -> None:
        self._note(reply)
        await self._sink.finish(reply)

    async def abandon(self) -> None:
        await self._sink.abandon()


def _left(question: Plan) -> str:
    """Return what is said to a no."""
    return KEPT if isinstance(question, ForgetPlan) else AS_BEFORE


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
