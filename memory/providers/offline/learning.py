"""Extraction by rules: from labelled turns to operations on labelled facts. Pure, deterministic."""

from collections.abc import Iterator, Sequence
from string import ascii_uppercase

from memory.lexical import content_terms
from memory.model import (
    ExtractionReply,
    ExtractionRequest,
    FactOperation,
    LabelledFact,
    LabelledMessage,
    Message,
    ProposedEpisode,
    Role,
    UserId,
)
from memory.providers.offline.sentences import has_secret, is_question, is_request, own_text, sentences
from memory.providers.offline.statements import Statement, ended, statement, statements

_TEAM = "team"
_SUBSTANCE_TERMS = 5
_EPISODE_TURNS = 2
_EPISODE_SENTENCES = 5
_TITLE_WORDS = 10
_SENTENCE_CHARS = 240
_ENDINGS = frozenset(
    content_terms(
        "fixed resolved solved works mitigated recovered reverted rolled restored caused cause turned closed healthy"
    )
)


def learn(request: ExtractionRequest) -> ExtractionReply:
    """Return what people's own statements teach."""
    people = [one for one in request.messages if one.message.role is Role.USER and one.message.author is not None]
    letters = _letters(people)
    known = _Known(request.facts)
    operations = [
        operation
        for one in people
        if one.message.author is not None
        for operation in known.learn_from(one, letters[one.message.author.user_id])
    ]
    return ExtractionReply(facts=operations, episode=_episode(people))


def _letters(people: Sequence[LabelledMessage]) -> dict[UserId, str]:
    """Give each speaker a letter, in order of first appearance; those past Z teach nothing about themselves."""
    speakers = dict.fromkeys(one.message.author.user_id for one in people if one.message.author is not None)
    return {user_id: ascii_uppercase[i] if i < len(ascii_uppercase) else "" for i, user_id in enumerate(speakers)}


class _Known:
    """The existing facts, and which of them a turn has changed already: each is touched once."""

    def __init__(self, facts: Sequence[LabelledFact]) -> None:
        self._facts = {fact.label: fact for fact in facts}
        self._read = {fact.label: statement(fact.text) for fact in facts}
        self._pending: dict[tuple[str, tuple[str, ...]], FactOperation] = {}

    def learn_from(self, one: LabelledMessage, letter: str) -> Iterator[FactOperation]:
        """Yield the operations that a message makes."""
        own = own_text(one.message)
        for said in statements(own):
            yield self._operation(said, one.label, letter)
        for terms in ended(own):
            label = self._that_says(terms)
            if label is not None:
                yield FactOperation(
                    operation="retract",
                    label=label,
                    subject=_TEAM if self._facts[label].subject == _TEAM else letter,
                    messages=[one.label],
                )
                self._read[label] = None

    def _operation(self, said: Statement, message: int, letter: str) -> FactOperation:
        subject = _TEAM if said.subject == _TEAM else letter
        again = [label for label, read in self._read.items() if read is not None and said.says_again(read)]
        if again:
            return FactOperation(
                operation="confirm", label=again[0], subject=subject, kind=said.kind, messages=[message]
            )
        old = [label for label, read in self._read.items() if read is not None and said.replaces(read)]
        # With several candidates nothing says which one is meant: both stay, and the new one beside them.
        label = old[0] if len(old) == 1 else None
        if label is not None:
            self._read[label] = None
        return FactOperation(
            operation="update" if label is not None else "add",
            label=label,
            subject=subject,
            kind=said.kind,
            text=said.text,
            messages=[message],
        )

    def _that_says(self, terms: frozenset[str]) -> int | None:
        """Return the fact that says exactly this, or this and one word more."""
        for label, fact in self._facts.items():
            known = set(content_terms(fact.text))
            if self._read[label] is not None and terms <= known and len(known) <= len(terms) + 1:
                return label
        return None


def _episode(people: Sequence[LabelledMessage]) -> ProposedEpisode | None:
    """Return an episode if people worked on something: turns that say more than facts about themselves."""
    told = [(one, _worked_on(one.message)) for one in people]
    told = [(one, said) for one, said in told if said]
    if len(told) < _EPISODE_TURNS:
        return None
    lines = [said[0] for _, said in told]
    endings = [sentence for _, said in told[1:] for sentence in said if _ENDINGS & set(content_terms(sentence))]
    return ProposedEpisode(
        title=_title(told[0][1][0]),
        happened=" ".join(_stopped(line) for line in lines[:_EPISODE_SENTENCES]),
        outcome=_stopped(endings[-1]) if endings else "",
        messages=[one.label for one, _ in told],
    )


def _worked_on(message: Message) -> list[str]:
    """Return the sentences of substance that are no statement, no question and no request."""
    return [
        sentence
        for sentence in sentences(own_text(message))
        if len(set(content_terms(sentence))) >= _SUBSTANCE_TERMS
        and not (is_question(sentence) or is_request(sentence) or has_secret(sentence) or statements(sentence))
    ]


def _title(sentence: str) -> str:
    words = sentence.rstrip(" .!").split()
    return " ".join(words[:_TITLE_WORDS]) + ("…" if len(words) > _TITLE_WORDS else "")


def _stopped(sentence: str) -> str:
    text = sentence[:_SENTENCE_CHARS].rstrip(" .!")
    return f"{text}."
