"""Recognising a lasting statement about its speaker or their environment by the form of the sentence. Pure.

When in doubt a sentence is no statement: a fact that is missed can be told with `/remember`, a wrong one misleads.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from memory.lexical import content_terms, terms
from memory.model import FactKind, Subject
from memory.providers.offline.forms import (
    ENVIRONMENT,
    FORMS,
    INSTEAD_OF,
    JOINED,
    LEAD_IN,
    NEUTRAL_ADVERBS,
    NO_LONGER,
    NO_TOPIC,
    NO_VALUE,
    PASSING,
    REMEMBER,
    UNSURE,
    Form,
)
from memory.providers.offline.sentences import has_secret, is_question, is_request, sentences

_WORDS = range(3, 41)
_MAX_CHARS = 300
_FILLERS = frozenset(terms(f"{NEUTRAL_ADVERBS} our the my a an we i m am ve d"))
_NAMED = frozenset(terms("called named name"))
_NAME_TOPIC = frozenset(terms("name me is please"))
_SPEAKER = re.compile(r"(?:I|we)\b|(?:please )?call me\b", re.IGNORECASE)
_NEGATIONS = frozenset(terms("no not longer any more anymore don't do isn't aren't is are am doesn't does"))
_LINKS = frozenset(terms("with on to from via in at the a an for"))
_COUNTED_APART = frozenset(terms("pr pull request issue ticket incident bug case job build number"))
_NUMBER = re.compile(r"v?\d[\d.:]*")
_BARE_IS = re.compile(r"\b(?:is|are)(?: (?!(?:called|named|in|on|at|behind|under)\b)\w+)*\s*$", re.IGNORECASE)
_VALUE_MARKS = re.compile(r"[0-9A-Z_/-]|^\S+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A sentence that says something lasting.

    Attributes:
        text: The sentence in its writer's words, with a capital and a full stop.
        topic: What it speaks of, as terms: "shell is".
        value: What it says of that, as terms.
        single: The topic can have one value only.
        instead_of: What it says itself that it takes the place of, as terms.
    """

    text: str
    subject: Subject
    kind: FactKind
    topic: tuple[str, ...]
    value: tuple[str, ...]
    single: bool
    instead_of: frozenset[str]

    def says_again(self, other: "Statement") -> bool:
        """Whether both say the same of the same."""
        return self._same_topic(other) and self.value == other.value

    def replaces(self, other: "Statement") -> bool:
        """Whether this one takes the place of the other; only a sure case counts, or an unrelated fact would retire."""
        if self.subject != other.subject or self.value == other.value:
            return False
        if self.instead_of and self.instead_of == frozenset(other.value) - _LINKS:
            return True
        return self._same_topic(other) and (self.single or _only_numbers_differ(self, other) or _swapped(self, other))

    def _same_topic(self, other: "Statement") -> bool:
        return self.subject == other.subject and self.topic == other.topic


def statements(text: str) -> list[Statement]:
    """Return the lasting statements in a person's own words, in order."""
    found: list[Statement] = []
    for sentence in sentences(text):
        if not (is_question(sentence) or has_secret(sentence)):
            found.extend(filter(None, (_read(part, told=told) for part, told in _parts(sentence))))
    return found


def statement(sentence: str) -> Statement | None:
    """Read one sentence, such as the text of a fact; None when it has no known form."""
    return _read(sentence.strip(), told=False)


def ended(text: str) -> list[frozenset[str]]:
    """Return, for each sentence that says something is no longer so, the terms of what it says that of."""
    found: list[frozenset[str]] = []
    for sentence in sentences(text):
        if NO_LONGER.search(sentence) and not is_question(sentence) and not UNSURE.search(sentence):
            about = frozenset(content_terms(NO_LONGER.sub(" ", _plain(sentence)))) - _NEGATIONS
            if about:
                found.append(about)
    return found


def told_to_remember(text: str) -> str | None:
    """Return the words after "remember that" in a message that is one sentence and says so; None otherwise."""
    said = sentences(text)
    match = REMEMBER.match(said[0]) if len(said) == 1 else None
    if match is None or is_question(said[0]) or has_secret(said[0]) or said[0] not in text:
        return None
    words = said[0][match.end() :].strip(" .!")
    return words if len(words.split()) in _WORDS and len(words) <= _MAX_CHARS else None


def _parts(sentence: str) -> Iterator[tuple[str, bool]]:
    """Yield the statements that a sentence joins with "and" or "but", and whether it asks to remember them."""
    plain = _plain(sentence)
    match = REMEMBER.match(plain)
    rest = plain[match.end() :] if match else plain
    pieces = JOINED.split(rest)
    if len(pieces) > 1 and all(_read(piece, told=False) for piece in pieces):
        yield from ((piece, match is not None) for piece in pieces)
    else:
        yield rest, match is not None


def _plain(sentence: str) -> str:
    return LEAD_IN.sub("", sentence.strip()).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def _read(sentence: str, *, told: bool) -> Statement | None:
    if len(sentence) > _MAX_CHARS or len(sentence.split()) not in _WORDS:
        return None
    if is_request(sentence) and not sentence.casefold().startswith(("please call me", "call me")):
        return None
    if UNSURE.search(sentence) or PASSING.search(sentence) or NO_LONGER.search(sentence):
        return None
    for form in FORMS:
        match = form.pattern.match(sentence)
        if match is not None:
            return _made(sentence, form, match) if told or _is_lasting(sentence, form, match) else None
    return _told(sentence) if told else None


def _is_lasting(sentence: str, form: Form, match: re.Match[str]) -> bool:
    """Whether the words in the form's places are ones that last."""
    value = match["value"]
    topic = sentence[: match.start("value")]
    if NO_VALUE.match(value):
        return False
    if _SPEAKER.match(topic):
        return True
    if NO_TOPIC.match(topic):
        return False
    return form.subject == "person" or (bool(ENVIRONMENT.search(topic)) and _is_definite(topic, value))


def _is_plain(topic: str) -> bool:
    """Whether a topic ends in a bare "is", which says anything, rather than in "is called" or "is in"."""
    return bool(_BARE_IS.search(topic))


def _is_definite(topic: str, value: str) -> bool:
    """Whether a bare "is" names something, rather than describing how somebody finds it."""
    names = bool(_VALUE_MARKS.search(value.rstrip(".!")))
    return names or not _is_plain(topic) or value.casefold().startswith(("an ", "a ", "the "))


def _made(sentence: str, form: Form, match: re.Match[str]) -> Statement:
    topic = sentence[: match.start("value")]
    several = form.subject == "team" and _is_plain(topic) and len(match["value"].split()) > 1
    old = INSTEAD_OF.search(sentence)
    return Statement(
        text=_as_fact(sentence),
        subject=form.subject,
        kind=form.kind,
        topic=_topic(topic),
        value=tuple(terms(match["value"])),
        single=form.single and not several,
        instead_of=frozenset(terms(old["old"])) - _LINKS if old else frozenset(),
    )


def _told(sentence: str) -> Statement:
    """Take a sentence of no known form because its writer asked for it to be remembered."""
    shared = re.match(r"(?:we|our|the)\b", sentence, re.IGNORECASE)
    return Statement(
        text=_as_fact(sentence),
        subject="team" if shared else "person",
        kind=FactKind.OTHER,
        topic=(),
        value=tuple(terms(sentence)),
        single=False,
        instead_of=frozenset(),
    )


def _topic(text: str) -> tuple[str, ...]:
    found = tuple("name" if term in _NAMED else term for term in terms(text) if term not in _FILLERS)
    return ("name",) if "name" in found and set(found) <= _NAME_TOPIC else found


def _as_fact(sentence: str) -> str:
    text = sentence.rstrip(" .!")
    return f"{text[0].upper()}{text[1:]}."


def _only_numbers_differ(one: Statement, other: Statement) -> bool:
    """Whether a version or a quantity changed; ids, and things that are told apart by number, are different things."""
    if _COUNTED_APART & {*one.value, *other.value}:
        return False
    words, other_words = _without_numbers(one.value), _without_numbers(other.value)
    return words == other_words and bool(words) and len(words) < len(one.value)


def _without_numbers(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(term for term in value if not _NUMBER.fullmatch(term))


def _swapped(one: Statement, other: Statement) -> bool:
    """Whether both rank the same things, differently: "A over B", "B over A"."""
    return "over" in one.value and sorted(one.value) == sorted(other.value)
