"""What came with a message, read before it is answered, by whoever answers it.

A file is not fetched before the message is acknowledged. What was read is committed under the turn's lease, so a
process that takes over finds it read, or reads it again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bots.conversation import redaction_notice
from bots.platform import FileReader
from memory.attached import problem
from memory.model import Attachment, ReadFile, TurnClaim
from memory.service import MemoryService

_WITHIN_S = 20.0
_MOST_FILES = 10
_MOST_CHARS = 3_000_000
"""Of one message: taking the secrets out of that much keeps a core busy for two to three seconds."""
_ATTACHED = "what came with your message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A turn to go on with, and what its person should know of what came with the message."""

    claim: TurnClaim
    notices: tuple[str, ...] = ()


class Reading:
    """Reads what came with messages.

    Args:
        service: Keeps what was read.
        files: The platform's.
    """

    def __init__(self, *, service: MemoryService, files: FileReader) -> None:
        self._service = service
        self._files = files

    async def open(self, claim: TurnClaim) -> Opened:
        """Read what is not read yet, all at once, and keep it.

        Raises:
            StoreUnavailableError: The record cannot be reached.
            StoreConflictError: Another process has the turn now.
        """
        if not claim.message.attachments:
            return Opened(claim=claim)
        notices: tuple[str, ...] = ()
        if read := await self._read(claim.message.attachments):
            attached = await self._service.attach(claim, read)
            claim = attached.claim
            notices = (redaction_notice(attached.findings, where=_ATTACHED),) if attached.findings else ()
        problems = tuple(told for told in map(problem, claim.message.attachments) if told)
        return Opened(claim=claim, notices=notices + problems)

    async def _read(self, attachments: Sequence[Attachment]) -> Mapping[str, ReadFile]:
        """Return what could be read, by `ref`; the last ones are left unread when all are too much."""
        refs = [each.ref for each in attachments if each.text is None and each.ref][:_MOST_FILES]
        async with asyncio.TaskGroup() as group:
            reading = {ref: group.create_task(self._in_time(ref)) for ref in refs}
        found: dict[str, ReadFile] = {}
        left = _MOST_CHARS
        for ref, task in reading.items():
            file = task.result()
            if file is not None and len(file.text) <= left:
                found[ref] = file
                left -= len(file.text)
        return found

    async def _in_time(self, ref: str) -> ReadFile | None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_WITHIN_S):
                return await self._files.read(ref)
        return None
