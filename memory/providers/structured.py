"""Finds the JSON object in a model's answer: servers that ignore structured outputs add words or fences. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from memory.model import ExtractionReply, FactKind

_MAX_CANDIDATES = 50
_KEYS = {"facts", "episode"}
_DECODER = json.JSONDecoder()


def parse_extraction(text: str) -> ExtractionReply | None:
    """Return the extraction that `text` holds; None when it holds none that fits the schema."""
    for found in _objects(text):
        if not _KEYS & found.keys():
            continue
        try:
            return ExtractionReply.model_validate(_with_known_kinds(found))
        except ValidationError:
            continue
    return None


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects in `text` that are in no other, in order."""
    start = text.find("{")
    for _ in range(_MAX_CANDIDATES):
        if start < 0:
            return
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            start = text.find("{", start + 1)
            continue
        if isinstance(value, dict):
            yield value
        start = text.find("{", end)


def _with_known_kinds(reply: dict[str, Any]) -> dict[str, Any]:
    """A kind serves showing and sorting only: an unknown one is no reason to lose the fact."""
    facts = reply.get("facts")
    if not isinstance(facts, list):
        return {**reply, "facts": []} if facts is None else reply
    return {**reply, "facts": [_with_known_kind(fact) for fact in facts]}


def _with_known_kind(fact: Any) -> Any:
    if isinstance(fact, dict) and fact.get("kind") not in set(FactKind):
        return {**fact, "kind": FactKind.OTHER}
    return fact
