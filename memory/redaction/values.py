"""Whether a value looks like a secret, given what kind of name stands beside it. Pure."""

import math
import re
from collections import Counter
from enum import Enum

from detect_secrets.filters.heuristic import is_potential_uuid, is_sequential_string

from memory.redaction.marks import is_stand_in

_NO_SECRET_SUFFIX = re.compile(
    r"(?:[_-]?(?:names?|ref|path|file|files|dir|url|uri|endpoint|ttl|expiry|expir\w*|policy|type|version|counts?|length|len|limits?|"
    r"usage|budget|mount|volume|class|store|manager|provider|providers|issuer|server|host|port|size|rotat\w*|hint|field|"
    r"hash|sha\d*|digest|fingerprint|checksum|arn|ids?|index|at|age|max|min|per\w*|prefix|stdin|env|list|review|request)s?)$"
    r"|^(?:s|ize[rd]?|iz\w+|ing|ation|ary|less)$",
    re.IGNORECASE,
)
_ONE_WORD_SUFFIX = re.compile(r"^[a-z]{1,12}$")
_CODE = re.compile(
    r"[A-Za-z_][\w.]*[\[(]|(?:os|process|self|config|settings|env|ENV|var|local|data|module|secrets|vault|ssm)\.[A-Za-z_]"
)
_REFERENCE = re.compile(
    r"(?:https?|file|arn|vault|ssm|sm|op|gcpsm|awssm|azurekv|ref\+\w+|secretref|projects):|(?:~|\.{1,2})?/[\w.-]*(?:/[\w.-]*)*$|"
    r"(?:secret|secrets|kv)/|sha256:"
)
_NESTED = re.compile(r"[\w-]{0,40}(?:passw|secret|token|key)[\w-]{0,20}[=:]", re.IGNORECASE)  # the next name says it
_NO_VALUES = (_CODE, _REFERENCE, _NESTED)
_SEGMENTS = re.compile(r"[-_./:,+]")
_WORDY_SEGMENT = re.compile(r"(?:[a-z]{0,18}|[A-Z][a-z]{0,17}|[A-Z]{0,12})(?:v?\d{0,4}[a-z]?)?\Z|\d{1,8}\Z")
_SHORT_ID = re.compile(r"[a-z0-9]{1,10}\Z")
_SYMBOLS = frozenset("!@#$%^&*+=~?|(){}[]")
_LEAST_NAME_SEGMENTS = 3  # a pod's name: what it is, hash, suffix
_LEAST_CHARS = 6
_LEAST_TOKEN_CHARS = 8
_LEAST_RANDOM_CHARS = 16
_LEAST_BITS = 2.8  # per character; words of one case lie about 2.5 at these lengths, hex about 3.2


class Key(Enum):
    """What kind of name stands beside a value: beside a password's, weaker ones are believed."""

    PASSWORD = "password"  # noqa: S105  # the name of a kind
    TOKEN = "token"  # noqa: S105  # the name of a kind

    @classmethod
    def of(cls, name: str, suffix: str) -> "Key | None":
        """Return the kind of a name such as `secret` with the rest of its identifier; None when it names no value."""
        if suffix.casefold() != "_id" and _NO_SECRET_SUFFIX.search(suffix):
            return None
        if name[:1].islower() and _ONE_WORD_SUFFIX.match(suffix) and suffix not in {"key", "token"}:
            return None
        return cls.PASSWORD if name.casefold().startswith(("pass", "pwd")) else cls.TOKEN


def is_secret(value: str, key: Key, *, prose: bool) -> bool:
    """Whether a value beside a name of this kind is one to hide.

    Args:
        value: Without quotes.
        key: The name's kind.
        prose: The two stand in a sentence ("the password is ..."), where only a random-looking value is believed.
    """
    if len(value) < _LEAST_CHARS or is_stand_in(value) or any(other.match(value) for other in _NO_VALUES):
        return False
    if prose:
        return _is_mixed(value) and not _is_wordy(value)
    if key is Key.PASSWORD:
        return _is_mixed(value) and (not _is_wordy(value) or _SEGMENTS.search(value) is None)
    return _is_random(value)


def _is_random(value: str) -> bool:
    if is_potential_uuid(value):
        return True
    if len(value) < _LEAST_TOKEN_CHARS or is_sequential_string(value) or _is_wordy(value):
        return False
    return _is_mixed(value) and _bits_per_char(value) >= _LEAST_BITS


def _is_mixed(value: str) -> bool:
    """Whether at least two kinds of characters are in it; a capital at the start alone does not count."""
    body = value[1:] if value[:1].isupper() else value
    has_digits, has_letters = any(map(str.isdigit, value)), any(map(str.isalpha, value))
    kinds = [any(map(str.islower, body)), any(map(str.isupper, body)), has_digits, not _SYMBOLS.isdisjoint(value)]
    return sum(kinds) > 1 or (len(value) >= _LEAST_RANDOM_CHARS and has_digits and has_letters)


def _is_wordy(value: str) -> bool:
    """Whether every segment is a word, a number, or a short id as in a pod's name."""
    segments = _SEGMENTS.split(value)
    words = [bool(_WORDY_SEGMENT.match(segment)) for segment in segments]
    if all(words):
        return True
    is_name = len(segments) >= _LEAST_NAME_SEGMENTS and any(words)
    return is_name and all(word or _SHORT_ID.match(part) for word, part in zip(words, segments, strict=True))


def _bits_per_char(value: str) -> float:
    counts = Counter(value)
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
