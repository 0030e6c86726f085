"""What a payload of Slack holds under a key, if it holds what it should: nothing here raises. Pure."""

import re
from collections.abc import Mapping
from typing import Any

_TIME_STAMP = re.compile(r"[0-9]{1,11}\.[0-9]{1,9}")


def inner(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return an object inside; an empty one where there is none."""
    value = holder.get(key)
    return value if isinstance(value, Mapping) else {}


def string(holder: Mapping[str, Any], key: str) -> str | None:
    """Return a text that is there and not empty."""
    value = holder.get(key)
    return value if isinstance(value, str) and value else None


def stamp(holder: Mapping[str, Any], key: str) -> str | None:
    """Return a time stamp, which names a message and says when it was sent."""
    value = string(holder, key)
    return value if value is not None and _TIME_STAMP.fullmatch(value) else None
