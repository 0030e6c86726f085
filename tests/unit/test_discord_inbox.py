"""What Discord tells waits in order, is tried again, and has a bound."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from bots.discord.errors import DiscordRefusedError, DiscordUnavailableError
from bots.discord.inbox import Inbox
from memory.errors import StoreUnavailableError


class Desk:
    """An inbox and what came of it."""

    def __init__(self, *, most: int = 100) -> None:
        self.done: list[str] = []
        self.rooms = 0
        self.gate = asyncio.Event()
        self.inbox = Inbox(on_room=self._room, most=most)

    def work(self, name: str, *errors: Exception, waits: bool = False) -> Callable[[], Awaitable[None]]:
        """Return work that fails so often before it is done, or waits at the gate."""
        left = list(errors)

        async def do() -> None:
            if waits:
                await self.gate.wait()
            if left:
                raise left.pop(0)
            self.done.append(name)

        return do

    def _room(self) -> None:
        self.rooms += 1


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """An inbox with room."""
    desk = Desk()
    yield desk
    await desk.inbox.close(grace_s=0)


async def test_events_of_a_channel_are_taken_in_order_and_channels_beside_each_other(desk: Desk) -> None:
    """One that waits holds up its own channel alone."""
    desk.inbox.put("ops", desk.work("ops 1", waits=True))
    desk.inbox.put("ops", desk.work("ops 2"))
    desk.inbox.put("dev", desk.work("dev 1"))
    while desk.done != ["dev 1"]:
        await asyncio.sleep(0)
    desk.gate.set()
    await desk.inbox.idle()

    assert desk.done == ["dev 1", "ops 1", "ops 2"]


@pytest.mark.parametrize(
    "error", [StoreUnavailableError("sql", "accept"), DiscordUnavailableError("channel", "status 503")]
)
async def test_what_is_out_of_reach_is_tried_again(desk: Desk, error: Exception) -> None:
    """And nothing of its channel overtakes it."""
    desk.inbox.put("ops", desk.work("one", error))
    desk.inbox.put("ops", desk.work("two"))
    await desk.inbox.idle()

    assert desk.done == ["one", "two"]


@pytest.mark.parametrize("error", [DiscordRefusedError("channel", 403, 50001), ValueError("a bug")])
async def test_what_cannot_be_done_holds_up_nothing(desk: Desk, error: Exception) -> None:
    """It is logged, and the next one is taken."""
    desk.inbox.put("ops", desk.work("one", error))
    desk.inbox.put("ops", desk.work("two"))
    await desk.inbox.idle()

    assert desk.done == ["two"]


async def test_what_is_too_much_is_dropped_and_told_of_when_there_is_room() -> None:
    """Once, when half of the room is free; then it takes events again."""
    desk = Desk(most=4)
    for number in range(7):
        desk.inbox.put(f"channel {number % 2}", desk.work(str(number), waits=True))
    assert desk.rooms == 0
    desk.gate.set()
    await desk.inbox.idle()

    assert sorted(desk.done) == ["0", "1", "2", "3"]
    assert desk.rooms == 1
    desk.inbox.put("channel 0", desk.work("8"))
    await desk.inbox.idle()
    assert desk.done[-1] == "8"


async def test_a_closed_inbox_takes_nothing_and_gives_up_what_is_out_of_reach() -> None:
    """In time, however long the record is away."""
    desk = Desk()
    desk.inbox.put("ops", desk.work("one", *[StoreUnavailableError("sql", "accept")] * 9))
    desk.inbox.put("ops", desk.work("two"))
    desk.inbox.put("dev", desk.work("three", waits=True))
    await asyncio.sleep(0)
    await desk.inbox.close(grace_s=0.05)
    desk.inbox.put("ops", desk.work("four"))
    await desk.inbox.idle()

    assert "three" not in desk.done
    assert "four" not in desk.done
