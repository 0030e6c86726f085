"""Chroma's table of running systems, one per path or connection, from which it does not remove those that failed."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_stray_system() -> Iterator[None]:
    """Run what makes a client; if it fails, forget its half-started system, which a next attempt would be given."""
    from chromadb.api.shared_system_client import SharedSystemClient  # noqa: PLC0415 - 1.3 s, see the package

    systems = SharedSystemClient._identifier_to_system  # noqa: SLF001 - there is no public way
    known = set(systems)
    try:
        yield
    except BaseException:
        for stray in set(systems) - known:
            del systems[stray]
        raise
