"""What reading and writing many rows needs: the type of any row, and lists cut to fit a statement's parameters."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Row

AnyRow: TypeAlias = Row[*tuple[Any, ...]]

_CHUNK = 5_000  # SQLite takes 32,766 parameters, PostgreSQL 65,535
_Item = TypeVar("_Item")


def chunks(items: Collection[_Item]) -> Iterator[Sequence[_Item]]:
    """Cut `items` into pieces that one statement can take as parameters on both databases."""
    ordered = list(items)
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]
