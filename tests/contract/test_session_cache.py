"""What every session cache must do."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import redis.asyncio

from memory.errors import StoreUnavailableError
from memory.model import (
    MemoryKey,
    Message,
    MessageId,
    Person,
    Pin,
    Role,
    SessionId,
    Summary,
    ThreadHead,
    ThreadState,
    UserId,
)
from memory.ports import SessionCache
from memory.stores.in_memory import InMemorySessionCache
from memory.stores.redis import open_redis
from tests.fixtures.servers import MAX_MESSAGES, TTL_S

A = SessionId("console:local:{main}:a")
B = SessionId("console:local:{main}:b")


def head(version: int, epoch: int = 0, session_id: SessionId = A) -> ThreadHead:
    """Return a head."""
    return ThreadHead(session_id=session_id, version=version, forget_epoch=epoch)


def message(number: int, session_id: SessionId = A, text: str = "") -> Message:
    """Return a person's message."""
    return Message(
        message_id=MessageId(number),
        session_id=session_id,
        role=Role.USER,
        author=Person(user_id=UserId("console:local:ann"), name="Ann"),
        text=text or f"message {number}",
        sent_at=datetime(2026, 11, 2, 9, 0, number % 60, 123456, tzinfo=UTC),
    )


def thread(version: int, *numbers: int, epoch: int = 0, session_id: SessionId = A) -> ThreadState:
    """Return a thread with messages of these numbers."""
    messages = tuple(message(number, session_id) for number in numbers)
    return ThreadState(head=head(version, epoch, session_id), summary=Summary(), messages=messages)


async def test_load_returns_what_replace_wrote(session_cache: SessionCache) -> None:
    """A copy comes back whole: head, summary with pins, and every field of every message, whatever the text."""
    reply = replace(
        message(2, text="ok\x00 \u202eabc\U0001f600 \ud83d"),
        role=Role.ASSISTANT,
        author=None,
        version=3,
        reply_to=MessageId(1),
        used=(MemoryKey("f7"), MemoryKey("m1.1")),
        link="https://example.org/1",
    )
    pins = (Pin(text="/etc/hosts", kind="path", said_by=Role.USER, message_id=MessageId(1)),)
    state = ThreadState(
        head=head(4, 2),
        summary=Summary(text="They spoke of hosts.", pins=pins, through=MessageId(1)),
        messages=(message(1), reply),
    )

    assert await session_cache.replace(state)

    assert await session_cache.load(A) == state


async def test_load_of_unknown_thread_is_none(session_cache: SessionCache) -> None:
    """No copy is no error."""
    assert await session_cache.load(A) is None


async def test_empty_thread_is_a_copy_too(session_cache: SessionCache) -> None:
    """A thread without messages is known to be empty, which is not the same as unknown."""
    await session_cache.replace(thread(1))

    assert await session_cache.load(A) == thread(1)


async def test_append_adds_in_order_and_moves_the_head(session_cache: SessionCache) -> None:
    """Appended messages follow those that were there."""
    await session_cache.replace(thread(1, 1, 2))

    assert await session_cache.append([message(3), message(4)], before=head(1), after=head(2))
    assert await session_cache.append([message(5)], before=head(2), after=head(3))

    assert await session_cache.load(A) == thread(3, 1, 2, 3, 4, 5)


async def test_append_of_nothing_moves_the_head(session_cache: SessionCache) -> None:
    """A turn may settle without words."""
    await session_cache.replace(thread(1, 1))

    assert await session_cache.append([], before=head(1), after=head(2))

    assert await session_cache.load(A) == thread(2, 1)


@pytest.mark.parametrize("other", [head(2), head(0), head(1, 1)], ids=["newer", "older", "forgotten"])
async def test_append_on_another_head_evicts(session_cache: SessionCache, other: ThreadHead) -> None:
    """A copy that is not what the writer saw is removed, so that the next load rebuilds it."""
    await session_cache.replace(thread(1, 1))

    assert not await session_cache.append([message(2)], before=other, after=head(9))

    assert await session_cache.load(A) is None


async def test_append_without_a_copy_makes_none(session_cache: SessionCache) -> None:
    """Half a thread is never written."""
    assert not await session_cache.append([message(2)], before=head(0), after=head(1))

    assert await session_cache.load(A) is None


async def test_append_beyond_the_bound_evicts_instead_of_cutting(session_cache: SessionCache) -> None:
    """A copy never silently lacks its oldest messages."""
    full = thread(1, *range(1, MAX_MESSAGES + 1))
    assert await session_cache.replace(full)
    assert await session_cache.load(A) == full

    assert not await session_cache.append([message(99)], before=head(1), after=head(2))

    assert await session_cache.load(A) is None


async def test_replace_beyond_the_bound_leaves_no_copy(session_cache: SessionCache) -> None:
    """A thread that is too long is not cached, and what an older copy said of it goes."""
    await session_cache.replace(thread(1, 1))

    assert not await session_cache.replace(thread(2, *range(MAX_MESSAGES + 1)))

    assert await session_cache.load(A) is None


@pytest.mark.parametrize(
    ("there", "offered", "wins"),
    [
        (head(3), head(4), True),
        (head(3), head(3), False),
        (head(3), head(2), False),
        (head(9, 1), head(2, 2), True),
        (head(2, 2), head(9, 1), False),
        (head(9), head(10), True),
    ],
)
async def test_replace_keeps_the_newer(
    session_cache: SessionCache, there: ThreadHead, offered: ThreadHead, *, wins: bool
) -> None:
    """An older copy never overwrites a newer one, and forgetting counts before the version."""
    await session_cache.replace(replace(thread(0, 1), head=there))

    assert await session_cache.replace(replace(thread(0, 2), head=offered)) is wins

    copy = await session_cache.load(A)
    assert copy is not None
    assert copy.head == (offered if wins else there)
    assert [one.message_id for one in copy.messages] == [2 if wins else 1]


async def test_evict_removes_only_what_is_named(session_cache: SessionCache) -> None:
    """Other threads stay; unknown ones are fine; nothing to evict is fine."""
    await session_cache.replace(thread(1, 1))
    await session_cache.replace(thread(1, 2, session_id=B))

    await session_cache.evict([head(1), head(1, session_id=SessionId("never seen"))])
    await session_cache.evict([])

    assert await session_cache.load(A) is None
    assert await session_cache.load(B) == thread(1, 2, session_id=B)


@pytest.mark.parametrize(
    "now", [head(4), head(10), head(4, 1), head(1, 1)], ids=["edit", "edits", "forget", "fewer versions"]
)
async def test_evict_turns_older_copies_away(session_cache: SessionCache, now: ThreadHead) -> None:
    """What was read before an edit or a forget cannot be written, nor appended to, after it."""
    await session_cache.replace(thread(3, 1))
    await session_cache.evict([now, replace(now, session_id=B)])

    assert not await session_cache.replace(thread(3, 1))
    assert not await session_cache.replace(thread(3, 1, session_id=B))
    assert not await session_cache.append([message(2)], before=head(3), after=head(4))
    assert (await session_cache.load(A), await session_cache.load(B)) == (None, None)

    assert await session_cache.replace(replace(thread(0, 5), head=now))
    assert await session_cache.load(A) == replace(thread(0, 5), head=now)


async def test_an_evicted_copy_can_be_written_anew(session_cache: SessionCache) -> None:
    """What the record says at the very head that was evicted is no older text."""
    await session_cache.replace(thread(1, 1))
    await session_cache.evict([head(1)])

    assert await session_cache.replace(thread(1, 1))
    assert await session_cache.load(A) == thread(1, 1)


@pytest.mark.parametrize("newer", [head(4), head(10), head(1, 1)], ids=["version", "two digits", "epoch"])
async def test_evict_leaves_a_newer_copy(session_cache: SessionCache, newer: ThreadHead) -> None:
    """It was made after a later change, and holds nothing that this one removed."""
    await session_cache.replace(replace(thread(0, 1), head=newer))
    await session_cache.evict([head(3)])

    assert await session_cache.load(A) == replace(thread(0, 1), head=newer)


async def test_a_late_evict_does_not_open_the_way_for_older_copies(session_cache: SessionCache) -> None:
    """Of two that come in the wrong order, the newer counts."""
    await session_cache.evict([head(5, 1)])
    await session_cache.evict([head(9)])
    await session_cache.evict([head(4, 1)])

    assert not await session_cache.replace(thread(9, 1))
    assert not await session_cache.replace(thread(4, 1, epoch=1))
    assert await session_cache.replace(thread(5, 1, epoch=1))


async def test_a_removed_copy_turns_older_ones_away(session_cache: SessionCache) -> None:
    """A copy that a mismatch or its length removed does not make room for one from before a forget."""
    await session_cache.replace(thread(1, 1, epoch=1))
    await session_cache.append([message(2)], before=head(9), after=head(10))
    await session_cache.replace(thread(1, *range(MAX_MESSAGES + 1), epoch=1, session_id=B))

    assert not await session_cache.replace(thread(9, 1))
    assert not await session_cache.replace(thread(9, 1, session_id=B))
    assert not await session_cache.append([], before=head(1, 1, B), after=head(2, 1, B))
    assert (await session_cache.load(A), await session_cache.load(B)) == (None, None)


async def test_concurrent_appends_lose_nothing(session_cache: SessionCache) -> None:
    """Of writers that saw the same head one wins, and no copy ever lacks an earlier message."""
    await session_cache.replace(thread(1, 1))

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(session_cache.append([message(10 + n)], before=head(1), after=head(2 + n)))
            for n in range(5)
        ]

    assert sum(task.result() for task in tasks) == 1
    assert await session_cache.load(A) is None  # the others found another head: rebuilt from the record, whole


async def test_ping_answers(session_cache: SessionCache) -> None:
    """A cache that works says so."""
    await session_cache.ping()


async def test_in_memory_copy_expires() -> None:
    """The time to live is refreshed by reading and by writing, and then over."""
    now = [0.0]
    cache = InMemorySessionCache(ttl_s=10, max_messages=9, monotonic=lambda: now[0])
    await cache.replace(thread(1, 1))
    now[0] = 9
    assert await cache.load(A) is not None
    now[0] = 18
    assert await cache.append([message(2)], before=head(1), after=head(2))
    now[0] = 27
    assert await cache.load(A) is not None
    now[0] = 37

    assert await cache.load(A) is None


async def test_closed_in_memory_cache_is_unavailable() -> None:
    """Closed is like unreachable."""
    cache = InMemorySessionCache(ttl_s=10, max_messages=9)
    cache.close()

    with pytest.raises(StoreUnavailableError):
        await cache.load(A)


OPERATIONS: dict[str, Callable[[SessionCache], object]] = {
    "load": lambda cache: cache.load(A),
    "append": lambda cache: cache.append([message(2)], before=head(1), after=head(2)),
    "replace": lambda cache: cache.replace(thread(5, 1, 2)),
    "refused replace": lambda cache: cache.replace(thread(0, 1)),
    "evict another": lambda cache: cache.evict([head(0, session_id=B)]),
}


@pytest.mark.service
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_every_key_has_a_time_to_live(valkey_url: str, valkey: "redis.asyncio.Redis", operation: str) -> None:
    """After whatever operation, no key in the whole server lives for ever, and reads and writes refresh it."""
    async with open_redis(valkey_url, ttl_s=TTL_S, max_messages=MAX_MESSAGES) as cache:
        await cache.replace(thread(1, 1))
        keys = [key async for key in valkey.scan_iter()]
        assert keys
        for key in keys:
            assert key.startswith(b"recall:{")
            await valkey.pexpire(key, 20_000)

        await OPERATIONS[operation](cache)  # type: ignore[misc]

        left = [await valkey.pttl(key) async for key in valkey.scan_iter()]
        refreshed = operation in {"load", "append", "replace"}
        assert left
        assert all((20_000 if refreshed else 0) < each <= TTL_S * 1000 for each in left)


@pytest.mark.service
async def test_two_clients_appending_lose_nothing(valkey_url: str, valkey: "redis.asyncio.Redis") -> None:
    """Two processes that saw the same head: one wins, the other is told, and nobody loads a wrong copy."""
    del valkey
    async with (
        open_redis(valkey_url, ttl_s=TTL_S, max_messages=99) as one,
        open_redis(valkey_url, ttl_s=TTL_S, max_messages=99) as two,
    ):
        await one.replace(thread(1, 1))
        async with asyncio.TaskGroup() as group:
            first = group.create_task(one.append([message(2)], before=head(1), after=head(2)))
            second = group.create_task(two.append([message(3)], before=head(1), after=head(2)))

        assert {first.result(), second.result()} == {True, False}
        assert await one.load(A) is None


@pytest.mark.service
async def test_each_operation_is_one_round_trip(valkey_url: str, valkey: "redis.asyncio.Redis") -> None:
    """The server sees one command, or one MULTI, for one operation."""
    async with open_redis(valkey_url, ttl_s=TTL_S, max_messages=99) as cache:
        await cache.replace(thread(1, 1))
        await cache.append([message(2)], before=head(1), after=head(2))  # both scripts are loaded now
        before = (await valkey.info("stats"))["total_reads_processed"]

        await cache.load(A)
        await cache.append([message(3)], before=head(2), after=head(3))
        await cache.replace(thread(9, 1))
        await cache.evict([head(9), head(9, session_id=B)])

        after = (await valkey.info("stats"))["total_reads_processed"]
        assert after - before == 4 + 1  # one read each, and the second question itself
