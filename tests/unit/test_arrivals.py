"""What arrives goes first, but not for ever."""

import asyncio

from bots.delivery.arrivals import Arrivals
from memory.model import SessionId

THREAD, OTHER = SessionId("test:one"), SessionId("test:other")


async def test_nothing_is_waited_for_when_nothing_arrives() -> None:
    """Not even one turn of the loop."""
    arrivals = Arrivals()
    with arrivals.another(THREAD):
        pass
    waiting = arrivals.over(within_s=0)
    try:
        waiting.send(None)
    except StopIteration:
        return
    raise AssertionError("it waited")


async def test_the_last_one_ends_the_wait() -> None:
    """However many there were at once."""
    arrivals = Arrivals()
    with arrivals.another(THREAD):
        with arrivals.another(THREAD):
            waiting = asyncio.ensure_future(arrivals.over(within_s=60))
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting


async def test_the_wait_has_an_end() -> None:
    """A record that hangs while it takes something in holds up no turn for long."""
    arrivals = Arrivals()
    with arrivals.another(THREAD):
        await arrivals.over(within_s=0.001)


def test_a_thread_knows_what_arrives_in_it() -> None:
    """In it and in no other, until the last one is in."""
    arrivals = Arrivals()
    with arrivals.another(THREAD):
        with arrivals.another(THREAD):
            assert arrivals.are_in(THREAD)
        assert (arrivals.are_in(THREAD), arrivals.are_in(OTHER)) == (True, False)
    assert not arrivals.are_in(THREAD)
