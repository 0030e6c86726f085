"""Zeroing the unused slots of Chroma's index files.

An index file has room for more vectors than it holds, and that room is written as it lay in the process's memory: a
vector that was deleted, and is in no slot, can be in it. Blocks; for folders that no client has open.
"""

import struct
from pathlib import Path

_HEADER = struct.Struct("<iQQQQ")
"""hnswlib's header as chromadb 1.5 writes it: version, offset, slots, slots in use, bytes of a slot, and more."""
_VERSION = 1
_FLOAT_BYTES = 4
_CHUNK = bytes(1 << 20)


def zero_spare_slots(generation: Path) -> None:
    """Overwrite what is behind the last used slot of every index of a generation."""
    for header in generation.glob("*/header.bin"):
        version, _, slots, used, slot_bytes = _HEADER.unpack_from(header.read_bytes())
        if version == _VERSION and used <= slots:
            _zero_from(header.with_name("data_level0.bin"), used * slot_bytes)
            _zero_from(header.with_name("length.bin"), used * _FLOAT_BYTES)


def _zero_from(path: Path, start: int) -> None:
    if not path.exists():
        return
    with path.open("r+b") as file:
        left = path.stat().st_size - start
        file.seek(start)
        while left > 0:
            left -= file.write(_CHUNK[: min(left, len(_CHUNK))])
