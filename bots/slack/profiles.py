"""What Slack's descriptions of channels and people say about who reads and who belongs. Pure.

What a description leaves open counts against it: a channel whose readers are unknown has none, and
somebody unknown belongs nowhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

# A channel counts as the workspace's own only if Slack denies each of these; a DM's description has fewer of them.
_OUTSIDE = ("is_ext_shared", "is_org_shared", "is_pending_ext_shared")
_OUTSIDE_IF_SET = ("is_shared", "is_global_shared", "pending_shared", "pending_connected_team_ids")
_GUEST = ("is_restricted", "is_ultra_restricted")
_NOBODY = ("is_stranger", "deleted", "is_bot")


@dataclass(frozen=True, slots=True)
class Readers:
    """Who reads a conversation: everyone in the workspace, its members, or one person."""

    kind: Literal["workspace", "members", "person"]
    user: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """Somebody as Slack describes them.

    Attributes:
        name: What they show; "" when Slack names none.
        teams: Where they are full members: workspaces, and their organisation. A guest is one nowhere.
    """

    name: str
    teams: tuple[str, ...]


def readers(answer: Mapping[str, Any]) -> Readers | None:
    """Return who reads a conversation that `conversations.info` describes, None unless that is sure."""
    info = answer.get("channel")
    if not isinstance(info, Mapping) or any(info.get(key) for key in (*_OUTSIDE, *_OUTSIDE_IF_SET)):
        return None
    if info.get("is_im") is True:
        user = info.get("user")
        return Readers("person", user) if isinstance(user, str) and user else None
    if any(info.get(key) is not False for key in _OUTSIDE):
        return None
    match info.get("is_private"), info.get("is_mpim"), info.get("is_group"):
        case False, False, False:
            return Readers("workspace")
        case True, _, _:
            return Readers("members")
    return None


def profile(answer: Mapping[str, Any]) -> Profile | None:
    """Return a person whom `users.info` describes."""
    info = answer.get("user")
    if not isinstance(info, Mapping):
        return None
    return Profile(name=_name(info), teams=_teams(info) if _is_full_member(info) else ())


def is_guest(info: Mapping[str, Any], team: str) -> bool:
    """Whether somebody who can read in a workspace is not surely a full member of it; bots read as nobody does."""
    if info.get("deleted") is True or info.get("is_bot") is True:
        return False
    return not _is_full_member(info) or team not in _teams(info)


def _is_full_member(info: Mapping[str, Any]) -> bool:
    return all(info.get(key) is False for key in _GUEST) and not any(info.get(key) for key in _NOBODY)


def _teams(info: Mapping[str, Any]) -> tuple[str, ...]:
    """Return where somebody is at home; in an organisation that may be several workspaces, and itself."""
    enterprise = info.get("enterprise_user")
    names = [info.get("team_id")]
    if isinstance(enterprise, Mapping):
        listed = enterprise.get("teams")
        names += [enterprise.get("enterprise_id"), *(listed if isinstance(listed, list) else ())]
    return tuple(name for name in names if isinstance(name, str) and name)


def _name(info: Mapping[str, Any]) -> str:
    inner = info.get("profile")
    shown = inner if isinstance(inner, Mapping) else {}
    candidates = (shown.get("display_name"), shown.get("real_name"), info.get("real_name"), info.get("name"))
    return next((name.strip() for name in candidates if isinstance(name, str) and name.strip()), "")
