"""Kinds of columns that both engines can have: row numbers that are never given out twice, and aware times."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Dialect, Identity, Integer, TypeDecorator

RowId = BigInteger().with_variant(Integer, "sqlite")
"""SQLite makes only INTEGER primary keys number themselves."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite, which has no such type, keeps it naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time has no place in the record")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (signature)
        """Return an aware time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def row_id() -> Column[Any]:
    """Return the primary key of a table whose rows number themselves."""
    return Column("id", RowId, Identity(), primary_key=True, autoincrement=True)
