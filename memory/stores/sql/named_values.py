"""Small facts about the installation, each under its name."""

from sqlalchemy import select

from memory.ports import NamedValues
from memory.stores.sql.database import Database, inserts
from memory.stores.sql.schema import named_values

_INSERT = inserts(named_values)


class SqlNamedValues(NamedValues):
    """One row for each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, name: str) -> str | None:
        found = select(named_values.c.value).where(named_values.c.name == name)
        async with self._database.read("find a named value") as connection:
            value: str | None = (await connection.execute(found)).scalar_one_or_none()
            return value

    async def keep(self, name: str, value: str) -> None:
        async with self._database.begin("keep a named value") as connection:
            added = _INSERT[connection.dialect.name].values(name=name, value=value)
            await connection.execute(
                added.on_conflict_do_update(index_elements=[named_values.c.name], set_={"value": added.excluded.value})
            )
