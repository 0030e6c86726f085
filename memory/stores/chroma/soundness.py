"""Whether a generation's index files can be loaded without taking the process down. All of it blocks.

Chroma loads its index files unchecked: cut off or overwritten ones are a segmentation fault, which nobody can catch. So
a generation that was closed in good order is sealed with the checksums of these files. One without a seal, because its
process was killed, is loaded in a process of its own first.
"""

import json
import subprocess
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

from memory.stores.chroma.generations import sync_folder

_SEAL = "SEAL"
_PROBE = Path(__file__).with_name("probe.py")
_PROBE_TIMEOUT_S = 120.0
_CHUNK = 1 << 20


def seal(generation: Path) -> None:
    """Note the index files of a generation that has just been closed."""
    (generation / _SEAL).write_text(json.dumps(_checksums(generation)))


def is_sound(generation: Path, collections: Sequence[str]) -> bool:
    """Whether a generation may be opened. Its seal is broken by that; one that does not fit stays, as the verdict."""
    checksums = _checksums(generation)
    sealed = _read_seal(generation)
    if checksums and sealed is None:
        return _survives(generation, collections)
    if sealed is not None and sealed != checksums:
        return False
    (generation / _SEAL).unlink(missing_ok=True)
    sync_folder(generation)
    return True


def _read_seal(generation: Path) -> object:
    try:
        return json.loads((generation / _SEAL).read_text())
    except (OSError, ValueError):  # none, or one that a crash cut off
        return None


def _checksums(generation: Path) -> dict[str, int]:
    """Return a checksum for each index file; the database beside them has its own safeguards."""
    files = sorted(path for path in generation.glob("*/*") if path.is_file())
    return {path.relative_to(generation).as_posix(): _checksum(path) for path in files}


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            checksum = zlib.crc32(chunk, checksum)
    return checksum


def _survives(generation: Path, collections: Sequence[str]) -> bool:
    """Load the generation in another process; say whether that came through."""
    try:
        ended = subprocess.run(  # noqa: S603 - our own program and names
            [sys.executable, "-P", str(_PROBE), str(generation), *collections],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PROBE_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0
