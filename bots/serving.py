"""Runs the chat platforms of a process side by side: one that ends until somebody mends its settings ends alone."""

import asyncio
from collections.abc import Mapping
from functools import partial

import structlog

from bots.health import Look, all_hopeless
from bots.platform import Platform
from memory.errors import ConfigError, RecallError, UnreachableError, first_error

_log = structlog.get_logger(__name__)


class Serving:
    """All platforms of one process.

    Args:
        platforms: By name; at least one.
    """

    def __init__(self, platforms: Mapping[str, Platform]) -> None:
        self._platforms = platforms
        self._ended: dict[str, ConfigError] = {}

    async def run(self) -> None:
        """Serve until every platform has ended.

        Raises:
            ConfigError: None of them can go on, with the lines of all.
            RecallError: One of them failed, or could not be reached when it began: another start may help.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for name, platform in self._platforms.items():
                    group.create_task(self._serve(name, platform), name=name)
        except* RecallError as failed:
            raise first_error(failed) from None
        if len(self._ended) == len(self._platforms):
            raise ConfigError([problem for error in self._ended.values() for problem in error.problems])

    def stop(self) -> None:
        """Take nothing more, anywhere."""
        for platform in self._platforms.values():
            platform.stop()

    def looks(self) -> Mapping[str, Look]:
        """Return what looks at each platform, for `Readiness`."""
        return {name: partial(self._look, name) for name in self._platforms}

    def hopeless(self) -> str | None:
        """Return why nothing can be served any more; None while one platform may be."""
        return all_hopeless([self._why_ended(name) or each.hopeless() for name, each in self._platforms.items()])

    async def _serve(self, name: str, platform: Platform) -> None:
        try:
            await platform.run()
        except UnreachableError:
            raise
        except ConfigError as error:
            self._ended[name] = error
            if len(self._ended) < len(self._platforms):  # or it is said when the process ends
                _log.error("platform_ended", platform=name, reason=str(error))  # somebody mends it, by its words

    async def _look(self, name: str) -> str | None:
        return self._why_ended(name) or await self._platforms[name].look()

    def _why_ended(self, name: str) -> str | None:
        return "; ".join(self._ended[name].problems) if name in self._ended else None
