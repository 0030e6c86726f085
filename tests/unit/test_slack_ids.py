"""Ids of Slack: injective and round-tripping, whatever the parts are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.slack import ids
from bots.slack.ids import SlackThread
from memory.audience import members_of
from memory.model import ChannelId, SessionId, UserId

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
CONFUSABLE = st.text("T1U:%.", max_size=4)
ANY_THREAD = st.builds(SlackThread, ANY_TEXT, ANY_TEXT, ANY_TEXT)
CONFUSABLE_THREAD = st.builds(SlackThread, CONFUSABLE, CONFUSABLE, CONFUSABLE)


@given(ANY_THREAD)
def test_a_session_names_its_thread(thread: SlackThread) -> None:
    """What a session id was made from can be read from it."""
    assert ids.thread_of(ids.session_id(thread)) == thread


@given(ANY_TEXT, ANY_TEXT)
def test_users_and_channels_come_back(team: str, name: str) -> None:
    """What a user's or a channel's id was made from can be read from it."""
    assert ids.user_of(ids.user_id(team, name)) == (team, name)
    assert ids.channel_of(ids.channel_id(team, name)) == (team, name)


@given(CONFUSABLE_THREAD, CONFUSABLE_THREAD)
def test_two_threads_never_share_an_id(one: SlackThread, other: SlackThread) -> None:
    """Two threads have one session id only if they are the same thread."""
    assert (ids.session_id(one) == ids.session_id(other)) == (one == other)


@given(CONFUSABLE, CONFUSABLE, CONFUSABLE, CONFUSABLE)
def test_shifted_borders_are_told_apart(team: str, name: str, other_team: str, other_name: str) -> None:
    """`T1` + `U1` is never `T1U` + `1`."""
    same = (team, name) == (other_team, other_name)

    assert (ids.user_id(team, name) == ids.user_id(other_team, other_name)) == same
    assert (ids.channel_id(team, name) == ids.channel_id(other_team, other_name)) == same
    assert (ids.tenant_id(team) == ids.tenant_id(other_team)) == (team == other_team)


def test_ids_are_readable_in_a_log() -> None:
    """Slack's own ids stand in ours as they are."""
    assert ids.session_id(SlackThread("T1", "C1", "1764000000.000100")) == "slack:T1:C1:1764000000.000100"
    assert ids.user_id("T1", "U1") == "slack:T1:U1"


@given(ANY_THREAD)
def test_a_place_is_of_its_thread(thread: SlackThread) -> None:
    """A place has the ids of its thread, channel and workspace."""
    audience = members_of(ids.channel_id(thread.team, thread.channel))
    place = ids.place(thread, audience=audience, shared=True)

    assert ids.thread_of(place.session_id) == thread
    assert ids.channel_of(place.channel_id) == (thread.team, thread.channel)
    assert place.tenant_id == ids.tenant_id(thread.team)
    assert (place.audience, place.shared) == (audience, True)


@pytest.mark.parametrize("foreign", ["console:local:bob:main", "slack:T1:C1", "slack:T1:C1:1.2:x", "slack", ""])
def test_a_foreign_session_is_refused(foreign: str) -> None:
    """Ids of other platforms and shapes are no Slack sessions."""
    with pytest.raises(ValueError, match="not a Slack session"):
        ids.thread_of(SessionId(foreign))


@pytest.mark.parametrize("foreign", ["console:local:bob", "slack:T1", "slack:T1:U1:x", ""])
def test_a_foreign_user_or_channel_is_refused(foreign: str) -> None:
    """Ids of other platforms and shapes are no Slack users or channels."""
    with pytest.raises(ValueError, match="not a Slack user"):
        ids.user_of(UserId(foreign))
    with pytest.raises(ValueError, match="not a Slack channel"):
        ids.channel_of(ChannelId(foreign))
