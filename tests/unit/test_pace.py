"""The rule of the pace, by a clock that the test moves."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from memory.model import UserId
from memory.stores.in_memory import InMemoryPace

GAPS_S = st.lists(st.floats(min_value=0, max_value=90), min_size=1, max_size=60)


async def test_resting_earns_turns_back() -> None:
    """One turn for each part of the minute, never more than the burst."""
    now = [0.0]
    pace = InMemoryPace(per_min=3, monotonic=lambda: now[0])
    assert [await pace.take(UserId("ann")) for _ in range(4)] == [0.0, 0.0, 0.0, 20.0]

    now[0] = 60.0
    assert [await pace.take(UserId("ann")) for _ in range(3)] == [0.0, 0.0, 20.0]

    now[0] = 10_000.0
    assert [await pace.take(UserId("ann")) for _ in range(4)] == [0.0, 0.0, 0.0, 20.0]


@given(gaps_s=GAPS_S, per_min=st.integers(min_value=1, max_value=12))
async def test_no_minute_has_more_than_its_turns_and_a_burst(gaps_s: list[float], per_min: int) -> None:
    """Whenever turns come, who waits as told starts at most twice the rate in any minute, in the order they came."""
    now = [0.0]
    pace = InMemoryPace(per_min=per_min, monotonic=lambda: now[0])
    starts = []
    for now[0] in accumulate(gaps_s):
        starts.append(now[0] + await pace.take(UserId("ann")))

    assert starts == sorted(starts)
    for first in starts:
        assert sum(first <= start < first + 60 - 1e-6 for start in starts) <= 2 * per_min


@given(gaps_s=GAPS_S, per_min=st.integers(min_value=1, max_value=12))
async def test_who_keeps_to_the_rate_never_waits(gaps_s: list[float], per_min: int) -> None:
    """Turns no closer than their part of a minute have no wait."""
    now = [0.0]
    pace = InMemoryPace(per_min=per_min, monotonic=lambda: now[0])
    for now[0] in accumulate(gap + 60 / per_min + 1e-6 for gap in gaps_s):
        assert await pace.take(UserId("ann")) == 0.0


async def test_people_who_rested_are_let_go() -> None:
    """The dictionary does not grow with everybody who ever spoke, and who did not rest is not let go with them."""
    now = [0.0]
    pace = InMemoryPace(per_min=1, monotonic=lambda: now[0])
    for number in range(5_000):
        now[0] = float(number)
        await pace.take(UserId(f"person {number}"))

    assert len(pace._used_until) < 1_200
    assert await pace.take(UserId("person 4999")) == 60.0
