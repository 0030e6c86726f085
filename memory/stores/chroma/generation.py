"""One folder of Chroma's, open: chromadb's PersistentClient. Blocks; knows nothing of threads and pointers."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from memory.errors import StoreUnavailableError
from memory.stores.chroma.client import COLLECTION, MAX_BATCH, Records, damaged
from memory.stores.chroma.soundness import is_sound
from memory.stores.chroma.systems import no_stray_system

if TYPE_CHECKING:
    from chromadb import Collection
    from chromadb.api import ClientAPI


class Generation:
    """An open folder with its collections, made where they are missing.

    Raises:
        StoreCorruptError: The folder was not closed in good order, and what is left of it cannot be loaded.
    """

    def __init__(self, folder: Path, collections: Sequence[str]) -> None:
        if not is_sound(folder, collections):
            raise damaged("open", "its files cannot be loaded")
        import chromadb  # noqa: PLC0415 - 1.3 s, paid in a thread when the index is first used
        from chromadb.config import Settings  # noqa: PLC0415

        settings = Settings(_env_file=None, anonymized_telemetry=False)  # type: ignore[call-arg]  # Recall's .env is not Chroma's
        with no_stray_system():
            self._client: ClientAPI = chromadb.PersistentClient(str(folder), settings=settings)
        self.folder = folder
        self._collections: dict[str, Collection] = {}
        try:
            for name in collections:
                self._collections[name] = self._client.get_or_create_collection(name, **COLLECTION)
        except BaseException:
            self.close()
            raise

    def upsert(self, collection: str, records: Records) -> None:
        """Write rows."""
        self._collections[collection].upsert(
            ids=records.ids,
            embeddings=records.vectors,
            metadatas=[{"owner": owner} for owner in records.owners],
        )

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove rows."""
        self._collections[collection].delete(ids=list(ids))

    def get(self, collection: str, ids: Sequence[str]) -> tuple[list[str], npt.NDArray[np.float32]]:
        """Return the rows there are."""
        found = self._collections[collection].get(ids=list(ids), include=["embeddings"])
        return found["ids"], np.asarray(found["embeddings"], dtype=np.float32)

    def query(self, collection: str, vector: npt.NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """Return the rows nearest to `vector`."""
        found = self._collections[collection].query(
            query_embeddings=[vector.tolist()], n_results=limit, include=["distances"]
        )
        return list(zip(found["ids"][0], (found["distances"] or [[]])[0], strict=True))

    def count(self, collection: str) -> int:
        """Return the number of rows."""
        return self._collections[collection].count()

    def page(self, collection: str, *, offset: int) -> Records:
        """Return the MAX_BATCH rows from `offset` on."""
        found = self._collections[collection].get(limit=MAX_BATCH, offset=offset, include=["embeddings", "metadatas"])
        owners = [str((metadata or {}).get("owner", "")) for metadata in found["metadatas"] or []]
        return Records(ids=found["ids"], vectors=np.asarray(found["embeddings"], dtype=np.float32), owners=owners)

    def copy_from(self, source: "Generation", *, stopped: threading.Event) -> None:
        """Take over all living rows of `source`, page by page.

        Raises:
            StoreUnavailableError: `stopped` was set meanwhile, or rows are missing at the end.
        """
        for collection in self._collections:
            total = source.count(collection)
            for offset in range(0, total, MAX_BATCH):
                if stopped.is_set():
                    raise StoreUnavailableError("chroma", "compact", "closed")
                self.upsert(collection, source.page(collection, offset=offset))
            if (copied := self.count(collection)) != total:
                raise StoreUnavailableError("chroma", "compact", f"{copied} of {total} vectors copied")

    def close(self) -> None:
        """Release the files. Chroma shares one system per path; this folder has one client, so it ends with it."""
        self._client.close()  # type: ignore[attr-defined]  # the class has it, its interface does not
