"""What lies behind the last vector of an index file."""

from pathlib import Path

import numpy as np

from memory.model import UserId, VectorEntry, VectorRef, fact_key
from memory.stores.chroma import open_chroma_folder
from memory.stores.chroma.spare_slots import zero_spare_slots

_MODEL, _DIMENSIONS = "tiny", 8


def _behind_the_last(folder: Path) -> list[bytes]:
    """Return the unused room of every index file in a folder of Chroma's, by its header."""
    spare = []
    for header in folder.rglob("header.bin"):
        words = np.frombuffer(header.read_bytes()[4:36], dtype="<u8")
        used, slot_bytes = int(words[2]), int(words[3])
        spare.append(header.with_name("data_level0.bin").read_bytes()[used * slot_bytes :])
    return spare


async def test_unused_slots_hold_nothing_after_a_compaction_and_a_close(tmp_path: Path) -> None:
    """They are written as they lay in memory, where a forgotten vector may have been; so they are zeroed."""
    vectors = np.eye(_DIMENSIONS, dtype=np.float32)
    entries = [
        VectorEntry(ref=VectorRef(owner=UserId("ana"), key=fact_key(number)), vector=vector)
        for number, vector in enumerate(vectors)
    ]
    async with open_chroma_folder(tmp_path, model_name=_MODEL, dimensions=_DIMENSIONS) as index:
        await index.upsert(entries)
        await index.compact()
        assert await index.count() == len(entries)

    spare = _behind_the_last(tmp_path)
    assert spare
    assert all(room == bytes(len(room)) for room in spare)
    async with open_chroma_folder(tmp_path, model_name=_MODEL, dimensions=_DIMENSIONS) as index:
        assert len(await index.vectors([entry.ref for entry in entries])) == len(entries)


def test_only_the_unused_slots_are_zeroed(tmp_path: Path) -> None:
    """Three slots of four bytes, one of them in use."""
    index = tmp_path / "segment"
    index.mkdir()
    (index / "header.bin").write_bytes(b"\x01\x00\x00\x00" + np.array([0, 3, 1, 4], dtype="<u8").tobytes())
    (index / "data_level0.bin").write_bytes(b"kept" + b"gone" * 2)
    (index / "length.bin").write_bytes(b"kept" + b"gone" * 2)
    zero_spare_slots(tmp_path)

    assert (index / "data_level0.bin").read_bytes() == b"kept" + bytes(8)
    assert (index / "length.bin").read_bytes() == b"kept" + bytes(8)
