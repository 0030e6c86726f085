"""Stores that can be switched off."""

import asyncio
from collections.abc import AsyncIterator, Collection, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from memory.errors import StoreUnavailableError
from memory.model import (
    Accepted,
    CachedThread,
    Failure,
    InboundMessage,
    MemoryKey,
    Message,
    MessageId,
    NewReply,
    SessionId,
    ThreadHead,
    ThreadState,
    TurnClaim,
    VectorEntry,
    VectorRef,
)
from memory.model.recall import Vector
from memory.ports import SessionCache, VectorIndex
from memory.stores.sql.database import Database, Work
from memory.stores.sql.messages import SqlMessageStore

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


class FlakyCache(SessionCache):
    """Passes on to a real cache while `is_up`."""

    def __init__(self, inner: SessionCache) -> None:
        self._inner = inner
        self.is_up = True

    async def load(self, session_id: SessionId) -> CachedThread | None:
        return await self._reached("load").load(session_id)

    async def append(self, messages: Sequence[Message], *, before: ThreadHead, after: ThreadHead) -> bool:
        return await self._reached("append").append(messages, before=before, after=after)

    async def replace(self, thread: ThreadState) -> bool:
        return await self._reached("replace").replace(thread)

    async def evict(self, heads: Collection[ThreadHead]) -> None:
        await self._reached("evict").evict(heads)

    async def ping(self) -> None:
        await self._reached("ping").ping()

    def _reached(self, operation: str) -> SessionCache:
        if not self.is_up:
            raise StoreUnavailableError("redis", operation)
        return self._inner


class FlakyIndex(VectorIndex):
    """Passes on to a real index while `is_up`; with `keeps_deleted` it fails over removals alone.

    Attributes:
        compactions: How often it was compacted.
    """

    def __init__(self, inner: VectorIndex) -> None:
        self._inner = inner
        self.is_up = True
        self.keeps_deleted = False
        self.compactions = 0

    async def upsert(self, entries: Sequence[VectorEntry]) -> None:
        await self._reached("upsert").upsert(entries)

    async def delete(self, refs: Collection[VectorRef]) -> None:
        if self.keeps_deleted:
            raise StoreUnavailableError("chroma", "delete")
        await self._reached("delete").delete(refs)

    async def vectors(self, refs: Collection[VectorRef]) -> Mapping[MemoryKey, Vector]:
        return await self._reached("vectors").vectors(refs)

    async def nearest(self, query: Vector, *, limit: int) -> Sequence[tuple[MemoryKey, float]]:
        return await self._reached("nearest").nearest(query, limit=limit)

    async def count(self) -> int:
        return await self._reached("count").count()

    async def compact(self) -> None:
        await self._reached("compact").compact()
        self.compactions += 1

    async def clear(self) -> None:
        await self._reached("clear").clear()

    async def ping(self) -> None:
        await self._reached("ping").ping()

    def _reached(self, operation: str) -> VectorIndex:
        if not self.is_up:
            raise StoreUnavailableError("chroma", operation)
        return self._inner


class FlakyDatabase(Database):
    """A real database, the one it is given, while `is_up`."""

    def __init__(self, inner: Database) -> None:
        super().__init__(inner._engine, clock=inner.clock, timeout_s=inner._timeout_s, path=inner.path)
        self.is_up = True

    @asynccontextmanager
    async def read(self, operation: str = "read") -> AsyncIterator[AsyncConnection]:
        self._reached(operation)
        async with super().read(operation) as connection:
            yield connection

    async def look(
        self, operation: str, work: Work[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Result:
        self._reached(operation)
        return await super().look(operation, work, *arguments, **named)

    @asynccontextmanager
    async def _turn_to_write(self, *, for_upkeep: bool = False) -> AsyncIterator[None]:
        self._reached("write")
        async with super()._turn_to_write(for_upkeep=for_upkeep):
            yield

    def _reached(self, operation: str) -> None:
        if not self.is_up:
            raise StoreUnavailableError("sql", operation)


@dataclass
class Hold:
    """Keeps a call that has done its work from coming back."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)


class FlakyMessages(SqlMessageStore):
    """A real store whose calls fail as told, by name.

    Attributes:
        down: These calls reach nothing.
        unconfirmed: The next call of each of these is committed, but its caller is not told so.
        broken: These fail with an error that nobody foresaw.
        held: The next call of each of these is committed, and comes back when the test says so.
        renewals: Has each renewal that was tried.
        claims: Has each message that somebody tried to claim.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.down: set[str] = set()
        self.unconfirmed: set[str] = set()
        self.broken: set[str] = set()
        self.held: dict[str, Hold] = {}
        self.renewals: asyncio.Queue[TurnClaim] = asyncio.Queue()
        self.claims: asyncio.Queue[MessageId] = asyncio.Queue()

    async def accept(self, message: InboundMessage) -> Accepted:
        return await self._call("accept", super().accept(message))

    async def begin_turn(self, message_id: MessageId, *, holder: str, lease_s: float) -> TurnClaim | None:
        self.claims.put_nowait(message_id)
        return await self._call("begin_turn", super().begin_turn(message_id, holder=holder, lease_s=lease_s))

    async def renew(self, claim: TurnClaim, *, lease_s: float) -> None:
        try:
            await self._call("renew", super().renew(claim, lease_s=lease_s))
        finally:
            self.renewals.put_nowait(claim)

    async def waiting(self, session_id: SessionId) -> Sequence[MessageId]:
        return await self._call("waiting", super().waiting(session_id))

    async def note_post(self, claim: TurnClaim, post: str) -> None:
        await self._call("note_post", super().note_post(claim, post))

    async def settle(self, claim: TurnClaim, end: NewReply | Failure) -> Message | None:
        return await self._call("settle", super().settle(claim, end))

    async def hand_over(self, claim: TurnClaim) -> None:
        await self._call("hand_over", super().hand_over(claim))

    async def mark_shown(self, claim: TurnClaim) -> None:
        await self._call("mark_shown", super().mark_shown(claim))

    async def _call(self, name: str, call: Coroutine[None, None, Result]) -> Result:
        if name in self.down or name in self.broken:
            call.close()
            raise StoreUnavailableError("sql", name) if name in self.down else RuntimeError(f"{name} is broken")
        result = await call
        if hold := self.held.pop(name, None):
            hold.reached.set()
            await hold.gate.wait()
        if name in self.unconfirmed:
            self.unconfirmed.remove(name)
            raise StoreUnavailableError("sql", name, "the connection was lost at the commit")
        return result
