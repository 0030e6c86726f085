"""Values that are secret because of what stands beside them: a name, a header, a place in a URL. Pure."""

import functools
import re
from collections import Counter
from collections.abc import Iterator

from memory.redaction.marks import is_stand_in, mark
from memory.redaction.values import Key, is_secret

_URL_PASSWORD = re.compile(
    r"://(?P<user>[^\s:/@?#\"'<>`]{0,256}):(?!\d{0,5}(?:[/?#\s]|$))"
    r"(?P<value>[^\s/\"'<>`]{1,256}(?=@[\w.\[{$-])|[^\s\"'<>`@]{1,256}(?=@[\w.\[{$-]))"
)
_AUTHORIZATION = re.compile(
    r"authorization\\?[\"']?\s{0,3}[:=]\s{0,3}\\?[\"']?(?:(?P<scheme>bearer|basic|token|digest|apikey|key|bot)\s{1,3})?"
    r"(?P<value>[^\s\"'\\,;<>`]{6,4096})",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\bbearer\s{1,3}(?P<value>[A-Za-z0-9._~+/=-]{16,4096})", re.IGNORECASE)
_CURL_USER = re.compile(
    r"\bcurl\b[^\n]{0,300}?\s(?:-u|--user)[ =]{0,2}[\"']?[^\s:\"']{1,100}:(?P<value>[^\s\"']{3,256})"
)
_SHORT_FLAG = re.compile(
    r"\b(?:mysql(?:dump|admin)?|mariadb|sshpass|redis-cli|docker login|podman login|helm registry login|az login)\b"
    r"[^\n|]{0,200}?\s-[pa]\s?[\"']?(?P<value>[^\s\"'-][^\s\"']{3,255})"
)
_CLIENT_KEY = re.compile(r"client-key-data\\?[\"']?\s{0,3}:\s{0,3}\\?[\"']?(?P<value>[A-Za-z0-9+/=]{8,}+)")
_DOCKER_AUTH = re.compile(r"\\?\"auth\\?\"\s{0,3}:\s{0,3}\\?\"(?P<value>[A-Za-z0-9+/=]{8,}+)")
_NETRC = re.compile(r"\blogin\s{1,3}\S{1,100}\s{1,3}password\s{1,3}(?P<value>\S{3,256})")
_SQL = re.compile(r"(?:identified by|password)\s{1,3}'(?P<value>[^'\n]{4,256})'", re.IGNORECASE)
_XML = re.compile(
    r"<[\w:.-]{0,40}(?:password|passwd|secret|token|api-?key)[\w:.-]{0,40}>(?P<value>[^<>\s]{4,1024})</", re.IGNORECASE
)
_PLACES = (
    ("password in url", ("://",), _URL_PASSWORD),
    ("password", ("curl",), _CURL_USER),
    ("password", (" -p", " -a"), _SHORT_FLAG),
    ("kubeconfig key", ("client-key-data",), _CLIENT_KEY),
    ("docker credentials", ('"auth',), _DOCKER_AUTH),
    ("password", ("login",), _NETRC),
    ("password", ("'",), _SQL),
    ("password", ("</",), _XML),
)

_KEY = re.compile(
    r"(?P<name>passw(?:or)?ds?|passphrase|passwd|pwd|pass(?=[\"']?\s{0,3}[:=])|secret|token|credentials?"
    r"|api[_-]?key|access[_ -]?key|auth[_-]?key|private[_-]?key|client[_-]?key|encryption[_-]?key|signing[_-]?key"
    r"|account[_-]?key|master[_-]?key)"
    r"(?P<suffix>[\w-]{0,40})",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    r"\\?[\"'`\])]{0,3}"
    r"(?:(?:[,\s]\s{0,40}\\?[\"']?value\\?[\"']?\s{0,3}[:=]\s{0,3})"  # name: DB_PASSWORD, then value: ...
    r"|[ \t]{0,4}(?::=|=>|={1,3}|:)[ \t]{0,4}(?:\n[ \t]{0,8})?"
    r"|[ \t]{1,4}(?:is|was|to|as)(?:[ \t]{1,4}|[ \t]{0,2}:[ \t]{0,4})"
    r"|(?P<space>[ \t]{1,4}))"
)
_QUOTE = re.compile(r"\\?(?P<quote>[\"'`])")
_RUN_END = re.compile(r"[\s\"'`]")
_VERB = re.compile(r"[ \t](?:is|was|to|as)(?![\w])")
_NAME_CHARS = re.compile(r"[\w.-]{0,60}\Z")
_LONGEST_PREFIX = 60
_LONGEST_QUOTED = 4_096
_JUDGED_CHARS = 128  # of a longer value the beginning tells enough
_FINAL_PUNCTUATION = ".,;:!?)]}\\"


def redact_assignments(text: str, found: Counter[str]) -> str:
    """Replace passwords in URLs, headers and command lines, and secret-looking values beside telling names."""
    for kind, needles, pattern in _PLACES:
        if any(needle in text for needle in needles):
            text = pattern.sub(functools.partial(_placed, kind=kind, found=found), text)
    text = _AUTHORIZATION.sub(lambda match: _header(match, found), text)
    text = _BEARER.sub(lambda match: _header(match, found), text)
    return "".join(_assignments(text, found))


def _placed(match: re.Match[str], *, kind: str, found: Counter[str]) -> str:
    return match[0] if is_stand_in(match["value"]) else _replaced(match, mark(kind, found))


def _header(match: re.Match[str], found: Counter[str]) -> str:
    key = Key.PASSWORD if match.groupdict().get("scheme") else Key.TOKEN
    return (
        _replaced(match, mark("authorization header", found))
        if is_secret(match["value"], key, prose=False)
        else match[0]
    )


def _replaced(match: re.Match[str], new: str) -> str:
    start, end = match.start("value") - match.start(), match.end("value") - match.start()
    return match[0][:start] + new + match[0][end:]


def _assignments(text: str, found: Counter[str]) -> Iterator[str]:
    """Yield the text with marks for values; after a name whose value stays, later names on the line are still seen."""
    position = 0
    run = (0, 0)
    for name in _KEY.finditer(text):
        if name.start() < position or (separator_end := _end_of_separator(text, name)) is None:
            continue
        quote = _QUOTE.match(text, separator_end)
        start = quote.end() if quote else separator_end
        if start >= run[1]:
            run = _run(text, start)
        end = _end_of_value(text, start, run, quote=quote["quote"] if quote else "", in_query=_is_in_query(text, name))
        key = Key.of(name["name"], name["suffix"])
        prose = _is_prose(text, name.end(), separator_end)
        if key and is_secret(text[start : min(end, start + _JUDGED_CHARS)], key, prose=prose):
            yield text[position:start]
            yield mark(_kind(name["name"]), found)
            position = end
    yield text[position:]


def _end_of_separator(text: str, name: re.Match[str]) -> int | None:
    """Return where a value of this name would begin, or None when nothing assigns one."""
    separator = _SEPARATOR.match(text, name.end())
    if separator is None or (separator["space"] and not text.startswith("--", _start_of_name(text, name))):
        return None
    return separator.end()


def _start_of_name(text: str, name: re.Match[str]) -> int:
    before = _NAME_CHARS.search(text, max(0, name.start() - _LONGEST_PREFIX), name.start())
    return before.start() if before else name.start()


def _is_in_query(text: str, name: re.Match[str]) -> bool:
    start = _start_of_name(text, name)
    return start > 0 and text[start - 1] in "?&"


def _is_prose(text: str, start: int, end: int) -> bool:
    """Whether what stands between a name and its value makes a sentence: a verb, or a line break without a `value:`."""
    between = text[start:end]
    return bool(_VERB.search(between)) or ("\n" in between and "value" not in between)


def _run(text: str, start: int) -> tuple[int, int]:
    """Return where a run without spaces and quotes ends that begins at `start`: before its final stop, and all."""
    stop = _RUN_END.search(text, start)
    end = stop.start() if stop else len(text)
    tail = end
    while tail > start and text[tail - 1] in _FINAL_PUNCTUATION:
        tail -= 1
    return tail, end


def _end_of_value(text: str, start: int, run: tuple[int, int], *, quote: str, in_query: bool) -> int:
    if quote:
        end = text.find(quote, start, start + _LONGEST_QUOTED)
        line_end = text.find("\n", start, start + _LONGEST_QUOTED)
        if end >= start and not 0 <= line_end < end:
            return end - (text[end - 1] == "\\")
    end = max(start, run[0])
    ampersand = text.find("&", start, min(end, start + _LONGEST_QUOTED)) if in_query else -1
    return ampersand if ampersand >= 0 else end


def _kind(name: str) -> str:
    plain = name.casefold().replace("_", " ").replace("-", " ")
    if plain.startswith(("pass", "pwd")):
        return "password"
    if "key" in plain:
        return "key"
    return "token" if plain == "token" else "secret"
