"""Threads, permissions and what becomes of channels in the fake Discord."""

import discord
import pytest

from tests.fakes.discord.permissions import bits
from tests.fakes.discord_server import Channel, DiscordRefusesError, DiscordServer, Guild, Person, lifecycle
from tests.fixtures.bare_discord import BareApp, Rest

THREAD = {"name": "prod"}


async def test_a_message_has_one_thread(dana: Person, lobby: Channel, rest: Rest) -> None:
    """The thread has the message's id and both its people; a second one is refused."""
    asked = await dana.says(lobby, "hello")
    path = f"/channels/{lobby.channel_id}/messages/{asked.message_id}"
    made = await rest("POST", f"{path}/threads", THREAD)
    again = await rest("POST", f"{path}/threads", THREAD)
    shown = await rest("GET", path)

    assert made.body["id"] == asked.message_id and made.body["type"] == 11
    assert (again.status, again.code) == (400, 160004)
    assert shown.body["thread"]["id"] == asked.message_id and shown.body["flags"] == 32
    thread = lobby.threads[0]
    assert {user.name for user in thread.people.values()} == {"dana", "recall"}
    assert [message.kind for message in thread.messages] == [21]


async def test_what_begins_a_thread_is_checked(dana: Person, lobby: Channel, guild: Guild, rest: Rest) -> None:
    """A name is needed, a thread holds none, and the permission is needed."""
    asked = await dana.says(lobby, "hello")
    path = f"/channels/{lobby.channel_id}/messages/{asked.message_id}/threads"
    nameless = await rest("POST", path, {})
    long = await rest("POST", path, {"name": "x" * 101})
    odd = await rest("POST", path, THREAD | {"auto_archive_duration": 7})
    guild.bot_may("view_channel", "send_messages", "read_message_history")
    forbidden = await rest("POST", path, THREAD)

    assert nameless.errors("name") == ["BASE_TYPE_REQUIRED"] and long.errors("name") == ["BASE_TYPE_BAD_LENGTH"]
    assert odd.errors("auto_archive_duration") == ["BASE_TYPE_CHOICES"]
    assert (forbidden.status, forbidden.code) == (403, 50013)


async def test_a_private_thread_is_for_its_members(dana: Person, lobby: Channel, guild: Guild, bare: BareApp) -> None:
    """Neither the app nor others see it until they are added."""
    bob = guild.user("bob")
    thread = await dana.starts_thread(lobby, "secret", private=True)
    await dana.says(thread, "@recall one")
    with pytest.raises(DiscordRefusesError):
        await bob.says(thread, "let me in")
    await dana.adds(thread, bob, bot=True)
    await bob.says(thread, "@recall two")
    (heard,) = await bare.until_heard("message")

    assert heard.channel.is_private() and heard.content.endswith("two")
    assert bob.sees(thread) == thread.messages


async def test_an_archived_thread_opens_with_the_next_message(
    discord_server: DiscordServer, dana: Person, lobby: Channel, rest: Rest
) -> None:
    """It leaves the list of open ones, takes no edits, and opens when somebody writes; locked, it takes nothing."""
    thread = await dana.starts_thread(lobby, "prod")
    path = f"/channels/{thread.channel_id}/messages"
    own = await rest("POST", path, {"content": "one"})
    lifecycle.archive(discord_server.world, thread)
    active = await rest("GET", f"/guilds/{lobby.guild.guild_id if lobby.guild else ''}/threads/active")
    archived = await rest("GET", f"/channels/{lobby.channel_id}/threads/archived/public")
    edited = await rest("PATCH", f"{path}/{own.body['id']}", {"content": "two"})
    posted = await rest("POST", path, {"content": "three"})
    opened = not thread.archived
    lifecycle.archive(discord_server.world, thread, locked=True)
    locked = await rest("POST", path, {"content": "four"})

    assert active.body["threads"] == [] and [each["id"] for each in archived.body["threads"]] == [thread.channel_id]
    assert (edited.code, posted.status, opened, locked.code) == (50083, 200, True, 50083)


async def test_the_app_may_do_what_it_is_permitted(lobby: Channel, guild: Guild, dana: Person, rest: Rest) -> None:
    """Each missing permission is refused, and a hidden channel is not even told of."""
    asked = await dana.says(lobby, "hello")
    path = f"/channels/{lobby.channel_id}"
    eyes = f"{path}/messages/{asked.message_id}/reactions/%F0%9F%91%80/@me"
    guild.bot_may("view_channel")
    refused = [
        await rest("POST", f"{path}/messages", {"content": "x"}),
        await rest("POST", f"{path}/typing"),
        await rest("PUT", eyes),
        await rest("DELETE", f"{path}/messages/{asked.message_id}"),
    ]
    unread = await rest("GET", f"{path}/messages")
    guild.bot_may("view_channel", "send_messages", "read_message_history")
    rich = await rest("POST", f"{path}/messages", {"embeds": [{"title": "x"}]})
    guild.bot_may()
    hidden = await rest("GET", path)

    assert [answer.code for answer in [*refused, rich]] == [50013] * 5
    assert unread.body == []
    assert (hidden.status, hidden.code) == (403, 50001)


async def test_the_install_link_is_all_the_app_has(discord_server: DiscordServer, guild: Guild, rest: Rest) -> None:
    """What @everyone may does not help an app that did not ask for it, in this guild and in those to come."""
    discord_server.install(bits(["view_channel", "send_messages"]), "message_content")
    codes = []
    for each in (guild, discord_server.guild("umbrella")):
        path = f"/channels/{each.channel('general').channel_id}/messages"
        codes += [(await rest("POST", path, body)).code for body in ({"content": "x"}, {"embeds": [{"title": "x"}]})]

    assert codes == [0, 50013] * 2
    assert discord_server.world.app.flags == 1 << 19


async def test_overwrites_decide_who_sees_a_channel(
    discord_server: DiscordServer, guild: Guild, dana: Person, lobby: Channel, bare: BareApp
) -> None:
    """Roles and members are let in one by one; discord.py computes the same from what it is sent."""
    bob, oncall = guild.user("bob"), guild.role("oncall")
    ops = guild.channel("ops", dana, private=True, roles=[oncall])
    await bare.until_heard("guild_available")
    before = bob.sees(ops), ops.allows(bob.user_id, "view_channel")
    lifecycle.give_role(discord_server.world, guild.state, bob.user, oncall)
    lifecycle.make_private(discord_server.world, lobby, dana.user)
    await bare.until_heard("guild_channel_update")
    theirs = bare.get_guild(int(guild.guild_id))
    assert theirs is not None
    seen = [theirs.get_channel(int(each.channel_id)) for each in (lobby, ops)]

    assert before == ([], False) and ops.allows(bob.user_id, "view_channel")
    assert [each.permissions_for(theirs.default_role).view_channel for each in seen if each] == [False, False]
    voice = discord.Permissions.voice().value  # discord.py leaves these out where nobody speaks
    assert [each.permissions_for(theirs.me).value for each in seen if each] == [
        each.permissions_of(discord_server.bot.user_id) & ~voice for each in (lobby, ops)
    ]
    assert ops.permissions_of(dana.user_id) & bits(["send_messages"])


async def test_a_forum_post_is_a_thread_with_a_first_message(dana: Person, guild: Guild, bare: BareApp) -> None:
    """The post and its first message share an id; nobody writes in the forum itself."""
    forum = guild.channel("help", kind="forum")
    post, first = await dana.posts(forum, "prod is down", "@recall why?")
    (heard,) = await bare.until_heard("message")
    await heard.channel.send("DNS.")
    (answer,) = await post.until_answers()
    channel = bare.get_channel(int(forum.channel_id))
    assert isinstance(channel, discord.ForumChannel)
    made = await channel.create_thread(name="status", content="all is well")

    assert heard.id == heard.channel.id == int(first.message_id) and answer.shown == "DNS."
    assert made.thread.id == made.message.id and forum.threads[1].messages[0].shown == "all is well"
    with pytest.raises(DiscordRefusesError):
        await dana.says(forum, "hello")


async def test_deletions_and_edits_are_told(
    discord_server: DiscordServer, dana: Person, lobby: Channel, bare: BareApp
) -> None:
    """An edit carries its time, a preview none; deletions carry ids alone."""
    world = discord_server.world
    said = [await dana.says(lobby, f"@recall {number}") for number in range(4)]
    await dana.edits(said[0], "@recall better")
    lifecycle.preview(world, said[1], "A page")
    await dana.deletes(said[0])
    lifecycle.delete_many(world, said[1:3])
    thread = await dana.starts_thread(lobby, "prod", message=said[3])
    lifecycle.archive(world, thread)
    lifecycle.delete_thread(world, thread)
    lifecycle.delete_channel(world, lobby)
    await bare.until_heard("guild_channel_delete")
    edits = [raw.data for raw in bare.heard["raw_message_edit"]]

    assert [each["edited_timestamp"] is not None for each in edits] == [True, False, False]
    assert bare.heard["raw_message_delete"][0].message_id == int(said[0].message_id)
    assert bare.heard["raw_bulk_message_delete"][0].message_ids == {int(each.message_id) for each in said[1:3]}
    assert bare.heard["raw_thread_delete"][0].thread_id == int(said[3].message_id)
    assert said[0].versions == [f"{discord_server.bot.mention} 0"]
    assert not dana.sees(lobby)


async def test_the_app_leaves_and_joins_threads(dana: Person, lobby: Channel, rest: Rest) -> None:
    """It may join a public thread by itself, and be asked whether it is in."""
    thread = await dana.starts_thread(lobby, "prod")
    path = f"/channels/{thread.channel_id}/thread-members"
    out = await rest("GET", f"{path}/@me")
    await rest("PUT", f"{path}/@me")
    within = await rest("GET", f"{path}/@me")
    await rest("DELETE", f"{path}/@me")
    everyone = await rest("GET", path)

    assert (out.code, within.status, everyone.code) == (10007, 200, 50001)
    assert list(thread.people.values()) == [dana.user]
    assert [message.kind for message in lobby.messages] == [18]


async def test_members_are_asked_for(guild: Guild, dana: Person, bare: BareApp, rest: Rest) -> None:
    """One by one over REST and the gateway; all of them only with the intent."""
    theirs = bare.get_guild(int(guild.guild_id))
    assert theirs is not None
    fetched = await theirs.fetch_member(int(dana.user_id))
    (queried,) = await theirs.query_members(user_ids=[int(dana.user_id)])
    everyone = await rest("GET", f"/guilds/{guild.guild_id}/members", limit=10)
    unknown = await rest("GET", f"/guilds/{guild.guild_id}/members/1")

    assert fetched.id == queried.id == int(dana.user_id)
    assert (everyone.code, unknown.code) == (50001, 10013)
