"""What the contract tests of the record share."""

import pytest

from memory.stores.sql.database import Database
from tests.contract.record import Record
from tests.fakes.clock import FrozenClock


@pytest.fixture
def record(database: Database, clock: FrozenClock) -> Record:
    """The stores over an empty database, on each engine."""
    return Record(database, clock)
