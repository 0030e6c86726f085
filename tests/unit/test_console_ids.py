"""Ids of the console: injective and round-tripping, whatever people are called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.console import ids
from bots.ids import join_parts, split_parts
from memory.audience import Scope, private_to, scope_for
from memory.model import SessionId

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=30)


@given(st.lists(ANY_TEXT, min_size=1, max_size=5))
def test_parts_come_back_as_they_went_in(parts: list[str]) -> None:
    """Joining loses nothing: colons, percent signs, spaces and lone surrogates included."""
    assert split_parts(join_parts(*parts)) == parts


@given(st.lists(ANY_TEXT, min_size=2, max_size=2), st.lists(ANY_TEXT, min_size=2, max_size=2))
def test_different_parts_give_different_ids(one: list[str], other: list[str]) -> None:
    """Two lists of parts share an id only if they are the same list."""
    assert (join_parts(*one) == join_parts(*other)) == (one == other)


@given(
    st.text("T1U:%", max_size=4),
    st.text("T1U:%", max_size=4),
    st.text("T1U:%", max_size=4),
    st.text("T1U:%", max_size=4),
)
def test_shifted_borders_are_told_apart(user: str, thread: str, other_user: str, other_thread: str) -> None:
    """`T1` + `U1` is never `T1U` + `1`."""
    same = (user, thread) == (other_user, other_thread)

    assert (ids.place(user, thread).session_id == ids.place(other_user, other_thread).session_id) == same
    assert (ids.person(user).user_id == ids.person(other_user).user_id) == (user == other_user)


@given(ANY_TEXT, ANY_TEXT)
def test_a_session_names_its_user_and_thread(user: str, thread: str) -> None:
    """What a session id was made from can be read from it."""
    assert ids.thread_of(ids.place(user, thread).session_id) == (user, thread)


@pytest.mark.parametrize("foreign", ["slack:T1:C1:1.2", "console:local:bob", "console:other:bob:main", ""])
def test_a_foreign_session_is_refused(foreign: str) -> None:
    """Ids of other platforms and shapes are no console sessions."""
    with pytest.raises(ValueError, match="not a console session"):
        ids.thread_of(SessionId(foreign))


def test_a_console_is_read_by_its_person_alone() -> None:
    """Its place is private to the person: they recall there, and another person in it sees nothing."""
    place = ids.place("bob", "main")
    bob, eve = ids.person("bob").user_id, ids.person("eve").user_id

    assert place.audience == private_to(bob)
    assert not place.shared
    assert scope_for(place, bob).audiences
    assert scope_for(place, eve) == Scope.nothing(tenant_id=place.tenant_id, reader=eve)
