"""An embedder without a model: words hashed to directions. Fast, deterministic, without meaning."""

import hashlib
from collections.abc import Sequence

import numpy as np

from memory.lexical import terms
from memory.model.recall import Vector
from memory.ports import Embedder


class HashingEmbedder(Embedder):
    """Texts with the same words have cosine 1, texts with no word in common about 0."""

    def __init__(self, *, dimensions: int = 384, model_name: str = "hashing") -> None:
        self._dimensions = dimensions
        self._model_name = model_name

    @property
    def model_name(self) -> str:
        return self._model_name

    @property
    def dimensions(self) -> int:
        return self._dimensions

    @property
    def is_ready(self) -> bool:
        return True

    async def embed_query(self, text: str) -> Vector:
        return self._embed(text)

    async def embed_documents(self, texts: Sequence[str]) -> Sequence[Vector]:
        return [self._embed(text) for text in texts]

    def _embed(self, text: str) -> Vector:
        total = np.zeros(self._dimensions, dtype=np.float64)
        for term in terms(text) or [""]:
            total += self._direction(term)
        return np.asarray(total / np.linalg.norm(total), dtype=np.float32)

    def _direction(self, term: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        seed = int.from_bytes(hashlib.blake2b(term.encode("utf-8", "replace"), digest_size=8).digest())
        return np.random.default_rng(seed).standard_normal(self._dimensions)
