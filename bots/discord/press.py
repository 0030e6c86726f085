"""How a press is written into a button of Discord, and read again. Pure.

A `custom_id` has 100 characters, so ids stand in it in short digits, and the words that somebody typed in the footer of
the message that the button is part of, which comes back with every press. Server and channel are where it is pressed.
"""

import re
import string
from dataclasses import dataclass
from typing import get_args

from bots.discord import ids
from bots.discord.ids import DiscordThread
from bots.press import Action, Press
from memory.errors import InputError

_ACTIONS: tuple[Action, ...] = get_args(Action)
_DIGITS = string.digits + string.ascii_letters
_BASE = len(_DIGITS)
_SHORT = re.compile(r"#?[0-9a-z]{0,14}")
"""What to forget, where it needs no footer: a number, or one word."""
_IN_FOOTER = "~"
TEMPLATE = re.compile(
    r"press:(?P<action>[a-z]{3,6}):(?P<user>[0-9A-Za-z]*):(?P<message>[0-9A-Za-z]*):(?P<thread>[0-9A-Za-z]*)"
    r":(?P<page>[0-9]*):(?P<digest>[0-9a-f]*):(?P<why>[0-9A-Za-z]*):(?P<what>~|#?[0-9a-z]*):(?P<words>~?)"
)


@dataclass(frozen=True, slots=True)
class Written:
    """A press as a button carries it.

    Attributes:
        custom_id: At most 100 characters.
        footer: What must stand in the message's footer; "" for nothing.
    """

    custom_id: str
    footer: str = ""


def written(press: Press) -> Written:
    """Return what a button carries. Of two texts that somebody typed, only what to forget has room."""
    what, footer = press.what, press.words
    if not _SHORT.fullmatch(what):
        what, footer = _IN_FOOTER, press.what
    fields = (
        press.action,
        _short(ids.user_of(press.user)[1]) if press.user is not None else "",
        _short(press.message),
        _short(ids.thread_of(press.thread).thread) if press.thread is not None else "",
        "" if press.page is None else str(press.page),
        press.digest,
        _short(press.why),
        what,
        _IN_FOOTER if footer and what != _IN_FOOTER else "",
    )
    return Written("press:" + ":".join(fields), footer)


def read(found: re.Match[str], *, footer: str, guild: str, channel: str) -> Press | None:
    """Return the press that a button stands for; None if it is none of ours.

    Args:
        found: What `TEMPLATE` found in the button.
        footer: Of the message it is part of; "" for none.
        guild: Where it was pressed; `ids.DM` in direct messages.
        channel: The channel there; that of the thread, in a thread.
    """
    action = next((each for each in _ACTIONS if each == found["action"]), None)
    if action is None or (not footer and _IN_FOOTER in {found["what"], found["words"]}):
        return None
    user, thread = _long(found["user"]), _long(found["thread"])
    try:
        return Press(
            action=action,
            user=ids.user_id(guild, user) if user else None,
            what=footer if found["what"] == _IN_FOOTER else found["what"],
            message=_long(found["message"]),
            thread=ids.session_id(DiscordThread(guild, channel, thread)) if thread else None,
            digest=found["digest"],
            words=footer if found["words"] else "",
            page=int(found["page"]) if found["page"] else None,
            why=_long(found["why"]),
        )
    except InputError:
        return None


def _short(number: str) -> str:
    """Return a snowflake in as few digits as can be; "" for none."""
    rest, digits = int(number or 0), ""
    while rest:
        rest, digit = divmod(rest, _BASE)
        digits = _DIGITS[digit] + digits
    return digits


def _long(digits: str) -> str:
    value = 0
    for digit in digits:
        value = value * _BASE + _DIGITS.index(digit)
    return str(value) if digits else ""
