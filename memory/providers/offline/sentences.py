"""Splitting a message into sentences, and what kind of sentence each is. Pure."""

import re

from memory.consolidation import own_words
from memory.fences import as_name
from memory.model import Message
from memory.redaction.marks import marked

_MAX_CHARS = 20_000  # nobody types more; rules over a pasted 100 kB would hold up the event loop
_MAX_JOINED = 300
_LONGEST_ABBREVIATION = 12
_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=\S)|\s*;\s+|\s*\n\s*")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|approx|incl|resp|no|cf|mr|mrs|ms|dr)|\b[A-Za-z])\.$", re.IGNORECASE
)
_BULLET = re.compile(r"^(?:[-*•]|\d{1,2}[.)])\s+")
_MARKUP = re.compile(r"\*\*|__|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)")
_QUESTION_START = re.compile(
    r"^(?:(?:and|so|but|ok|okay|hey|hi|hello|btw|also)[,:]?\s+)*"
    r"(?:what|whats|what's|which|who|whose|whom|where|when|why|how|"
    r"(?:do|does|did|is|are|was|were|am|can|could|would|will|should|shall|has|may)\s+"
    r"(?:i|you|we|they|he|she|it|there|this|that|these|those|the|a|an|any|anyone|anybody|someone|my|our|your)\b)",
    re.IGNORECASE,
)
_REQUEST_START = re.compile(
    r"^(?:please\b|(?:can|could|would|will) you\b|let's\b|help\b|tell\b|show\b|remind\b|give\b|list\b|find\b|explain\b|"
    r"describe\b|summari[sz]e\b|look\b|search\b|check\b|restart\b|redeploy\b|deploy\b|roll\b|run\b|create\b|write\b|"
    r"make\b|fix\b|delete\b|remove\b|forget\b|scale\b|open\b|close\b|send\b|add\b|set\b|get\b|try\b|recall\b|quote\b)",
    re.IGNORECASE,
)


def own_text(message: Message) -> str:
    """Return a person's own words in a message, without the name that a thread of several people puts before them."""
    name = f"{as_name(message.author.name)}: " if message.author is not None else ""
    return own_words(message.text.removeprefix(name)[:_MAX_CHARS])


def sentences(text: str) -> list[str]:
    """Return the sentences of `text`, in order, without bullets and emphasis."""
    found: list[str] = []
    joined = ""
    for piece in _END.split(text):
        joined = f"{joined} {piece}".strip() if joined else piece.strip()
        if joined and (len(joined) > _MAX_JOINED or not _ABBREVIATION.search(joined[-_LONGEST_ABBREVIATION:])):
            found.append(joined)
            joined = ""
    plain = (_MARKUP.sub("", _BULLET.sub("", sentence)).strip() for sentence in [*found, joined])
    return [sentence for sentence in plain if sentence]


def has_secret(sentence: str) -> bool:
    """Whether a secret stood in a sentence: what is left of it tells nothing that lasts."""
    return bool(marked(sentence))


def is_question(sentence: str) -> bool:
    """Whether a sentence asks."""
    return sentence.rstrip("\"')] ").endswith("?") or bool(_QUESTION_START.match(sentence))


def is_request(sentence: str) -> bool:
    """Whether a sentence wants something done."""
    return bool(_REQUEST_START.match(sentence))
