"""What Discord's buttons carry, and what is read from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.discord.press import TEMPLATE, Written, read, written
from bots.press import MOST_WORDS, Press
from memory.model import SessionId, UserId

_SNOWFLAKES = st.integers(1, 2**63).map(str)
_WORDS = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=MOST_WORDS)
_DIGESTS = st.binary(min_size=12, max_size=12).map(bytes.hex)
_NUMBERS = st.integers(1, 999_999_999).map("#{}".format)
_PAGES = st.integers(0, 9_999)
_OWNERS = _SNOWFLAKES.map("discord:1:{}".format).map(UserId)
_THREADS = _SNOWFLAKES.map("discord:1:2:{}".format).map(SessionId)

_LISTED = st.builds(
    Press,
    action=st.sampled_from(["page", "forget", "agree", "keep", "widen", "narrow"]),
    user=_OWNERS,
    what=_NUMBERS | st.just(""),
    words=_WORDS | st.just(""),
    page=_PAGES,
    digest=_DIGESTS | st.just(""),
)
_ASKED = st.builds(
    Press,
    action=st.sampled_from(["agree", "forget"]),
    user=_OWNERS,
    what=_WORDS,
    thread=_THREADS | st.none(),
    digest=_DIGESTS,
)
_OF_MESSAGE = st.builds(
    Press,
    action=st.sampled_from(["agree", "keep"]),
    user=_OWNERS,
    message=_SNOWFLAKES,
    thread=_THREADS,
    digest=_DIGESTS,
)
_OF_ANSWER = st.builds(
    Press,
    action=st.sampled_from(["forget", "agree", "keep"]),
    user=_OWNERS,
    what=_NUMBERS,
    thread=_THREADS,
    why=_SNOWFLAKES | st.just(""),
    digest=_DIGESTS | st.just(""),
)
_SET = st.builds(
    Press,
    action=st.sampled_from(["pause", "resume", "export", "widen", "narrow"]),
    user=_OWNERS,
    thread=_THREADS | st.none(),
    what=st.sampled_from(["", "all"]),
    digest=_DIGESTS | st.just(""),
)


def _again(carried: Written, *, footer: str | None = None, guild: str = "1", channel: str = "2") -> Press | None:
    """Return what is read when a button is pressed."""
    found = TEMPLATE.fullmatch(carried.custom_id)
    assert found is not None
    return read(found, footer=carried.footer if footer is None else footer, guild=guild, channel=channel)


@given(press=_LISTED | _ASKED | _OF_MESSAGE | _OF_ANSWER | _SET)
def test_a_button_means_what_it_was_made_for(press: Press) -> None:
    """Whatever the desk makes; and Discord takes it."""
    carried = written(press)

    assert _again(carried) == press
    assert len(carried.custom_id) <= 100


def test_a_button_is_of_where_it_is_pressed() -> None:
    """So one that is carried to another server names nobody and nothing of the first."""
    press = Press(action="forget", user=UserId("discord:1:7"), what="#7", thread=SessionId("discord:1:2:3"))
    elsewhere = _again(written(press), guild="9", channel="8")

    assert elsewhere is not None
    assert (elsewhere.user, elsewhere.thread) == ("discord:9:7", "discord:9:8:3")


@pytest.mark.parametrize("press", [{"what": "about argocd"}, {"words": "argocd", "page": 1}])
def test_a_button_whose_words_are_gone_is_none(press: dict[str, str]) -> None:
    """It must not come to mean everything."""
    made = Press(action="forget", user=UserId("discord:1:7"), **press)  # type: ignore[arg-type]  # few of the fields

    assert _again(written(made), footer="") is None


def test_words_that_nobody_can_have_typed_are_none() -> None:
    """Longer ones than a press can have."""
    made = Press(action="forget", user=UserId("discord:1:7"), what="about argocd")

    assert _again(written(made), footer="x" * (MOST_WORDS + 1)) is None


@pytest.mark.parametrize("custom_id", ["", "press", "other:1", "press:forget", "recall:why:1:2:0::"])
def test_what_is_no_button_of_the_desk_is_not_found(custom_id: str) -> None:
    """Of another app, of another version, or below a reply."""
    assert TEMPLATE.fullmatch(custom_id) is None


def test_an_action_that_nobody_knows_is_none() -> None:
    """As of a newer version."""
    carried = written(Press(action="forget", user=UserId("discord:1:7"), what="#7")).custom_id
    found = TEMPLATE.fullmatch(carried.replace("forget", "dance"))

    assert found is not None
    assert read(found, footer="", guild="1", channel="2") is None
