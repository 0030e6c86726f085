"""Which process acts on what a shard tells: all that are connected hear all of it, and one at a time holds the lease.

The others keep what they heard lately; who takes the lease over acts on that too, since the former holder may have died
over it. What was done already the record knows.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bots.discord.inbox import FIRST_RETRY_S, LONGEST_RETRY_S, Inbox, Work
from memory.clock import SystemTimer
from memory.errors import RecallError
from memory.leases import renewed
from memory.model.work import Lease
from memory.ports import Clock, LeaseStore, Timer
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)

LEASE_S = 15.0
TRIES_IN_A_LEASE = 3
KEPT = timedelta(seconds=60)
"""How long what others act on is kept; a lease that nobody renews is over long before."""
MOST_KEPT = 2_000

Backlog = Callable[[int], Awaitable[Sequence[tuple[str, Work]]]]
"""What is to be read back for a shard before anything new is taken: by channel."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """An event that is kept; `is_others` when another process acted for its shard."""

    at: float
    channel: str
    work: Work
    is_others: bool


class _Shard:
    """One shard, as this process stands to it.

    Attributes:
        connected: It is heard now.
        cut_off: It is not.
        is_ready: Its session has begun, so that servers and channels are known.
        taken: The lease is this process's.
        is_open: What was to be read back is in the inbox, so what comes goes there as well.
        is_paused: It was open when it was cut off; if its session goes on, nothing was missed.
        is_others: Another process acts for it; not where the record does not say so.
        gaps: How often something may have been missed; what is read back for an earlier gap does not close a later one.
        kept: What was heard while it was not open, the newest of it.
    """

    def __init__(self) -> None:
        self.connected = asyncio.Event()
        self.cut_off = asyncio.Event()
        self.is_ready = False
        self.taken = asyncio.Event()
        self.is_open = False
        self.is_paused = False
        self.gaps = 0
        self.is_others = False
        self.kept: deque[_Heard] = deque(maxlen=MOST_KEPT)

    @property
    def is_held(self) -> bool:
        """Whether the lease is this process's."""
        return self.taken.is_set()

    @property
    def is_behind(self) -> bool:
        """Whether it is this process's to act for it, and something is to be read back first."""
        return self.is_held and self.is_ready and self.connected.is_set() and not self.is_open

    def miss(self) -> None:
        """Know that something may have been missed, which is to be read back."""
        self.is_open = self.is_paused = False
        self.gaps += 1


class Shifts:
    """Takes the shifts of one process.

    Args:
        leases: The record's.
        holder: Names this process.
        inbox: Does the work.
        backlog: Says what is to be read back.
        clock: The time of day.
        timer: How time passes for the leases.
        lease_s: How long a lease holds without renewal, in seconds.
    """

    def __init__(
        self,
        *,
        leases: LeaseStore,
        holder: str,
        inbox: Inbox,
        backlog: Backlog,
        clock: Clock,
        timer: Timer | None = None,
        lease_s: float = LEASE_S,
    ) -> None:
        self._leases = leases
        self._holder = holder
        self._inbox = inbox
        self._backlog = backlog
        self._clock = clock
        self._timer = timer or SystemTimer()
        self._lease_s = lease_s
        self._shards: dict[int, _Shard] = {}
        self._tasks = TaskTracker()
        self._is_closing = asyncio.Event()

    def holds(self, number: int) -> bool:
        """Whether this process acts for a shard."""
        return self._shard(number).is_held

    async def holds_soon(self, number: int, *, within_s: float) -> bool:
        """Whether this process acts for a shard now, or within so many seconds: it may be about to take it over."""
        shard = self._shard(number)
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await shard.taken.wait()
        return shard.is_held

    def put(self, number: int, channel: str, work: Work) -> None:
        """Have an event taken, after all others of its channel, if it is this process's to take."""
        shard = self._shard(number)
        if shard.is_open:
            self._inbox.put(channel, work)
            return
        if shard.is_held and len(shard.kept) == MOST_KEPT:
            shard.miss()  # the oldest is dropped, so what is being read back does not cover it
        shard.kept.append(_Heard(self._clock.now().timestamp(), channel, work, is_others=shard.is_others))

    def began(self, number: int, *, of: str) -> None:
        """Know that a shard's session began: what was said before is not told, and has to be read back.

        Args:
            number: The shard.
            of: Names the bot, and into how many shards it is cut.
        """
        shard = self._shard(number)
        is_first = not shard.is_ready
        shard.is_ready = True
        shard.miss()
        self.connected(number, is_so=True)
        if is_first:
            self._tasks.start(self._tend(number, shard, name=f"discord {of} {number}"), name=f"tend shard {number}")

    def connected(self, number: int, *, is_so: bool) -> None:
        """Know whether a shard is heard; who hears nothing for long leaves it to the others.

        What is heard after it was cut off waits until it is known whether its session goes on: else what was said
        meanwhile comes first.
        """
        shard = self._shard(number)
        (shard.connected.set if is_so else shard.connected.clear)()
        (shard.cut_off.clear if is_so else shard.cut_off.set)()
        if not is_so:
            shard.is_paused = shard.is_paused or shard.is_open
            shard.is_open = False
        elif shard.is_paused:
            self._resume(shard, ())
        else:
            self._open(number, shard)

    def read_back(self) -> None:
        """Have everything read back again: something was dropped."""
        for number, shard in self._shards.items():
            shard.miss()
            self._open(number, shard)

    async def close(self) -> None:
        """Act on nothing more, and let others take over."""
        self._is_closing.set()
        await self._tasks.close(grace_s=self._lease_s)

    def _shard(self, number: int) -> _Shard:
        return self._shards.setdefault(number, _Shard())

    async def _tend(self, number: int, shard: _Shard, *, name: str) -> None:
        """Hold the lease of a shard whenever it can be had."""
        while not self._is_closing.is_set():
            await _first_of(shard.connected, self._is_closing)
            lease = None if self._is_closing.is_set() else await self._claimed(number, shard, name)
            if lease is None:
                await self._pause(self._lease_s / TRIES_IN_A_LEASE)
            else:
                await self._hold(number, shard, lease)

    async def _claimed(self, number: int, shard: _Shard, name: str) -> Lease | None:
        try:
            lease = await self._leases.claim(name, holder=self._holder, lease_s=self._lease_s)
        except RecallError as error:
            _log.warning("shard_not_claimed", shard=number, reason=str(error))
            shard.is_others = False
            return None
        shard.is_others = lease is None
        return lease

    async def _hold(self, number: int, shard: _Shard, lease: Lease) -> None:
        """Act for a shard for as long as its lease is held, and it is heard."""
        lost = asyncio.Event()

        async def renew() -> bool:
            return await self._leases.renew(lease, lease_s=self._lease_s)

        held = renewed(renew, name=lease.name, lease_s=self._lease_s, on_lost=lost.set, timer=self._timer)
        async with held:
            _log.info("shard_taken", shard=number)
            shard.taken.set()
            self._open(number, shard)
            await self._until_given_up(shard, lost)
        shard.taken.clear()
        shard.is_open = shard.is_paused = False
        _log.info("shard_given_up", shard=number)
        with suppress(RecallError):
            await self._leases.release(lease)

    async def _until_given_up(self, shard: _Shard, lost: asyncio.Event) -> None:
        while not (lost.is_set() or self._is_closing.is_set()):
            await _first_of(lost, self._is_closing, shard.cut_off)
            if shard.cut_off.is_set():
                try:
                    async with asyncio.timeout(self._lease_s):
                        await _first_of(lost, self._is_closing, shard.connected)
                except TimeoutError:
                    return

    def _open(self, number: int, shard: _Shard) -> None:
        """Begin to act for a shard, if it is this process's to do."""
        if shard.is_behind:
            self._tasks.start(self._catch_up(number, shard), name=f"catch up shard {number}")

    async def _catch_up(self, number: int, shard: _Shard) -> None:
        """Have read back what is to be, then take what came meanwhile; new events go behind both."""
        retry_s = FIRST_RETRY_S
        while shard.is_behind:
            gaps = shard.gaps
            try:
                backlog = await self._backlog(number)
            except RecallError as error:
                _log.warning("not_caught_up_yet", shard=number, reason=str(error))
                if not await self._pause(retry_s):
                    return
                retry_s = min(2 * retry_s, LONGEST_RETRY_S)
                continue
            if gaps == shard.gaps and shard.is_behind:
                self._resume(shard, backlog)

    def _resume(self, shard: _Shard, backlog: Sequence[tuple[str, Work]]) -> None:
        for channel, work in backlog:
            self._inbox.put(channel, work)
        oldest = self._clock.now().timestamp() - KEPT.total_seconds()
        for heard in shard.kept:
            if heard.at >= oldest or not heard.is_others:
                self._inbox.put(heard.channel, heard.work)
        shard.kept.clear()
        shard.is_open, shard.is_paused = True, False

    async def _pause(self, seconds: float) -> bool:
        """Wait so many seconds; False as soon as there is no time for it, since the process ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_closing.wait()
        return not self._is_closing.is_set()


async def _first_of(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.wait(waits)
