"""Names of people, places and memories. Platform ids are made only in `bots/<platform>/ids.py`."""

from dataclasses import dataclass
from typing import Literal, NewType

SessionId = NewType("SessionId", str)
"""One conversation: platform, tenant, channel and thread, every part escaped."""
TenantId = NewType("TenantId", str)
"""One workspace or guild: platform and tenant, escaped."""
ChannelId = NewType("ChannelId", str)
"""One channel or DM: platform, tenant and channel, escaped."""
UserId = NewType("UserId", str)
"""One person within one tenant: platform, tenant and user, escaped."""
MessageId = NewType("MessageId", int)
"""Row number of a message in the record; grows with time, is never given out twice."""
Audience = NewType("Audience", str)
"""Who could read a source: made by `memory.audience`, compared for equality only."""
MemoryKey = NewType("MemoryKey", str)
"""One indexed text. What a key stands for never changes: an edited message gets a new key."""

DIRECT = "dm"
"""In place of a tenant's own name: direct messages of people who have nothing in common."""

KeyKind = Literal["fact", "turn", "episode"]
_KINDS: dict[str, KeyKind] = {"f": "fact", "m": "turn", "e": "episode"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who speaks or asks: the id that decides, and the name that is shown."""

    user_id: UserId
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is said, and who can read it there.

    Attributes:
        audience: The channel's audience now; see `memory.audience`.
        shared: False in a DM of one person with Recall.
        outsiders: People who are no full members of the tenant read along, or nobody knows.
    """

    session_id: SessionId
    channel_id: ChannelId
    tenant_id: TenantId
    audience: Audience
    shared: bool
    outsiders: bool = False


def fact_key(row: int) -> MemoryKey:
    """Return the key of a fact."""
    return MemoryKey(f"f{row}")


def turn_key(message: int, version: int) -> MemoryKey:
    """Return the key of one version of a person's message."""
    return MemoryKey(f"m{message}.{version}")


def episode_key(row: int) -> MemoryKey:
    """Return the key of an episode."""
    return MemoryKey(f"e{row}")


def key_kind(key: MemoryKey) -> KeyKind:
    """Return what a key names.

    Raises:
        KeyError: `key` was not made by this module.
    """
    return _KINDS[key[:1]]


def row_id(key: MemoryKey) -> int:
    """Return the number of the row that a key names."""
    return int(key[1:].partition(".")[0])
