"""What a person can do with their own memories: see, keep, forget, take along. Needs the record only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from memory.audience import is_private, scope_beside
from memory.errors import InputError, PausedError, StoreConflictError
from memory.forgetting import Forgetting
from memory.lexical import content_terms, terms
from memory.model import (
    ChannelId,
    ForgetPlan,
    ForgetTarget,
    Memory,
    MemoryKey,
    Message,
    Person,
    Place,
    Recallable,
    Receipt,
    SessionId,
    TenantId,
    ThreadInfo,
    Usage,
    UserId,
    WidenPlan,
    fact_key,
    key_kind,
    row_id,
)
from memory.model.work import AuditEvent
from memory.ports import AuditLog, Clock, FactStore, MessageStore, RecallStore
from memory.redaction import redact
from memory.remembering import MAX_FACT_CHARS, fact_by_hand, source_by_hand

USAGE_DAYS = 30
_THREADS = 50
_PROMPTLY = timedelta(seconds=10)
"""What comes later than this after it was said may be a second delivery; it also covers clocks that differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A memory stored by hand.

    Attributes:
        findings: Secrets that were taken out of it, by kind.
    """

    memory: Memory
    findings: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Where memory is paused, as one person sees it.

    Attributes:
        person: Nothing of what they say is kept, anywhere.
        thread: Nothing of what anybody says in the thread is.
    """

    person: bool
    thread: bool


class PersonalMemory:
    """A person's own memories."""

    def __init__(
        self,
        *,
        facts: FactStore,
        messages: MessageStore,
        recall: RecallStore,
        forgetting: Forgetting,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        self._facts = facts
        self._recall = recall
        self._messages = messages
        self._forgetting = forgetting
        self._audit = audit
        self._clock = clock

    async def memories(self, owner: UserId, words: str = "", *, history: bool = False) -> Sequence[Memory]:
        """Return the owner's memories, newest first; with `words`, those that have all of them."""
        memories = await self._facts.memories(owner, history=history)
        wanted = set(content_terms(words) or terms(words))
        return [memory for memory in memories if wanted <= set(terms(memory.text))] if wanted else memories

    async def suggest(self, owner: UserId, *, number: str, parts: Sequence[str], limit: int) -> Sequence[Memory]:
        """Return at most `limit` memories that the owner may mean who has typed a little, as `FactStore.suggest`."""
        return await self._facts.suggest(owner, number=number, parts=parts, limit=limit)

    async def remember(
        self,
        place: Place,
        person: Person,
        text: str,
        *,
        message: str | None = None,
        link: str | None = None,
        said_at: datetime | None = None,
    ) -> Remembered:
        """Store one sentence about the person at once, for the audience of the place it is said in.

        Args:
            place: Where it is said.
            person: Who says it.
            text: What.
            message: The platform's name of the message it was said in, if there is one: where that message is in the
                record, the memory goes with it when it is edited, deleted or forgotten.
            link: Where a person can open that message.
            said_at: When, for words that may be delivered again: they count once. Now when None.

        Raises:
            PausedError: Memory is paused for them, or in this thread.
            InputError: There is nothing to remember, it is too long, or it comes so late that it may be forgotten.
        """
        pauses = await self.pauses(person.user_id, place.session_id)
        if pauses.person or pauses.thread:
            raise PausedError(in_thread=not pauses.person)
        redacted = redact(" ".join(text.split()))
        if not redacted.text:
            raise InputError("Say what to remember, for example: /remember I deploy with ArgoCD.")
        if len(redacted.text) > MAX_FACT_CHARS:
            raise InputError(f"A memory is one sentence of at most {MAX_FACT_CHARS} characters.")
        said_at = await self._still_wanted(person.user_id, said_at)
        said = None if message is None else await self._said(place, person, message)
        source = source_by_hand(place, person.user_id, said=said, said_at=said_at, link=link)
        try:
            stored = await self._facts.add(fact_by_hand(redacted.text, place, person.user_id, source))
        except StoreConflictError as error:
            raise InputError("That message has just changed. Have a look, and choose it again.") from error
        (memory,) = await self._facts.memories_by_key(person.user_id, [fact_key(stored.fact_id)])
        return Remembered(memory=memory, findings=redacted.findings)

    async def _said(self, place: Place, person: Person, message: str) -> Message | None:
        """Return a message if the record has it, with its text, and it is this person's."""
        found = await self._messages.find_message(place.session_id, message)
        is_theirs = found is not None and found.author is not None and found.author.user_id == person.user_id
        return found if found is not None and is_theirs and found.text and found.kept else None

    async def pause(self, owner: UserId, tenant_id: TenantId) -> bool:
        """Keep nothing of what a person says from now on; False when that was so already."""
        changed = await self._facts.pause_person(owner, tenant_id, paused=True)
        return await self._noted(owner, "pause", changed=changed)

    async def resume(self, owner: UserId, tenant_id: TenantId) -> bool:
        """Keep again what a person says; False when that was so already."""
        changed = await self._facts.pause_person(owner, tenant_id, paused=False)
        return await self._noted(owner, "resume", changed=changed)

    async def pause_thread(self, place: Place, *, by: UserId) -> bool:
        """Keep nothing of what anybody says in a thread from now on; False when that was so already."""
        changed = await self._messages.pause_thread(place, paused=True)
        return await self._noted(by, "pause thread", changed=changed)

    async def resume_thread(self, place: Place, *, by: UserId) -> bool:
        """Keep again what is said in a thread; False when that was so already."""
        changed = await self._messages.pause_thread(place, paused=False)
        return await self._noted(by, "resume thread", changed=changed)

    async def pauses(self, owner: UserId, session_id: SessionId | None) -> Pauses:
        """Say what is paused for a person, in a thread if there is one."""
        thread = session_id is not None and await self._messages.is_thread_paused(session_id)
        return Pauses(person=await self._facts.is_paused(owner), thread=thread)

    async def _still_wanted(self, owner: UserId, said_at: datetime | None) -> datetime:
        """Return when words were said; what comes late may have come before, and have been forgotten since."""
        now = self._clock.now()
        if said_at is None:
            return now
        if now - said_at > _PROMPTLY and await self._audit.has_since(owner, "forget", said_at):
            raise InputError("You have forgotten something since you wrote that. To have it remembered, say it again.")
        return said_at

    async def plan_forget(self, owner: UserId, target: ForgetTarget) -> ForgetPlan:
        """Say what forgetting `target` would remove.

        Raises:
            InputError: There is nothing to forget.
        """
        return await self._forgetting.plan(owner, target)

    async def forget(self, plan: ForgetPlan) -> Receipt:
        """Carry out a plan and say what was removed."""
        return await self._forgetting.forget(plan)

    async def widen(self, owner: UserId, number: int, *, wide: bool) -> Memory:
        """Let one fact be used anywhere in its owner's tenant, or take that back; return it as it is then.

        Raises:
            NoCommunityError: Nothing can be for everybody there.
            InputError: The owner has no such living fact, or it is an episode, which is not theirs alone.
        """
        memory = await self._living_fact(owner, number)
        await self._facts.widen(owner, [row_id(memory.key)], wide=wide)
        return await self._living_fact(owner, number)

    async def plan_widen(self, owner: UserId) -> WidenPlan:
        """Return all facts that are for the owner alone.

        Raises:
            InputError: There is none.
        """
        own = await self._facts.memories(owner)
        private = tuple(one for one in own if key_kind(one.key) == "fact" and is_private(one.audience))
        if not private:
            raise InputError("No memory of yours is for you alone. To widen another one, give its number.")
        return WidenPlan(owner=owner, memories=private)

    async def widen_private(self, plan: WidenPlan) -> int:
        """Carry out a plan, as far as its facts live; return how many can be used anywhere since.

        Raises:
            NoCommunityError: Nothing can be for everybody there.
        """
        return await self._facts.widen(plan.owner, [row_id(one.key) for one in plan.memories], wide=True)

    async def narrow_all(self, owner: UserId) -> int:
        """Take back everything that the owner widened; return how many facts that were."""
        widened = [row_id(one.key) for one in await self._facts.memories(owner) if one.widened]
        return await self._facts.widen(owner, widened, wide=False)

    async def _living_fact(self, owner: UserId, number: int) -> Memory:
        own = await self._facts.memories(owner, history=True)
        memory = next((one for one in own if one.number == number), None)
        if memory is None:
            raise InputError(f"You have no memory #{number}.")
        if key_kind(memory.key) != "fact":
            raise InputError(f"#{number} tells of a whole conversation, so it is not yours alone to share.")
        if memory.valid_until is not None:
            raise InputError(f"#{number} is history; it is not used any more.")
        return memory

    async def explain(
        self, place: Place, reader: UserId, keys: Sequence[MemoryKey], *, member_of: Collection[ChannelId] = ()
    ) -> Sequence[Recallable]:
        """Return those of the memories named by `keys` that live and that the reader may see, in order.

        Args:
            place: Where the answer is that was given them.
            reader: A full member, who alone sees this; so guests in `place` take nothing away from it.
            keys: What the answer was given.
            member_of: Channels that the reader is a member of now; see `memory.audience.scope_for`.
        """
        scope = scope_beside(place, reader, member_of=member_of)
        found = {memory.key: memory for memory in await self._recall.fetch(scope, keys)}
        return [found[key] for key in keys if key in found]

    async def export(self, owner: UserId) -> Mapping[str, object]:
        """Return all that is kept of a person, ready for JSON; the audit log notes that it was asked for."""
        data = await self._facts.export(owner)
        await self._audit.record(AuditEvent(at=self._clock.now(), actor=owner, action="export"))
        return data

    async def usage(self, owner: UserId) -> Usage:
        """Count what a person asked and was answered in the last `USAGE_DAYS` days, and what is kept of them."""
        return await self._facts.usage(owner, self._clock.now() - timedelta(days=USAGE_DAYS))

    async def threads(self, owner: UserId) -> Sequence[ThreadInfo]:
        """Return the threads a person wrote in, last active first."""
        return await self._messages.threads(owner, limit=_THREADS)

    async def _noted(self, actor: UserId, action: str, *, changed: bool) -> bool:
        if changed:
            await self._audit.record(AuditEvent(at=self._clock.now(), actor=actor, action=action))
        return changed
