"""The mark that stands where a secret was, and other stand-ins that are no secrets. Pure."""

import re
from collections import Counter

_STAND_IN = re.compile(
    r"\[redacted|<[^<>]{0,60}>?$|\$|%[\w.]{1,40}%?$|\{\{|\{[\w.-]{0,40}\}$|[*•.xX_#?-]{3,}$|(.)\1+$|@[\w./-]+$"
    r"|!(?:Ref|Sub|GetAtt)\b",
    re.IGNORECASE,
)
_MARK = re.compile(r"\[redacted: ([^\[\]\n]{1,60})\]")
_HINT = re.compile(
    r"redacted|masked|placeholder|change[_-]?me|replace[_-]?me|\byour[_-]|<your|xxxx|\*{4}", re.IGNORECASE
)
_JUDGED_CHARS = 200
_STAND_IN_WORDS = frozenset(
    ("none", "null", "nil", "true", "false", "undefined", "empty", "example", "dummy", "todo", "tbd", "required",
     "optional", "string", "str", "password", "passwd", "pass", "pwd", "secret", "token", "apikey", "api-key",
     "api_key", "mypassword", "my-password", "my_password", "mysecret", "my-secret", "mytoken", "my-token",
     "expired", "invalid", "missing", "incorrect", "wrong", "unknown", "base64", "sha256", "sha512", "sha1", "md5",
     "bcrypt", "argon2", "oauth2", "http2", "utf8", "default", "value", "hidden", "encrypted", "plaintext", "basic",
     "bearer", "stdin", "prompt", "env", "file", "vault", "changeit")
)  # fmt: skip


def mark(kind: str, found: Counter[str]) -> str:
    """Return the mark for one secret of a kind, and count it."""
    found[kind] += 1
    return f"[redacted: {kind}]"


def marked(text: str) -> Counter[str]:
    """Return how many secrets of each kind were taken out of a text, by the marks in it."""
    return Counter(_MARK.findall(text))


def is_stand_in(value: str) -> bool:
    """Whether a value only holds a secret's place: a mark, a variable, a template, a word such as `changeme`."""
    start = value[:_JUDGED_CHARS]
    return not value or value.casefold() in _STAND_IN_WORDS or bool(_STAND_IN.match(start) or _HINT.search(start))
