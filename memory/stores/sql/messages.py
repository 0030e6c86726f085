"""The inbox and the transcript as one port; `inbox`, `turns` and `threads` do the work inside its transactions."""

from collections.abc import Sequence

from memory.errors import StoreConflictError
from memory.model import (
    Accepted,
    InboundMessage,
    Message,
    MessageId,
    MessageState,
    NewReply,
    Place,
    SessionId,
    Summary,
    TenantId,
    ThreadHead,
    ThreadInfo,
    ThreadState,
    TurnClaim,
    UserId,
)
from memory.ports import MessageStore
from memory.stores.sql import inbox, turns
from memory.stores.sql import threads as thread_rows
from memory.stores.sql.database import Database
from memory.stores.sql.leases import renew_lease


class SqlMessageStore(MessageStore):
    """The inbox and the transcript as tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accept(self, message: InboundMessage) -> Accepted:
        async with self._database.begin("accept a message") as connection:
            return await inbox.accept(connection, message, now=self._database.clock.now())

    async def begin_turn(self, message_id: MessageId, *, holder: str, lease_s: float) -> TurnClaim | None:
        async with self._database.begin("begin a turn") as connection:
            return await turns.begin_turn(connection, message_id, holder=holder, lease_s=lease_s)

    async def renew(self, claim: TurnClaim, *, lease_s: float) -> None:
        async with self._database.begin("renew a turn") as connection:
            if not await renew_lease(connection, turns.lease_of(claim), lease_s):
                raise StoreConflictError("sql", "renew a turn", "the lease passed to someone else")

    async def settle(self, claim: TurnClaim, reply: NewReply | None) -> Message | None:
        async with self._database.begin("settle a turn") as connection:
            return await turns.settle(connection, claim, reply, now=self._database.clock.now())

    async def state(self, message_id: MessageId) -> MessageState | None:
        async with self._database.read("look at a message") as connection:
            return await thread_rows.state_of(connection, message_id)

    async def unanswered(self, *, tenant_id: TenantId) -> Sequence[Message]:
        async with self._database.read("list unanswered messages") as connection:
            return await thread_rows.unanswered(connection, tenant_id)

    async def place_of(self, session_id: SessionId) -> Place | None:
        async with self._database.read("find a thread") as connection:
            return await thread_rows.place_of(connection, session_id)

    async def load_thread(self, session_id: SessionId, *, limit: int) -> ThreadState:
        async with self._database.read("load a thread") as connection:
            return await thread_rows.load_thread(connection, session_id, limit=limit)

    async def save_summary(self, head: ThreadHead, summary: Summary) -> ThreadHead | None:
        async with self._database.begin("save a summary") as connection:
            return await thread_rows.save_summary(connection, head, summary)

    async def threads(self, user_id: UserId, *, limit: int) -> Sequence[ThreadInfo]:
        async with self._database.read("list threads") as connection:
            return await thread_rows.threads_of(connection, user_id, limit=limit)
