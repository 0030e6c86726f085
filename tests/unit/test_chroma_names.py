"""Names inside Chroma: injective, and within what Chroma takes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.errors import StoreCorruptError, StoreError, StoreUnavailableError
from memory.model import MemoryKey, UserId, VectorRef, episode_key, fact_key, turn_key
from memory.stores.chroma.client import translate
from memory.stores.chroma.names import collection_names, key_of, record_id

_rows = st.integers(min_value=0, max_value=2**40)
_keys = st.one_of(
    st.builds(fact_key, _rows), st.builds(episode_key, _rows), st.builds(turn_key, _rows, st.integers(1, 99))
)
_refs = st.builds(VectorRef, owner=st.text().map(UserId), key=_keys)


@given(_refs)
def test_key_comes_back_out_of_an_id(ref: VectorRef) -> None:
    """Whatever the owner is called, slashes included."""
    assert key_of(record_id(ref)) == ref.key


@given(_refs, _refs)
def test_ids_are_injective(one: VectorRef, other: VectorRef) -> None:
    """Two references share an id only when they are the same."""
    assert (record_id(one) == record_id(other)) == (one == other)


def test_owner_that_looks_like_an_id_is_another() -> None:
    """`a/f1` with `f2` is not `a` with `f1/f2`, which no key is."""
    tricky = VectorRef(owner=UserId("a/f1"), key=MemoryKey("f2"))

    assert record_id(tricky) != record_id(VectorRef(owner=UserId("a"), key=MemoryKey("f2")))


@given(st.text(), st.text(), st.integers(1, 4096))
def test_collections_are_per_model_and_legal(one: str, other: str, dimensions: int) -> None:
    """Every name is one that Chroma takes, and no two models or sizes share one."""
    names = set(collection_names(one, dimensions).values())

    assert len(names) == 3
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,120}[a-z0-9]", name) for name in names)
    assert names.isdisjoint(collection_names(one, dimensions + 1).values())
    assert (one == other) == (not names.isdisjoint(collection_names(other, dimensions).values()))


class InternalError(Exception):
    """Named as Chroma names it."""


@pytest.mark.parametrize(
    ("error", "embedded", "ours"),
    [
        (InternalError("(code: 26) file is not a database"), True, StoreCorruptError),
        (InternalError("(code: 5) database is locked"), True, StoreUnavailableError),
        (InternalError("(code: 13) database or disk is full"), True, StoreUnavailableError),
        (InternalError("(code: 26) file is not a database"), False, StoreUnavailableError),
        (ValueError("Could not connect"), True, StoreUnavailableError),
    ],
)
def test_passing_trouble_is_not_damage(error: Exception, ours: type[StoreError], *, embedded: bool) -> None:
    """A lock or a full disk passes; a file that is no database does not; a server's files are not ours to judge."""
    assert type(translate(error, "count", embedded=embedded)) is ours
