"""How platform ids are joined and taken apart: every part escaped, so that no two lists of parts give one id.

Knows no platform; `bots/<platform>/ids.py` says which parts an id has.
"""

from collections.abc import Sequence
from urllib.parse import quote, unquote

_SEPARATOR = ":"


def join_parts(*parts: str) -> str:
    """Return one id for `parts`; for a given number of parts, different parts give different ids."""
    return _SEPARATOR.join(quote(part, safe="", errors="surrogatepass") for part in parts)


def split_parts(joined: str) -> Sequence[str]:
    """Return the parts that `join_parts` joined."""
    return [unquote(part, errors="surrogatepass") for part in joined.split(_SEPARATOR)]
