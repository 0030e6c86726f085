"""What is read after `/pause`, and what people are told about pauses."""

from dataclasses import replace

import pytest

from bots.conversation import BROKEN, CUT_OFF, NO_ANSWER, REFUSED, UNAVAILABLE, ending
from bots.pausing import USAGE, HowToPause, means_thread
from memory.errors import InputError, PausedError
from tests.fakes.values import said


@pytest.mark.parametrize(
    ("argument", "is_thread"),
    [("", False), ("me", False), ("this thread", True), (" This  Thread ", True), ("thread", True)],
)
def test_a_pause_is_for_oneself_or_for_the_thread(argument: str, *, is_thread: bool) -> None:
    """Nothing named is oneself."""
    assert means_thread(argument) is is_thread


@pytest.mark.parametrize("argument", ["everything", "that thread", "until Monday"])
def test_any_other_pause_is_explained(argument: str) -> None:
    """Nothing is paused that was not meant."""
    with pytest.raises(InputError, match=USAGE):
        means_thread(argument)


@pytest.mark.parametrize(("in_thread", "ends"), [(False, "/go"), (True, "/go here")])
def test_a_refusal_says_what_ends_the_pause(ends: str, *, in_thread: bool) -> None:
    """In the words of the platform."""
    how = HowToPause(resume="/go", resume_thread="/go here")

    assert str(how.refusal(PausedError(in_thread=in_thread))).endswith(f"nothing was stored. {ends} ends the pause.")


@pytest.mark.parametrize("words", [UNAVAILABLE, REFUSED, CUT_OFF, NO_ANSWER, BROKEN])
def test_the_end_of_a_failed_turn_promises_no_more_than_is_kept(words: str) -> None:
    """A message that was said while paused is erased, and the words say so."""
    message = said(1, "hello")

    assert "Your message is kept" in ending(words, message)
    assert "your message is not kept" in ending(words, replace(message, kept=False))
