"""Work for the sweep over SQL: due threads are leased, a batch is read, and what it taught is committed once.

The watermark is per message (`extracted_version`), so an edited message is due again and nothing else is.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.errors import StoreConflictError
from memory.model import Fact, Role, SessionId
from memory.model.work import Committed, ExtractionBatch, ExtractionClaim, Outcome
from memory.ports import ExtractionStore
from memory.stores.sql.batches import due_threads, extract_lease, read_batch
from memory.stores.sql.database import Database
from memory.stores.sql.fact_rows import living_facts
from memory.stores.sql.leases import check_lease, claim_lease, release_lease
from memory.stores.sql.locks import lock_people, lock_threads
from memory.stores.sql.outcomes import store_outcome
from memory.stores.sql.people import share_with_forgetting
from memory.stores.sql.rows import chunks
from memory.stores.sql.schema import facts, messages, threads

_COMMIT = "commit an extraction"


class SqlExtractionStore(ExtractionStore):
    """Extraction work as rows; a thread's lease is named `extract:<session id>`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(
        self, *, idle_before: datetime, busy_turns: int, holder: str, lease_s: float, limit: int
    ) -> Sequence[ExtractionClaim]:
        now = self._database.clock.now()
        due = due_threads(idle_before=idle_before, busy_turns=busy_turns, now=now, limit=limit)
        claims: list[ExtractionClaim] = []
        async with self._database.begin("claim threads to extract from") as connection:
            for row in (await connection.execute(due)).all():
                lease = await claim_lease(connection, extract_lease(row.session_id), holder, lease_s)
                if lease is not None:
                    claims.append(
                        ExtractionClaim(
                            session_id=row.session_id,
                            channel_id=row.channel_id,
                            tenant_id=row.tenant_id,
                            audience=row.audience,
                            lease=lease,
                            attempts=row.extract_attempts,
                        )
                    )
        return claims

    async def load(self, claim: ExtractionClaim, *, limit: int) -> ExtractionBatch:
        async with self._database.read("load new turns") as connection:
            return await read_batch(connection, claim.session_id, limit=limit)

    async def facts(self, claim: ExtractionClaim, fact_ids: Collection[int]) -> Sequence[Fact]:
        found: list[Fact] = []
        async with self._database.read("look up facts") as connection:
            for some in chunks(set(fact_ids)):
                found += (await living_facts(connection, claim.tenant_id, some)).values()
        return found

    async def commit(
        self, claim: ExtractionClaim, batch: ExtractionBatch, outcome: Outcome, *, shown: Collection[Fact]
    ) -> Committed:
        now = self._database.clock.now()
        retracted_at = max((message.sent_at for message in batch.messages if message.role is Role.USER), default=now)
        async with self._database.begin(_COMMIT) as connection:
            await _check_unchanged(connection, claim, batch)
            await _check_shown(connection, shown)
            committed = await store_outcome(
                connection, outcome, tenant_id=claim.tenant_id, retracted_at=retracted_at, now=now
            )
            await _move_watermark(connection, batch)
            await _reset_attempts(connection, claim.session_id)
            await release_lease(connection, claim.lease)
        return committed

    async def back_off(self, claim: ExtractionClaim, *, retry_at: datetime) -> int:
        attempts = threads.c.extract_attempts
        here = threads.c.session_id == claim.session_id
        async with self._database.begin("back off from a thread") as connection:
            await lock_threads(connection, [claim.session_id])
            if not await release_lease(connection, claim.lease):
                return int((await connection.execute(select(attempts).where(here))).scalar_one())
            changed = update(threads).where(here).values(extract_attempts=attempts + 1, extract_retry_at=retry_at)
            return int((await connection.execute(changed.returning(attempts))).scalar_one())

    async def release(self, claim: ExtractionClaim) -> None:
        async with self._database.begin("give a thread back") as connection:
            await release_lease(connection, claim.lease)

    async def park(self, claim: ExtractionClaim, batch: ExtractionBatch, *, reason: str) -> None:
        async with self._database.begin("park a batch") as connection:
            await lock_threads(connection, [claim.session_id])
            if not await release_lease(connection, claim.lease):
                return
            await _reset_attempts(connection, claim.session_id)
            for message_id, version in sorted(batch.versions.items()):
                await connection.execute(
                    update(messages)
                    .where(messages.c.id == message_id, messages.c.version == version, messages.c.text.is_not(None))
                    .values(parked_reason=reason)
                )

    async def unpark(self) -> int:
        async with self._database.begin("unpark") as connection:
            await connection.execute(
                update(threads)
                .where((threads.c.extract_attempts > 0) | threads.c.extract_retry_at.is_not(None))
                .values(extract_attempts=0, extract_retry_at=None)
            )
            parked = update(messages).where(messages.c.parked_reason.is_not(None)).values(parked_reason=None)
            return (await connection.execute(parked)).rowcount


async def _check_unchanged(connection: AsyncConnection, claim: ExtractionClaim, batch: ExtractionBatch) -> None:
    """Hold all that a forget or an edit would touch, and see that none came first.

    Raises:
        StoreConflictError: One did, or the lease is lost.
    """
    await share_with_forgetting(connection, claim.tenant_id)
    if await lock_people(connection, batch.author_epochs) != dict(batch.author_epochs):
        raise StoreConflictError("sql", _COMMIT, "one of its people has forgotten something since")
    if (await lock_threads(connection, [claim.session_id])).get(claim.session_id) != batch.thread_epoch:
        raise StoreConflictError("sql", _COMMIT, "something in its thread was forgotten since")
    audience = select(threads.c.audience).where(threads.c.session_id == claim.session_id)
    if await connection.scalar(audience) != claim.audience:
        raise StoreConflictError("sql", _COMMIT, "its thread is for fewer readers since")
    if not await check_lease(connection, claim.lease):
        raise StoreConflictError("sql", _COMMIT, "its lease is lost")
    if await _versions_to_extract(connection, batch) != dict(batch.versions):
        raise StoreConflictError("sql", _COMMIT, "one of its messages has changed since")


async def _check_shown(connection: AsyncConnection, shown: Collection[Fact]) -> None:
    """Hold the facts that the model was shown, and see that each may still be known here; history may.

    Raises:
        StoreConflictError: One was forgotten, or is for other readers by now.
    """
    readers: dict[int, str] = {}
    for some in chunks(sorted(fact.fact_id for fact in shown)):
        query = select(facts.c.id, facts.c.audience).where(facts.c.id.in_(some)).order_by(facts.c.id)
        readers.update({row.id: row.audience for row in await connection.execute(query.with_for_update())})
    if readers != {fact.fact_id: fact.audience for fact in shown}:
        raise StoreConflictError("sql", _COMMIT, "a fact that was shown is forgotten or for fewer readers since")


async def _versions_to_extract(connection: AsyncConnection, batch: ExtractionBatch) -> dict[int, int]:
    versions: dict[int, int] = {}
    for some in chunks(sorted(batch.versions)):
        rows = await connection.execute(
            select(messages.c.id, messages.c.version)
            .where(
                messages.c.id.in_(some),
                messages.c.text.is_not(None),
                messages.c.extracted_version < messages.c.version,
            )
            .order_by(messages.c.id)
            .with_for_update()
        )
        versions.update({row.id: row.version for row in rows})
    return versions


async def _move_watermark(connection: AsyncConnection, batch: ExtractionBatch) -> None:
    for some in chunks(sorted(batch.versions)):
        await connection.execute(
            update(messages).where(messages.c.id.in_(some)).values(extracted_version=messages.c.version)
        )


async def _reset_attempts(connection: AsyncConnection, session_id: SessionId) -> None:
    await connection.execute(
        update(threads).where(threads.c.session_id == session_id).values(extract_attempts=0, extract_retry_at=None)
    )
