"""Embeddings: sentence-transformers brings a model in and exports it once, ONNX Runtime runs it.

`source` says which model a setting names, `export` turns it into files (in a child process, the only one that ever
imports torch), `runner` runs those, `embedder` is the port.
"""

from memory.providers.sentence_transformers.embedder import OnnxEmbedder, open_embedder

__all__ = ["OnnxEmbedder", "open_embedder"]
