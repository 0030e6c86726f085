"""Pausing by command, on every platform alike: a person's memory, a thread's, and what stands where.

Takes words and gives words, as `bots.commands` does.
"""

from dataclasses import dataclass

from memory.errors import InputError, PausedError
from memory.model import MemoryMode, Place, SessionId, TenantId, UserId
from memory.personal import Pauses, PersonalMemory

USAGE = "Say nothing more to mean yourself, or: this thread."

_MODES: dict[MemoryMode, str] = {
    "buffer": "buffer: a thread's recent turns, and nothing beyond them",
    "summary": "summary: a thread's recent turns and its running summary",
    "full": "full: a thread's turns and summary, facts, and past conversations",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HowToPause:
    """What people type on one platform: for themselves, and in a thread for everybody there."""

    pause: str = "/pause"
    resume: str = "/resume"
    pause_thread: str = "/pause this thread"
    resume_thread: str = "/resume this thread"

    def refusal(self, error: PausedError) -> InputError:
        """Return a refusal to store with what ends the pause."""
        return InputError(f"{error} {self.resume_thread if error.in_thread else self.resume} ends the pause.")


@dataclass(frozen=True, slots=True)
class ThreadPause:
    """What became of pausing or resuming a thread.

    Attributes:
        changed: It was not so already.
        told: What everybody there must know.
    """

    changed: bool
    told: str


class Pausing:
    """The commands that pause and resume, and the one that shows what is paused.

    Args:
        personal: Carries them out.
        how: What people type on this platform.
        mode: What memory there is at all.
        tenant: What a person's pause is for, such as "this workspace"; "" where there is nothing else.
        has_threads: Whether there is more than one thread, each of which can be paused.
    """

    def __init__(
        self,
        personal: PersonalMemory,
        *,
        how: HowToPause,
        mode: MemoryMode,
        tenant: str = "",
        has_threads: bool = True,
    ) -> None:
        self._personal = personal
        self._how = how
        self._mode = mode
        self._has_threads = has_threads
        self._where = f" in {tenant}" if tenant else ""

    async def pause(self, owner: UserId, tenant_id: TenantId) -> str:
        """Keep nothing of what a person says any more."""
        await self._personal.pause(owner, tenant_id)
        return (
            f"Memory is paused for you: from now on I keep nothing of what you say{self._where}, and later answers do "
            f"not know it. What I remember already stays, and I go on using it. {self._how.resume} ends the pause."
        )

    async def resume(self, owner: UserId, tenant_id: TenantId, *, session_id: SessionId | None) -> str:
        """Keep again what a person says; `session_id` is where they ask, if it is a thread."""
        await self._personal.resume(owner, tenant_id)
        text = "Memory is on for you. What you said while it was paused is not kept."
        if (await self._personal.pauses(owner, session_id)).thread:
            text += f" In this thread it is still paused: {self._how.resume_thread}"
        return text

    async def pause_thread(self, place: Place, owner: UserId) -> ThreadPause:
        """Keep nothing of what anybody says in a thread any more."""
        changed = await self._personal.pause_thread(place, by=owner)
        return ThreadPause(
            changed,
            "I keep nothing of what is said here from now on, whoever says it, and later answers do not know of it. "
            f"What I remember already stays, and I go on using it. {self._how.resume_thread} ends the pause.",
        )

    async def resume_thread(self, place: Place, owner: UserId) -> ThreadPause:
        """Keep again what is said in a thread."""
        changed = await self._personal.resume_thread(place, by=owner)
        return ThreadPause(
            changed, "From now on I keep what is said here. What was said while it was paused is not kept."
        )

    async def pauses(self, owner: UserId, session_id: SessionId | None) -> Pauses:
        """Say what is paused for a person, in a thread if there is one."""
        return await self._personal.pauses(owner, session_id)

    async def settings(self, owner: UserId, session_id: SessionId | None) -> str:
        """Show what is paused for a person, here and anywhere, what memory there is, and how to change it."""
        pauses, how = await self._personal.pauses(owner, session_id), self._how
        lines = [f"For you: {_state(how.pause, how.resume, paused=pauses.person)}"]
        if session_id is not None and (self._has_threads or pauses.thread):
            lines.append(f"In this thread: {_state(how.pause_thread, how.resume_thread, paused=pauses.thread)}")
        elif self._has_threads:
            lines.append(f"In a thread, for everybody there: {how.pause_thread} pauses it.")
        return "\n".join([*lines, f"Memory is {_MODES[self._mode]}."])


def means_thread(argument: str) -> bool:
    """Read whether a thread is to be paused or resumed; a person, when nothing is named.

    Raises:
        InputError: It is something else.
    """
    words = " ".join(argument.casefold().split())
    if words not in {"", "me", "thread", "this thread"}:
        raise InputError(USAGE)
    return words.endswith("thread")


def _state(pause: str, resume: str, *, paused: bool) -> str:
    return f"memory is paused. {resume} ends it." if paused else f"memory is on. {pause} pauses it."
