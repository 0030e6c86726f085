"""Questions that are embedded before they are asked: a message's while it is still being committed.

The embedding is the longest part of a turn and needs nothing but the text. It holds vectors, never a text, and a
question that nobody asks after all leaves when newer ones come.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Sequence

from memory.errors import ProviderUnavailableError
from memory.model.recall import Vector
from memory.ports import Embedder
from memory.tasks import TaskTracker

_MOST = 256
"""As many as may wait for their turn; the oldest make room."""


class EarlyQuestions(Embedder):
    """An embedder whose questions can be begun early."""

    def __init__(self, embedder: Embedder, tasks: TaskTracker) -> None:
        self._embedder = embedder
        self._tasks = tasks
        self._begun: OrderedDict[bytes, asyncio.Future[Vector | None]] = OrderedDict()

    @property
    def model_name(self) -> str:
        return self._embedder.model_name

    @property
    def dimensions(self) -> int:
        return self._embedder.dimensions

    @property
    def is_ready(self) -> bool:
        return self._embedder.is_ready

    def begin(self, text: str) -> None:
        """Start to embed a question; does nothing while the model is loading."""
        name = _name(text)
        if name in self._begun or not self._embedder.is_ready:
            return
        while len(self._begun) >= _MOST:
            self._begun.popitem(last=False)
        vector: asyncio.Future[Vector | None] = asyncio.get_running_loop().create_future()
        self._begun[name] = vector
        self._tasks.start(self._embed(text, vector), name="embed a question")

    async def embed_query(self, text: str) -> Vector:
        begun = self._begun.pop(_name(text), None)
        vector = await begun if begun is not None else None
        return vector if vector is not None else await self._embedder.embed_query(text)

    async def embed_documents(self, texts: Sequence[str]) -> Sequence[Vector]:
        return await self._embedder.embed_documents(texts)

    async def _embed(self, text: str, vector: "asyncio.Future[Vector | None]") -> None:
        found: Vector | None = None
        try:
            found = await self._embedder.embed_query(text)
        except ProviderUnavailableError:
            pass  # whoever asks tries again, and says so
        finally:
            if not vector.done():  # who waited may have been cancelled
                vector.set_result(found)


def _name(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()
