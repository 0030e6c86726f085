"""What comes with a message on its way into the record: the whole of it loses its secrets, then it is digested."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from memory.digest import digest
from memory.model import Attachment, ReadFile, TurnClaim
from memory.redaction import redact

_LONG_CHARS = 10_000
"""More than this is worked on in a thread: redaction takes a millisecond per thousand characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storable:
    """Attachments that may be stored.

    Attributes:
        findings: Secrets that were taken out of them, by kind.
    """

    attachments: tuple[Attachment, ...]
    findings: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A turn once what came with its message has been read.

    Attributes:
        claim: To go on with.
        findings: Secrets that were taken out of what was read, by kind.
    """

    claim: TurnClaim
    findings: Mapping[str, int]


def with_read(attachments: Sequence[Attachment], read: Mapping[str, ReadFile]) -> tuple[Attachment, ...]:
    """Return those of the attachments that were read, by `ref`, with their texts, secrets and all."""
    return tuple(
        replace(attachment, text=read[attachment.ref].text, is_whole=read[attachment.ref].is_whole)
        for attachment in attachments
        if attachment.text is None and attachment.ref in read
    )


async def storable(attachments: Sequence[Attachment]) -> Storable:
    """Return attachments as they may be stored."""
    if sum(len(each.text or "") for each in attachments) > _LONG_CHARS:
        return await asyncio.to_thread(_storable, attachments)
    return _storable(attachments)


def _storable(attachments: Sequence[Attachment]) -> Storable:
    findings: Counter[str] = Counter()
    done: list[Attachment] = []
    for attachment in attachments:
        name = redact(attachment.name)
        findings.update(name.findings)
        text = attachment.text
        if text is not None:
            redacted = redact(text)
            findings.update(redacted.findings)
            text = digest(redacted.text)
        done.append(replace(attachment, name=name.text, text=text))
    return Storable(attachments=tuple(done), findings=dict(findings))
