"""The end of channels, of Recall's part in them, of its installation, and of people's full membership."""

from collections.abc import AsyncIterator

import pytest

from bots.slack import ids
from bots.slack.ids import SlackThread
from bots.slack.lifecycle import ENDED
from memory.errors import ConfigError
from memory.stores.sql.audit import SqlAuditLog
from memory.stores.sql.database import Database, open_database
from tests.contract.record import Record
from tests.fakes.clock import FrozenClock
from tests.fakes.flaky import FlakyDatabase
from tests.fakes.slack_server import Channel, Message, Person, lifecycle
from tests.fixtures.slack import SlackMachine, SlackProcess

pytestmark = pytest.mark.timeout(120)

HINT = "@recall my staging cluster is called zanzibar"
QUESTION = "What is my staging cluster called?"


@pytest.fixture
async def database(database_url: object, clock: FrozenClock) -> AsyncIterator[Database]:
    """The record, which can be away."""
    async with open_database(database_url, clock=clock, timeout_s=15) as opened:  # type: ignore[arg-type]
        yield FlakyDatabase(opened)


async def told(slack: SlackMachine, process: SlackProcess, person: Person, channel: Channel) -> Message:
    """Let somebody say something in a channel that is answered and learned."""
    said = await person.says(channel, HINT)
    await slack.team.thread(said).until_answers(1)
    await process.platform.idle()
    await process.learn("ana's staging cluster is called zanzibar")
    return said


async def holding(slack: SlackMachine, words: str = "zanzibar") -> list[str]:
    """Return which tables of the record hold words."""
    return await Record(slack.stores.database, slack.clock).holding(words)


async def actions(slack: SlackMachine) -> list[str]:
    """Return what the audit log says was done."""
    return [event.action for event in await SqlAuditLog(slack.stores.database).read(limit=50)]


async def recalls(slack: SlackMachine, process: SlackProcess, person: Person, channel: Channel) -> bool:
    """Whether an answer in a new thread is given what was said."""
    mention = "" if channel.kind == "im" else "@recall "
    await slack.team.thread(await person.says(channel, f"{mention}{QUESTION}")).until_answers(1)
    return any("zanzibar" in item.memory.text for item in process.model.asked[-1].recalled)


@pytest.mark.parametrize("kind", ["public", "private"])
async def test_a_deleted_channel_is_forgotten(slack: SlackMachine, kind: str) -> None:
    """All that was said in it, before Slack hears that the event was taken; other channels keep theirs."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana, kind="public" if kind == "public" else "private")
    await told(slack, process, ana, ops)
    await ana.says(slack.team.channel("dev", ana), "@recall we are in nairobi")
    await slack.server.socket.until_acked()
    await process.platform.idle()
    await lifecycle.delete(ops)
    await slack.server.socket.until_acked()

    assert await holding(slack) == []
    assert "messages" in await holding(slack, "nairobi")
    assert await actions(slack) == ["forget a channel"]


async def test_an_archived_channel_is_not_forgotten(slack: SlackMachine) -> None:
    """It can still be read, and come back."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    await told(slack, process, ana, ops)
    await lifecycle.archive(ops, ana.user)
    await slack.server.socket.until_acked()

    assert await recalls(slack, process, ana, ana.dm)


async def test_a_deletion_that_the_record_does_not_take_comes_again(slack: SlackMachine) -> None:
    """Slack hears no yes before the channel is forgotten."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    await told(slack, process, ana, ops)
    record = slack.stores.database
    assert isinstance(record, FlakyDatabase)
    record.is_up = False
    await lifecycle.delete(ops)
    await process.platform.idle()
    (deleted,) = slack.server.socket.unacked
    record.is_up = True
    assert "messages" in await holding(slack)
    await slack.server.socket.until_acked(await slack.server.socket.redeliver(deleted))

    assert await holding(slack) == []


@pytest.mark.parametrize("event", ["channel_left", "member_left_channel"])
async def test_what_was_said_in_a_channel_that_recall_left_is_told_nowhere_else(
    slack: SlackMachine, event: str
) -> None:
    """By either event: it sees no edit and no deletion there any more. Somebody else who leaves changes nothing."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    await told(slack, process, ana, ops)
    await lifecycle.leave(ops, bob.user)
    await slack.server.socket.until_acked()
    assert await recalls(slack, process, ana, ana.dm)

    left = {"type": event, "channel": ops.channel_id, "user": slack.team.bot.user_id}
    await slack.team.sends(left)
    await slack.server.socket.until_acked()

    assert not await recalls(slack, process, ana, ana.dm)
    assert not await recalls(slack, process, ana, slack.team.channel("dev", ana))
    assert "messages" in await holding(slack)


async def test_a_private_channel_that_recall_left_is_no_more_in_its_members_direct_messages(
    slack: SlackMachine,
) -> None:
    """At once, although Slack said a moment ago that she is in it."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana, kind="private")
    await told(slack, process, ana, ops)
    assert await recalls(slack, process, ana, ana.dm)
    await lifecycle.leave(ops, slack.team.bot)
    await slack.server.socket.until_acked()

    assert not await recalls(slack, process, ana, ana.dm)


@pytest.mark.parametrize("end", ["uninstalled", "revoked"])
async def test_the_end_of_the_installation_forgets_the_workspace_and_ends_every_process(
    slack: SlackMachine, end: str
) -> None:
    """With words for the operator, also in the process that was not told by Slack."""
    process = await slack.start()
    ana = slack.team.user("ana")
    await told(slack, process, ana, ana.dm)
    other = await slack.start()
    await (slack.team.uninstall() if end == "uninstalled" else slack.team.revoke_tokens())
    for each in (process, other):
        with pytest.raises(ConfigError) as ended:
            await each.serving
        assert ended.value.problems == (ENDED,)

    assert slack.server.socket.unacked == []
    assert await holding(slack) == []
    assert await actions(slack) == ["forget a workspace"]


async def test_the_token_of_a_user_is_nothing_to_recall(slack: SlackMachine) -> None:
    """It acts by the bot's alone."""
    process = await slack.start()
    ana = slack.team.user("ana")
    await told(slack, process, ana, ana.dm)
    await slack.team.revoke_tokens(bot=False, users=[ana.user_id])
    await slack.server.socket.until_acked()

    assert await recalls(slack, process, ana, ana.dm)


async def _kept(slack: SlackMachine, process: SlackProcess, said: Message) -> list[str]:
    """Return what memory has of a message's thread."""
    thread = SlackThread(slack.team.team_id, said.channel_id, said.root_ts)
    return [each.text for each in await process.recall.service.history(ids.session_id(thread), limit=10) if each.text]


@pytest.mark.parametrize("where", ["dm", "channel"])
async def test_an_edit_of_somebody_who_is_a_guest_by_now_stores_nothing_and_forgets_the_old_words(
    slack: SlackMachine, where: str
) -> None:
    """The old words are not what was said any more, and the new ones are a guest's."""
    process = await slack.start()
    gus = slack.team.user("gus")
    said = await gus.says(gus.dm if where == "dm" else slack.team.channel("ops", gus), "@recall prod is zanzibar")
    await slack.team.thread(said).until_answers(1)
    await process.platform.idle()
    gus.user.is_restricted = True
    await slack.team.user_changes(gus)
    await slack.server.socket.until_acked()
    slack.clock.advance(1)
    await gus.edits(said, "@recall prod is nairobi")
    await slack.server.socket.until_acked()

    assert await holding(slack) == []
    assert await holding(slack, "nairobi") == []
    assert await _kept(slack, process, said) == []


async def test_an_edit_in_a_channel_that_is_shared_by_now_stores_nothing_and_forgets_the_old_words(
    slack: SlackMachine,
) -> None:
    """Slack Connect: nothing that outsiders read is stored any more, whoever writes it."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    said = await ana.says(ops, "@recall prod is zanzibar")
    await slack.team.thread(said).until_answers(1)
    await process.platform.idle()
    await lifecycle.share(ops, "T0OTHER")
    slack.clock.advance(1)
    await ana.edits(said, "@recall prod is nairobi")
    await slack.server.socket.until_acked()

    assert await holding(slack) == []
    assert await holding(slack, "nairobi") == []


async def test_an_edit_of_a_member_is_kept(slack: SlackMachine) -> None:
    """In a channel, and in a DM, of which Slack is not asked who reads it."""
    process = await slack.start()
    ana = slack.team.user("ana")
    for channel in (slack.team.channel("ops", ana), ana.dm):
        said = await ana.says(channel, "@recall prod is zanzibar")
        await slack.team.thread(said).until_answers(1)
        await process.platform.idle()
        slack.clock.advance(1)
        await ana.edits(said, "@recall prod is nairobi")
        await slack.server.socket.until_acked()
        assert (await _kept(slack, process, said))[0] == "prod is nairobi"

    assert await holding(slack) == []
