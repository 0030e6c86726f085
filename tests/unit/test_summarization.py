"""Which turns leave short-term memory."""

from hypothesis import given
from hypothesis import strategies as st

from memory.model import Message, Role
from memory.summarization import SummaryPolicy, leaving_turns, render_fold
from memory.tokens import count_tokens
from tests.fakes.values import said

_POLICY = SummaryPolicy(recent_turns=6, recent_tokens=400)


def thread(texts: list[str]) -> list[Message]:
    """Return a thread in which every message was answered."""
    messages: list[Message] = []
    for number, text in enumerate(texts):
        messages += [said(2 * number + 1, text), said(2 * number + 2, "noted", by=None, reply_to=2 * number + 1)]
    return messages


def test_nothing_leaves_while_the_thread_fits() -> None:
    """A thread at its bound stays whole."""
    assert leaving_turns(thread(["hello"] * 6), _POLICY) == ()


def test_half_of_the_bound_stays_once_it_is_passed() -> None:
    """The oldest turns leave together, so that the next turns need no folding."""
    messages = thread([f"turn {number}" for number in range(7)])

    leaving = leaving_turns(messages, _POLICY)

    assert list(leaving) == messages[:8]


def test_long_turns_leave_by_their_tokens() -> None:
    """Few turns can be too much as well."""
    messages = thread(["word " * 150, "word " * 150, "short"])

    leaving = leaving_turns(messages, _POLICY)

    assert [message.message_id for message in leaving if message.role is Role.USER] == [1, 3]


@given(st.lists(st.text(max_size=400), max_size=40))
def test_folding_ends_within_the_bounds_and_keeps_the_newest_turn(texts: list[str]) -> None:
    """However long the thread, repeated folding ends, in order, without splitting a turn or losing the newest."""
    left = thread(texts)
    while leaving := leaving_turns(left, _POLICY):
        assert list(leaving) == left[: len(leaving)]
        left = left[len(leaving) :]
        assert left[0].role is Role.USER

    turns = sum(message.role is Role.USER for message in left)
    assert turns <= _POLICY.recent_turns
    assert turns <= 1 or sum(count_tokens(message.text) for message in left) <= _POLICY.recent_tokens
    assert bool(texts) == bool(left)


def test_the_fold_shows_the_old_summary_and_who_said_what() -> None:
    """The new summary is made from the old one plus the turns that leave."""
    prompt = render_fold("prod is down", [said(1, "api-7f9c restarts"), said(2, "look at the limits", by=None)])

    assert "prod is down" in prompt
    assert "ana: api-7f9c restarts" in prompt
    assert "Recall: look at the limits" in prompt
