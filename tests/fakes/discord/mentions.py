"""Whom a text mentions, and whom `allowed_mentions` lets it ping. Pure.

Source: docs.discord.com/developers/resources/message, "Allowed Mentions Object".
"""

import re
from collections.abc import Collection
from typing import Any

from tests.fakes.discord.model import Mentions

Json = dict[str, Any]

_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")


def mentioned(
    content: str, *, users: Collection[str], roles: Collection[str], may_ping_all: bool, replied_to: str | None = None
) -> Mentions:
    """Return whom a text pings that may ping all it names.

    Args:
        content: The text, as on the wire.
        users: Who could be meant.
        roles: Which roles could be pinged by it.
        may_ping_all: Its author may mention everyone.
        replied_to: The author of the message it answers, if that pings them.
    """
    named = [*_USER.findall(content), *([replied_to] if replied_to is not None else [])]
    return Mentions(
        users=tuple(dict.fromkeys(user for user in named if user in users)),
        roles=tuple(dict.fromkeys(role for role in _ROLE.findall(content) if role in roles)),
        everyone=may_ping_all and _EVERYONE.search(content) is not None,
    )


def allowed(mentions: Mentions, allowed_mentions: Json | None, *, replied_to: str | None) -> Mentions:
    """Return whom a message may still ping; without `allowed_mentions` that is everyone it names."""
    if allowed_mentions is None:
        return mentions
    parse = allowed_mentions.get("parse") or []
    users = set(mentions.users) if "users" in parse else {*(allowed_mentions.get("users") or [])}
    roles = set(mentions.roles) if "roles" in parse else {*(allowed_mentions.get("roles") or [])}
    if replied_to is not None:
        users = users | {replied_to} if allowed_mentions.get("replied_user") else users - {replied_to}
    return Mentions(
        users=tuple(user for user in mentions.users if user in users),
        roles=tuple(role for role in mentions.roles if role in roles),
        everyone=mentions.everyone and "everyone" in parse,
    )
