"""Judging a model's proposals: what nobody said in their own words, or may not change here, is dropped. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from memory.audience import covers
from memory.consolidation.batch import speaker_letters
from memory.consolidation.grounding import backs, is_grounded
from memory.consolidation.words import folded, own_words, says_the_same
from memory.fences import as_line
from memory.lexical import content_terms
from memory.model import (
    Episode,
    ExtractionReply,
    ExtractionRequest,
    Fact,
    FactOperation,
    FactSource,
    Message,
    NewFact,
    Person,
    ProposedEpisode,
    Role,
    Subject,
    UserId,
)
from memory.model.work import ExtractionBatch, ExtractionClaim, Outcome
from memory.redaction import redact

MAX_FACT_CHARS = 300
_MAX_OPERATIONS = 60  # more than this from one thread is a model that has lost its way
_MAX_TITLE_CHARS = 120
_MAX_EPISODE_CHARS = 1_000
_NEXT_SENTENCE = re.compile(r"(?<=[a-z0-9)\"]{3}[.!?])\s+(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class _Change:
    """One change that stands: what it does, to which fact, and the fact it stores or backs."""

    action: Literal["add", "update", "confirm", "retract"]
    fact_id: int | None
    fact: NewFact | None


def decide(
    reply: ExtractionReply,
    batch: ExtractionBatch,
    request: ExtractionRequest,
    existing: Mapping[int, Fact],
    *,
    claim: ExtractionClaim,
) -> Outcome:
    """Return what may be stored, whatever the model says.

    Only people's own, unquoted words are sources; a fact about a person needs that person's; recalled memories are not
    learned again from an answer that used them. An existing fact is touched only if it has the same subject and its
    readers can all read this thread, and it is confirmed only by the same numbers, names and negations.

    Args:
        reply: What the model proposes.
        batch: The turns it was shown.
        request: The labels it was given.
        existing: The facts it was shown, by row number.
        claim: Where the turns were said, and who could read them.
    """
    judge = _Judge(batch, request, existing, claim)
    for operation in reply.facts[:_MAX_OPERATIONS]:
        judge.consider(operation)
    return judge.outcome(reply.episode)


class _Judge:
    """Goes through one reply; each existing fact is touched once, each new one stored once."""

    def __init__(
        self,
        batch: ExtractionBatch,
        request: ExtractionRequest,
        existing: Mapping[int, Fact],
        claim: ExtractionClaim,
    ) -> None:
        self._batch = batch
        self._claim = claim
        self._letters = speaker_letters(batch)
        self._messages = {one.label: one.message for one in request.messages}
        self._facts = {one.label: existing[one.fact_id] for one in request.facts if one.fact_id in existing}
        self._changes: list[_Change] = []
        self._touched: set[int] = set()

    def outcome(self, episode: ProposedEpisode | None) -> Outcome:
        """Return the changes that stand, by kind, and the episode."""
        changes = self._changes
        return Outcome(
            added=tuple(one.fact for one in changes if one.action == "add" and one.fact),
            updated=tuple(
                (one.fact_id, one.fact)
                for one in changes
                if one.action == "update" and one.fact and one.fact_id is not None
            ),
            confirmed=tuple(
                (one.fact_id, one.fact)
                for one in changes
                if one.action == "confirm" and one.fact and one.fact_id is not None
            ),
            retracted=tuple(one.fact_id for one in changes if one.action == "retract" and one.fact_id is not None),
            episode=self._episode(episode) if episode else None,
        )

    def consider(self, operation: FactOperation) -> None:
        """Judge one operation and note the change that comes of it, if any."""
        old = self._facts.get(operation.label) if operation.label is not None else None
        if operation.operation == "retract":
            self._retract(operation, old)
        elif operation.operation == "confirm" and old is not None and not operation.text.strip():
            self._confirm(operation, old)
        else:
            self._state(operation, old)

    def _retract(self, operation: FactOperation, old: Fact | None) -> None:
        if old is None or old.fact_id in self._touched or not self._may_touch(old):
            return
        sources = self._sources(operation, owner=None if old.subject == "team" else old.owner)
        if sources and is_grounded(old.text, sources, ()):
            self._note(_Change("retract", old.fact_id, None))

    def _confirm(self, operation: FactOperation, old: Fact) -> None:
        sources = self._sources(operation, owner=None if old.subject == "team" else old.owner)
        said = " ".join(own_words(source.text) for source in sources)
        if not sources or not backs(said, old.text) or not is_grounded(old.text, sources, self._batch.memory_texts):
            return
        self._merge(old, self._new_fact(operation, old.text, old.subject, sources))

    def _state(self, operation: FactOperation, old: Fact | None) -> None:
        """Judge a sentence: an addition, an update, or a confirmation that comes with its own wording."""
        subject, owner = self._subject(operation)
        if subject is None:
            return
        sources = self._sources(operation, owner=owner)
        text = _sentence(operation.text)
        if not sources or not text or not is_grounded(text, sources, self._batch.memory_texts):
            return
        fact = self._new_fact(operation, text, subject, sources)
        same = self._same_as(fact)
        if same is not None:
            self._merge(same, fact)
        elif old is not None and operation.operation == "update" and self._may_replace(old, fact):
            self._note(_Change("update", old.fact_id, fact))
        else:
            self._add(fact)

    def _same_as(self, fact: NewFact) -> Fact | None:
        """Return the existing fact that `fact` only says again."""
        alike = [
            old for old in self._facts.values() if _is_same_subject(old, fact) and says_the_same(fact.text, old.text)
        ]
        alike.sort(key=lambda old: (old.audience != fact.audience, folded(old.text) != folded(fact.text), old.fact_id))
        return alike[0] if alike else None

    def _merge(self, old: Fact, fact: NewFact) -> None:
        """Let `fact` back `old`, or stand beside it where their readers are not the same."""
        if old.fact_id in self._touched:
            return
        if old.is_backed_by(fact):
            self._note(_Change("confirm", old.fact_id, fact))
        elif self._may_replace(old, fact) and old.owner == fact.owner:
            self._note(_Change("update", old.fact_id, fact))
        else:
            self._add(fact)

    def _add(self, fact: NewFact) -> None:
        for position, one in enumerate(self._changes):
            if one.fact is not None and _is_same_new(one.fact, fact):
                self._changes[position] = replace(one, fact=_with_sources(one.fact, fact.sources))
                return
        self._changes.append(_Change("add", None, fact))

    def _note(self, change: _Change) -> None:
        if change.fact_id is not None:
            self._touched.add(change.fact_id)
        self._changes.append(change)

    def _may_touch(self, old: Fact) -> bool:
        """Whether everyone who can read the old fact can read this thread, too."""
        return old.tenant_id == self._claim.tenant_id and covers(self._claim.audience, old.audience)

    def _may_replace(self, old: Fact, fact: NewFact) -> bool:
        return old.fact_id not in self._touched and _is_same_subject(old, fact) and self._may_touch(old)

    def _subject(self, operation: FactOperation) -> tuple[Subject | None, UserId | None]:
        name = operation.subject.strip()
        if name.casefold() == "team":
            return "team", None
        person = self._letters.get(name.upper())
        return ("person", person.user_id) if person else (None, None)

    def _sources(self, operation: FactOperation, *, owner: UserId | None) -> list[Message]:
        """Return the people's messages that an operation names, only `owner`'s where one is given, oldest first."""
        named = {label: self._messages[label] for label in operation.messages if label in self._messages}
        return [
            message
            for _, message in sorted(named.items())
            if message.role is Role.USER
            and message.author is not None
            and message.message_id in self._batch.versions
            and owner in (None, message.author.user_id)
        ]

    def _new_fact(self, operation: FactOperation, text: str, subject: Subject, sources: Sequence[Message]) -> NewFact:
        provenance = tuple(self._source(message, message.author) for message in sources if message.author is not None)
        return NewFact(
            tenant_id=self._claim.tenant_id,
            owner=provenance[-1].author_id,
            subject=subject,
            kind=operation.kind,
            text=text,
            audience=self._claim.audience,
            said_at=max(source.said_at for source in provenance),
            sources=provenance,
        )

    def _source(self, message: Message, author: Person) -> FactSource:
        return FactSource(
            message_id=message.message_id,
            message_version=self._batch.versions[message.message_id],
            author_id=author.user_id,
            session_id=message.session_id,
            channel_id=self._claim.channel_id,
            audience=self._claim.audience,
            said_at=message.sent_at,
            link=message.link,
        )

    def _episode(self, proposed: ProposedEpisode) -> Episode | None:
        """Return the episode; it tells of all people's messages of the batch when the model names none."""
        people = [
            one for one in self._messages.values() if one.author is not None and one.message_id in self._batch.versions
        ]
        named = {label: self._messages[label] for label in proposed.messages if label in self._messages}
        told = [one for _, one in sorted(named.items()) if one in people] or people
        title = _clean(proposed.title)[:_MAX_TITLE_CHARS]
        happened = _clean(proposed.happened)[:_MAX_EPISODE_CHARS]
        said = {term for one in told for term in content_terms(one.text)}
        if not told or not title or not happened or said.isdisjoint(content_terms(f"{title} {happened}")):
            return None
        return Episode(
            session_id=self._claim.session_id,
            tenant_id=self._claim.tenant_id,
            audience=self._claim.audience,
            title=title,
            happened=happened,
            outcome=_clean(proposed.outcome)[:_MAX_EPISODE_CHARS],
            started_at=min(one.sent_at for one in told),
            ended_at=max(one.sent_at for one in told),
            people=tuple({one.author.user_id: one.author for one in told if one.author}.values()),
            sources=tuple(one.message_id for one in told),
            link=told[0].link,
        )


def _clean(text: str) -> str:
    """Return a model's words as one line without control characters or secrets."""
    return redact(as_line(text)).text


def _sentence(text: str) -> str:
    """Return the first sentence; nothing when it is too long to be one, or when redaction leaves no words."""
    sentence = _NEXT_SENTENCE.split(_clean(text), maxsplit=1)[0]
    return sentence if len(sentence) <= MAX_FACT_CHARS and content_terms(sentence) else ""


def _is_same_subject(old: Fact, fact: NewFact) -> bool:
    return old.subject == fact.subject and (old.subject == "team" or old.owner == fact.owner)


def _is_same_new(one: NewFact, other: NewFact) -> bool:
    if (one.subject, one.audience) != (other.subject, other.audience) or (
        one.subject == "person" and one.owner != other.owner
    ):
        return False
    return folded(one.text) == folded(other.text) or (
        says_the_same(one.text, other.text) and says_the_same(other.text, one.text)
    )


def _with_sources(fact: NewFact, more: Sequence[FactSource]) -> NewFact:
    known = {source.message_id for source in fact.sources}
    return replace(fact, sources=fact.sources + tuple(source for source in more if source.message_id not in known))
