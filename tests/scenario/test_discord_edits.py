"""What people edit and delete in Discord changes in memory too."""

import pytest

from bots.discord import ids
from memory.model import About, TextDelta
from tests.fakes.discord_server import Channel, Message, lifecycle
from tests.fakes.model import Pause
from tests.fixtures.discord import DiscordMachine, DiscordProcess
from tests.fixtures.discord_memory import asked, holding, remembered, told

pytestmark = pytest.mark.timeout(120)

_AWS_KEY = "AKIA" + "Z7QX2LMN4PRS6TUV"


async def settled(discord: DiscordMachine, process: DiscordProcess) -> None:
    """Wait until all that was told through the gateway is taken: a message after it is answered."""
    zoe = discord.guild.user("zoe")
    before = len(zoe.dm.answers)
    await zoe.says(zoe.dm, "are you there?")
    await zoe.dm.until_answers(before + 1)
    await process.platform.idle()


@pytest.mark.parametrize("follow_up", [False, True])
@pytest.mark.parametrize("where", ["channel", "thread", "dm"])
async def test_an_edit_changes_what_was_said_and_what_was_learned(
    discord: DiscordMachine, where: str, *, follow_up: bool
) -> None:
    """The old words are nowhere any more; the new ones are in their place."""
    process = await discord.start(follow_up=follow_up)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    channel: Channel = {"dm": ana.dm}.get(where, ops)
    if where == "thread":
        channel = await ana.starts_thread(ops, "mine")
    said = await told(process, ana, channel)
    assert "facts" in await holding(discord)
    discord.clock.advance(1)
    await ana.edits(said, "@recall my staging cluster is called nairobi")
    await settled(discord, process)

    assert (await remembered(process, said, channel))[0].endswith("my staging cluster is called nairobi")
    assert await holding(discord) == []


async def test_an_edit_that_takes_the_mention_away_forgets_the_words(discord: DiscordMachine) -> None:
    """Discord keeps the new words back then, and the old ones are not what is said any more."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    said = await told(process, ana, ops)
    discord.clock.advance(1)
    await ana.edits(said, "never mind")
    await settled(discord, process)

    assert await holding(discord) == []
    assert await holding(discord, "never mind") == []


async def test_previews_are_no_edits(discord: DiscordMachine) -> None:
    """What was learned from its words stays; nor is one an edit where the message was edited before."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    said = await told(process, ana, ops)
    before = await holding(discord)
    assert "facts" in before
    lifecycle.preview(discord.server.world, said, "Example")
    await settled(discord, process)
    assert await holding(discord) == before

    discord.clock.advance(1)
    await ana.edits(said, "@recall my staging cluster is called nairobi")
    await settled(discord, process)
    await discord.guild.user("bob").says(ops, "lunch?")
    discord.clock.advance(1)
    lifecycle.preview(discord.server.world, said, "Example")
    await settled(discord, process)

    assert await remembered(process, said, ops) == ["my staging cluster is called nairobi", "answer 1"]


async def test_an_older_edit_that_comes_later_changes_nothing(discord: DiscordMachine) -> None:
    """Discord delivers an event again."""
    process = await discord.start()
    ana = discord.guild.user("ana")
    said = await asked(process, ana, ana.dm, "my cluster is zero")
    discord.clock.advance(1)
    await ana.edits(said, "my cluster is one")
    [session] = discord.server.gateway.sessions
    older = session.events[-1]
    discord.clock.advance(1)
    await ana.edits(said, "my cluster is two")
    session.dispatch(older["t"], older["d"])
    await settled(discord, process)

    assert (await remembered(process, said, ana.dm))[0] == "my cluster is two"


async def test_an_edit_before_the_answer_is_what_is_answered(discord: DiscordMachine) -> None:
    """In the order in which Discord tells of both."""
    process = await discord.start()
    ana = discord.guild.user("ana")
    process.model.gate.clear()
    await ana.says(ana.dm, "hello")
    await process.model.waiting.wait()
    second = await ana.says(ana.dm, "old words")
    discord.clock.advance(1)
    await ana.edits(second, "new words")
    zoe = discord.guild.user("zoe")
    await zoe.says(zoe.dm, "anything")
    await discord.server.until(lambda: len(process.model.asked) == 2)
    process.model.gate.set()
    await ana.dm.until_answers(2)

    assert [request.message.text for request in process.model.asked if "words" in request.message.text] == ["new words"]


@pytest.mark.parametrize("is_bulk", [False, True])
@pytest.mark.parametrize("where", ["channel", "thread", "dm"])
async def test_a_deleted_message_is_forgotten_with_what_was_learned(
    discord: DiscordMachine, where: str, *, is_bulk: bool
) -> None:
    """By its author or a moderator, alone or with others."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    channel: Channel = {"dm": ana.dm}.get(where, ops)
    if where == "thread":
        channel = await ana.starts_thread(ops, "mine")
    said = await told(process, ana, channel)
    other: Message = await ana.says(channel, "lunch?")
    if is_bulk:
        lifecycle.delete_many(discord.server.world, [other, said])
    else:
        lifecycle.delete(discord.server.world, said)
    await settled(discord, process)

    assert await holding(discord) == []


async def test_a_message_that_was_deleted_before_its_turn_is_not_answered(discord: DiscordMachine) -> None:
    """Its author lost patience."""
    process = await discord.start()
    ana, zoe = discord.guild.user("ana"), discord.guild.user("zoe")
    process.model.gate.clear()
    await ana.says(ana.dm, "hello")
    await process.model.waiting.wait()
    hint = await ana.says(ana.dm, "my hint is daisy")
    await ana.dm.until(lambda here: "Queued" in here.text)
    await ana.deletes(hint)
    await zoe.says(zoe.dm, "anything")
    await discord.server.until(lambda: len(process.model.asked) == 2)
    process.model.gate.set()
    await process.platform.idle()

    assert [request.message.text for request in process.model.asked] == ["hello", "anything"]
    assert await holding(discord, "daisy") == []
    assert len(ana.dm.answers) == 1


async def _half_answered(discord: DiscordMachine, process: DiscordProcess, channel: Channel) -> tuple[Message, Channel]:
    """Ask and see half of the answer; return the question, and where the answer grows."""
    process.model.replies = [[TextDelta(text="half of it"), Pause(), TextDelta(text=" and more")]]
    said = await discord.guild.user("ana").says(channel, "@recall my hint is daisy")
    here = channel if channel.guild is None else await channel.until_thread(said)
    await here.until(lambda shown: "half of it" in shown.text)
    return said, here


@pytest.mark.parametrize("where", ["channel", "dm"])
async def test_an_answer_goes_as_soon_as_its_question_is_deleted(discord: DiscordMachine, where: str) -> None:
    """The model is at it still; nobody is to read on."""
    process = await discord.start()
    ana = discord.guild.user("ana")
    channel: Channel = ana.dm if where == "dm" else discord.guild.channel("ops")
    said, here = await _half_answered(discord, process, channel)
    await ana.deletes(said)
    await here.until(lambda shown: not shown.answers)
    await process.platform.idle()

    assert await holding(discord, "daisy") == []
    assert discord.server.refusals == []


async def test_an_answer_ends_as_soon_as_its_question_is_forgotten(discord: DiscordMachine) -> None:
    """The question stands in Discord still, so its author is told; how good that is nobody is asked."""
    process = await discord.start()
    said, here = await _half_answered(discord, process, discord.guild.channel("ops"))
    owner, personal = ids.user_id(discord.guild.guild_id, said.author.user_id), process.recall.personal
    await personal.forget(await personal.plan_forget(owner, About(words="daisy")))
    await here.until(lambda shown: "neither shown nor kept" in shown.text)
    await process.platform.idle()

    (answer,) = here.answers
    assert "half of it" not in answer.shown
    assert list(answer.buttons) == ["No answer"]


async def test_an_answer_ends_in_words_when_its_question_is_edited_beyond_what_recall_may_read(
    discord: DiscordMachine,
) -> None:
    """The question stands in Discord still, so its author is told what became of the answer."""
    process = await discord.start()
    said, here = await _half_answered(discord, process, discord.guild.channel("ops"))
    discord.clock.advance(1)
    await discord.guild.user("ana").edits(said, "never mind")
    await here.until(lambda shown: "half of it" not in shown.text)
    await process.platform.idle()

    (answer,) = here.answers
    assert "neither shown nor kept" in answer.shown
    assert await holding(discord, "daisy") == []


@pytest.mark.parametrize("where", ["channel", "dm"])
async def test_a_post_of_recall_that_somebody_deletes_is_forgotten(discord: DiscordMachine, where: str) -> None:
    """A moderator removes an answer; the question stays."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    channel: Channel = {"dm": ana.dm}.get(where, ops)
    said = await asked(process, ana, channel, "what is the door code?")
    [answer] = channel.answers or (await ops.until_thread(said)).answers
    lifecycle.delete(discord.server.world, answer)
    await settled(discord, process)

    assert await remembered(process, said, channel) == ["what is the door code?"]


async def test_a_secret_in_an_edit_is_taken_out_and_told_of(discord: DiscordMachine) -> None:
    """As with what is said first; what is told stands beside the message, and says nothing of it."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    said = await asked(process, ana, ops, "hello")
    discord.clock.advance(1)
    await ana.edits(said, f"@recall run \u202egnp.exe\u202c with {_AWS_KEY}")
    note = await ops.until_shows("aws access key")
    await process.platform.idle()

    assert (await remembered(process, said, ops))[0].startswith("run gnp.exe with [redacted")
    assert await holding(discord, _AWS_KEY) == []
    assert _AWS_KEY not in note.shown
    assert (note.reference or {})["message_id"] == said.message_id
    assert discord.server.pings == []


async def test_edits_and_deletions_of_what_recall_does_not_know_cost_nothing(discord: DiscordMachine) -> None:
    """Most of what is edited in a channel is not for Recall: Discord is asked nothing about it."""
    process = await discord.start(follow_up=True)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    said = await ana.says(ops, "lunch?")
    await settled(discord, process)
    before = len(discord.server.calls_of("GET *"))
    discord.clock.advance(1)
    await ana.edits(said, "dinner?")
    await ana.deletes(said)
    await settled(discord, process)

    assert len(discord.server.calls_of("GET *")) == before
    assert await holding(discord, "dinner") == []
