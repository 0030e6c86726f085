"""Where people talk with Recall in Discord, and where it answers."""

import pytest

from memory.errors import ProviderUnavailableError
from tests.fakes.discord_server import Message, lifecycle
from tests.fixtures.discord import DiscordMachine, DiscordProcess
from tests.fixtures.discord_memory import HINT, asked, holding, recalls, remembered

pytestmark = pytest.mark.timeout(120)


def texts(process: DiscordProcess) -> list[str]:
    """Return what the model was asked."""
    return [request.message.text for request in process.model.asked]


def replies_to(message: Message) -> str:
    """Return what a message replies to."""
    return str((message.reference or {}).get("message_id"))


@pytest.mark.parametrize("follow_up", [False, True])
async def test_without_threads_the_answer_is_a_reply_and_replies_go_on(
    discord: DiscordMachine, *, follow_up: bool
) -> None:
    """A reply to an answer goes on with its conversation; another mention begins another one."""
    process = await discord.start(follow_up=follow_up, auto_thread=False)
    ana, bob, ops = discord.guild.user("ana"), discord.guild.user("bob"), discord.guild.channel("ops")
    first = await ana.says(ops, "@recall one")
    [answer] = await ops.until_answers(1)
    await bob.says(ops, "two", reply_to=answer, ping=not follow_up)
    await ops.until_answers(2)
    await ana.says(ops, "@recall three")
    await ops.until_answers(3)
    await process.platform.idle()

    assert replies_to(answer) == first.message_id
    assert [len(request.history) for request in process.model.asked] == [0, 2, 0]
    assert [text.removeprefix("Bob: ") for text in texts(process)] == ["one", "two", "three"]
    assert ops.threads == []
    assert discord.server.pings == []


@pytest.mark.parametrize("kind", ["voice", "text"])
async def test_where_no_thread_can_be_made_the_answer_is_a_reply(discord: DiscordMachine, kind: str) -> None:
    """In the chat of a voice channel, and where Recall may not make threads."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops", kind=kind)  # type: ignore[arg-type]  # a name of one
    if kind == "text":
        lifecycle.overwrite(discord.server.world, ops, discord.guild.bot, deny=["create_public_threads"])
    said = await ana.says(ops, "@recall hello")
    [answer] = await ops.until_answers(1)
    await process.platform.idle()

    assert (answer.shown, replies_to(answer)) == ("answer 1", said.message_id)
    assert ops.threads == []


async def test_where_recall_may_not_write_at_all_nothing_breaks(discord: DiscordMachine) -> None:
    """The answer is kept, and other channels go on."""
    process = await discord.start()
    ana, ops, dev = discord.guild.user("ana"), discord.guild.channel("ops"), discord.guild.channel("dev")
    denied = ["send_messages", "send_messages_in_threads", "create_public_threads"]
    lifecycle.overwrite(discord.server.world, ops, discord.guild.bot, deny=denied)
    said = await ana.says(ops, "@recall hello")
    await asked(process, ana, dev, "and here?")

    assert ops.answers == []
    assert "answer" in (await remembered(process, said, ops))[-1]


async def test_an_announcement_gets_a_thread(discord: DiscordMachine) -> None:
    """As a message in a text channel does."""
    await discord.start()
    ana, news = discord.guild.user("ana"), discord.guild.channel("news", kind="announcement")
    thread = await news.until_thread(await ana.says(news, "@recall hello"))
    await thread.until_answers(1)

    assert news.answers == []


async def test_a_post_in_a_forum_is_its_own_thread(discord: DiscordMachine) -> None:
    """Its first message is answered there, and what follows knows it."""
    process = await discord.start()
    ana, forum = discord.guild.user("ana"), discord.guild.channel("help", kind="forum")
    thread, _ = await ana.posts(forum, "api-7f9c", "@recall why does it restart?")
    await thread.until_answers(1)
    await ana.says(thread, "@recall since when?")
    await thread.until_answers(2)

    assert [len(request.history) for request in process.model.asked] == [0, 2]
    assert forum.threads == [thread]


@pytest.mark.parametrize("private", [False, True])
async def test_a_thread_that_is_there_is_used(discord: DiscordMachine, *, private: bool) -> None:
    """A private one too, once Recall is in it."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    thread = await ana.starts_thread(ops, "mine", ana, private=private)
    await ana.adds(thread, bot=True)
    await asked(process, ana, thread, "one")
    await asked(process, ana, thread, "two")

    assert [len(request.history) for request in process.model.asked] == [0, 2]
    assert ops.answers == []
    assert ops.threads == [thread]


async def test_a_thread_is_made_although_discord_never_said_so(discord: DiscordMachine) -> None:
    """The answer to the call is lost after it took effect: there is one thread, and one answer in it."""
    await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    discord.server.faults.add("POST */threads", "drop", after_effect=True)
    thread = await ops.until_thread(await ana.says(ops, "@recall hello"))
    await thread.until_answers(1)

    assert [answer.shown for answer in thread.answers] == ["answer 1"]
    assert (ops.answers, ops.threads) == ([], [thread])


async def test_a_thread_that_is_deleted_before_the_answer_takes_it_along(discord: DiscordMachine) -> None:
    """Nothing of it comes up elsewhere, and nothing is kept."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    process.model.gate.clear()
    said = await ana.says(ops, "@recall hello")
    thread = await ops.until_thread(said)
    await process.model.waiting.wait()
    lifecycle.delete_thread(discord.server.world, thread)
    await ana.says(ana.dm, "are you there?")
    await discord.server.until(lambda: len(process.model.asked) == 2)
    process.model.gate.set()
    await ana.dm.until_answers(1)
    await process.platform.idle()

    assert ops.answers == []
    assert await remembered(process, said, ops) == []


async def test_recalls_own_role_is_a_mention_too(discord: DiscordMachine) -> None:
    """People pick it from the list by mistake: it has the same name."""
    process = await discord.start(follow_up=True)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    own = next(role for role in discord.guild.state.roles.values() if role.bot_id is not None)
    own.mentionable = True
    thread = await ops.until_thread(await ana.says(ops, f"<@&{own.role_id}> hello", raw=True))
    await thread.until_answers(1)

    assert texts(process) == ["hello"]


async def test_a_failing_model_is_told_with_a_way_to_try_again(discord: DiscordMachine) -> None:
    """In place of the answer; nobody is left typing, and the next message is answered."""
    process = await discord.start()
    ana = discord.guild.user("ana")
    process.model.replies = [ProviderUnavailableError("scripted", "no answer")]
    await ana.says(ana.dm, "one")
    [failed] = await ana.dm.until_answers(1)
    await ana.says(ana.dm, "two")
    await ana.dm.until_answers(2)

    assert "Error id" in failed.shown
    assert list(failed.buttons) == ["Try again"]
    assert not ana.dm.bot_is_typing


async def test_recall_is_seen_typing_while_it_works_and_not_after(discord: DiscordMachine) -> None:
    """Before the first post is there; then that says so."""
    process = await discord.start()
    ana = discord.guild.user("ana")
    hold = discord.server.faults.add("POST */messages", "hold")
    await ana.says(ana.dm, "one")
    await ana.dm.until(lambda here: here.bot_is_typing)
    await discord.server.until(lambda: hold.hit == 1)
    discord.server.release()
    await ana.dm.until_answers(1)
    await process.platform.idle()

    assert not ana.dm.bot_is_typing


@pytest.mark.parametrize("route", ["POST */messages", "PATCH */messages/*", "POST */threads", "POST */typing", "*"])
async def test_rate_limits_on_any_route_end_in_the_answer(discord: DiscordMachine, route: str) -> None:
    """Once, whole, for a message in a channel and one in direct messages."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    discord.server.faults.add(route, "ratelimited", times=4)
    said = await ana.says(ops, "@recall one")
    await ana.says(ana.dm, "two")
    thread = await ops.until_thread(said)
    await thread.until_answers(1)
    await ana.dm.until_answers(1)
    await process.platform.idle()

    assert len(thread.answers) == len(ana.dm.answers) == 1
    assert sorted(texts(process)) == ["one", "two"]


async def test_a_voice_channel_that_not_everybody_may_enter_is_for_those_who_may(discord: DiscordMachine) -> None:
    """Its messages can be read by them alone, though everybody sees the channel."""
    process = await discord.start()
    world, ana = discord.server.world, discord.guild.user("ana")
    voice, dev = discord.guild.channel("war room", kind="voice"), discord.guild.channel("dev")
    lifecycle.overwrite(world, voice, discord.guild.state.everyone, deny=["connect"])
    for member in (ana.user, discord.server.bot):
        lifecycle.overwrite(world, voice, member, allow=["connect"])
    await ana.says(voice, f"@recall {HINT}")
    await voice.until_answers(1)
    await process.platform.idle()
    await process.learn("ana's staging cluster is called zanzibar")

    assert "facts" in await holding(discord)
    assert not await recalls(process, ana, dev)
