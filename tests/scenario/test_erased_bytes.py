"""Forgotten means gone: after a compaction, no file of the data folder holds the words or their vectors."""

import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from bots.conversation import Conversation
from bots.delivery import Delivery
from bots.platform import IncomingMessage
from memory.bootstrap import Recall, open_memory, run_compaction
from memory.clock import SystemClock
from memory.model import About, Attachment, Everything, ForgetTarget, Last, Numbered, Place, ThisThread, UserId
from memory.model.recall import Vector
from memory.providers.sentence_transformers import OnnxEmbedder
from memory.settings import MemorySettings
from memory.stores.sql.admin import SqlRecordAdmin
from memory.stores.sql.database import open_database
from tests.fakes.values import TENANT, dm, person, public_channel
from tests.fixtures.core import Shown

ANA = person("ana")
LOG = Attachment(name="kingfisher.log", text="ERROR kingfisher is out of stock")
SENTENCE = "My staging cluster is called blue-heron-42."
_THE_SAME = 0.999
TARGETS: list[ForgetTarget] = [
    Numbered(number=1),
    Last(),
    ThisThread(session_id=dm("ana").session_id),
    About(words="blue-heron-42"),
    Everything(),
]


@pytest.fixture
def settings(tmp_path: Path, models_dir: Path) -> MemorySettings:
    """Give the settings of an empty data folder, with the embedding model exported before."""
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o700)
    shutil.copytree(models_dir, data_dir / "models", copy_function=os.link)
    return MemorySettings(data_dir=data_dir)


async def say(
    recall: Recall,
    text: str,
    *,
    thread: str,
    number: int,
    place: Place | None = None,
    attached: Sequence[Attachment] = (),
) -> str:
    """Say something, in Ana's DM where no place is given, and return the answer."""
    conversation = Conversation(service=recall.service, model=recall.model, system="You are Recall.")
    shown = Shown()
    message = IncomingMessage(
        place=place or dm("ana", thread),
        author=ANA,
        platform_message_id=f"message-{number}",
        text=text,
        sent_at=SystemClock().now(),
        attachments=tuple(attached),
    )
    async with Delivery(
        service=recall.service, conversation=conversation, late=lambda _message: shown, pace=recall.pace
    ) as delivery:
        await delivery.handle(message, shown)
    return shown.replies[0].text


def stored_vectors(folder: Path, like: Vector) -> list[bytes]:
    """Return the vectors of a sentence as they lie in Chroma's files, a piece of each that fits on one page."""
    (database,) = folder.rglob("chroma.sqlite3")
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT vector FROM embeddings_queue WHERE vector IS NOT NULL").fetchall()
    return [raw[:64] for (raw,) in rows if float(np.frombuffer(raw, dtype="<f4") @ like) > _THE_SAME]


def files_with(folder: Path, needle: bytes) -> list[str]:
    """Return the files that hold `needle`, the exported model apart."""
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "models" not in path.parts and needle in path.read_bytes()
    ]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: type(target).__name__)
async def test_no_file_holds_what_was_forgotten(
    settings: MemorySettings, embedder: OnnxEmbedder, target: ForgetTarget
) -> None:
    """Words and vectors were on disk before, and are in no file after; what was not forgotten stays."""
    async with open_memory(settings) as recall:
        await say(recall, SENTENCE, thread="main", number=1, attached=[LOG])
        await recall.sweep()
        answer = await say(recall, "What is my staging cluster called?", thread="other", number=2)
        await say(recall, "We deploy with ArgoCD.", thread="third", number=3)
        await recall.outbox.drain()
    assert "blue-heron-42" in answer
    assert files_with(settings.data_dir, b"blue-heron-42")
    assert files_with(settings.data_dir, b"kingfisher")
    vectors = stored_vectors(settings.data_dir, await embedder.embed_query(SENTENCE))
    assert len(vectors) == len(("the message", "the fact"))

    async with open_memory(settings) as recall:
        await recall.personal.forget(await recall.personal.plan_forget(ANA.user_id, target))
    await run_compaction(settings)

    for needle in (b"heron", b"kingfisher", *vectors):
        assert files_with(settings.data_dir, needle) == []
    kept = files_with(settings.data_dir, b"ArgoCD")
    assert kept == ([] if isinstance(target, Everything) else ["recall.db"])
    async with open_memory(settings) as recall:
        await recall.sweep()
        again = await say(recall, "What is my staging cluster called?", thread="fourth", number=4)
    assert "heron" not in again


@pytest.mark.parametrize("removed", ["channel", "workspace"])
async def test_no_file_holds_what_was_said_in_a_removed_place(
    settings: MemorySettings, embedder: OnnxEmbedder, removed: str
) -> None:
    """Nor what an answer in a DM was given of it; what was said elsewhere stays, unless the workspace goes."""
    ops = public_channel("ops")
    async with open_memory(settings) as recall:
        await say(recall, SENTENCE, thread="", number=1, place=ops)
        await recall.sweep()
        answer = await say(recall, "What is my staging cluster called?", thread="other", number=2)
        await say(recall, "We deploy with ArgoCD.", thread="third", number=3)
        await recall.outbox.drain()
    assert "blue-heron-42" in answer
    vectors = stored_vectors(settings.data_dir, await embedder.embed_query(SENTENCE))
    assert len(vectors) == len(("the message", "the fact"))

    async with open_memory(settings) as recall:
        if removed == "channel":
            await recall.forgetting.channel_removed(ops.channel_id, actor=UserId("admin"))
        else:
            await recall.forgetting.tenant_removed(TENANT, actor=UserId("admin"))
    await run_compaction(settings)

    for needle in (b"heron", *vectors):
        assert files_with(settings.data_dir, needle) == []
    assert files_with(settings.data_dir, b"ArgoCD") == (["recall.db"] if removed == "channel" else [])


@pytest.mark.parametrize("forced", [True, False], ids=["by hand", "by the job"])
async def test_no_file_holds_what_was_said_while_paused(
    settings: MemorySettings, embedder: OnnxEmbedder, *, forced: bool
) -> None:
    """Nor a vector of it at any time; the record's own files are enough to be made anew."""
    long_ago = "We deploy with ArgoCD."
    async with open_memory(settings) as recall:
        await say(recall, long_ago, thread="main", number=1)
        await recall.personal.pause(ANA.user_id, dm("ana").tenant_id)
        for number in range(2, 12):
            said = f"{SENTENCE} Part {number}: {'heron-egg ' * 40 * number}"
            assert "blue-heron-42" not in await say(recall, said, thread="main", number=number)
        await recall.personal.resume(ANA.user_id, dm("ana").tenant_id)
        again = await say(recall, "What is my staging cluster called?", thread="main", number=20)
        await recall.sweep()
    assert "heron" not in again
    assert stored_vectors(settings.data_dir, await embedder.embed_query(SENTENCE)) == []

    if forced:
        await run_compaction(settings)
    else:
        async with open_database(settings.data_dir / "recall.db", clock=SystemClock()) as database:
            admin = SqlRecordAdmin(database)
            assert await admin.has_erased_texts()
            await admin.compact()

    assert files_with(settings.data_dir, b"heron") == []
    assert files_with(settings.data_dir, b"ArgoCD") == ["recall.db"]
