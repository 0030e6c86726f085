"""What is suggested while somebody types which memories they mean: their own, as lists show them."""

import re
from collections.abc import Sequence

import structlog

from bots.desk.asking import Asker
from bots.desk.desk import MemoryDesk
from bots.text import clean_text
from memory.errors import StoreUnavailableError
from memory.model import Memory

_log = structlog.get_logger(__name__)

MOST = 25
_NAME_CHARS = 100
_NUMBER = re.compile(r"#?(?P<digits>[0-9]{0,9})")

Suggestion = tuple[str, str]
"""What is shown, and what it stands for."""


async def suggestions(desk: MemoryDesk, who: Asker, typed: str, *, words: Sequence[str]) -> list[Suggestion]:
    """Return what may be meant, at most `MOST`; none while the record is out of reach.

    Args:
        desk: Knows their memories.
        who: Who types.
        typed: As far as they have come.
        words: What can be meant beside one memory.
    """
    wanted = " ".join(clean_text(typed).split()).lower()
    known = [(word, word) for word in words if word.startswith(wanted)]
    number = _NUMBER.fullmatch(wanted)
    digits, parts = (number["digits"], []) if number else ("", wanted.split())
    try:
        found = await desk.commands.suggest(who.user_id, number=digits, parts=parts, limit=MOST - len(known))
    except StoreUnavailableError as error:
        _log.warning("nothing_suggested", reason=str(error))
        found = ()
    return [*known, *map(_suggestion, found)]


def _suggestion(memory: Memory) -> Suggestion:
    line = " ".join(f"#{memory.number}  {memory.text}".split("\n"))
    return (line if len(line) <= _NAME_CHARS else line[: _NAME_CHARS - 1] + "…", f"#{memory.number}")
