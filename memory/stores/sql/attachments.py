"""What came with a message, as its column holds it, and what of it an edit leaves. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from memory.model import Attachment
from memory.stores.sql.rows import AnyRow


def after_edit(
    before: Sequence[Attachment], files: Sequence[Attachment], *, is_settled: bool
) -> tuple[Attachment, ...]:
    """Return what an edited message keeps: of files those it has now, as they were read, and all that is no file.

    Nobody reads what is new at a message that is settled.
    """
    known = {attachment.ref: attachment for attachment in before if attachment.is_file}
    stays = [attachment for attachment in before if not attachment.is_file]
    return (*(known.get(file.ref, file) for file in files if file.ref in known or not is_settled), *stays)


def attachment_values(attachments: Sequence[Attachment]) -> list[dict[str, Any]]:
    """Return attachments as the column holds them."""
    return [{"name": each.name, "text": each.text, "ref": each.ref, "is_whole": each.is_whole} for each in attachments]


def attachments_of(values: Sequence[Mapping[str, Any]]) -> tuple[Attachment, ...]:
    """Return the attachments that the column holds."""
    return tuple(Attachment(**each) for each in values)


def all_text(row: AnyRow) -> str:
    """Return the words of a message together with what came with it, for finding what is forgotten."""
    return "\n".join([row.text or "", *(each.get("text") or "" for each in row.attachments)])
