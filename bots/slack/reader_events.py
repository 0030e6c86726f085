"""Events that say who reads a channel now: it was shared or converted, somebody came or left. Pure; raises nothing."""

from collections.abc import Mapping
from typing import Any

from bots.slack.inbound import BotIdentity
from bots.slack.payload import inner, string

_TO_PRIVATE = "channel_convert_to_private"
_CONVERTED = frozenset({_TO_PRIVATE, "channel_convert_to_public"})
_MEMBER_EVENTS = frozenset({"member_joined_channel", "member_left_channel"})
_SHARING_EVENTS = frozenset({
    "channel_shared", "shared_channel_invite_received", "shared_channel_invite_accepted",
    "shared_channel_invite_approved",
})  # fmt: skip
READER_EVENTS = _MEMBER_EVENTS | _SHARING_EVENTS | frozenset({
    "channel_unshared", "channel_archive", "channel_unarchive", "channel_left",
    "group_archive", "group_unarchive", "group_left",
})  # fmt: skip
_LEFT = frozenset({"channel_left", "group_left"})


def changed_channel(event: Mapping[str, Any]) -> str | None:
    """Return the channel of which an event says that other people may read it now; None for all other events."""
    kind = string(event, "type")
    if kind in READER_EVENTS or (kind == "message" and string(event, "subtype") in _CONVERTED):
        return string(event, "channel") or string(inner(event, "channel"), "id")
    return None


def says_narrower(event: Mapping[str, Any]) -> bool:
    """Whether an event itself says that its channel is not, or not only, for the whole workspace now."""
    kind, subtype = string(event, "type"), string(event, "subtype")
    return kind in _SHARING_EVENTS or (kind == "message" and subtype == _TO_PRIVATE)


def left_channel(event: Mapping[str, Any], *, bot: BotIdentity) -> bool:
    """Whether an event says that Recall itself is out of a channel, where it sees no edit and no deletion any more."""
    kind = string(event, "type")
    return kind in _LEFT or (kind == "member_left_channel" and string(event, "user") == bot.user_id)


def joined_or_left(event: Mapping[str, Any]) -> str | None:
    """Return who came into a channel or left it; None for all other events."""
    return string(event, "user") if string(event, "type") in _MEMBER_EVENTS else None
