"""Names of memories: what a key stands for can be read back from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.model import MemoryKey, episode_key, fact_key, key_kind, row_id, turn_key

_rows = st.integers(0, 2**62)


@given(_rows, st.integers(1, 1_000))
def test_keys_round_trip(row: int, version: int) -> None:
    """Kind and row come back from every kind of key."""
    assert (key_kind(fact_key(row)), row_id(fact_key(row))) == ("fact", row)
    assert (key_kind(episode_key(row)), row_id(episode_key(row))) == ("episode", row)
    assert (key_kind(turn_key(row, version)), row_id(turn_key(row, version))) == ("turn", row)


@given(st.tuples(_rows, st.integers(1, 1_000)), st.tuples(_rows, st.integers(1, 1_000)))
def test_keys_are_injective(one: tuple[int, int], other: tuple[int, int]) -> None:
    """Different messages and versions have different keys, and the kinds never share one."""
    assert (turn_key(*one) == turn_key(*other)) == (one == other)
    assert len({fact_key(one[0]), episode_key(one[0]), turn_key(*one)}) == 3


def test_a_foreign_key_is_refused() -> None:
    """A key that this module did not make names nothing."""
    with pytest.raises(KeyError):
        key_kind(MemoryKey("x1"))
