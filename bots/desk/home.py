"""All that somebody can see and set of their memory at once, as sheets: memories by kind, usage, switches. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from bots.commands import CommandResult
from bots.desk.lists import line, page_of, turn
from bots.desk.sheets import Group, Home, Offer
from bots.desk.ways import Ways
from bots.press import Button, Press
from bots.wording import counted
from memory.model import Memory, Usage
from memory.personal import USAGE_DAYS, Pauses

_KINDS = {
    "profile": "About you",
    "preference": "What you prefer",
    "environment": "Your environment",
    "procedure": "How things are done",
    "decision": "Decisions",
    "other": "Other",
    "episode": "Conversations",
}
_ORDER = {kind: place for place, kind in enumerate(_KINDS)}


def home_sheet(found: CommandResult, ask: Press, *, ways: Ways, usage: Usage, paused: bool, note: str = "") -> Home:
    """Return the overview of somebody's memory.

    Args:
        found: The memories that the search found, newest first, or words that say that there are none.
        ask: For whom, which words, which page.
        ways: How many go on a page.
        usage: What they asked lately, and what is kept of them.
        paused: Whether nothing of what they say is kept.
        note: What to say above.
    """
    ordered = sorted(found.memories, key=lambda memory: _ORDER.get(memory.kind, len(_ORDER)))
    page, count = page_of(ask, len(ordered), ways.home_page_size)
    here = replace(ask, page=page, home=True)
    first = page * ways.home_page_size
    shown = ordered[first : first + ways.home_page_size]
    of = counted(len(ordered), "memory", "memories")
    return Home(
        note=note,
        state="Memory is paused for you: I keep nothing of what you say." if paused else "Memory is on for you.",
        switch=_switch(here, paused=paused),
        words=ask.words,
        groups=tuple(_by_kind(shown, here, ways)),
        span=f"{first + 1} to {first + len(shown)} of {of}" if count > 1 else "",
        turn=turn(here, page, count),
        empty="" if ordered else found.text,
        usage=usage_lines(usage),
        buttons=_for_all(here, ways),
    )


def settings_sheet(text: str, here: Press, *, ways: Ways, usage: Usage, pauses: Pauses, note: str = "") -> Offer:
    """Return what somebody can set.

    Args:
        text: What is set.
        here: For whom, and in which thread.
        ways: How the buttons are called.
        usage: What they asked lately, and what is kept of them.
        pauses: What is paused.
        note: What to say above.
    """
    own = replace(here, thread=None)
    switches = [_switch(own, paused=pauses.person)]
    if here.thread is not None and (ways.has_threads or pauses.thread):
        switches.append(_switch(here, paused=pauses.thread))
    return Offer(note=note, text=f"{text}\n{usage_lines(usage)}", buttons=(*switches, *_for_all(own, ways)))


def usage_lines(usage: Usage) -> str:
    """Return in words what somebody asked lately, and how much is kept of them by kind."""
    asked = f"{counted(usage.questions, 'question')}, {counted(usage.answers, 'answer')}, {usage.tokens:,} tokens"
    kinds = sorted(usage.kept, key=lambda kind: _ORDER.get(kind, len(_ORDER)))
    by_kind = ", ".join(f"{_KINDS.get(kind, kind)}: {usage.kept[kind]}" for kind in kinds)
    kept = counted(sum(usage.kept.values()), "memory", "memories") if kinds else "nothing"
    return f"In the last {USAGE_DAYS} days: {asked}.\nKept: {kept}{'' if set(kinds) <= {'other'} else f' ({by_kind})'}."


def _switch(here: Press, *, paused: bool) -> Button:
    """Return the button that pauses or resumes: for a person, or for the thread that the press names."""
    verb = "Resume" if paused else "Pause"
    what = "this thread" if here.thread is not None else "memory"
    return Button(f"{verb} {what}", replace(here, action="resume" if paused else "pause"))


def _for_all(here: Press, ways: Ways) -> tuple[Button, ...]:
    """Return the buttons that are not about one memory."""
    export = Button("Send me all that is kept of me", replace(here, action="export"))
    if not ways.can_widen:
        return (export,)
    return (
        export,
        Button(ways.use_all, replace(here, action="widen", what="all")),
        Button("Take that back", replace(here, action="narrow", what="all")),
    )


def _by_kind(memories: Sequence[Memory], here: Press, ways: Ways) -> Iterator[Group]:
    for kind, group in groupby(memories, key=lambda memory: _KINDS.get(memory.kind, "Other")):
        yield Group(kind, tuple(line(memory, here, ways=ways) for memory in group))
