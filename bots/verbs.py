"""Memory commands as people say them in a message, where a platform has no other way to give one. Pure.

What may as well be meant for the assistant is no command: it would go unanswered.
"""

import re
from dataclasses import dataclass
from typing import Literal

PlainVerb = Literal["why", "export", "settings", "pause", "resume", "pause_thread", "resume_thread"]
"""Says all by itself."""
Verb = Literal["memories", "forget", "remember"] | PlainVerb

_ONLY_SHOW = frozenset[Verb]({"memories", "why", "export", "settings"})
_PAUSES = frozenset[Verb]({"pause", "resume", "pause_thread", "resume_thread"})
_LONGEST = 1_000
"""A longer message is no command, unless it is something to remember."""
_END = r"[\s.!]*"
_FORGET = re.compile(
    r"(?:please\s+)?forget\s+"
    r"(?P<what>#?[0-9]+(?:[\s,]+#?[0-9]+)*|last|(?:this\s+)?thread|everything|all"
    r"|about\s+(?!(?:it|that|this|them)\b)[^\s?][^?]*)",
    re.IGNORECASE | re.DOTALL,
)
_REMEMBER = re.compile(r"(?:please\s+)?remember\s*:\s*(?P<what>\S.*)", re.IGNORECASE | re.DOTALL)
_LIST = re.compile(rf"(?:my\s+)?memories{_END}", re.IGNORECASE)
_FIND = re.compile(r"(?:my\s+)?memories\s+(?:about\s+)?(?P<what>[^\s?]+(?:[ \t]+[^\s?]+){0,5})", re.IGNORECASE)
_WHY = re.compile(rf"why{_END}|why\s+did\s+you\s+say\s+that[\s.!?]*", re.IGNORECASE)
_PAUSE = re.compile(
    r"(?:please\s+)?(?:memory\s+)?(?P<verb>pause|resume)(?:\s+(?:my\s+)?memory|\s+(?P<thread>(?:this\s+)?thread))?",
    re.IGNORECASE,
)
_SETTINGS = re.compile(r"(?:(?:my\s+)?memory\s+)?settings", re.IGNORECASE)
_EXPORT = re.compile(rf"(?:memory\s+)?export(?:\s+my\s+memories)?{_END}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A command in a message."""

    verb: Verb
    argument: str = ""

    @property
    def only_shows(self) -> bool:
        """Whether it changes nothing: it may be lost with a process, since who misses the answer asks again."""
        return self.verb in _ONLY_SHOW

    @property
    def is_of_thread(self) -> bool:
        """Whether it pauses or resumes a thread, which has to be there already."""
        return self.verb in {"pause_thread", "resume_thread"}

    @property
    def pauses(self) -> bool:
        """Whether it must be done before the next message of its thread comes in."""
        return self.verb in _PAUSES


def spoken(text: str, *, is_addressed: bool) -> Spoken | None:
    """Return the command that a message is; None for any other message.

    Args:
        text: The message, without the mention of Recall.
        is_addressed: It mentions Recall. Where it does not, as in a DM, fewer words are taken for a command.
    """
    words = text.strip()
    if found := _REMEMBER.fullmatch(words):
        return Spoken("remember", found["what"])
    if len(words) > _LONGEST:
        return None
    if found := _FORGET.fullmatch(_without_ending(words)):
        return Spoken("forget", found["what"])
    if _LIST.fullmatch(words):
        return Spoken("memories")
    return _addressed(words) if is_addressed else None


def _addressed(words: str) -> Spoken | None:
    if _WHY.fullmatch(words):
        return Spoken("why")
    if _EXPORT.fullmatch(words):
        return Spoken("export")
    ended = _without_ending(words)
    if found := _PAUSE.fullmatch(ended):
        return Spoken(_pause_verb(found["verb"], in_thread=found["thread"] is not None))
    if _SETTINGS.fullmatch(ended):
        return Spoken("settings")
    found = _FIND.fullmatch(words)
    return Spoken("memories", found["what"].strip()) if found else None


def _pause_verb(verb: str, *, in_thread: bool) -> PlainVerb:
    if verb.casefold() == "pause":
        return "pause_thread" if in_thread else "pause"
    return "resume_thread" if in_thread else "resume"


def _without_ending(words: str) -> str:
    """Return `words` without the dots at their end; an expression that gives them back one by one is quadratic."""
    end = len(words)
    while end and (words[end - 1] in ".!" or words[end - 1].isspace()):
        end -= 1
    return words[:end]
