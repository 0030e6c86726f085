"""Discord's markup as the words a person reads: mentions, custom emoji, timestamps. Pure; nothing here raises."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bots.text import without_address

_MARKUP = re.compile(
    r"<(?:@!?(?P<user>[0-9]{1,20})|@&(?P<role>[0-9]{1,20})|#(?P<channel>[0-9]{1,20})"
    r"|a?(?P<emoji>:[A-Za-z0-9_]{1,64}:)[0-9]{1,20}|t:(?P<time>-?[0-9]{1,12})(?::[A-Za-z])?"
    r"|(?P<command>/[^:<>\n]{1,100}):[0-9]{1,20}|id:(?P<place>[a-z]{1,30}))>"
)
_DAY = "%Y-%m-%d %H:%M UTC"


@dataclass(frozen=True, slots=True)
class Names:
    """What people, roles and channels that a text mentions are called, by id."""

    users: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)


def decode_text(raw: str, names: Names, *, own: frozenset[str] = frozenset()) -> str:
    """Return what a person reads in a text as the wire has it; a name that is not known stays an id.

    Args:
        raw: With `<@1>`, `<#2>` and `<t:1764000000:R>`.
        names: Of what it mentions.
        own: The bot itself and its own role, whose mentions are left out.
    """
    text = without_address(raw, rf"<@[!&]?(?:{'|'.join(map(re.escape, sorted(own)))})>") if own else raw
    return _MARKUP.sub(lambda match: _readable(match, names), text)


def _readable(match: re.Match[str], names: Names) -> str:
    if user := match["user"]:
        return f"@{names.users.get(user, user)}"
    if role := match["role"]:
        return f"@{names.roles.get(role, role)}"
    if channel := match["channel"]:
        return f"#{names.channels.get(channel, channel)}"
    if match["time"]:
        return _moment(match["time"]) or match[0]
    return match["emoji"] or match["command"] or f"#{match['place']}"


def _moment(seconds: str) -> str:
    try:
        return datetime.fromtimestamp(int(seconds), tz=UTC).strftime(_DAY)
    except (ValueError, OverflowError, OSError):
        return ""
