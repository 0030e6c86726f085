"""The record: SQLite in a file or PostgreSQL on a server, through SQLAlchemy. It knows no platform and no model."""

from memory.stores.sql.admin import SqlRecordAdmin
from memory.stores.sql.audit import SqlAuditLog
from memory.stores.sql.database import Database, open_database
from memory.stores.sql.erasure import SqlErasureStore
from memory.stores.sql.extraction import SqlExtractionStore
from memory.stores.sql.facts import SqlFactStore
from memory.stores.sql.index_queue import SqlIndexQueue
from memory.stores.sql.leases import SqlLeaseStore
from memory.stores.sql.messages import SqlMessageStore
from memory.stores.sql.migrate import migrate
from memory.stores.sql.named_values import SqlNamedValues
from memory.stores.sql.places import SqlPlaceStore
from memory.stores.sql.recall import SqlRecallStore

__all__ = [
    "Database",
    "SqlAuditLog",
    "SqlErasureStore",
    "SqlExtractionStore",
    "SqlFactStore",
    "SqlIndexQueue",
    "SqlLeaseStore",
    "SqlMessageStore",
    "SqlNamedValues",
    "SqlPlaceStore",
    "SqlRecallStore",
    "SqlRecordAdmin",
    "migrate",
    "open_database",
]
