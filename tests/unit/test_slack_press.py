"""What Slack's buttons carry, and what is read from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.press import MOST_WORDS, Action, Button, Press
from bots.slack.press import ACTION_ID, NAMES, decoded, element
from memory.model import SessionId, UserId

OWNER = UserId("slack:T1:U1")
THREAD = SessionId("slack:T1:C1:1.2")
_FOR_ONE = sorted(set(NAMES) - {"why", "good", "bad"})


def _again(press: Press) -> Press | None:
    """Return what is read when a press is written."""
    button = element(Button("Press", press))
    return decoded(button["action_id"], button["value"], team="T1", channel="C1")


@given(
    action=st.sampled_from(_FOR_ONE),
    words=st.text(max_size=MOST_WORDS),
    page=st.none() | st.integers(0, 99),
    thread=st.none() | st.just(THREAD),
    home=st.booleans(),
)
def test_a_button_means_what_it_was_made_for(
    action: Action, words: str, page: int | None, thread: SessionId | None, home: bool
) -> None:
    """And its value holds nothing that Slack escapes."""
    made = Press(
        action=action,
        user=OWNER,
        what=words,
        words=words[:9],
        page=page,
        thread=thread,
        home=home,
        digest="d",
        why="1.2",
    )
    button = element(Button("Press", made))

    assert _again(made) == made
    assert ACTION_ID.fullmatch(button["action_id"]) and len(button["value"]) <= 2_000
    assert not set(button["value"]) & set("<>&")


@pytest.mark.parametrize("action", ["why", "good", "bad"])
def test_what_anybody_may_press_names_only_the_message(action: Action) -> None:
    """As the buttons below answers always did."""
    made = Press(action=action, message="1700000000.000100")

    assert _again(made) == made


@pytest.mark.parametrize(
    ("press", "action_id"),
    [
        (Press(action="forget", user=OWNER, what="#7"), "recall_forget:7"),
        (Press(action="widen", user=OWNER, what="all"), "recall_widen:all"),
        (Press(action="widen", user=OWNER, what="all", digest="d"), "recall_widen"),
        (Press(action="page", user=OWNER, page=1), "recall_page:press"),
        (Press(action="pause", user=OWNER), "recall_pause"),
        (Press(action="pause", user=OWNER, thread=THREAD), "recall_pause:thread"),
        (Press(action="good", message="1.2"), "recall_feedback"),
    ],
)
def test_no_two_buttons_of_a_message_are_named_alike(press: Press, action_id: str) -> None:
    """Slack refuses them."""
    assert element(Button("Press", press))["action_id"] == action_id


def test_a_button_of_an_earlier_version_still_works() -> None:
    """It stands in a message for good."""
    value = '{"user":"U1","what":"#7","page":0,"thread":"1.2"}'

    assert decoded("recall_forget:7", value, team="T1", channel="C1") == Press(
        action="forget", user=OWNER, what="#7", page=0, thread=THREAD
    )


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        "",
        "x",
        "[]",
        "{}",
        "null",
        '{"user":"U1","other":1}',
        '{"user":"U1","what":7}',
        '{"user":"U1","thread":7}',
    ],
)
def test_what_is_no_button_of_ours_is_none(value: object) -> None:
    """Of another app, or of another version."""
    assert decoded("recall_forget:7", value, team="T1", channel="C1") is None
    assert decoded("other", value, team="T1", channel="C1") is None


@pytest.mark.parametrize("value", ["", "well:1.2", None])
def test_only_two_things_can_be_said_of_an_answer(value: object) -> None:
    """Anything else is no button of ours."""
    assert decoded("recall_feedback", value, team="T1", channel="C1") is None
