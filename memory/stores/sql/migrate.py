"""Bringing a database to this version's schema. At head it costs one query, and alembic is not imported."""

from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from memory.errors import ConfigError
from memory.stores import migrations
from memory.stores.sql.database import Database

HEAD = "0004"
"""The newest revision in `memory.stores.migrations`."""

_PROCESSES_TAKE_TURNS = text("SELECT pg_advisory_xact_lock(hashtext('recall: migrate'))")
_VERSION = text("SELECT version_num FROM alembic_version")


async def migrate(database: Database) -> None:
    """Create or upgrade the tables; several processes may do it at once, and one does the work.

    Not to be called twice at once in one process: alembic keeps what it works on in globals.

    Raises:
        ConfigError: The database was written by a newer version.
    """
    if await _is_current(database):
        return
    async with database.upkeep_transaction("migrate") as connection:
        if database.dialect == "postgresql":
            await connection.execute(_PROCESSES_TAKE_TURNS)
        await connection.run_sync(_upgrade)


async def _is_current(database: Database) -> bool:
    async with database.read("read the schema version") as connection:
        try:
            return (await connection.execute(_VERSION)).scalar_one_or_none() == HEAD
        except (OperationalError, ProgrammingError) as error:
            if _is_missing_table(error):
                return False
            raise


def _is_missing_table(error: OperationalError | ProgrammingError) -> bool:
    return getattr(error.orig, "sqlstate", None) == "42P01" or "no such table" in str(error.orig)


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 (0.3 s that a start without a migration does not spend)
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigError([f"the database was written by a newer version of Recall ({error})"]) from error
