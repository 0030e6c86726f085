"""Waiting until a fake shows something, looked at again whenever anything in it changes."""

import asyncio
from collections.abc import Callable


class Changes:
    """Lets one wait until something holds, looked at again whenever anything changes."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def mark(self) -> None:
        """Let everyone who waits look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def next(self) -> None:
        """Wait for the next change."""
        await self._changed.wait()

    async def until(self, holds: Callable[[], bool], *, within_s: float, showing: Callable[[], str] = str) -> None:
        """Wait until `holds`.

        Raises:
            AssertionError: It still does not after `within_s`; the text is what `showing` says.
        """
        try:
            async with asyncio.timeout(within_s):
                while not holds():
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"not within {within_s} s; there is\n{showing()}") from None
