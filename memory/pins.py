"""Literals that no summary may lose: found by code, carried verbatim by code. Pure."""

import re
from collections.abc import Iterator, Sequence

from memory.model import Message, Pin, Role
from memory.tokens import count_tokens

_MAX_CHARS = 200  # longer "literals" are passages, and the summary's business
_MAX_PER_MESSAGE = 60  # a pasted log is mostly numbers; its first ones will do
_MAX_SCANNED_CHARS = 20_000
_LINE_TOKENS = 2  # what a pin costs beside its text

_CLIS = (
    "ansible|aws|az|cat|cd|chmod|chown|cp|crictl|ctr|curl|dig|docker|docker-compose|du|df|eksctl|etcdctl|gcloud|git|gh|"
    "grep|gsutil|helm|helmfile|iptables|istioctl|journalctl|k9s|kubeadm|kubectl|kustomize|ls|make|mysql|nginx|npm|nslookup|"
    "openssl|pip|podman|ps|psql|python|redis-cli|rm|rsync|scp|sed|ssh|stern|sudo|systemctl|tar|tcpdump|terraform|tofu|"
    "terragrunt|traceroute|vault|velero|wget"
)
_TLDS = "com|net|org|io|dev|local|internal|cloud|app|co|ai|de|uk|eu|svc|lan|corp|gov|edu"
_UNITS = (
    r"%|(?:[kmgtp]i?b|[kmgt]i|bytes?|b|bps|[kmg]bps|ms|us|µs|ns|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|"
    r"weeks?|months?|years?|x|rps|qps|req/s|cores?|cpus?|vcpus?|replicas?|nodes?|pods?|instances?|shards?|connections?|"
    r"retries|eur|usd|€|\$)(?![a-z0-9])"
)

# In order of precedence: a stretch of text that one of them took is not looked at by the later ones.
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("url", re.compile(r"\b[a-z][a-z0-9+.-]{1,15}://[^\s<>\"'`\])}]+", re.IGNORECASE)),
    ("command", re.compile(r"`(?P<pin>[^`\n]{1,200})`")),
    ("command", re.compile(r"^[ \t]*[$#][ \t]+(?P<pin>[a-z./][^\n]{1,199})$", re.MULTILINE)),
    ("command", re.compile(rf"^[ \t]*(?P<pin>(?:{_CLIS})[ \t]+[^\n]{{1,199}})$", re.MULTILINE)),
    (
        "id",
        re.compile(
            r"(?<![\w-])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:sha256:)?[0-9a-f]{64}|[0-9a-f]{40}"
            r"|(?=[0-9a-f]{0,11}[0-9])(?=[0-9]{0,11}[a-f])[0-9a-f]{7,12}|[A-Z][A-Z0-9]{1,9}-[0-9]{1,7}"
            r"|[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+"
            r"|(?:i|vpc|subnet|sg|vol|ami|rtb|eni)-[0-9a-f]{8,17}"
            r"|(?:PR|MR|issue|pull request|ticket)[ ]?[#!]?[0-9]{1,7}|[#!][0-9]{1,7})(?![\w-])"
        ),
    ),
    (
        "path",
        re.compile(r"(?<![\w.~/:-])(?:~|\.{1,2})?/(?:[\w.@%+*-]+/)*[\w.@%+*-]*[\w*]/?|(?<!\w)[A-Za-z]:\\[^\s\"'`]+"),
    ),
    (
        "host",
        re.compile(
            r"(?<![\w.-])(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?|(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}"
            rf"|(?:[a-z0-9][a-z0-9-]{{0,62}}\.){{1,6}}(?:{_TLDS})(?:\.[a-z]{{2,3}})?|localhost)(?::[0-9]{{1,5}})?(?![\w-])",
            re.IGNORECASE,
        ),
    ),
    (
        "version",
        re.compile(
            r"(?<![\w.])(?:v[0-9]+(?:\.[0-9]+){0,3}|[0-9]+(?:\.[0-9]+){1,3})(?:[-+][0-9A-Za-z.-]*[0-9A-Za-z])?(?![\w.]*[\w])"
        ),
    ),
    (
        "path",
        re.compile(
            r"(?<![\w/.-])[\w-]+(?:/[\w.-]+)*\.(?:ya?ml|json|toml|conf|cfg|ini|env|tf|tfvars|sh|py|go|log|pem|sql|md|txt|lock|service)\b"
        ),
    ),
    ("id", re.compile(r"(?<![\w-])[a-z][a-z0-9]*(?:-[a-z0-9]+)*-(?=[a-z0-9]*[0-9])[a-z0-9]{1,16}(?![\w-])")),
    (
        "number",
        re.compile(
            rf"(?<![\w.])[0-9][0-9,.]{{0,14}}[ ]?(?:{_UNITS})|(?<![\w.:-])[0-9]+(?:[.,:][0-9]+)*(?![\w])", re.IGNORECASE
        ),
    ),
    ("name", re.compile(r"[\"“](?P<pin>[^\"“”\n]{2,80})[\"”]")),
    ("name", re.compile(r"(?<=[a-z0-9,;:(] )(?:[A-Z][\w.-]*\w)(?: [A-Z][\w.-]*\w){0,3}|\b[A-Z][a-z0-9]+[A-Z]\w*\b")),
)


def literals(text: str) -> list[tuple[str, str]]:
    """Return the literals of `text` with their kinds, in order of appearance, each once.

    Kinds: url, command, id, path, host, version, number, name.
    """
    found: dict[str, tuple[int, str]] = {}
    free = text[:_MAX_SCANNED_CHARS]
    for kind, pattern in _KINDS:
        for start, end, literal in _matches(pattern, free):
            if literal and len(literal) <= _MAX_CHARS:
                found.setdefault(literal, (start, kind))
            free = free[:start] + "\x00" * (end - start) + free[end:]
    in_order = sorted(found.items(), key=lambda item: item[1][0])
    return [(literal, kind) for literal, (_, kind) in in_order[:_MAX_PER_MESSAGE]]


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int, str]]:
    group = "pin" if "pin" in pattern.groupindex else 0
    for match in pattern.finditer(text):
        literal = match[group].strip().rstrip(".,;:!?")
        if "\x00" not in literal:
            yield match.start(), match.end(), literal


def merge_pins(old: tuple[Pin, ...], leaving: Sequence[Message], max_tokens: int) -> tuple[Pin, ...]:
    """Return the pins after more turns leave: the old ones and those of `leaving`, verbatim, each literal once.

    People's words come before the assistant's, then newer before older. A pin is dropped only when the list is over
    `max_tokens`, from the end.
    """
    fresh = [pin for message in reversed(leaving) for pin in _pins_of(message)]
    carried = {pin.text: pin for pin in old}
    seen: set[str] = set()
    people: list[Pin] = []
    assistant: list[Pin] = []
    for pin in (*(one for one in fresh if _is_news(one, carried.get(one.text))), *old):
        if pin.text not in seen:
            seen.add(pin.text)
            (people if pin.said_by is Role.USER else assistant).append(pin)
    return _within(people + assistant, max_tokens)


def _is_news(pin: Pin, carried: Pin | None) -> bool:
    """Whether a literal is new, or now a person's word and was the assistant's alone."""
    return carried is None or (carried.said_by is Role.ASSISTANT and pin.said_by is Role.USER)


def _pins_of(message: Message) -> list[Pin]:
    return [
        Pin(text=text, kind=kind, said_by=message.role, message_id=message.message_id)
        for text, kind in literals(message.text)
    ]


def _within(pins: Sequence[Pin], max_tokens: int) -> tuple[Pin, ...]:
    kept: list[Pin] = []
    for pin in pins:
        max_tokens -= count_tokens(pin.text) + _LINE_TOKENS
        if max_tokens < 0:
            break
        kept.append(pin)
    return tuple(kept)
