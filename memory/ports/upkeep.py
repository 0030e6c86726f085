"""The log of who did what, and the upkeep of the record."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from memory.model import (
    Receipt,
    UserId,
)
from memory.model.work import (
    AuditEvent,
    RecordStatus,
)


class AuditLog(Protocol):
    """Who did what to memories, when, and how many; no content. It has no update and no delete."""

    async def record(self, event: AuditEvent) -> None:
        """Append an event."""
        ...

    async def read(self, *, limit: int) -> Sequence[AuditEvent]:
        """Return the newest events, newest first."""
        ...

    async def has_since(self, actor: UserId, action: str, at: datetime) -> bool:
        """Whether somebody has done something since, or at that very moment. It may read the whole log."""
        ...


class RecordAdmin(Protocol):
    """Upkeep of the record."""

    async def ping(self) -> None:
        """Answer, or raise."""
        ...

    async def status(self) -> RecordStatus:
        """Return counts for `doctor` and metrics."""
        ...

    async def hasten_drops(self) -> None:
        """Make every removal of a vector that waits for its next attempt due now."""
        ...

    async def compact(self) -> None:
        """Rewrite the files so that deleted text is in none of them; on a server, do what a client can."""
        ...

    async def needs_compaction(self) -> bool:
        """Whether something was forgotten since the last compaction of all files."""
        ...

    async def has_erased_texts(self) -> bool:
        """Whether texts were erased, of which no other store ever had anything, since the record's files were new."""
        ...

    async def compacted(self, *, at: datetime, record_only: bool = False) -> None:
        """Note that a compaction of all embedded files finished, or of the record's alone."""
        ...

    async def erase_unkept(self, *, settled_before: datetime) -> int:
        """Erase what was not to be kept and will not be shown any more; return how many turns that were.

        Turns whose end was shown erase themselves (`MessageStore.mark_shown`); this is for those that never were.

        Args:
            settled_before: What was settled earlier is not shown any more.
        """
        ...

    async def expire(self, *, episodes_before: datetime, threads_before: datetime) -> Receipt:
        """Remove episodes, and messages of threads, that are older than their retention."""
        ...


class NamedValues(Protocol):
    """What an adapter has to know again after a restart, such as what it told its platform last; nobody's words."""

    async def find(self, name: str) -> str | None:
        """Return what was kept under a name last; None when nothing was."""
        ...

    async def keep(self, name: str, value: str) -> None:
        """Keep a value under a name, in place of the one before."""
        ...
