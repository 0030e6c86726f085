"""Keys of memories as SQL expressions: the same strings as `memory.model.ids` makes."""

from sqlalchemy import ColumnElement, String, cast, literal_column

from memory.stores.sql.schema import episodes, facts, messages


def _key(kind: str, number: ColumnElement[int]) -> ColumnElement[str]:
    return literal_column(f"'{kind}'", String) + cast(number, String)


FACT_KEY = _key("f", facts.c.id)
EPISODE_KEY = _key("e", episodes.c.id)
TURN_KEY = _key("m", messages.c.id) + literal_column("'.'", String) + cast(messages.c.version, String)
