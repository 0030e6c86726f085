"""The inbox and the transcript as one port; `inbox`, `turns` and `threads` do the work inside its transactions."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from memory.errors import StoreConflictError
from memory.model import (
    Accepted,
    Attachment,
    Audience,
    ChannelId,
    Failure,
    InboundMessage,
    Message,
    MessageId,
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
from memory.stores.sql import disclosures, inbox, pause, posts, retries, turns
from memory.stores.sql import threads as thread_rows
from memory.stores.sql.database import Database
from memory.stores.sql.leases import renew_lease
from memory.stores.sql.narrowing import narrow_channel


class SqlMessageStore(MessageStore):
    """The inbox and the transcript as tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accept(self, message: InboundMessage) -> Accepted:
        now = self._database.clock.now()
        accepted = await self._database.write("accept a message", inbox.accept, message, now=now)
        if accepted is None:
            place = message.place
            await self.narrow_channel(place.channel_id, place.audience, tenant_id=place.tenant_id)
            accepted = await self._database.write("accept a message", inbox.accept, message, now=now)
        if accepted is None:
            raise StoreConflictError("sql", "accept a message", "its channel changes while it arrives")
        return accepted

    async def narrow_channel(self, channel_id: ChannelId, audience: Audience, *, tenant_id: TenantId) -> None:
        async with self._database.upkeep_transaction("narrow a channel") as connection:
            await narrow_channel(connection, channel_id, audience, tenant_id=tenant_id)

    async def pause_thread(self, place: Place, *, paused: bool) -> bool:
        now = self._database.clock.now()
        changed = await self._database.write("pause a thread", pause.pause_thread, place, paused=paused, now=now)
        if changed is None:
            await self.narrow_channel(place.channel_id, place.audience, tenant_id=place.tenant_id)
            changed = await self._database.write("pause a thread", pause.pause_thread, place, paused=paused, now=now)
        if changed is None:
            raise StoreConflictError("sql", "pause a thread", "its channel changes meanwhile")
        return changed

    async def is_thread_paused(self, session_id: SessionId) -> bool:
        return await self._database.look("look whether a thread is paused", pause.is_thread_paused, session_id)

    async def begin_turn(self, message_id: MessageId, *, holder: str, lease_s: float) -> TurnClaim | None:
        return await self._database.write_lightly(
            "begin a turn",
            turns.begin_turn,
            message_id,
            holder=holder,
            lease_s=lease_s,
            now=self._database.clock.now(),
        )

    async def renew(self, claim: TurnClaim, *, lease_s: float) -> None:
        lease = turns.lease_of(claim)
        if not await self._database.write_lightly("renew a turn", renew_lease, lease, lease_s):
            raise StoreConflictError("sql", "renew a turn", "the lease passed to someone else")

    async def settle(self, claim: TurnClaim, end: NewReply | Failure) -> Message | None:
        return await self._database.write("settle a turn", turns.settle, claim, end, now=self._database.clock.now())

    async def attach(self, claim: TurnClaim, read: Sequence[Attachment]) -> tuple[Attachment, ...]:
        return await self._database.write("attach what was read", turns.attach, claim, read)

    async def note_post(self, claim: TurnClaim, post: str) -> None:
        await self._database.write("note a post", posts.note_post, claim, post)

    async def find_message(self, session_id: SessionId, platform_message_id: str) -> Message | None:
        return await self._database.look("find a message", posts.find_message, session_id, platform_message_id)

    async def reply_at(self, session_id: SessionId, post: str) -> Message | None:
        return await self._database.look("find a reply", posts.reply_at, session_id, post)

    async def newest_reply(self, session_id: SessionId) -> Message | None:
        return await self._database.look("find the newest reply", posts.newest_reply, session_id)

    async def mark_shown(self, claim: TurnClaim) -> None:
        now = self._database.clock.now()
        await self._database.write_lightly("mark a turn as shown", posts.mark_shown, claim, now=now)

    async def discloses(self, scope: str, message_id: MessageId) -> bool:
        return await self._database.write("tell what is remembered", disclosures.discloses, scope, message_id)

    async def put_off(self, claim: TurnClaim, *, until: datetime) -> None:
        await self._database.write_lightly("put off what to show", posts.put_off, claim, until=until)

    async def hand_over(self, claim: TurnClaim) -> None:
        async with self._database.begin("hand a turn over") as connection:
            await turns.hand_over(connection, claim)

    async def retry(self, session_id: SessionId, platform_message_id: str, *, asker: UserId) -> MessageId | None:
        return await self._database.write(
            "answer a message again", retries.retry, session_id, platform_message_id, asker=asker
        )

    async def waiting(self, session_id: SessionId) -> Sequence[MessageId]:
        now = self._database.clock.now()
        return await self._database.look("list a thread's waiting messages", thread_rows.waiting, session_id, now=now)

    async def open_threads(self, tenant_id: TenantId) -> Mapping[SessionId, int]:
        now = self._database.clock.now()
        return await self._database.look("list open threads", thread_rows.open_threads, tenant_id, now=now)

    async def place_of(self, session_id: SessionId) -> Place | None:
        return await self._database.look("find a thread", thread_rows.place_of, session_id)

    async def load_thread(self, session_id: SessionId, *, limit: int) -> ThreadState:
        return await self._database.look("load a thread", thread_rows.load_thread, session_id, limit=limit)

    async def save_summary(self, head: ThreadHead, summary: Summary) -> ThreadHead | None:
        return await self._database.write("save a summary", thread_rows.save_summary, head, summary)

    async def threads(self, user_id: UserId, *, limit: int) -> Sequence[ThreadInfo]:
        return await self._database.look("list threads", thread_rows.threads_of, user_id, limit=limit)
