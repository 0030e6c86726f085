"""What a button below a reply carries comes back whole, and fits."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.discord.marks import Action, Mark, decoded

CUSTOM_ID_CHARS = 100
_SNOWFLAKES = st.integers(0, 10**20 - 1).map(str)


_MARKS = st.builds(
    Mark,
    action=st.sampled_from(get_args(Action)),
    thread=_SNOWFLAKES,
    message=_SNOWFLAKES,
    part=st.integers(0, 99),
    user=st.one_of(st.just(""), _SNOWFLAKES),
    number=st.one_of(st.just(""), st.integers(0, 10**9 - 1).map(str)),
)


@given(_MARKS)
def test_a_mark_comes_back_as_it_was(mark: Mark) -> None:
    """Also with the longest ids there can be, and within what Discord takes."""
    assert decoded(mark.encoded()) == mark
    assert len(mark.encoded()) <= CUSTOM_ID_CHARS


@pytest.mark.parametrize("custom_id", ["", "recall", "keep:7", "recall:stop:1:2:x::", "recall:fly:1:2:0::", "x" * 100])
def test_what_is_no_mark_is_none(custom_id: str) -> None:
    """Of other apps' making, or of another version."""
    assert decoded(custom_id) is None


@pytest.mark.parametrize(
    ("action", "is_done", "is_failed"),
    [
        ("stop", False, False),
        ("waiting", False, False),
        ("part", True, False),
        ("why", True, False),
        ("broken", True, True),
        ("retry", True, True),
        ("ended", True, True),
    ],
)
def test_a_mark_says_how_far_a_post_has_come(action: Action, *, is_done: bool, is_failed: bool) -> None:
    """An answer that grows, a whole one, and one that failed."""
    mark = Mark(action=action, thread="1", message="2", part=0)

    assert (mark.is_done, mark.is_failed) == (is_done, is_failed)
