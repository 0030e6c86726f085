"""Turns a sentence-transformers model into files for ONNX Runtime: `python -m ...export MODEL FOLDER`.

Runs in a process of its own, the only one that ever imports torch. `exporter` is the other side.
"""

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from filelock import FileLock

from memory.errors import ConfigError, ProviderUnavailableError
from memory.providers.sentence_transformers.exported import (
    MODEL_FILE,
    PROGRESS,
    TOKENIZER_FILE,
    Manifest,
    begin_export,
    find_export,
    finish_export,
)
from memory.providers.sentence_transformers.source import PROVIDER, ModelSource, find_source, verify

_OPSET = 17
_MIN_COSINE = 0.9999
_NICENESS = 5
_SAMPLES = ("a", "kubectl get pods -n prod", "The staging cluster is called blue-heron-42. " * 8)


def main(arguments: list[str]) -> int:
    """Export MODEL into FOLDER, unless another process did so meanwhile."""
    model, models_dir = arguments[0], Path(arguments[1])
    # The person is typing while this runs: let everything else go first.
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)
    models_dir.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(models_dir / ".export.lock"):
            source = find_source(model)
            if find_export(models_dir, source) is None:
                verify(source)
                _export(source, models_dir)
    except (ConfigError, ProviderUnavailableError) as exc:
        _say(str(exc), prefix="")
        return 1
    return 0


def _export(source: ModelSource, models_dir: Path) -> None:
    _say("importing torch")
    torch = import_module("torch")
    transformer_class = import_module("sentence_transformers").SentenceTransformer
    _say("loading the model")
    # Eager attention is the one that traces without a branch on the input's shape.
    model = transformer_class(source.location, device="cpu", model_kwargs={"attn_implementation": "eager"})
    folder = begin_export(models_dir)
    _say("exporting")
    inputs = _trace(torch, model, folder)
    manifest = _manifest(source, model, inputs, folder)
    _say("checking")
    _check(model, folder, manifest)
    finish_export(models_dir, source, folder, manifest)
    _say("done")


def _trace(torch: Any, model: Any, folder: Path) -> tuple[str, ...]:
    """Write the graph and the tokenizer; return the names of the graph's inputs."""
    features = model.preprocess(list(_SAMPLES))
    names = tuple(name for name in ("input_ids", "attention_mask", "token_type_ids") if name in features)

    class Pipeline(torch.nn.Module):  # type: ignore[misc]  # torch is loaded in the child only
        """All modules of the model in one graph, from token ids to a unit-norm vector."""

        def __init__(self) -> None:
            super().__init__()
            self.modules_in_order = torch.nn.ModuleList(list(model))

        def forward(self, *tensors: Any) -> Any:
            state = dict(zip(names, tensors, strict=True))
            for module in self.modules_in_order:
                state = module(state)
            return torch.nn.functional.normalize(state["sentence_embedding"], dim=-1)

    axes = {name: {0: "batch", 1: "tokens"} for name in names}
    with torch.no_grad(), _quiet():
        torch.onnx.export(
            Pipeline().eval(),
            tuple(features[name] for name in names),
            str(folder / MODEL_FILE),
            dynamo=False,
            opset_version=_OPSET,
            input_names=list(names),
            output_names=["embedding"],
            dynamic_axes={**axes, "embedding": {0: "batch"}},
        )
    model.tokenizer.backend_tokenizer.save(str(folder / TOKENIZER_FILE))
    return names


def _manifest(source: ModelSource, model: Any, inputs: tuple[str, ...], folder: Path) -> Manifest:
    prompts: dict[str, str] = model.prompts or {}
    documents = next((prompts[name] for name in ("document", "passage", "corpus") if prompts.get(name)), "")
    return Manifest(
        name=source.name,
        identity=source.identity,
        dimensions=source.dimensions,
        max_seq_length=int(model.max_seq_length),
        inputs=inputs,
        pad_id=int(model.tokenizer.pad_token_id or 0),
        model_bytes=(folder / MODEL_FILE).stat().st_size,
        query_prompt=prompts.get("query", ""),
        document_prompt=documents,
    )


def _check(model: Any, folder: Path, manifest: Manifest) -> None:
    """Compare with the original at lengths the trace did not see, one by one and together.

    Raises:
        ProviderUnavailableError: A vector differs, so the graph cannot stand for the model.
    """
    runner = import_module("memory.providers.sentence_transformers.runner").OnnxRunner(folder, manifest)
    samples = [*_SAMPLES, "short", "no such file or directory " * 500]
    expected = model.encode_document(samples, normalize_embeddings=True, convert_to_numpy=True)
    batches = [[sample] for sample in samples] + [samples]
    rows = [row for batch in batches for row in runner.run(batch, is_query=False)]
    if rows[0].shape != (manifest.dimensions,):
        raise ProviderUnavailableError(PROVIDER, f"its vectors have {rows[0].size} dimensions, its files say another")
    cosines = [float(row @ expected[index % len(samples)]) for index, row in enumerate(rows)]
    if min(cosines) < _MIN_COSINE:
        raise ProviderUnavailableError(PROVIDER, f"the exported graph differs (cosine {min(cosines):.5f})")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the tracer's warnings out of the output: what they warn of is what `_check` measures."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _say(text: str, *, prefix: str = PROGRESS) -> None:
    sys.stdout.write(f"{prefix}{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
