"""What `recall doctor` tells of the memory core: one check per thing that can be wrong. Knows ports only."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from memory.errors import ProviderError, RecallError
from memory.ports import Embedder, RecordAdmin, VectorIndex

Verdict = Literal["ok", "warning", "problem", "unknown"]
"""Only "problem" keeps something from working; "unknown" is what cannot be seen from here."""


_BY_HAND = "`recall compact` removes its bytes now"
_BY_OWNER = "the process that owns the data folder removes its bytes within the quarter of an hour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the diagnosis.

    Attributes:
        name: What was looked at.
        detail: What was found and, unless the verdict is "ok", what to do.
    """

    name: str
    verdict: Verdict
    detail: str


async def check_answers(name: str, ping: Callable[[], Awaitable[None]], *, where: str) -> Check:
    """Ask a store for a sign of life."""
    try:
        await ping()
    except RecallError as error:
        return Check(name=name, verdict="problem", detail=f"{where}: {error}")
    return Check(name=name, verdict="ok", detail=f"{where}: answers")


def check_owner(owner: str) -> Check:
    """Tell who owns the data folder, when that is another process."""
    detail = f"{owner} owns it, and looks after what is not told here: short-term memory, index and embedding model"
    return Check(name="data folder", verdict="ok", detail=detail)


async def check_record(admin: RecordAdmin, *, is_served: bool = False) -> Sequence[Check]:
    """Look at what waits in the record, what was set aside, and whether erased bytes still wait for compaction.

    Args:
        admin: The record.
        is_served: Another process owns the data folder; it compacts by itself, and nobody else can.
    """
    status = await admin.status()
    kept = f"{status.messages} messages, {status.facts} facts, {status.episodes} episodes"
    compacted = f"{status.last_compacted_at:%Y-%m-%d %H:%M} UTC" if status.last_compacted_at else "never"
    set_aside = f", {status.parked} were set aside after repeated failures: /sweep tries them again"
    erased = f"; something was erased since: {_BY_OWNER if is_served else _BY_HAND}"
    return (
        Check(name="record", verdict="ok", detail=kept),
        Check(
            name="inbox",
            verdict="warning" if status.unanswered else "ok",
            detail=f"{status.unanswered} messages wait for an answer",
        ),
        Check(
            name="extraction",
            verdict="warning" if status.parked else "ok",
            detail=f"{status.waiting_for_extraction} messages wait" + (set_aside if status.parked else ""),
        ),
        Check(
            name="outbox",
            verdict="ok",
            detail=f"{status.outbox} index tasks wait for the process that owns the index",
        ),
        Check(
            name="compaction",
            verdict="warning" if status.needs_compaction and not is_served else "ok",
            detail=f"last: {compacted}" + (erased if status.needs_compaction else ""),
        ),
    )


async def check_index(admin: RecordAdmin, index: VectorIndex) -> Check:
    """See whether the index is there at all: it is empty after its files were lost, or for a new embedding model."""
    status = await admin.status()
    kept = status.messages + status.facts + status.episodes - status.outbox
    try:
        vectors = await index.count()
    except RecallError as error:
        return Check(name="vectors", verdict="problem", detail=str(error))
    if kept > 0 and not vectors:
        return Check(name="vectors", verdict="warning", detail="none, but the record has texts: run `recall reindex`")
    return Check(name="vectors", verdict="ok", detail=f"{vectors} indexed")


async def check_embedder(embedder: Embedder) -> Check:
    """Load the embedding model, which the first time means to export it."""
    try:
        await embedder.embed_query("ready?")
    except RecallError as error:
        return Check(name="embedding model", verdict="problem", detail=str(error))
    return Check(
        name="embedding model", verdict="ok", detail=f"{embedder.model_name}, {embedder.dimensions} dimensions"
    )


async def check_model(name: str, model: str, ask: Callable[[str], Awaitable[bool]]) -> Check:
    """Ask whether a language model is there; `ask` returns False when its server cannot tell."""
    try:
        can_tell = await ask(model)
    except ProviderError as error:
        return Check(name=name, verdict="problem", detail=f"{model}: {error}")
    if can_tell:
        return Check(name=name, verdict="ok", detail=f"{model}: available")
    return Check(
        name=name, verdict="unknown", detail=f"{model}: its server answers, but does not tell without a charge"
    )
