"""A program of its own: load a folder of Chroma's and read from it, to find out whether that crashes.

Knows nothing of Recall, so that it can be run by its path alone.
"""

import sys

_ROWS = 500


def main(folder: str, collections: list[str]) -> None:
    """Read the first and last rows of each collection, and look for their neighbours."""
    import chromadb  # noqa: PLC0415 - when it is run, not when it is imported
    from chromadb.config import Settings  # noqa: PLC0415

    settings = Settings(_env_file=None, anonymized_telemetry=False)  # type: ignore[call-arg]  # as in `generation`
    client = chromadb.PersistentClient(folder, settings=settings)
    there = {collection.name for collection in client.list_collections()}
    for name in there.intersection(collections):
        collection = client.get_collection(name, embedding_function=None)
        for offset in {0, max(0, collection.count() - _ROWS)}:
            rows = collection.get(limit=_ROWS, offset=offset, include=["embeddings"])["embeddings"]
            if rows is not None and len(rows):
                for row in (rows[0], rows[-1]):
                    collection.query(query_embeddings=list(row), n_results=50, include=["distances"])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
