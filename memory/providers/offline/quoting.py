"""Answering by quoting: which remembered sentences bear on a question, best first. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from memory.consolidation import own_words
from memory.lexical import content_terms
from memory.model import ReplyRequest, Role
from memory.providers.offline.sentences import is_question, own_text, sentences
from memory.providers.offline.statements import Statement, statement

MAX_QUOTES = 5
_MAX_CHARS = 300
_SIMILARITY_SHARE = 0.5
_LEAST_COVERAGE = 0.34
_LEAST_SIMILARITY = 0.45
"""Cosine from which a sentence bears on a question without a word in common; below, MiniLM ties unrelated ones."""
_GENERIC = frozenset(
    content_terms("remember know tell told said say remind recall show work use please thing anything")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A remembered sentence, in its writer's words.

    Attributes:
        author: None for the one who asks.
        thread: Title of the thread it was said in; None for this one.
    """

    text: str
    author: str | None
    said_at: datetime
    thread: str | None
    score: float

    def render(self) -> str:
        """Return the quote as one line of Markdown."""
        text = self.text if len(self.text) <= _MAX_CHARS else f"{self.text[: _MAX_CHARS - 1]}…"
        where = "in this thread" if self.thread is None else f"in “{self.thread}”"
        speaker = f"{self.author}: " if self.author else ""
        return f"- {speaker}“{text}” ({self.said_at:%Y-%m-%d}, {where})"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    text: str
    author: str
    said_at: datetime
    thread: str | None
    similarity: float


def quotes(request: ReplyRequest) -> list[Quote]:
    """Return the sentences that bear on the request's message, best first, each thing once."""
    asked = set(content_terms(own_text(request.message)))
    asked = asked - _GENERIC or asked
    asker = request.message.author.name if request.message.author else ""
    scored = [
        Quote(
            text=one.text,
            author=None if one.author == asker else one.author,
            said_at=one.said_at,
            thread=one.thread,
            score=score,
        )
        for one in _candidates(request)
        if (score := _score(asked, one)) > 0
    ]
    scored.sort(key=lambda quote: (-round(quote.score, 3), -quote.said_at.timestamp(), quote.text))
    return list(_distinct(scored))[:MAX_QUOTES]


def _candidates(request: ReplyRequest) -> Iterator[_Candidate]:
    """Yield sentences of recalled memories, and what people said in this thread; questions answer nothing."""
    for recalled in request.recalled:
        memory = recalled.memory
        for sentence in sentences(own_words(memory.text) if memory.kind == "turn" else memory.text):
            if not is_question(sentence):
                yield _Candidate(
                    text=sentence,
                    author=memory.author,
                    said_at=memory.said_at,
                    thread=memory.thread,
                    similarity=recalled.similarity or 0.0,
                )
    for message in request.history:
        if message.role is Role.USER and message.author is not None:
            for sentence in sentences(own_text(message)):
                if not is_question(sentence):
                    yield _Candidate(
                        text=sentence,
                        author=message.author.name,
                        said_at=message.sent_at,
                        thread=None,
                        similarity=0.0,
                    )


def _score(asked: set[str], one: _Candidate) -> float:
    """Return how well a sentence bears on what was asked; 0 for not at all."""
    shared = asked & set(content_terms(one.text))
    coverage = len(shared) / len(asked) if asked else 0.0
    if coverage < _LEAST_COVERAGE and one.similarity < _LEAST_SIMILARITY:
        return 0.0
    return coverage + _SIMILARITY_SHARE * max(0.0, one.similarity)


def _distinct(scored: list[Quote]) -> Iterator[Quote]:
    """Yield each sentence once, and of two that give the same thing another value only the newer one."""
    newest = _newest_values(scored)
    seen: set[tuple[str, ...]] = set()
    for quote in scored:
        words = tuple(content_terms(quote.text))
        read = statement(quote.text)
        outdated = read is not None and any(other.replaces(read) and at > quote.said_at for other, at in newest)
        if words not in seen and not outdated:
            seen.add(words)
            yield quote


def _newest_values(scored: list[Quote]) -> list[tuple[Statement, datetime]]:
    return [(read, quote.said_at) for quote in scored if (read := statement(quote.text)) is not None]
