"""Writers of one process take turns on SQLite, and long upkeep is waited for."""

import asyncio
from pathlib import Path

from memory.stores.sql.database import open_database
from memory.stores.sql.migrate import migrate
from tests.contract.record import Record
from tests.fakes.clock import FrozenClock


async def test_a_message_is_accepted_though_upkeep_takes_longer_than_the_limit(
    tmp_path: Path, clock: FrozenClock
) -> None:
    """A compaction or a large forget delays what people write; it refuses nothing."""
    async with open_database(tmp_path / "recall.db", clock=clock, timeout_s=0.05) as database:
        await migrate(database)
        async with asyncio.TaskGroup() as group, database.upkeep("compact"):
            writing = group.create_task(Record(database, clock).deliver("p1", "Prod is EKS."))
            await asyncio.wait([writing], timeout=1.5)  # its limit is 1.1 s
            assert not writing.done()
        assert not writing.result().duplicate
