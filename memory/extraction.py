"""Extraction: from a thread that has gone quiet to facts and an episode, exactly once."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import timedelta

import structlog

from memory.audience import Scope, is_visible, scope_of_learning
from memory.consolidation import decide, label_messages, oldest_within, render_batch
from memory.errors import (
    MalformedReplyError,
    ProviderRefusedError,
    ProviderUnavailableError,
    RecallError,
    StoreConflictError,
    StoreError,
)
from memory.leases import kept
from memory.model import (
    ExtractionReply,
    ExtractionRequest,
    Fact,
    LabelledFact,
    Role,
    UserId,
    row_id,
)
from memory.model.work import Committed, ExtractionBatch, ExtractionClaim
from memory.ports import Clock, ExtractionStore, LanguageModel, LeaseStore, MessageStore
from memory.prompts import load_prompt
from memory.retrieval import Retriever

_log = structlog.get_logger(__name__)

_LONGEST_RETRY_S = 3_600.0
_MOST_DOUBLINGS = 16  # keeps the power a sensible number however long an outage lasts


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionPolicy:
    """When and how much is extracted.

    Attributes:
        idle_after_s: A thread is idle after this many seconds without a message.
        every_turns: A busy thread is extracted from after this many new turns.
        batch_messages: At most this many of people's messages go into one model call.
        facts: At most this many existing facts are shown to the model.
        batch_tokens: And at most this many tokens of messages, Recall's replies included.
        lease_s: How long a thread stays claimed by a process that has died; renewed while a live one works on it.
        parallel: At most this many model calls at once.
        max_attempts: Failures in a row after which a batch is parked.
        first_retry_s: Wait after the first failure; doubled for each further one, up to an hour.
    """

    idle_after_s: float = 900.0
    every_turns: int = 10
    batch_messages: int = 60
    batch_tokens: int = 24_000
    facts: int = 40
    lease_s: float = 300.0
    parallel: int = 4
    max_attempts: int = 5
    first_retry_s: float = 60.0
    max_tokens: int = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """What one sweep did, in counts."""

    threads: int = 0
    added: int = 0
    updated: int = 0
    confirmed: int = 0
    retracted: int = 0
    episodes: int = 0
    failed: int = 0


class Extractor:
    """Learns from threads. Any number of replicas may run it at once."""

    def __init__(
        self,
        *,
        store: ExtractionStore,
        messages: MessageStore,
        leases: LeaseStore,
        retriever: Retriever,
        model: LanguageModel,
        clock: Clock,
        policy: ExtractionPolicy,
        holder: str,
    ) -> None:
        self._store = store
        self._messages = messages
        self._leases = leases
        self._retriever = retriever
        self._model = model
        self._clock = clock
        self._policy = policy
        self._holder = holder

    async def sweep(self, *, now_quiet: bool = False) -> SweepReport:
        """Extract from every thread that is due.

        Args:
            now_quiet: Treat every thread as idle, forget about back-off, and try parked messages again.
        """
        if now_quiet:
            await self._store.unpark()
        idle_before = self._clock.now() - timedelta(seconds=0.0 if now_quiet else self._policy.idle_after_s)
        done: list[Committed | None] = []
        while claims := await self._store.claim(
            idle_before=idle_before,
            busy_turns=self._policy.every_turns,
            holder=self._holder,
            lease_s=self._policy.lease_s,
            limit=self._policy.parallel,
        ):
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(self._attempt(claim)) for claim in claims]
            done.extend(task.result() for task in running)
        return _report(done)

    async def _attempt(self, claim: ExtractionClaim) -> Committed | None:
        """Return what changed; None when the attempt failed. Whatever happens to one thread is no matter of the others.

        A thread whose failure cannot even be noted stays leased, and is due again when that has run out.
        """
        try:
            async with kept(self._leases, claim.lease, lease_s=self._policy.lease_s):
                return await self._extract_or_back_off(claim)
        except StoreError as error:
            _log.warning("extraction_not_noted", session_id=claim.session_id, reason=str(error))
            return None
        except asyncio.CancelledError:
            with contextlib.suppress(StoreError):
                await asyncio.shield(self._store.release(claim))
            raise

    async def _extract_or_back_off(self, claim: ExtractionClaim) -> Committed | None:
        batch: ExtractionBatch | None = None
        try:
            loaded = await self._store.load(claim, limit=self._policy.batch_messages)
            batch = oldest_within(loaded, max_tokens=self._policy.batch_tokens)
            return await self._extract(claim, batch)
        except StoreConflictError:
            _log.info("extraction_overtaken", session_id=claim.session_id)
            await self._store.release(claim)
        except RecallError as error:
            await self._failed(claim, batch, error)
        return None

    async def _extract(self, claim: ExtractionClaim, batch: ExtractionBatch) -> Committed:
        existing = await self._existing(claim, batch)
        request = _request(batch, existing, max_tokens=self._policy.max_tokens)
        reply = await self._ask(request)
        outcome = decide(
            reply,
            batch,
            request,
            {fact.fact_id: fact for fact in existing},
            claim=claim,
        )
        return await self._store.commit(claim, batch, outcome, shown=existing)

    async def _ask(self, request: ExtractionRequest) -> ExtractionReply:
        """Ask the model; a malformed reply is asked for once more at once."""
        try:
            return await self._model.extract(request)
        except MalformedReplyError as error:
            _log.warning("extraction_malformed", provider=error.provider, request_id=error.request_id)
            return await self._model.extract(request)

    async def _existing(self, claim: ExtractionClaim, batch: ExtractionBatch) -> Sequence[Fact]:
        """Return the facts that may be recalled in this thread and that the new turns may touch."""
        place = await self._messages.place_of(claim.session_id)
        said: dict[UserId, list[str]] = {}
        for message in batch.messages:
            if message.role is Role.USER and message.author is not None:
                said.setdefault(message.author.user_id, []).append(message.text)
        found: dict[int, Fact] = {}
        for user_id, texts in said.items():
            nothing = Scope.nothing(tenant_id=claim.tenant_id, reader=user_id)
            scope = scope_of_learning(place, user_id) if place else nothing
            related = await self._retriever.related_facts(texts, scope, limit=self._policy.facts)
            facts = await self._store.facts(claim, [row_id(memory.key) for memory in related])
            found |= {fact.fact_id: fact for fact in facts if _is_shown(fact, scope)}
        return tuple(found.values())

    async def _failed(self, claim: ExtractionClaim, batch: ExtractionBatch | None, error: RecallError) -> None:
        """Back off; a batch that itself is what the model fails over is set aside after the last attempt.

        An outage, a used-up quota or a wrong key is no fault of the batch: it is tried again for as long as that lasts.
        """
        _log.warning(
            "extraction_failed",
            session_id=claim.session_id,
            error=type(error).__name__,
            reason=str(error),
            attempt=claim.attempts + 1,
        )
        if batch is not None and claim.attempts + 1 >= self._policy.max_attempts and _lies_in_the_batch(error):
            await self._store.park(claim, batch, reason=type(error).__name__)
        else:
            retry_at = self._clock.now() + timedelta(seconds=self._wait_s(claim, error))
            await self._store.back_off(claim, retry_at=retry_at)

    def _wait_s(self, claim: ExtractionClaim, error: RecallError) -> float:
        wait_s = min(self._policy.first_retry_s * 2.0 ** min(claim.attempts, _MOST_DOUBLINGS), _LONGEST_RETRY_S)
        asked_s = error.retry_after_s if isinstance(error, ProviderUnavailableError) else None
        return max(wait_s, asked_s or 0.0)


def _is_shown(fact: Fact, scope: Scope) -> bool:
    """Whether a fact may still be recalled in the thread, now that it was looked up."""
    return is_visible(
        scope,
        tenant_id=fact.tenant_id,
        audience=fact.audience,
        owner=fact.owner,
        about_owner=fact.subject == "person",
    )


def _lies_in_the_batch(error: RecallError) -> bool:
    is_declined = isinstance(error, ProviderRefusedError) and error.reason == "content"
    return is_declined or isinstance(error, MalformedReplyError)


def _request(batch: ExtractionBatch, existing: Sequence[Fact], *, max_tokens: int) -> ExtractionRequest:
    messages = label_messages(batch)
    facts = tuple(
        LabelledFact(label=label, fact_id=fact.fact_id, text=fact.text, subject=fact.subject, said_at=fact.said_at)
        for label, fact in enumerate(existing, start=1)
    )
    return ExtractionRequest(
        system=load_prompt("extraction"),
        prompt=render_batch(batch, messages, facts, existing),
        messages=messages,
        facts=facts,
        max_tokens=max_tokens,
    )


def _report(done: Sequence[Committed | None]) -> SweepReport:
    finished = [committed for committed in done if committed is not None]
    counts = {field.name: sum(getattr(each, field.name) for each in finished) for field in fields(Committed)}
    return SweepReport(threads=len(finished), failed=len(done) - len(finished), **counts)
