"""The vector index in Chroma: one implementation over two clients, a folder of our own or a server.

Importing this package does not import chromadb (1.3 s): the clients do that in a thread, when they are first used.
"""

from memory.stores.chroma.embedded import open_chroma_folder
from memory.stores.chroma.index import ChromaVectorIndex
from memory.stores.chroma.server import open_chroma_server

__all__ = ["ChromaVectorIndex", "open_chroma_folder", "open_chroma_server"]
