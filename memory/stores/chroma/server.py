"""Chroma as a server: chromadb's AsyncHttpClient. Connects when first used, and again after an outage."""

import asyncio
import importlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from memory.errors import StoreUnavailableError
from memory.stores.chroma.client import COLLECTION, ChromaClient, Records, translate
from memory.stores.chroma.index import ChromaVectorIndex
from memory.stores.chroma.names import PREFIX, collection_names
from memory.stores.chroma.systems import no_stray_system

if TYPE_CHECKING:
    from chromadb.api import AsyncClientAPI
    from chromadb.api.models.AsyncCollection import AsyncCollection

_T = TypeVar("_T")
_Collections = dict[str, "AsyncCollection"]


@asynccontextmanager
async def open_chroma_server(
    url: str, *, model_name: str, dimensions: int, token: str | None = None, timeout_s: float = 5.0
) -> AsyncIterator[ChromaVectorIndex]:
    """Open the index on a server; connects when it is first used.

    Args:
        url: `http://` or `https://`, with host, and port and path where they are needed.
        model_name: The embedding model; each has collections of its own.
        dimensions: Of its vectors.
        token: Sent as a bearer token.
        timeout_s: For each batch of a call, connecting included.
    """
    names = collection_names(model_name, dimensions)
    client = ServerChroma(url, token=token, collections=list(names.values()), timeout_s=timeout_s)
    try:
        yield ChromaVectorIndex(client, collections=names, dimensions=dimensions)
    finally:
        await client.aclose()


class ServerChroma(ChromaClient):
    """Collections on a server.

    A call whose connection broke, or whose collection another replica has made anew, is repeated once: all of them may
    safely be.
    """

    def __init__(self, url: str, *, token: str | None, collections: Sequence[str], timeout_s: float) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._names = tuple(collections)
        self._timeout_s = timeout_s
        self._connecting = asyncio.Lock()
        self._client: AsyncClientAPI | None = None
        self._collections: _Collections | None = None
        self._closed = False

    async def upsert(self, collection: str, records: Records) -> None:
        owners = [{"owner": owner} for owner in records.owners]
        await self._call(
            "upsert",
            lambda collections: collections[collection].upsert(
                ids=records.ids, embeddings=records.vectors, metadatas=list(owners)
            ),
        )

    async def delete(self, collection: str, ids: Sequence[str]) -> None:
        await self._call("delete", lambda collections: collections[collection].delete(ids=list(ids)))

    async def get(self, collection: str, ids: Sequence[str]) -> tuple[list[str], npt.NDArray[np.float32]]:
        found = await self._call(
            "vectors", lambda collections: collections[collection].get(ids=list(ids), include=["embeddings"])
        )
        return found["ids"], np.asarray(found["embeddings"], dtype=np.float32)

    async def query(self, collection: str, vector: npt.NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        found = await self._call(
            "nearest",
            lambda collections: collections[collection].query(
                query_embeddings=[vector.tolist()], n_results=limit, include=["distances"]
            ),
        )
        return list(zip(found["ids"][0], (found["distances"] or [[]])[0], strict=True))

    async def count(self, collection: str) -> int:
        return await self._call("count", lambda collections: collections[collection].count())

    async def ping(self) -> None:
        await self._call("ping", lambda collections: collections[self._names[0]].count())

    async def compact(self) -> None:
        """Do nothing: a server's files are its operator's."""

    async def clear(self) -> None:
        """Remove the collections of every embedding model: what is built anew is built for one."""
        await self._call("clear", lambda _: self._drop_all())
        await self.ping()

    async def aclose(self) -> None:
        """Close the connections, which chromadb keeps per event loop and has no public way to close."""
        self._closed = True
        if chroma := sys.modules.get("chromadb.api.async_fastapi"):
            connections = chroma.AsyncFastAPI._clients.pop(hash(asyncio.get_running_loop()), None)  # noqa: SLF001
            if connections:
                await connections.aclose()

    async def _drop_all(self) -> None:
        self._collections = None
        client = await self._connected("clear")
        for collection in await client.list_collections():
            if collection.name.startswith(PREFIX):
                await client.delete_collection(collection.name)

    async def _call(self, operation: str, work: Callable[[_Collections], Awaitable[_T]]) -> _T:
        if self._client is None:
            await asyncio.to_thread(importlib.import_module, "chromadb")  # takes seconds, and is not the server's fault
        try:
            async with asyncio.timeout(self._timeout_s):
                try:
                    return await work(await self._ready(operation))
                except Exception as exc:  # chromadb raises what it likes, down to a bare Exception
                    if not _worth_repeating(exc):
                        raise
                self._collections = None
                return await work(await self._ready(operation))
        except TimeoutError as exc:
            raise StoreUnavailableError("chroma", operation, f"no answer in {self._timeout_s:g} s") from exc
        except Exception as exc:  # the same
            raise translate(exc, operation, embedded=False) from exc

    async def _ready(self, operation: str) -> _Collections:
        """Return the collections as the server knows them, made where they are missing."""
        async with self._connecting:
            client = await self._connected(operation)
            if self._collections is None:
                self._collections = {
                    name: await client.get_or_create_collection(name, **COLLECTION) for name in self._names
                }
            return self._collections

    async def _connected(self, operation: str) -> "AsyncClientAPI":
        if self._closed:
            raise StoreUnavailableError("chroma", operation, "closed")
        if self._client is None:
            self._client = await self._connect()
        return self._client

    async def _connect(self) -> "AsyncClientAPI":
        chromadb = importlib.import_module("chromadb")
        with no_stray_system():
            client: AsyncClientAPI = await chromadb.AsyncHttpClient(
                host=self._url,
                ssl=urlsplit(self._url).scheme == "https",
                headers=self._headers,
                settings=chromadb.Settings(
                    _env_file=None,
                    anonymized_telemetry=False,
                    chroma_server_ssl_verify=True,  # unset, chromadb checks no certificate
                ),
            )
        return client


def _worth_repeating(exc: Exception) -> bool:
    names = {ancestor.__name__ for ancestor in type(exc).__mro__}
    return bool(names & {"NotFoundError", "TransportError"}) and "TimeoutException" not in names
