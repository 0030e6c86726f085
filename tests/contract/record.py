"""A thread as the bot makes it: messages accepted, answered, and learned from, through the stores themselves."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text

from memory.audience import everyone_in, private_to, scope_for
from memory.lexical import terms
from memory.model import (
    Accepted,
    Attachment,
    Audience,
    ChannelId,
    Episode,
    FactKind,
    FactSource,
    Failure,
    InboundMessage,
    MemoryKey,
    Message,
    NewFact,
    NewReply,
    Person,
    Place,
    Recallable,
    Receipt,
    SessionId,
    Subject,
    TenantId,
    TurnClaim,
    UserId,
)
from memory.model.work import Committed, ExtractionBatch, ExtractionClaim, Outcome
from memory.stores.sql.database import Database
from memory.stores.sql.erasure import SqlErasureStore
from memory.stores.sql.extraction import SqlExtractionStore
from memory.stores.sql.facts import SqlFactStore
from memory.stores.sql.messages import SqlMessageStore
from memory.stores.sql.recall import SqlRecallStore
from memory.stores.sql.schema import messages
from memory.stores.sql.threads import is_waiting, message_of
from tests.fakes.clock import FrozenClock

TENANT = TenantId("test:T1")
ANNA = Person(user_id=UserId("test:T1:anna"), name="Anna")
BOB = Person(user_id=UserId("test:T1:bob"), name="Bob")
CHANNEL = ChannelId("test:T1:ops")
NOBODYS = TenantId("test:dm")
"""Direct messages of people who have nothing in common."""
DORA = Person(user_id=UserId("test:dm:dora"), name="Dora")
EVE = Person(user_id=UserId("test:dm:eve"), name="Eve")
PUBLIC = everyone_in(TENANT)
LEASE_S = 60.0


def public_thread(name: str = "one") -> Place:
    """Return a thread of a public channel."""
    return Place(
        session_id=SessionId(f"test:T1:ops:{name}"),
        channel_id=CHANNEL,
        tenant_id=TENANT,
        audience=PUBLIC,
        shared=True,
    )


def private_thread(person: Person = ANNA, name: str = "one") -> Place:
    """Return a thread of a person's DM."""
    return Place(
        session_id=SessionId(f"{person.user_id}:dm:{name}"),
        channel_id=ChannelId(f"{person.user_id}:dm"),
        tenant_id=TENANT,
        audience=private_to(person.user_id),
        shared=False,
    )


class Record:
    """The stores over one database, and short ways to fill it."""

    def __init__(self, database: Database, clock: FrozenClock) -> None:
        self.database = database
        self.clock = clock
        self.messages = SqlMessageStore(database)
        self.facts = SqlFactStore(database)
        self.extraction = SqlExtractionStore(database)
        self.erasure = SqlErasureStore(database)
        self._delivered = 0

    async def until_it_waits(self, task: asyncio.Task[Any]) -> None:
        """Return once a task is done or waits for a lock; on SQLite there is one writer at a time anyway."""
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        while self.database.dialect == "postgresql" and not task.done():
            async with self.database.read() as connection:
                if await connection.scalar(waiting):
                    return

    async def edit(
        self,
        session_id: SessionId,
        platform_message_id: str,
        words: str,
        *,
        person: Person = ANNA,
        edited_at: datetime | None = None,
        attachments: Sequence[Attachment] | None = None,
    ) -> Receipt | None:
        """Take an edit; the time passes by an instant before it, unless another one is given."""
        self.clock.advance(0.001)
        at = edited_at or self.clock.now()
        return await self.erasure.edit_message(
            session_id, platform_message_id, words, edited_at=at, actor=person.user_id, attachments=attachments
        )

    async def say(
        self, words: str, *, person: Person = ANNA, place: Place | None = None, attachments: Sequence[Attachment] = ()
    ) -> Message:
        """Accept a message that is not answered yet."""
        self._delivered += 1
        self.clock.advance(1)
        accepted = await self.deliver(f"p{self._delivered}", words, person=person, place=place, attachments=attachments)
        (message,) = [each for each in await self.unanswered() if each.message_id == accepted.message_id]
        return message

    async def deliver(
        self,
        platform_id: str,
        words: str,
        *,
        person: Person = ANNA,
        place: Place | None = None,
        attachments: Sequence[Attachment] = (),
    ) -> Accepted:
        """Accept a delivery of a message, the first or another one."""
        return await self.messages.accept(
            InboundMessage(
                place=place or public_thread(),
                platform_message_id=platform_id,
                author=person,
                text=words,
                sent_at=self.clock.now(),
                link=f"https://chat.test/{platform_id}",
                attachments=tuple(attachments),
            )
        )

    async def unanswered(self) -> list[Message]:
        """Return all messages that want an answer, first accepted first."""
        async with self.database.read() as connection:
            rows = await connection.execute(select(messages).where(is_waiting(messages)).order_by(messages.c.id))
            return [message_of(row) for row in rows]

    async def answer(
        self, message: Message, words: str | None, *, used: Sequence[MemoryKey] = (), tokens: int | None = None
    ) -> Message | None:
        """Settle a message; without words, as failed."""
        claim = await self.messages.begin_turn(message.message_id, holder="w", lease_s=LEASE_S)
        assert claim is not None
        return await self.answer_claim(claim, words, used=used, tokens=tokens)

    async def answer_claim(
        self, claim: TurnClaim, words: str | None, *, used: Sequence[MemoryKey] = (), tokens: int | None = None
    ) -> Message | None:
        """Settle a turn that was begun before, and show how it ended."""
        stored = await self.settle_claim(claim, words, used=used, tokens=tokens)
        await self.messages.mark_shown(claim)
        return stored

    async def settle(
        self, message: Message, words: str | None, *, used: Sequence[MemoryKey] = (), lease_s: float = LEASE_S
    ) -> TurnClaim:
        """Settle a message whose end nobody has shown yet; return the claim to show it."""
        claim = await self.messages.begin_turn(message.message_id, holder="w", lease_s=lease_s)
        assert claim is not None
        await self.settle_claim(claim, words, used=used)
        return claim

    async def settle_claim(
        self, claim: TurnClaim, words: str | None, *, used: Sequence[MemoryKey] = (), tokens: int | None = None
    ) -> Message | None:
        """Settle a turn that was begun before; nobody has shown how it ended yet."""
        self.clock.advance(1)
        if words is None:
            return await self.messages.settle(claim, Failure(words="It failed.", correlation_id="c0ffee"))
        reply = NewReply(text=words, sent_at=self.clock.now(), used=tuple(used), tokens=tokens)
        return await self.messages.settle(claim, reply)

    async def talk(
        self,
        words: str,
        reply: str = "Noted.",
        *,
        person: Person = ANNA,
        place: Place | None = None,
        used: Sequence[MemoryKey] = (),
    ) -> Message:
        """Accept a message and answer it; return the message."""
        message = await self.say(words, person=person, place=place)
        await self.answer(message, reply, used=used)
        return message

    async def claim(self, *, holder: str = "sweep", busy_turns: int = 1, limit: int = 10) -> Sequence[ExtractionClaim]:
        """Claim threads that have at least `busy_turns` new turns."""
        return await self.extraction.claim(
            idle_before=self.clock.now() - timedelta(days=1),
            busy_turns=busy_turns,
            holder=holder,
            lease_s=LEASE_S,
            limit=limit,
        )

    async def claim_one(self, *, holder: str = "sweep") -> tuple[ExtractionClaim, ExtractionBatch]:
        """Claim and load the only thread that is due."""
        (claim,) = await self.claim(holder=holder)
        return claim, await self.extraction.load(claim, limit=50)

    async def learn(self, outcome: Outcome) -> Committed:
        """Extract `outcome` from the only thread that is due."""
        claim, batch = await self.claim_one()
        return await self.extraction.commit(claim, batch, outcome, shown=())

    async def found(self, place: Place, reader: Person, words: str, *, own_turns: int = 0) -> set[MemoryKey]:
        """Return what the search alone finds for somebody in a place: by words, and so many of their own turns."""
        store, scope = SqlRecallStore(self.database), scope_for(place, reader.user_id)
        candidates = await store.search(scope, terms(words), limit=50, own_turns=own_turns)
        own = {ref.key for ref in candidates.own if own_turns}
        return own | {hit.key for hit in candidates.lexical.hits}

    async def recalled(
        self, place: Place, reader: Person, words: str, *, own_turns: int = 0
    ) -> dict[MemoryKey, Recallable]:
        """Return what of that the record shows."""
        store, scope = SqlRecallStore(self.database), scope_for(place, reader.user_id)
        keys = await self.found(place, reader, words, own_turns=own_turns)
        return {memory.key: memory for memory in await store.fetch(scope, keys)}

    async def rows(self, table: str) -> int:
        """Return how many rows a table has."""
        async with self.database.read() as connection:
            return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())  # noqa: S608

    async def holding(self, words: str) -> list[str]:
        """Return which tables hold `words` in a column; the bytes inside full-text segments are for compaction."""
        async with self.database.read() as connection:
            names = _SQLITE_TABLES if self.database.dialect == "sqlite" else _POSTGRESQL_TABLES
            tables = list((await connection.execute(text(names))).scalars())
            found = []
            for table in tables:
                rows = (await connection.execute(text(f'SELECT * FROM "{table}"'))).all()  # noqa: S608
                if any(words.casefold() in _shown(value) for row in rows for value in row):
                    found.append(table)
        return found


_SQLITE_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
_POSTGRESQL_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


def _shown(value: object) -> str:
    return "" if isinstance(value, bytes) else str(value).casefold()


def channel_of(session_id: SessionId) -> ChannelId:
    """Return the channel of a thread: here its id begins with the channel's."""
    return ChannelId(session_id.rpartition(":")[0])


def source_of(message: Message, *, audience: Audience = PUBLIC) -> FactSource:
    """Return a message as the source of a fact."""
    assert message.author is not None
    return FactSource(
        message_id=message.message_id,
        message_version=message.version,
        author_id=message.author.user_id,
        session_id=message.session_id,
        channel_id=channel_of(message.session_id),
        audience=audience,
        said_at=message.sent_at,
        link=message.link,
    )


def fact_from(
    words: str,
    *said: Message,
    subject: Subject = "person",
    audience: Audience = PUBLIC,
    tenant_id: TenantId = TENANT,
) -> NewFact:
    """Return a fact that came from messages, the first of which names the owner."""
    author = said[0].author
    assert author is not None
    return NewFact(
        tenant_id=tenant_id,
        owner=author.user_id,
        subject=subject,
        kind=FactKind.ENVIRONMENT,
        text=words,
        audience=audience,
        said_at=said[0].sent_at,
        sources=tuple(source_of(message, audience=audience) for message in said),
    )


def remembered(words: str, clock: FrozenClock, *, person: Person = ANNA, place: Place | None = None) -> NewFact:
    """Return a fact as `/remember` makes it."""
    place = place or private_thread(person)
    source = FactSource(
        message_id=None,
        message_version=1,
        author_id=person.user_id,
        session_id=place.session_id,
        channel_id=place.channel_id,
        audience=place.audience,
        said_at=clock.now(),
    )
    return NewFact(
        tenant_id=TENANT,
        owner=person.user_id,
        subject="person",
        kind=FactKind.OTHER,
        text=words,
        audience=place.audience,
        said_at=clock.now(),
        sources=(source,),
    )


def episode_of(*said: Message, words: str = "Rollout of EKS 1.30", audience: Audience = PUBLIC) -> Episode:
    """Return an episode that tells of messages."""
    people = {message.author.user_id: message.author for message in said if message.author}
    return Episode(
        session_id=said[0].session_id,
        tenant_id=TENANT,
        audience=audience,
        title=words,
        happened="They upgraded it.",
        outcome="It worked.",
        started_at=said[0].sent_at,
        ended_at=said[-1].sent_at,
        people=tuple(people.values()),
        sources=tuple(message.message_id for message in said),
    )
