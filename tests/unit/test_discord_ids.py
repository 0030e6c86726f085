"""Ids of Discord: injective and round-tripping, whatever the parts are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.discord import ids
from bots.discord.ids import DiscordThread
from memory.audience import is_community, is_visible, private_to, scope_for
from memory.model import ChannelId, SessionId, TenantId, UserId

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
CONFUSABLE = st.text("12:%.", max_size=4)
ANY_THREAD = st.builds(DiscordThread, ANY_TEXT, ANY_TEXT, ANY_TEXT)
CONFUSABLE_THREAD = st.builds(DiscordThread, CONFUSABLE, CONFUSABLE, CONFUSABLE)


@given(ANY_THREAD)
def test_a_session_names_its_thread(thread: DiscordThread) -> None:
    """What a session id was made from can be read from it."""
    assert ids.thread_of(ids.session_id(thread)) == thread


@given(ANY_TEXT, ANY_TEXT)
def test_users_channels_and_servers_come_back(guild: str, name: str) -> None:
    """What an id was made from can be read from it."""
    assert ids.user_of(ids.user_id(guild, name)) == (guild, name)
    assert ids.channel_of(ids.channel_id(guild, name)) == (guild, name)
    assert ids.guild_of(ids.tenant_id(guild)) == guild


@given(CONFUSABLE_THREAD, CONFUSABLE_THREAD)
def test_two_threads_never_share_an_id(one: DiscordThread, other: DiscordThread) -> None:
    """Two threads have one session id only if they are the same thread."""
    assert (ids.session_id(one) == ids.session_id(other)) == (one == other)


@given(CONFUSABLE, CONFUSABLE, CONFUSABLE, CONFUSABLE)
def test_shifted_borders_are_told_apart(guild: str, name: str, other_guild: str, other_name: str) -> None:
    """`1` + `21` is never `12` + `1`."""
    same = (guild, name) == (other_guild, other_name)

    assert (ids.user_id(guild, name) == ids.user_id(other_guild, other_name)) == same
    assert (ids.channel_id(guild, name) == ids.channel_id(other_guild, other_name)) == same
    assert (ids.tenant_id(guild) == ids.tenant_id(other_guild)) == (guild == other_guild)


def test_ids_are_readable_in_a_log() -> None:
    """Discord's own ids stand in ours as they are."""
    assert ids.session_id(DiscordThread("1", "2", "3")) == "discord:1:2:3"
    assert ids.user_id("dm", "4") == "discord:dm:4"


def test_somebody_is_another_person_in_every_server() -> None:
    """What is said to Recall in private is not for a server, nor what is said in one for another."""
    place = ids.dm_place("7", "4")
    elsewhere = ids.own_place("1", "4")

    assert place.audience == private_to(ids.user_id("dm", "4"))
    for there in (elsewhere, ids.own_place("2", "4")):
        scope = scope_for(there, ids.user_id(ids.guild_of(there.tenant_id), "4"))
        assert not is_visible(
            scope,
            tenant_id=place.tenant_id,
            audience=place.audience,
            owner=ids.user_id("dm", "4"),
            about_owner=True,
        )


def test_direct_messages_are_nobodys_community() -> None:
    """People who write to Recall there have nothing in common; those of a server have."""
    assert not is_community(ids.tenant_id(ids.DM))
    assert is_community(ids.tenant_id("1"))
    assert scope_for(ids.dm_place("7", "4"), ids.user_id("dm", "4")).audiences == {private_to(ids.user_id("dm", "4"))}


@pytest.mark.parametrize("other", ["slack:1:2:3", "discord:1:2", "", "discord"])
def test_other_sessions_are_refused(other: str) -> None:
    """Ids of other platforms, and of other kinds, are no threads of Discord."""
    with pytest.raises(ValueError, match="not a Discord"):
        ids.thread_of(SessionId(other))


def test_other_ids_are_refused() -> None:
    """The same goes for people, channels and servers."""
    for read in (
        lambda: ids.user_of(UserId("slack:1:2")),
        lambda: ids.channel_of(ChannelId("discord:1:2:3")),
        lambda: ids.guild_of(TenantId("slack:1")),
    ):
        with pytest.raises(ValueError, match="not a Discord"):
            read()


@pytest.mark.parametrize(("guild", "shown"), [("1", "1"), ("dm", "@me")])
def test_a_link_opens_the_message(guild: str, shown: str) -> None:
    """A link is what Discord's "Copy Message Link" gives."""
    assert ids.permalink(guild, "2", "3") == f"https://discord.com/channels/{shown}/2/3"
