"""The Home tab: a person's memories by kind, with search, sources, forget and export. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from bots.slack.press import MOST_WORDS, Press
from bots.slack.render import Block
from bots.slack.views import EXPORT, SEARCH, View, button, context, line, pages, plain, sections
from bots.wording import counted
from memory.model import Memory

PAGE_SIZE = 25
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


def home_tab(memories: Sequence[Memory], ask: Press, *, note: str = "", empty: str = "") -> View:
    """Return the Home tab.

    Args:
        memories: All that the search found, newest first.
        ask: For whom, which words, which page.
        note: What to say above.
        empty: What to say when there are none.
    """
    ordered = sorted(memories, key=lambda memory: _ORDER.get(memory.kind, len(_ORDER)))
    count = max(1, -(-len(ordered) // PAGE_SIZE))
    page = max(0, min(ask.page or 0, count - 1))
    here = replace(ask, page=page, home=True)
    shown = ordered[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
    blocks: list[Block] = [{"type": "header", "text": plain(TITLE)}, context(HINT)]
    blocks += [*sections(note), _search(here), *_by_kind(shown, here)]
    if not memories:
        blocks += sections(empty)
    elif count > 1:
        first = page * PAGE_SIZE + 1
        blocks.append(context(f"{first} to {first + len(shown) - 1} of {counted(len(memories), 'memory', 'memories')}"))
        blocks.append(pages(here, page, count))
    blocks.append({"type": "divider"})
    blocks.append({"type": "actions", "elements": [button(EXPORT, "Send me all that is kept of me", here)]})
    return View(TITLE, tuple(blocks))


def _by_kind(memories: Sequence[Memory], here: Press) -> Iterator[Block]:
    for kind, group in groupby(memories, key=lambda memory: _KINDS.get(memory.kind, "Other")):
        yield {"type": "header", "text": plain(kind)}
        for memory in group:
            yield from line(memory, here)


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
