"""The console as a platform: opens what is behind it, reads lines, and ends cleanly however it is ended."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import structlog

from bots.console import ids
from bots.console.lines import LineSource
from bots.console.screen import Screen, beside
from bots.console.session import Backend, ConsoleSession
from bots.delivery import Delivery
from bots.platform import Platform, Reply, ReplySink
from bots.wording import one_line
from memory.errors import InputError, RecallError, StoreUnavailableError, first_error
from memory.model import Message, SessionId
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)

DISCLOSURE = "I remember what you tell me. /memories shows what I know of you, /forget erases it, /help lists the rest."
STARTING = "Starting"
NOT_TAKEN = "The record cannot be reached, so nothing was stored or changed. Try again in a moment."

Result = TypeVar("Result")
OpenBackend = Callable[[], AbstractAsyncContextManager[Backend]]


class ConsolePlatform(Platform):
    """One person at a terminal, or one pipe.

    The prompt is there at once; the backend opens behind it.

    Args:
        open_backend: Opens what stands behind the console; entered and left in one task.
        lines: Where lines come from.
        screen: Where answers go.
        user: Who types.
        thread: The thread to start in.
        disclosure: What a person's first answer says of memory.
        grace_s: How long what runs may go on after `stop`, in seconds.
    """

    def __init__(
        self,
        *,
        open_backend: OpenBackend,
        lines: LineSource,
        screen: Screen,
        user: str,
        thread: str,
        disclosure: str | None = DISCLOSURE,
        grace_s: float = 20.0,
    ) -> None:
        self._open_backend = open_backend
        self._lines = lines
        self._screen = screen
        self._user = user
        self._thread = thread
        self._disclosure = disclosure
        self._grace_s = grace_s
        self._closing = False
        self._waiting: asyncio.Task[object] | None = None
        self._working: asyncio.Task[bool] | None = None
        self._session: ConsoleSession | None = None
        self._delivery: Delivery | None = None
        self._tasks = TaskTracker()
        self._late: list[str] = []

    async def run(self) -> None:
        """Talk until the lines end; whatever was accepted is answered before this returns.

        Raises:
            RecallError: The backend cannot be opened.
        """
        try:
            async with asyncio.TaskGroup() as group:
                opened: asyncio.Future[ConsoleSession] = asyncio.get_running_loop().create_future()
                done = asyncio.Event()
                holding = group.create_task(self._hold_open(opened, done), name="console backend")
                await self._talk(group, opened)
                done.set()
                if self._closing and not opened.done():
                    holding.cancel()
        except* RecallError as failed:
            raise first_error(failed) from None

    def interrupt(self) -> None:
        """Stop the answer or command that runs and keep what the person said; when nothing runs, leave."""
        if self._working is None:
            self._stop_waiting()
        elif self._session is None or not self._session.stop_answer():
            self._working.cancel()

    def stop(self) -> None:
        """Take nothing more; what runs may finish, for a while."""
        self._stop_waiting()
        later = asyncio.get_running_loop().call_later
        later(self._grace_s, lambda: self._tasks.start(self._cut_short(), name="cut the console short"))

    async def _cut_short(self) -> None:
        """Let go of what still runs; answers are made by the next start."""
        if self._delivery is not None:
            await self._delivery.close(grace_s=0)
        if self._working is not None:
            self._working.cancel()

    def _stop_waiting(self) -> None:
        self._closing = True
        if self._waiting is not None:
            self._waiting.cancel()

    async def _hold_open(self, opened: asyncio.Future[ConsoleSession], done: asyncio.Event) -> None:
        """Keep the backend open until the talk is over; answer meanwhile what an earlier process left unanswered."""
        async with (
            self._open_backend() as backend,
            Delivery(
                service=backend.service,
                conversation=backend.conversation,
                late=self._late_reply,
                pace=backend.pace,
                disclosure=self._disclosure,
            ) as delivery,
        ):
            session = ConsoleSession(
                backend=backend,
                delivery=delivery,
                screen=self._screen,
                user=self._user,
                thread=self._thread,
                on_thread=self._lines.recall,
            )
            self._screen.welcome()
            await session.enter(self._thread)
            self._session, self._delivery = session, delivery
            opened.set_result(session)
            await self._recover(delivery)
            await done.wait()
            await delivery.idle()

    async def _recover(self, delivery: Delivery) -> None:
        try:
            await delivery.recover(ids.TENANT)
        except RecallError as error:
            _log.warning("recovery_failed", error=type(error).__name__, reason=str(error))

    def _late_reply(self, message: Message) -> ReplySink:
        return _LateReply(message, self._shows, self._say_between)

    def _shows(self, session_id: SessionId) -> bool:
        return self._session is not None and self._session.shows(session_id)

    def _say_between(self, text: str) -> None:
        """Say something that does not belong to the line that is being worked on."""
        self._late.append(text)
        if self._working is None:
            self._say_late()

    def _say_late(self) -> None:
        late, self._late = self._late, []
        for text in late:
            self._screen.say(text)

    async def _talk(self, group: asyncio.TaskGroup, opened: asyncio.Future[ConsoleSession]) -> None:
        thread, leaving = self._thread, False
        while not leaving:
            try:
                line = await self._unless_closing(group, self._lines.next_line(f"{thread}> "))
            except InputError as error:
                self._screen.say(str(error))
                continue
            session = await self._unless_closing(group, self._opened(opened)) if line is not None else None
            if session is None or line is None:
                break
            leaving = not await self._work(group, session, line)
            thread = session.thread
        if opened.done():
            opened.result().leave()

    async def _opened(self, opened: asyncio.Future[ConsoleSession]) -> ConsoleSession:
        with self._screen.busy(STARTING):
            return await asyncio.shield(opened)

    async def _unless_closing(self, group: asyncio.TaskGroup, work: Coroutine[object, object, Result]) -> Result | None:
        """Await `work`; None when the console is closed meanwhile."""
        if self._closing:
            work.close()
            return None
        task = group.create_task(_settled(work))
        self._waiting = task
        try:
            outcome = await task
        except asyncio.CancelledError:
            if self._closing and task.cancelled():
                return None
            raise
        finally:
            self._waiting = None
        if isinstance(outcome, InputError):
            raise outcome
        return outcome

    async def _work(self, group: asyncio.TaskGroup, session: ConsoleSession, line: str) -> bool:
        """Do what a line asks, so that it can be interrupted; False when the person wants to leave."""
        task = self._working = group.create_task(self._take(session, line), name="console line")
        try:
            return await task
        except asyncio.CancelledError:
            if not task.cancelled() or _is_cancelling():
                raise
            session.stopped()
            return not self._closing
        finally:
            self._working = None
            self._say_late()

    async def _take(self, session: ConsoleSession, line: str) -> bool:
        try:
            return await session.take(line)
        except InputError as error:
            self._screen.say(str(error))
        except StoreUnavailableError as error:
            _log.warning("line_not_taken", store=error.store, operation=error.operation)
            self._screen.say(NOT_TAKEN)
        except RecallError as error:
            self._screen.say(f"That did not work: {error}")
        except Exception:  # noqa: BLE001  # the message handler's boundary: one bad line must not end the talk
            correlation_id = secrets.token_hex(4)
            _log.exception("line_broke", correlation_id=correlation_id)
            self._screen.say(f"Something went wrong on my side; the log names it {correlation_id}.")
        return True


class _LateReply(ReplySink):
    """The answer to a message of an earlier run; shown in full if its thread is the one that is open."""

    def __init__(self, message: Message, shows: Callable[[SessionId], bool], say: Callable[[str], None]) -> None:
        self._message = message
        self._shows = shows
        self._say = say

    async def status(self, text: str) -> None:
        """Show nothing: nobody waits for it."""

    async def append(self, delta: str) -> None:
        """Show nothing yet."""

    async def finish(self, reply: Reply) -> None:
        if self._shows(self._message.session_id):
            self._say("\n".join([f"> {one_line(self._message.text)}", reply.text, *beside(reply)]))

    async def abandon(self) -> None:
        """Show nothing."""


async def _settled(work: Coroutine[object, object, Result]) -> Result | InputError:
    """Return an InputError instead of raising it: a task's error would end its whole group."""
    try:
        return await work
    except InputError as error:
        return error


def _is_cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
