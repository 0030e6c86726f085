"""The Home tab: a person's memories by kind, with search, sources, forget and export. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from bots.slack.press import MOST_WORDS, Press
from bots.slack.render import Block
from bots.slack.views import (
    EXPORT,
    NARROW,
    PAUSE,
    RESUME,
    SEARCH,
    WIDEN,
    View,
    button,
    context,
    managed_line,
    pages,
    plain,
    sections,
    words,
)
from bots.wording import counted
from memory.model import Memory, Usage
from memory.personal import USAGE_DAYS, Pauses

PAGE_SIZE = 20
TITLE = "What I remember of you"
HINT = (
    "Only you see this. To store something: /remember. To forget more at once: /forget about, this thread, everything."
)

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


def home_tab(
    memories: Sequence[Memory],
    ask: Press,
    *,
    usage: Usage,
    paused: bool = False,
    note: str = "",
    empty: str = "",
) -> View:
    """Return the Home tab.

    Args:
        memories: All that the search found, newest first.
        ask: For whom, which words, which page.
        usage: What they asked lately, and what is kept of them.
        paused: Whether nothing of what they say is kept.
        note: What to say above.
        empty: What to say when there are none.
    """
    ordered = sorted(memories, key=lambda memory: _ORDER.get(memory.kind, len(_ORDER)))
    count = max(1, -(-len(ordered) // PAGE_SIZE))
    page = max(0, min(ask.page or 0, count - 1))
    here = replace(ask, page=page, home=True)
    shown = ordered[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
    blocks: list[Block] = [{"type": "header", "text": plain(TITLE)}, context(HINT)]
    blocks += [*sections(note), _state(here, paused=paused), _search(here), *_by_kind(shown, here)]
    if not memories:
        blocks += sections(empty)
    elif count > 1:
        first = page * PAGE_SIZE + 1
        blocks.append(context(f"{first} to {first + len(shown) - 1} of {counted(len(memories), 'memory', 'memories')}"))
        blocks.append(pages(here, page, count))
    blocks.append({"type": "divider"})
    blocks += sections(usage_lines(usage))
    blocks.append({"type": "actions", "elements": _for_all(here)})
    return View(TITLE, tuple(blocks))


def settings_view(text: str, here: Press, *, usage: Usage, pauses: Pauses, note: str = "") -> View:
    """Return what somebody can set.

    Args:
        text: What is set.
        here: For whom, and in which thread.
        usage: What they asked lately, and what is kept of them.
        pauses: What is paused.
        note: What to say above.
    """
    switches = [_switch(Press(user=here.user), paused=pauses.person)]
    if here.thread:
        switches.append(_switch(here, paused=pauses.thread))
    own = Press(user=here.user)
    above = sections(note)
    below: list[Block] = [{"type": "actions", "elements": [*switches, *_for_all(own)]}]
    shown = words(f"{text}\n{usage_lines(usage)}", *below)
    return replace(shown, blocks=(*above, *shown.blocks))


def _state(here: Press, *, paused: bool) -> Block:
    """Return whether what they say is kept, with the switch."""
    told = "Memory is paused for you: I keep nothing of what you say." if paused else "Memory is on for you."
    return {"type": "section", "text": plain(told), "accessory": _switch(here, paused=paused)}


def _switch(press: Press, *, paused: bool) -> Block:
    """Return the button that pauses or resumes: for a person, or for the thread that the press names."""
    action_id, verb = (RESUME, "Resume") if paused else (PAUSE, "Pause")
    if press.thread:
        return button(f"{action_id}:thread", f"{verb} this thread", press)
    return button(action_id, f"{verb} memory", press)


def usage_lines(usage: Usage) -> str:
    """Return in words what somebody asked lately, and how much is kept of them by kind."""
    asked = f"{counted(usage.questions, 'question')}, {counted(usage.answers, 'answer')}, {usage.tokens:,} tokens"
    kinds = sorted(usage.kept, key=lambda kind: _ORDER.get(kind, len(_ORDER)))
    kept = ", ".join(f"{_KINDS.get(kind, kind)}: {usage.kept[kind]}" for kind in kinds)
    return f"In the last {USAGE_DAYS} days: {asked}.\nKept: {kept or 'nothing yet'}."


def _for_all(here: Press) -> list[Block]:
    """Return the buttons that are not about one memory."""
    everything = replace(here, what="all")
    return [
        button(EXPORT, "Send me all that is kept of me", here),
        button(f"{WIDEN}:all", "Use all from our direct messages anywhere", everything),
        button(f"{NARROW}:all", "Take that back", everything),
    ]


def _by_kind(memories: Sequence[Memory], here: Press) -> Iterator[Block]:
    for kind, group in groupby(memories, key=lambda memory: _KINDS.get(memory.kind, "Other")):
        yield {"type": "header", "text": plain(kind)}
        for memory in group:
            yield from managed_line(memory, here)


def _search(here: Press) -> Block:
    """Return the search field."""
    field: Block = {
        "type": "plain_text_input",
        "action_id": SEARCH,
        "max_length": MOST_WORDS,
        "placeholder": plain("Words that a memory has"),
    }
    return {
        "type": "input",
        "dispatch_action": True,
        "optional": True,
        "label": plain("Search"),
        "element": field | ({"initial_value": here.words} if here.words else {}),
    }
