"""Runs an exported model with ONNX Runtime. Blocking; knows nothing of events, queues or where the model came from."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

from memory.model.recall import Vector
from memory.providers.sentence_transformers.exported import MODEL_FILE, TOKENIZER_FILE, Manifest

_MAX_THREADS = 4
_ERRORS_ONLY = 3


class OnnxRunner:
    """One model, loaded."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._manifest = manifest
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(manifest.max_seq_length)
        self._session = onnxruntime.InferenceSession(
            str(folder / MODEL_FILE), sess_options=_options(), providers=["CPUExecutionProvider"]
        )

    def run(self, texts: Sequence[str], *, is_query: bool) -> list[Vector]:
        """Return the unit-norm vectors of `texts`, in order."""
        prompt = self._manifest.query_prompt if is_query else self._manifest.document_prompt
        # A lone surrogate is no character: the tokenizer would refuse the whole batch for it.
        clean = [(prompt + text).encode("utf-8", "replace").decode("utf-8") for text in texts]
        encodings = [self._tokenizer.encode(text) for text in clean]
        width = max(len(encoding.ids) for encoding in encodings)
        feed = {
            "input_ids": _padded([encoding.ids for encoding in encodings], width, self._manifest.pad_id),
            "attention_mask": _padded([encoding.attention_mask for encoding in encodings], width, 0),
            "token_type_ids": _padded([encoding.type_ids for encoding in encodings], width, 0),
        }
        output = self._session.run(None, {name: feed[name] for name in self._manifest.inputs})[0]
        vectors = np.asarray(output, dtype=np.float32)
        return [vectors[row].copy() for row in range(len(texts))]


def _padded(rows: Sequence[Sequence[int]], width: int, filler: int) -> npt.NDArray[np.int64]:
    matrix = np.full((len(rows), width), filler, dtype=np.int64)
    for index, row in enumerate(rows):
        matrix[index, : len(row)] = row
    return matrix


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(_MAX_THREADS, os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Spinning threads fight for a busy core: p95 0.3 s and more, measured.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options
