"""The embedded folder on disk: generations of Chroma's files, and a pointer to the one that counts.

Chroma never gives up the bytes of a deleted vector, so a compaction writes a new generation beside the old one and
moves the pointer, which is one rename. What the pointer does not name is a leftover of a crash and is removed at the
next open. Knows nothing of chromadb. All of it blocks.
"""

import os
import re
import shutil
from pathlib import Path

from memory.stores.chroma.client import damaged

_POINTER = "CURRENT"
_GENERATION = re.compile(r"gen-(\d{6,})")
_DATABASE = "chroma.sqlite3"


class Generations:
    """The generations under one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def current(self) -> Path | None:
        """Return the generation that counts; None when there is none yet.

        Raises:
            StoreCorruptError: The pointer is unreadable, or what it names has no database.
        """
        try:
            name = (self._root / _POINTER).read_text(encoding="ascii", errors="replace").strip()
        except FileNotFoundError:
            return None
        database = self._root / name / _DATABASE
        if not _GENERATION.fullmatch(name) or not database.is_file() or not database.stat().st_size:
            raise damaged("open", f"{name[:20]!r} in {str(self._root)!r} is not a vector index")
        return self._root / name

    def create(self) -> Path:
        """Make the next generation's folder; nothing points at it yet."""
        numbers = [int(found[1]) for found in map(_GENERATION.fullmatch, self._names()) if found]
        folder = self._root / f"gen-{max(numbers, default=0) + 1:06d}"
        folder.mkdir(parents=True, mode=0o700)
        return folder

    def point_at(self, folder: Path) -> None:
        """Make a generation the one that counts: atomically, and for good once this returns."""
        draft = self._root / f"{_POINTER}.new"
        with draft.open("w", encoding="ascii") as file:
            file.write(folder.name)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._root / _POINTER)
        sync_folder(self._root)

    def sweep(self) -> None:
        """Remove everything under the folder but the pointer and the generation that it names."""
        pointer = self._root / _POINTER
        keep = {_POINTER, pointer.read_text(encoding="ascii", errors="replace").strip() if pointer.is_file() else ""}
        for name in self._names():
            if name not in keep:
                remove(self._root / name)

    def _names(self) -> list[str]:
        return [entry.name for entry in self._root.iterdir()] if self._root.is_dir() else []


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it; one that is gone already is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make what was renamed or removed in a folder outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
