"""Reading sentences: a person's own words in a message, and what two sentences must share to say the same. Pure."""

import re
from collections.abc import Iterator

from memory.lexical import content_terms

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_ONE_LINE_FENCE = re.compile(r"```[^`\n]*+```")
_QUOTED_LINE = re.compile(r"[ \t]*(?:>|&gt;|\|[ \t])")
_INDENTED = re.compile(r"(?: {4}|\t)\S")
_FORWARDED = re.compile(
    r"^[ \t]*(?:-{3,}[ \t]*(?:original|forwarded) message|on .{4,120} wrote:[ \t]*$|from: .{3,120}$)",
    re.IGNORECASE | re.MULTILINE,
)
_QUOTATION = re.compile(r"[\"“«](?:[^\s\"“”«»]+\s+){3,60}[^\s\"“”«»]+\s*[\"”»]")
_MACHINE_LINE = re.compile(
    r"\s*(?:"
    r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d"  # 2026-03-01T10:00
    r"|\[?\d\d:\d\d:\d\d"  # 10:00:00
    r"|\d{1,3}(?:\.\d{1,3}){3} - "  # an access log
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6},? +"
    r"\d{1,2}[ ,].{0,12}\d\d:\d\d"  # syslog
    r"|[IWEF]\d{4} \d\d:"  # klog
    r"|\[?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)\b"
    r"|level=|time=|ts=|msg=|Traceback \(|File \"|at [\w.$]+\(|Caused by:|goroutine \d"
    r"|[{}\]](?:[\s,]*$|\s*[\"'{])|\[\s*(?:$|[\"{\[0-9])|\"[\w.-]+\"\s*:"
    r"|<(?![@#!]|https?:)|diff --git|[+-]{3} [ab]/|@@ "
    r"|[$#] [a-z./]"
    r")"
)
_CONFIG_LINE = re.compile(
    r"\s*(?:(?:- )?(?:apiVersion|kind|metadata|spec|name|namespace|image|status|data|labels|containers):|[\w.-]+=\S*$)"
)
_MACHINE_SHARE = 0.5
_LEAST_BLOCK = 2

TOKEN = re.compile(r"[^\W_]+(?:[._:/@'\u2019-]{1,3}[^\W_]+)*+")
_SENTENCE_START = re.compile(r"(?:^|[.!?:]\s+)[\"'(]?$")
APOSTROPHES = str.maketrans({"\u2019": "'"})
_ENVIRONMENTS = {
    "production": "prod", "prod": "prod", "prd": "prod", "live": "prod", "staging": "staging", "stage": "staging",
    "stg": "staging", "dev": "dev", "development": "dev", "test": "test", "testing": "test", "qa": "qa", "uat": "uat",
    "preprod": "preprod", "pre-prod": "preprod", "pre-production": "preprod", "sandbox": "sandbox", "canary": "canary",
    "dr": "dr", "demo": "demo",
}  # fmt: skip
_NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    )
}
NEGATIONS = frozenset(
    ("not", "no", "never", "none", "nobody", "nothing", "neither", "nor", "without", "cannot", "except", "unless",
     "stop", "stops", "stopped", "avoid", "avoids", "dislike", "dislikes", "hate", "hates", "refuse", "refuses",
     "forbidden", "disallowed", "longer")
)  # fmt: skip
_PLANNED = frozenset(
    ("will", "plan", "plans", "planned", "planning", "intend", "intends", "want", "wants", "might", "may", "should",
     "would", "could", "considering", "consider", "considers", "soon", "upcoming", "eventually", "going", "proposed",
     "shall", "'ll", "i'll", "we'll", "they'll")
)  # fmt: skip
_PAST = frozenset(("formerly", "previously", "until", "was", "were", "had", "ago", "before", "used-to", "ex"))
_SIGNS = {"<not>": NEGATIONS, "<planned>": _PLANNED, "<past>": _PAST}
_STATES = frozenset(
    ("enabled", "disabled", "enable", "disable", "enables", "disables", "on", "off", "allowed", "denied", "allow",
     "deny", "internal", "external", "public", "private", "primary", "secondary", "active", "passive", "replica",
     "leader", "follower", "minimum", "maximum", "min", "max", "always", "sometimes", "only", "optional", "required",
     "manual", "manually", "automatic", "automatically", "before", "after", "daily", "weekly", "monthly", "hourly",
     "north", "south", "east", "west", "left", "right", "blue", "green", "up", "down", "increase", "decrease",
     "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "mondays", "tuesdays",
     "wednesdays", "thursdays", "fridays", "saturdays", "sundays", "january", "february", "march", "april", "june",
     "july", "august", "september", "october", "november", "december", "first", "second", "third", "last")
)  # fmt: skip


def own_words(text: str) -> str:
    """Return what the writer says in their own words: no quoted lines, code fences, long quotations or pasted output.

    When in doubt a passage counts as pasted: a fact that is lost can be told again, one that was never meant misleads.
    """
    text = _FORWARDED.split(text, maxsplit=1)[0]
    text = "\n".join(_outside_fences(_ONE_LINE_FENCE.sub(" ", text)))
    blocks = (block for block in re.split(r"\n[ \t]*\n", text))
    kept = "\n".join(line for block in blocks for line in _typed_lines(block.split("\n")))
    return _QUOTATION.sub(" ", kept).strip()


def _outside_fences(text: str) -> Iterator[str]:
    """Yield the lines outside of code fences; a fence that is never closed reaches to the end."""
    inside = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            inside = not inside
        elif not inside:
            yield line


def _typed_lines(lines: list[str]) -> list[str]:
    """Return what of a block was typed; where much of it is output, all but a line that introduces it was pasted."""
    typed = [line for line in lines if not _is_pasted(line)]
    pasted = len(lines) - len([line for line in typed if not _CONFIG_LINE.match(line)])
    if len(lines) >= _LEAST_BLOCK and pasted >= len(lines) * _MACHINE_SHARE:
        return [line for line in typed if line is lines[0] and not _CONFIG_LINE.match(line)]
    return typed


def _is_pasted(line: str) -> bool:
    return bool(_QUOTED_LINE.match(line) or _INDENTED.match(line) or _MACHINE_LINE.match(line))


def value_tokens(text: str) -> frozenset[str]:
    """Return what must be equal for two sentences to say the same: values, not wording.

    Numbers, ids and versions; names; environments; and the signs of negation, of plans, of the past and of states such
    as enabled or weekly. On 20 hand-written pairs of a fact and its update, a rule of this kind (2026-11) took none for
    a duplicate; cosine from 0.92 took 9.
    """
    found: set[str] = set()
    plain = text.translate(APOSTROPHES)
    for match in TOKEN.finditer(plain):
        before = plain[max(0, match.start() - 4) : match.start()]
        found |= _values_of(match[0], starts=bool(_SENTENCE_START.search(before)))
    if re.search(r"\bused to\b", plain, re.IGNORECASE):
        found.add("<past>")
    return frozenset(found)


def _values_of(token: str, *, starts: bool) -> set[str]:
    word = token.casefold()
    signs = {sign for sign, words in _SIGNS.items() if word in words}
    if word.endswith("n't"):
        signs.add("<not>")
    if word in _STATES:
        signs.add(word)
    return signs | _value_of(token, word, starts=starts)


def _value_of(token: str, word: str, *, starts: bool) -> set[str]:
    if word in _NUMBERS:
        return {_NUMBERS[word]}
    if any(char.isdigit() for char in word):
        return {re.sub(r"^v(?=\d)", "", word)}
    if word in _ENVIRONMENTS:
        return {f"<{_ENVIRONMENTS[word]}>"}
    return {word.removesuffix("'s")} if _is_name(token, starts=starts) else set()


def _is_name(token: str, *, starts: bool) -> bool:
    """Whether a word is written as a name: capitals inside, or a first one that no sentence start explains."""
    if token[1:] != token[1:].lower():
        return True
    return token[0].isupper() and not starts and len(token) > 1


def says_the_same(new: str, old: str) -> bool:
    """Whether `new` adds nothing to `old`: equal values, and no word that `old` does not have."""
    return value_tokens(new) == value_tokens(old) and set(content_terms(new)) <= set(content_terms(old))


def folded(text: str) -> str:
    """Return a sentence for comparison: case, spaces and the final stop do not matter."""
    return " ".join(text.casefold().split()).rstrip(".!")
