"""Discord's permissions as bits, and who may what in a channel. Pure.

Source: docs.discord.com/developers/topics/permissions.
"""

from collections.abc import Iterable
from dataclasses import dataclass

_SHIFTS = {
    "create_instant_invite": 0, "kick_members": 1, "ban_members": 2, "administrator": 3, "manage_channels": 4,
    "manage_guild": 5, "add_reactions": 6, "view_audit_log": 7, "view_channel": 10, "send_messages": 11,
    "send_tts_messages": 12, "manage_messages": 13, "embed_links": 14, "attach_files": 15,
    "read_message_history": 16, "mention_everyone": 17, "use_external_emojis": 18, "connect": 20,
    "manage_nicknames": 27,
    "manage_roles": 28, "manage_webhooks": 29, "use_application_commands": 31, "manage_threads": 34,
    "create_public_threads": 35, "create_private_threads": 36, "send_messages_in_threads": 38,
    "moderate_members": 40, "use_external_apps": 50, "pin_messages": 51, "bypass_slowmode": 52,
}  # fmt: skip

ALL = (1 << 53) - 1
ADMINISTRATOR = 1 << _SHIFTS["administrator"]
VIEW_CHANNEL = 1 << _SHIFTS["view_channel"]
NAMES = frozenset(_SHIFTS)


def bits(names: Iterable[str]) -> int:
    """Return permissions, by their names, as Discord's number."""
    total = 0
    for name in names:
        total |= 1 << _SHIFTS[name]
    return total


EVERYONE = bits(
    [
        "create_instant_invite", "add_reactions", "view_channel", "send_messages", "embed_links", "attach_files",
        "read_message_history", "mention_everyone", "use_external_emojis", "use_application_commands",
        "create_public_threads", "create_private_threads", "send_messages_in_threads", "use_external_apps", "connect",
    ]
)  # fmt: skip
BOT = bits(
    [
        "view_channel", "send_messages", "send_messages_in_threads", "create_public_threads", "read_message_history",
        "embed_links", "attach_files", "add_reactions",
    ]
)  # fmt: skip
DM = bits(
    [
        "view_channel", "send_messages", "embed_links", "attach_files", "read_message_history", "add_reactions",
        "use_application_commands", "use_external_apps",
    ]
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Overwrite:
    """What a channel allows and denies one role or member."""

    target_id: str
    is_role: bool
    allow: int = 0
    deny: int = 0


def in_channel(*, base: int, guild_id: str, user_id: str, roles: Iterable[str], overwrites: Iterable[Overwrite]) -> int:
    """Return somebody's permissions in a channel, from their guild-wide ones and the channel's overwrites."""
    if base & ADMINISTRATOR:
        return ALL
    by_target = {overwrite.target_id: overwrite for overwrite in overwrites}
    allowed = base
    everyone = by_target.get(guild_id)
    if everyone is not None:
        allowed = (allowed & ~everyone.deny) | everyone.allow
    of_roles = [by_target[role] for role in roles if role in by_target and role != guild_id]
    for overwrite in of_roles:
        allowed &= ~overwrite.deny
    for overwrite in of_roles:
        allowed |= overwrite.allow
    own = by_target.get(user_id)
    if own is not None:
        allowed = (allowed & ~own.deny) | own.allow
    return allowed if allowed & VIEW_CHANNEL else 0
