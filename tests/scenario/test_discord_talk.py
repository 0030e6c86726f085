"""Whole conversations in Discord, asserted by what people see."""

import pytest

from tests.fixtures.discord import DiscordMachine

pytestmark = pytest.mark.timeout(120)
"""A mistake shows as an answer that never comes."""


async def test_a_mention_is_answered_in_a_thread_of_its_own(discord: DiscordMachine) -> None:
    """The message gets a thread with the answer, named by its words; nothing stays "thinking", and nobody is pinged."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    asked = await ana.says(ops, "@recall why does api-7f9c restart?")
    thread = await ops.until_thread(asked)
    await thread.until_answers(1)
    await process.platform.idle()

    assert [answer.shown for answer in thread.answers] == ["answer 1"]
    assert process.model.asked[0].message.text == "why does api-7f9c restart?"
    assert thread.name == "why does api-7f9c restart?"
    assert not thread.bot_is_typing
    assert discord.server.pings == []
    assert discord.server.refusals == []


async def test_a_follow_up_in_the_thread_knows_what_was_said(discord: DiscordMachine) -> None:
    """Where Recall reads along, anybody in its thread is answered without a mention; talk to somebody else is not."""
    process = await discord.start(follow_up=True)
    ana, bob, ops = discord.guild.user("ana"), discord.guild.user("bob"), discord.guild.channel("ops")
    thread = await ops.until_thread(await ana.says(ops, "@recall why does api-7f9c restart?"))
    await thread.until_answers(1)
    await bob.says(thread, "@ana have you looked at its memory?")
    await bob.says(thread, "and since when?")
    await thread.until_answers(2)

    assert [request.message.text for request in process.model.asked] == [
        "why does api-7f9c restart?",
        "Bob: and since when?",
    ]
    assert [message.text for message in process.model.asked[1].history] == [
        "Ana: why does api-7f9c restart?",
        "answer 1",
    ]


async def test_without_the_intent_a_mention_is_needed_in_threads_too(discord: DiscordMachine) -> None:
    """Discord keeps back the words of all other messages, so they are neither answered nor stored."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    thread = await ops.until_thread(await ana.says(ops, "@recall why does api-7f9c restart?"))
    await thread.until_answers(1)
    await ana.says(thread, "and since when?")
    await ana.says(thread, "@recall since when?")
    await thread.until_answers(2)

    assert [request.message.text for request in process.model.asked][1:] == ["since when?"]


async def test_what_is_not_for_recall_is_left_alone(discord: DiscordMachine) -> None:
    """Talk in the channel, threads of others, and other bots are neither answered nor stored."""
    process = await discord.start(follow_up=True)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    root = await ana.says(ops, "lunch?")
    others = await ana.starts_thread(ops, "lunch", message=root)
    await ana.says(others, "pizza")
    await discord.guild.other_bot().says(ops, "@recall deploy finished")
    asked = await ana.says(ops, "@recall are you there?")
    await (await ops.until_thread(asked)).until_answers(1)

    assert [request.message.text for request in process.model.asked] == ["are you there?"]


async def test_a_dm_is_answered_in_place(discord: DiscordMachine) -> None:
    """Direct messages need no mention, and are one conversation."""
    process = await discord.start()
    ana = discord.guild.user("ana")
    await ana.says(ana.dm, "My staging cluster is called blue-heron-42")
    await ana.dm.until_answers(1)
    await ana.says(ana.dm, "what did I say?")
    await ana.dm.until_answers(2)

    assert [message.text for message in process.model.asked[1].history] == [
        "My staging cluster is called blue-heron-42",
        "answer 1",
    ]


async def test_what_is_learned_in_a_server_is_recalled_there_for_the_same_person_only(
    discord: DiscordMachine,
) -> None:
    """A new thread of that server knows it; the person's own messages, and another server, do not."""
    process = await discord.start()
    ana, bob = discord.guild.user("ana"), discord.guild.user("bob")
    ops, elsewhere = discord.guild.channel("ops"), discord.server.guild("other").channel("ops")
    discord.server.guild("other").user("ana")
    first = await ops.until_thread(await ana.says(ops, "@recall my staging cluster is called blue-heron-42"))
    await first.until_answers(1)
    await process.learn("ana's staging cluster is called blue-heron-42")
    asked = "what is my staging cluster called?"
    for person, channel in ((ana, ops), (bob, ops), (ana, elsewhere)):
        thread = await channel.until_thread(await person.says(channel, f"@recall {asked}"))
        await thread.until_answers(1)
    await ana.says(ana.dm, asked)
    await ana.dm.until_answers(1)

    facts = [
        [item.memory.text for item in request.recalled if item.memory.kind == "fact"]
        for request in process.model.asked[1:]
    ]
    assert facts == [["ana's staging cluster is called blue-heron-42"], [], [], []]
    assert [bool(request.recalled) for request in process.model.asked[3:]] == [False, False]


async def test_what_is_said_in_direct_messages_reaches_no_server_and_nobody_else(discord: DiscordMachine) -> None:
    """Neither what was said, nor what was learned from it."""
    process = await discord.start()
    ana, bob, ops = discord.guild.user("ana"), discord.guild.user("bob"), discord.guild.channel("ops")
    await ana.says(ana.dm, "My staging cluster is called blue-heron-42")
    await ana.dm.until_answers(1)
    await process.learn("ana's staging cluster is called blue-heron-42")
    await bob.says(bob.dm, "What is the staging cluster called?")
    await bob.dm.until_answers(1)
    thread = await ops.until_thread(await ana.says(ops, "@recall what is my staging cluster called?"))
    await thread.until_answers(1)

    assert len(process.model.asked) == 3
    assert "blue-heron-42" not in repr(process.model.asked[1:])
