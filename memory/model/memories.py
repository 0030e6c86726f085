"""Long-term memory: facts, where they come from, and episodes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from memory.model.ids import Audience, ChannelId, MemoryKey, MessageId, Person, SessionId, TenantId, UserId

Subject = Literal["person", "team"]
"""Whom a fact is about: its owner, or everyone who can see it."""


class FactKind(StrEnum):
    """What a fact says; only for showing and sorting."""

    PREFERENCE = "preference"
    ENVIRONMENT = "environment"
    PROCEDURE = "procedure"
    DECISION = "decision"
    PROFILE = "profile"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactSource:
    """One place a fact comes from. A fact lives while one of its sources lives.

    Attributes:
        message_id: None when it came from `/remember`.
    """

    message_id: MessageId | None
    message_version: int
    author_id: UserId
    session_id: SessionId
    channel_id: ChannelId
    audience: Audience
    said_at: datetime
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFact:
    """A fact about to be stored, with the sources that its owner's words gave.

    Attributes:
        owner: Who said it, and for `subject` "person" whom it is about.
        text: One sentence that stays true, secrets redacted.
        said_at: When it became true as far as anybody said: aware, UTC.
    """

    tenant_id: TenantId
    owner: UserId
    subject: Subject
    kind: FactKind
    text: str
    audience: Audience
    said_at: datetime
    sources: tuple[FactSource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A fact in the record.

    Attributes:
        number: Permanent per owner; people type it as `#7`.
        valid_until: When it stopped being true; None while it is alive.
        superseded_by: The fact that took its place, if one did.
        confirmations: How often it was said again.
        widened: Its owner lets the whole tenant use it, whoever could read its sources.
    """

    fact_id: int
    number: int
    tenant_id: TenantId
    owner: UserId
    subject: Subject
    kind: FactKind
    text: str
    audience: Audience
    said_at: datetime
    valid_until: datetime | None = None
    superseded_by: int | None = None
    confirmations: int = 0
    widened: bool = False

    def is_backed_by(self, new: NewFact) -> bool:
        """Whether saying `new` backs this fact as far as its readers go: the same ones, or its owner widened it."""
        return new.audience == self.audience or (self.widened and new.owner == self.owner)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A whole past conversation: what happened and how it ended.

    Attributes:
        sources: The messages it tells of; when one is forgotten, the episode goes.
    """

    session_id: SessionId
    tenant_id: TenantId
    audience: Audience
    title: str
    happened: str
    outcome: str
    started_at: datetime
    ended_at: datetime
    people: tuple[Person, ...]
    sources: tuple[MessageId, ...]
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """One line of `/memories`: a fact or an episode of one owner.

    Attributes:
        number: Permanent per owner.
        valid_until: Set on a fact that is history now.
        thread: Title of the thread it came from.
        widened: Its owner lets it be used anywhere in the tenant.
    """

    key: MemoryKey
    number: int
    subject: Subject
    kind: str
    text: str
    audience: Audience
    said_at: datetime
    session_id: SessionId
    thread: str
    valid_until: datetime | None = None
    superseded_by_number: int | None = None
    confirmations: int = 0
    link: str | None = None
    widened: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WidenPlan:
    """Which facts of a person their whole tenant would be let use, for the preview; exactly these are widened."""

    owner: UserId
    memories: tuple[Memory, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a person has asked and what is kept of them, in counts.

    Attributes:
        questions: Their messages since some moment, whether their text is still there or not.
        answers: The answers to those.
        tokens: What the model read and wrote for those answers.
        kept: Their living memories by kind; "episode" is one of the kinds.
    """

    questions: int = 0
    answers: int = 0
    tokens: int = 0
    kept: Mapping[str, int] = field(default_factory=dict)
