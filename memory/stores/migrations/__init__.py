"""The history of the record's schema, as alembic revisions; loaded as package data by `memory.stores.sql.migrate`."""
