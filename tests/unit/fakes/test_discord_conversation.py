"""The fake Discord as people see it: what they write reaches the app, and what the app writes is in the channel."""

import discord

from tests.fakes.discord_server import Channel, DiscordServer, Person
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
