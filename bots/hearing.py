"""What one process of a platform says to all of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from memory.ports import Signals


@asynccontextmanager
async def hearing(signals: Signals, topic: str, act: Callable[[str], object]) -> AsyncIterator[None]:
    """Act on every word of a topic for as long as it is entered, whichever process says it.

    Args:
        signals: Where words come from.
        topic: Which ones.
        act: Takes a word.
    """
    async with signals.listen(topic) as words:
        listening = asyncio.create_task(_each(words, act), name=f"listen for {topic}")
        try:
            yield
        finally:
            listening.cancel()
            await asyncio.wait([listening])


async def _each(words: AsyncIterator[str], act: Callable[[str], object]) -> None:
    async for word in words:
        act(word)
