"""What every store of named values does."""

from memory.stores.sql.database import Database
from memory.stores.sql.named_values import SqlNamedValues


async def test_a_value_is_found_under_its_name_alone(database: Database) -> None:
    """The last one that was kept; nothing under any other name."""
    values = SqlNamedValues(database)
    await values.keep("commands 1", "a")
    await values.keep("commands 2", "b")
    await values.keep("commands 1", "c")

    assert [await values.find(name) for name in ("commands 1", "commands 2", "commands 3")] == ["c", "b", None]


async def test_a_value_is_there_for_another_process(database: Database) -> None:
    """It is in the record."""
    await SqlNamedValues(database).keep("commands 1", "a")

    assert await SqlNamedValues(database).find("commands 1") == "a"
