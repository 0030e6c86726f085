"""Working memory: what goes into one model call, assembled from the thread and from what is remembered."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from memory.attached import gist
from memory.audience import scope_for
from memory.context import Budget, build_request
from memory.model import ChannelId, MemoryMode, ReplyRequest, Role, Summary, ThreadState, TurnClaim
from memory.ports import MessageStore
from memory.retrieval import Recall, Retriever, question_text
from memory.short_term import ShortTermMemory

PAUSED = "Memory is paused for you: I keep nothing of this, and later answers do not know of it."
THREAD_PAUSED = "Memory is paused in this thread: I keep nothing of this, and later answers do not know of it."


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPolicy:
    """How much memory a turn gets.

    Attributes:
        mode: "buffer" is recent turns alone, "summary" adds the running summary, "full" facts and episodes as well.
        recalled: At most this many memories are recalled into a turn.
        lease_s: A turn's lease; renewed while the turn runs, so it bounds only how long a dead process holds a thread.
    """

    mode: MemoryMode = "full"
    budget: Budget = field(default_factory=Budget)
    recalled: int = 12
    lease_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingMemory:
    """What goes into one model call, and what the person should know about how it was made."""

    request: ReplyRequest
    thread: ThreadState
    notices: tuple[str, ...]


class Assembler:
    """Prepares each turn's working memory.

    Args:
        messages: Knows whether a thread is paused.
        short_term: The thread.
        retriever: What is remembered.
        policy: How much of each there is to be.
    """

    def __init__(
        self, *, messages: MessageStore, short_term: ShortTermMemory, retriever: Retriever, policy: MemoryPolicy
    ) -> None:
        self._messages = messages
        self._short_term = short_term
        self._retriever = retriever
        self._policy = policy

    async def assemble(self, claim: TurnClaim, *, system: str, member_of: Collection[ChannelId]) -> WorkingMemory:
        """Return what the model sees of a turn, as `MemoryService.working_memory` does."""
        loaded = await self._short_term.load(claim.head)
        thread = loaded.thread if self._policy.mode != "buffer" else replace(loaded.thread, summary=Summary())
        recall = await self._recall(claim, thread, member_of)
        request = build_request(
            system=system, state=thread, recalled=recall.memories, message=claim.message, budget=self._policy.budget
        )
        request = replace(request, may_remember=self._policy.mode == "full" and claim.message.kept)
        notices = await self._pause_notices(claim) + loaded.notices + recall.notices
        return WorkingMemory(request=request, thread=thread, notices=notices)

    async def _pause_notices(self, claim: TurnClaim) -> tuple[str, ...]:
        if claim.message.kept:
            return ()
        return (THREAD_PAUSED,) if await self._messages.is_thread_paused(claim.head.session_id) else (PAUSED,)

    async def _recall(self, claim: TurnClaim, thread: ThreadState, member_of: Collection[ChannelId]) -> Recall:
        author = claim.message.author
        if self._policy.mode != "full" or author is None:
            return Recall(memories=())
        scope = scope_for(claim.place, author.user_id, member_of=member_of)
        previous = next((each.text for each in reversed(thread.messages) if each.role is Role.USER), "")
        seen = {each.message_id for each in thread.messages} | {claim.message.message_id}
        question = question_text(claim.message.text, gist(claim.message) or previous)
        if not question:
            return Recall(memories=())
        return await self._retriever.recall(question, scope, limit=self._policy.recalled, exclude=seen)
