"""What is past its retention leaves by itself, and nothing else does."""

import asyncio

import pytest

from memory.bootstrap import compose
from memory.jobs.expire import expire
from memory.model import ExtractionReply, ProposedEpisode, Receipt
from memory.stores.sql.admin import SqlRecordAdmin
from tests.fakes.values import dm, person
from tests.fixtures.core import Core

ANA = person("ana")
_DAY_S = 86_400


async def lived_through(core: Core) -> None:
    """Let Ana have a conversation that became an episode, and a fact."""
    await core.say("checkout-7f9c is OOMKilled", place=dm("ana"), author=ANA)
    episode = ProposedEpisode(title="checkout OOMKilled", happened="checkout-7f9c was OOMKilled", messages=[1])
    core.model.extractions = [ExtractionReply(episode=episode)]
    assert (await core.recall.sweep()).episodes == 1
    await core.recall.personal.remember(dm("ana"), ANA, "my shell is fish")


async def kinds(core: Core) -> list[str]:
    """Return of what kind Ana's memories are."""
    return sorted(memory.kind for memory in await core.recall.personal.memories(ANA.user_id))


async def test_the_clockwork_removes_what_is_past_its_retention(core: Core) -> None:
    """After a year the episode and the words go, with their vectors; the fact stays."""
    await lived_through(core)
    core.clock.advance(366 * _DAY_S)
    await core.say("what is my shell?", place=dm("ana", "new"), author=ANA)
    _, scheduler = compose(core.settings, core.stores, core.model)
    scheduler.start()
    scheduler.wake("expire")
    async with asyncio.timeout(30):
        while "episode" in await kinds(core):
            await asyncio.sleep(0.01)
    await scheduler.close()
    await core.recall.outbox.drain()

    history = await core.recall.service.history(dm("ana").session_id, limit=9)
    recent = await core.recall.service.history(dm("ana", "new").session_id, limit=9)
    assert (await kinds(core), history, len(recent)) == (["other"], (), 2)
    assert await core.index.count() == 2


@pytest.mark.parametrize(("days", "is_kept"), [(0.0, True), (0.5, False), (2.0, True)])
async def test_retention_is_counted_in_days(core: Core, days: float, *, is_kept: bool) -> None:
    """Fractions of a day count, and 0 keeps everything."""
    await lived_through(core)
    core.clock.advance(_DAY_S)
    admin = SqlRecordAdmin(core.stores.database)

    receipt = await expire(admin=admin, clock=core.clock, retention_days=days)

    assert (receipt == Receipt()) is is_kept
    assert ("episode" in await kinds(core)) is is_kept
