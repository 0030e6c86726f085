"""The fake Discord as people see it: what they write reaches the app, and what the app writes is in the channel."""

import discord
import pytest

from tests.fakes.discord.prompt import serve
from tests.fakes.discord_server import Channel, DiscordRefusesError, DiscordServer, Guild, Person, lifecycle
from tests.fixtures.bare_discord import BareApp


async def test_a_mention_becomes_a_thread_with_an_answer(
    discord_server: DiscordServer, dana: Person, lobby: Channel, bare: BareApp
) -> None:
    """A mention is heard, a thread opens from it under its own id, and a post there is edited."""
    asked = await dana.says(lobby, "@recall why is prod down?")
    (heard,) = await bare.until_heard("message")
    thread = await heard.create_thread(name="prod")
    placeholder = await thread.send("One moment")
    await placeholder.edit(content="It is DNS.")

    (answer,) = await (await lobby.until_thread(asked)).until_answers()

    assert str(thread.id) == asked.message_id
    assert heard.content == f"{discord_server.bot.mention} why is prod down?"
    assert answer.shown == "It is DNS." and answer.edited and answer.versions == ["One moment"]
    assert not discord_server.refusals and not discord_server.pings


async def test_a_slash_command_is_answered_only_to_her(dana: Person, lobby: Channel, bare: BareApp) -> None:
    """Its options arrive typed, its answer is hers alone, and the button under it works."""
    del bare
    seen = await dana.slash("/memories", lobby, words="dns", mine=True)
    (answer,) = seen.messages
    pressed = await dana.presses(answer, "Keep", expect=1)

    assert answer.shown == "about 'dns', mine: True" and answer in dana.ephemerals(lobby)
    assert pressed.text == "kept 7" and pressed.is_private
    assert lobby.messages == []


async def test_a_message_menu_thinks_and_then_answers(dana: Person, lobby: Channel, bare: BareApp) -> None:
    """The message arrives with its text though nobody mentions the app, and the first follow-up ends the thinking."""
    said = await dana.says(lobby, "prod is EKS")
    seen = await dana.menu("Remember this", said)

    assert seen.text == "remembered 'prod is EKS'" and seen.is_private
    assert [message.content for message in bare.heard["message"]] == [""]
    assert isinstance(bare.heard["interaction"][0], discord.Interaction)


async def test_names_become_what_discord_makes_of_them(guild: Guild, dana: Person, lobby: Channel) -> None:
    """People, roles and channels that are there become mentions; all else stays as it was typed."""
    oncall = guild.role("oncall", mentionable=True)
    said = await dana.says(lobby, "@recall @oncall @nobody #lobby me@dana.org @everyone")

    assert said.content == (
        f"{guild.bot.mention} <@&{oncall.role_id}> @nobody <#{lobby.channel_id}> me@dana.org @everyone"
    )
    assert said.mentions.users == (guild.bot.user_id,) and said.mentions.everyone


async def test_a_condition_that_never_holds_shows_the_channel(dana: Person, lobby: Channel) -> None:
    """What is there is told, threads included."""
    await dana.says(await dana.starts_thread(lobby, "prod"), "nobody answers")
    with pytest.raises(AssertionError, match="dana: nobody answers"):
        await lobby.until_answers(within_s=0.01)


async def test_what_a_person_may_not_do_is_refused(
    discord_server: DiscordServer, guild: Guild, dana: Person, lobby: Channel
) -> None:
    """Nobody writes where they may not, edits others' words, or sends nothing."""
    bob = guild.user("bob")
    said = await bob.says(lobby, "hello")
    with pytest.raises(DiscordRefusesError):
        await dana.edits(said, "x")
    with pytest.raises(DiscordRefusesError):
        await dana.deletes(said)
    with pytest.raises(DiscordRefusesError):
        await dana.says(lobby, "  ")
    lifecycle.overwrite(discord_server.world, lobby, guild.state.everyone, deny=["send_messages", "attach_files"])
    with pytest.raises(DiscordRefusesError):
        await dana.says(lobby, "hello")
    await bob.edits(said, "bye")
    await bob.deletes(said)

    assert said.versions == ["hello"] and not lobby.messages


async def test_the_app_is_told_of_itself_alone(
    discord_server: DiscordServer, guild: Guild, dana: Person, lobby: Channel, bare: BareApp
) -> None:
    """Without the members intent it hears of its own roles and threads, and nothing of others'."""
    world, session, oncall = discord_server.world, discord_server.gateway.sessions[0], guild.role("oncall")
    thread = await dana.starts_thread(lobby, "prod")
    for user in (dana.user, world.bot):
        lifecycle.give_role(world, guild.state, user, oncall)
    await dana.adds(thread, guild.user("bob"), bot=True)
    lifecycle.leave_guild(world, guild.state, dana.user)
    theirs = bare.get_guild(int(guild.guild_id))

    (changed,), (came,) = session.heard("GUILD_MEMBER_UPDATE"), session.heard("THREAD_MEMBERS_UPDATE")
    assert changed["user"]["id"] == world.bot.user_id == came["added_members"][0]["user_id"]
    assert session.heard("GUILD_MEMBER_REMOVE") == [] and theirs is not None


async def test_a_channel_that_opens_brings_its_threads(
    discord_server: DiscordServer, guild: Guild, dana: Person, bare: BareApp
) -> None:
    """What is said in a hidden channel is not heard; once let in, the app is told of the open threads."""
    hidden = guild.channel("hidden", dana, private=True, with_bot=False)
    thread = await dana.starts_thread(hidden, "prod")
    await dana.says(thread, "@recall one")
    lifecycle.overwrite(discord_server.world, hidden, guild.bot, allow=["view_channel"])
    await bare.until_heard("thread_join")
    await dana.says(thread, "@recall two")
    (heard,) = await bare.until_heard("message")

    assert heard.content.endswith("two") and heard.channel.parent.name == "hidden"


async def test_the_prompt_plays_people() -> None:
    """Lines typed by hand are messages and commands, and mistakes are told."""
    lines = iter(["ana #general @recall hello\n", "ana /memories\n", "show #general\n", "ana #nope x\n", ""])
    shown: list[str] = []

    await serve(0, lambda: next(lines), shown.append)

    assert "DISCORD_API_URL=http://127.0.0.1:" in shown[0]
    assert any(line.endswith("ana: @recall hello") for line in shown)
    assert shown[1].startswith("! there is no 'memories'") and shown[-1] == "! there is no #nope"
