"""Lists as one parameter: `expanding` rewrites the statement's text for each execution, which the reply path feels."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, Boolean, ColumnElement, Dialect, String, Text, TypeDecorator, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine


class _Strings(TypeDecorator[Collection[str]]):
    """An array on PostgreSQL, JSON text on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose by dialect."""
        return dialect.type_descriptor(ARRAY(String()) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Collection[str] | None, dialect: Dialect) -> Any:
        """Write the list."""
        items = list(value or ())
        return items if dialect.name == "postgresql" else json.dumps(items)


class _Among(FunctionElement[bool]):
    """Whether a column's value is in a list."""

    type = Boolean()
    inherit_cache = True


@compiles(_Among, "sqlite")
def _sqlite_among(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, items = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({items}))"  # noqa: S608 (made of rendered clauses)


@compiles(_Among, "postgresql")
def _postgresql_among(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, items = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({items})"


def among(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Return the condition that `column` is in the list given as parameter `name`.

    For conditions that only filter: SQLite's planner does not see that a list is short.
    """
    return _Among(column, bindparam(name, type_=_Strings()))
