"""Secrets out, before a text reaches the model, a store, the embedding, a log or a trace. Pure.

What detect-secrets finds well by shape is taken from it; what it lacks, misses or finds too slowly is added here: newer
token shapes, whole key blocks, Kubernetes documents, passwords in URLs and headers, and values beside telling names.
Precision counts as much: a memory full of `[redacted]` commit hashes would be useless.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from memory.redaction.assignments import redact_assignments
from memory.redaction.blocks import redact_blocks
from memory.redaction.shapes import redact_shapes

_PASSES = 4  # a replaced secret can bare another beside it; more than two passes were never seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """A text without its secrets.

    Attributes:
        findings: How many secrets of each kind were replaced; empty when there were none.
    """

    text: str
    findings: Mapping[str, int]


def redact(text: str) -> Redacted:
    """Replace every secret by `[redacted: kind]`; the rest of the text stays as it is. Linear time, never raises."""
    found: Counter[str] = Counter()
    for _ in range(_PASSES):
        before = text
        for step in (redact_blocks, redact_shapes, redact_assignments):
            text = step(text, found)
        if text == before:
            break
    return Redacted(text=text, findings=dict(found))
