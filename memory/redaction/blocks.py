"""Secrets that span lines: private keys, and the values of Kubernetes Secrets. Pure."""

import re
from collections import Counter
from collections.abc import Iterator

from memory.redaction.marks import is_stand_in, mark

_BORDER = re.compile(r"-{4,5} ?(?P<side>BEGIN|END) (?:[A-Z0-9]{2,12} ){0,4}PRIVATE KEY(?: BLOCK)? ?-{4,5}")
_KEY_BODY = re.compile(r"[A-Za-z0-9+/]{16}")
_CUT_OFF_BODY = re.compile(r"(?:(?:\s|\\[nr]|[\"'>|])*(?:[A-Za-z][\w-]{0,30}: [^\n]{0,100}|[A-Za-z0-9+/=]{16,}+))*+")
_MAX_KEY_CHARS = 20_000
_PUTTY = re.compile(r"(?P<head>Private-Lines: \d{1,3}\s{1,4})(?:[A-Za-z0-9+/=]{4,}+\s?)++")

_DOCUMENT = re.compile(r"^(?:---.*|\s*- (?=apiVersion:|kind:|data:|metadata:).*)$", re.MULTILINE)
_IS_SECRET = re.compile(r"""\\?["']?kind\\?["']?\s{0,3}:\s{0,3}\\?["']?Secret\\?["']?(?=[\s,}]|$)""")
_SECTION = re.compile(r"^(?P<indent> *)(?:- )?[\"']?(?:data|stringData)[\"']?:[ \t]*(?:#.*)?$")
_ENTRY = re.compile(r"^(?P<head>(?P<indent> *)[\"']?[\w./-]+[\"']?:[ \t]*)(?P<value>\S.*)?$")
_BLOCK_SCALAR = re.compile(r"[|>][-+0-9]*[ \t]*(?:#.*)?$")
_JSON_STRING = r'\\?"(?:[^"\\\n]|\\[^"\n])*+\\?"'
_JSON_SECTION = re.compile(r'\\?"(?:data|stringData)\\?"\s{0,9}:\s{0,9}\{[^{}]*+\}')
_JSON_ENTRY = re.compile(r'(?P<head>"\s{0,9}:\s{0,9}\\?")(?P<value>(?:[^"\\\n]|\\[^"\n])++)(?=\\?")')
_KUBERNETES = "kubernetes secret"


def redact_blocks(text: str, found: Counter[str]) -> str:
    """Replace private-key blocks and the values of Kubernetes Secrets."""
    if "PRIVATE KEY" in text or "Private-Lines" in text:
        text = _PUTTY.sub(lambda match: match["head"] + mark("private key", found) + "\n", text)
        text = "".join(_without_keys(text, found))
    if "Secret" in text and _IS_SECRET.search(text):
        text = "".join(
            _without_values(document, found) if _IS_SECRET.search(document) else document
            for document in _documents(text)
        )
    return text


def _without_keys(text: str, found: Counter[str]) -> Iterator[str]:
    """Yield the text with a mark in place of each key; one that is cut off goes as far as it looks like a key."""
    position = 0
    borders = list(_BORDER.finditer(text))
    for begin, following in zip(borders, [*borders[1:], None], strict=True):
        if begin["side"] != "BEGIN" or begin.start() < position:
            continue
        end = _end_of_key(text, begin.end(), following)
        if _KEY_BODY.search(text, begin.end(), end):
            yield text[position : begin.start()]
            yield mark("private key", found)
            position = end
    yield text[position:]


def _end_of_key(text: str, start: int, following: re.Match[str] | None) -> int:
    if following and following["side"] == "END" and following.end() - start <= _MAX_KEY_CHARS:
        return following.end()
    body = _CUT_OFF_BODY.match(text, start, following.start() if following else len(text))
    return body.end() if body else start


def _documents(text: str) -> Iterator[str]:
    """Yield the YAML documents and list items of `text`, which joined are the text."""
    position = 0
    for match in _DOCUMENT.finditer(text):
        yield text[position : match.start()]
        position = match.start()
    yield text[position:]


def _without_values(document: str, found: Counter[str]) -> str:
    document = _JSON_SECTION.sub(
        lambda section: _JSON_ENTRY.sub(lambda entry: _entry(entry, found), section[0]), document
    )
    return "".join(_without_yaml_values(document.splitlines(keepends=True), found))


def _without_yaml_values(lines: list[str], found: Counter[str]) -> Iterator[str]:
    """Yield the lines with a mark for each value under `data:` and `stringData:`, block scalars included."""
    section: int | None = None
    scalar: int | None = None
    for line in lines:
        bare = line.rstrip("\r\n")
        indent = len(bare) - len(bare.lstrip(" "))
        if not bare.strip():
            yield line
        elif scalar is not None and indent > scalar:
            continue
        elif opened := _SECTION.match(bare):
            section, scalar = len(opened["indent"]), None
            yield line
        elif section is not None and indent > section and (entry := _ENTRY.match(bare)):
            scalar = indent if entry["value"] and _BLOCK_SCALAR.match(entry["value"]) else None
            yield _entry(entry, found) + line[len(bare) :]
        else:
            section = section if section is not None and indent > section else None
            scalar = None
            yield line


def _entry(entry: re.Match[str], found: Counter[str]) -> str:
    value = entry["value"]
    return entry[0] if not value or is_stand_in(value.strip("\"'")) else entry["head"] + mark(_KUBERNETES, found)
