"""An exported model on disk: a folder that is complete or not there. Knows nothing of torch or ONNX Runtime."""

import json
import os
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from memory.providers.sentence_transformers.source import ModelSource

FORMAT = 1
"""Grows when the files change their meaning; part of the folder's name, so an older export is never misread."""
MODEL_FILE, TOKENIZER_FILE, MANIFEST_FILE = "model.onnx", "tokenizer.json", "manifest.json"
PROGRESS = "progress: "
"""What a line of an exporter's output begins with when it says how far it is."""
_TEMPORARY = ".partial-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a runner must know of an exported model. Pooling and normalisation are inside the graph.

    Attributes:
        inputs: Names of the graph's inputs, in order.
        model_bytes: Size of the graph's file; a shorter one was cut by a crash of the machine.
        query_prompt: Put before a question, for models that tell questions from documents.
    """

    name: str
    identity: str
    dimensions: int
    max_seq_length: int
    inputs: tuple[str, ...]
    pad_id: int
    model_bytes: int
    query_prompt: str = ""
    document_prompt: str = ""
    pooling: str = "in the graph"
    normalised: bool = True
    format: int = FORMAT


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A complete export."""

    folder: Path
    manifest: Manifest


def export_folder(models_dir: Path, source: ModelSource) -> Path:
    """Return where the export of `source` belongs."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "_", source.name)[:80].lstrip(".")
    return models_dir / f"{slug}-{source.identity}-v{FORMAT}"


def find_export(models_dir: Path, source: ModelSource) -> Exported | None:
    """Return the export of `source` if it is there and whole."""
    folder = export_folder(models_dir, source)
    try:
        fields = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        manifest = Manifest(**{**fields, "inputs": tuple(fields["inputs"])})
        size = (folder / MODEL_FILE).stat().st_size
    except (OSError, ValueError, TypeError, KeyError):
        return None
    whole = size == manifest.model_bytes and (folder / TOKENIZER_FILE).is_file()
    return Exported(folder=folder, manifest=manifest) if whole and manifest.identity == source.identity else None


def discard_export(models_dir: Path, source: ModelSource) -> None:
    """Remove an export that cannot be used."""
    shutil.rmtree(export_folder(models_dir, source), ignore_errors=True)


def begin_export(models_dir: Path) -> Path:
    """Make a folder to export into, and remove what exporters that were killed left behind. Call under the lock."""
    for leftover in models_dir.glob(f"{_TEMPORARY}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    folder = models_dir / f"{_TEMPORARY}{os.getpid()}"
    folder.mkdir(parents=True)
    return folder


def finish_export(models_dir: Path, source: ModelSource, folder: Path, manifest: Manifest) -> None:
    """Put a finished folder in its place, so that it is there whole or not at all, even if the machine stops."""
    (folder / MANIFEST_FILE).write_text(json.dumps(asdict(manifest), indent=2), encoding="utf-8")
    for path in (*folder.iterdir(), folder):
        _sync(path)
    discard_export(models_dir, source)
    folder.rename(export_folder(models_dir, source))
    _sync(models_dir)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
