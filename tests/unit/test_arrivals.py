"""What arrives goes first, but not for ever."""

import asyncio

from bots.delivery.arrivals import Arrivals


async def test_nothing_is_waited_for_when_nothing_arrives() -> None:
    """Not even one turn of the loop."""
    arrivals = Arrivals()
    with arrivals.another():
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
    with arrivals.another():
        with arrivals.another():
            waiting = asyncio.ensure_future(arrivals.over(within_s=60))
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting


async def test_the_wait_has_an_end() -> None:
    """A record that hangs while it takes something in holds up no turn for long."""
    arrivals = Arrivals()
    with arrivals.another():
        await arrivals.over(within_s=0.001)
