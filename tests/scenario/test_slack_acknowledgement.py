"""What Slack hears back: an event is acknowledged once it is committed, and comes again until it is."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from bots.health import HealthServer, Readiness
from bots.metrics import Metrics
from bots.slack import spoken_commands
from bots.slack.channels import FAILURE_GOOD_FOR_S
from bots.slack.ways import WAYS
from memory.errors import StoreError
from memory.stores.sql.database import Database, open_database
from tests.fakes.clock import FrozenClock
from tests.fakes.flaky import FlakyDatabase
from tests.fakes.slack_server import Channel, Person, lifecycle
from tests.fixtures.servers import free_port
from tests.fixtures.slack import SlackMachine, SlackProcess

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def database(database_url: object, clock: FrozenClock) -> AsyncIterator[Database]:
    """The record, which can be away."""
    async with open_database(database_url, clock=clock, timeout_s=15) as opened:  # type: ignore[arg-type]
        yield FlakyDatabase(opened)


def record_of(slack: SlackMachine) -> FlakyDatabase:
    """Return the record of a workspace's processes."""
    assert isinstance(slack.stores.database, FlakyDatabase)
    return slack.stores.database


async def settled(slack: SlackMachine, process: SlackProcess, person: Person, channel: Channel) -> None:
    """Wait until the only process has dealt with all that was sent so far, whether it acknowledged it or not."""
    await person.says(channel, "lunch?")  # needs neither the record nor Slack, and comes after all the rest
    await slack.server.socket.until_acked(slack.server.socket.deliveries[-1])
    await process.platform.idle()


async def ready_status(process: SlackProcess) -> int:
    """Return what `/readyz` says of the record."""

    async def look() -> str | None:
        try:
            await process.recall.record_answers()
        except StoreError as error:
            return str(error)
        return None

    readiness = Readiness({"record": look}, fresh_s=0)
    async with (
        HealthServer(port=free_port(), readiness=readiness, metrics=Metrics(), host="127.0.0.1") as server,
        aiohttp.ClientSession() as session,
    ):
        assert server.address is not None
        return (await session.get(f"http://127.0.0.1:{server.address[1]}/readyz")).status


async def test_what_the_record_does_not_take_comes_again(slack: SlackMachine) -> None:
    """No acknowledgement and not ready while it is away; then the redelivery is answered, once."""
    process, record = await slack.start(), record_of(slack)
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    record.is_up = False
    asked = await ana.says(ops, "@recall why does api-7f9c restart?")
    await settled(slack, process, ana, ops)

    assert [delivery.acked for delivery in slack.server.deliveries_of(asked)] == [False, False]
    assert await ready_status(process) == 503

    record.is_up = True
    assert await ready_status(process) == 200
    await slack.server.socket.redeliver_unacked()
    thread = slack.team.thread(asked)
    await thread.until_answers(1)
    await slack.server.socket.until_acked()
    await process.platform.idle()

    assert [answer.shown for answer in thread.answers] == ["answer 1"]
    assert len(process.model.asked) == 1


@pytest.mark.parametrize("method", ["users.info", "conversations.info"])
async def test_what_slack_says_nothing_about_comes_again(slack: SlackMachine, method: str) -> None:
    """Nobody knows whether outsiders read along: it is not acknowledged, nor a moment later, and it is not lost."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    slack.server.faults.add(method, "status", status=503, times=None)
    asked = await ana.says(ops, "@recall why does api-7f9c restart?")
    await settled(slack, process, ana, ops)
    slack.server.faults.clear()
    await slack.server.socket.redeliver_unacked()
    await settled(slack, process, ana, ops)
    assert [delivery.acked for delivery in slack.server.deliveries_of(asked)] == [False] * 4
    assert process.model.asked == []

    slack.clock.advance(FAILURE_GOOD_FOR_S)
    await slack.server.socket.redeliver_unacked()
    thread = slack.team.thread(asked)
    await thread.until_answers(1)
    await settled(slack, process, ana, ops)

    assert slack.server.socket.unacked == []
    assert len(thread.answers) == 1
    assert len(process.model.asked) == 1


async def test_what_slack_refuses_to_say_does_not_come_again(slack: SlackMachine) -> None:
    """That is no passing failure: it is acknowledged, neither answered nor stored."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    slack.server.faults.add("conversations.info", "error", error="channel_not_found", times=None)
    await ana.says(ops, "@recall why does api-7f9c restart?")
    await slack.server.socket.until_acked()
    await process.platform.idle()

    assert process.model.asked == []
    assert await process.recall.service.open_threads(slack.tenant_id) == {}


async def _recalls(slack: SlackMachine, process: SlackProcess, person: Person, channel: Channel) -> bool:
    """Whether a new thread of a channel recalls what a person said in another one."""
    thread = slack.team.thread(await person.says(channel, "@recall what do I deploy with?"))
    await thread.until_answers(1)
    return any("frobnicator" in item.memory.text for item in process.model.asked[-1].recalled)


async def _a_fact(slack: SlackMachine, process: SlackProcess, person: Person, channel: Channel) -> None:
    """Let a fact be learned from a channel."""
    thread = slack.team.thread(await person.says(channel, "@recall I deploy with the frobnicator"))
    await thread.until_answers(1)
    await process.learn("ana deploys with the frobnicator")


async def test_an_event_that_says_who_reads_is_believed_at_once(slack: SlackMachine) -> None:
    """What was said in a channel that turns private stays there, though Slack answers nothing just then."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops, lobby = slack.team.channel("ops", ana), slack.team.channel("lobby", ana)
    await _a_fact(slack, process, ana, ops)
    assert await _recalls(slack, process, ana, lobby)
    slack.server.faults.add("*", "status", status=503, times=None)
    await lifecycle.make_private(ops, ana.user)
    await slack.server.socket.until_acked()
    slack.server.faults.clear()

    assert not await _recalls(slack, process, ana, lobby)


async def test_a_change_of_readers_that_slack_says_nothing_about_comes_again(slack: SlackMachine) -> None:
    """The channel keeps its memories until Slack answers, and then to itself; who else comes and goes asks nothing."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops, lobby = slack.team.channel("ops", ana), slack.team.channel("lobby", ana)
    await _a_fact(slack, process, ana, ops)
    slack.server.faults.add("conversations.info", "status", status=503, times=None)
    await lifecycle.join(ops, bob.user)
    await slack.server.socket.until_acked()
    ops.kind = "private"
    await lifecycle.archive(ops, ana.user)
    await settled(slack, process, ana, lobby)
    assert [delivery.event["type"] for delivery in slack.server.socket.unacked] == ["group_archive"]
    slack.server.faults.clear()
    slack.clock.advance(FAILURE_GOOD_FOR_S)
    assert await _recalls(slack, process, ana, lobby)
    await slack.server.socket.redeliver_unacked()
    await slack.server.socket.until_acked()

    assert not await _recalls(slack, process, ana, lobby)


async def test_who_commands_is_told_that_slack_does_not_answer(slack: SlackMachine) -> None:
    """A command does not come again by itself, so the person is asked to give it again."""
    await slack.start()
    ana = slack.team.user("ana")
    slack.server.faults.add("users.info", "status", status=503, times=None)
    failed = await ana.slash("/remember", "I like tabs.")
    slack.server.faults.clear()
    slack.clock.advance(FAILURE_GOOD_FOR_S)
    done = await ana.slash("/remember", "I like tabs.")

    assert failed.text.startswith(WAYS.unavailable)
    assert "Remembered: #1" in done.text


async def listed(person: Person) -> str:
    """Return what a person's list shows."""
    return (await person.slash("/memories")).text


async def test_what_a_message_commands_is_done_when_it_is_acknowledged(slack: SlackMachine) -> None:
    """A process that dies then loses at most what it would have shown."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    await ana.slash("/remember", "I like tabs.")
    slack.server.faults.add("chat.postEphemeral", "hold", times=None)
    await ana.says(ops, "@recall forget #1")
    await ana.says(ops, "@recall remember: I deploy on Fridays")
    await slack.server.socket.until_acked()
    await process.kill()
    slack.server.faults.clear()
    await slack.start()
    shown = await listed(ana)

    assert ana.ephemerals(ops) == []
    assert "I deploy on Fridays" in shown
    assert "tabs" not in shown


async def test_a_command_that_the_record_does_not_take_comes_again(slack: SlackMachine) -> None:
    """The person is told once, and then what came of it."""
    process, record = await slack.start(), record_of(slack)
    ana = slack.team.user("ana")
    await ana.slash("/remember", "I like tabs.")
    record.is_up = False
    asked = await ana.says(ana.dm, "forget #1")
    await settled(slack, process, ana, slack.team.channel("ops", ana))
    await slack.server.socket.redeliver_unacked()
    await settled(slack, process, ana, slack.team.channel("ops", ana))
    assert not any(delivery.acked for delivery in slack.server.deliveries_of(asked))
    record.is_up = True
    await slack.server.socket.redeliver_unacked()
    await slack.server.socket.until_acked()
    await process.platform.idle()

    shown = [message.shown for message in ana.ephemerals(ana.dm) if message.thread_ts == asked.ts]
    assert [text.startswith(spoken_commands.NOT_YET) for text in shown] == [True, False]
    assert "Forgotten: 1 fact." in shown[1]
    assert "Nothing is remembered of you." in await listed(ana)


async def test_a_command_that_comes_again_elsewhere_changes_nothing(slack: SlackMachine) -> None:
    """It was done, its acknowledgement was lost, and the process that did it is gone."""
    ana = slack.team.user("ana")
    words = ("remember: I like ArgoCD", "forget #1", "forget last", "forget about tabs", "remember: I like vim")
    first = await slack.start()
    for text in ("I like tabs.", "I like spaces.", "I like make."):
        await ana.slash("/remember", text)
    said = [await ana.says(ana.dm, text) for text in words]
    await slack.server.socket.until_acked()
    await first.platform.idle()
    before = await listed(ana)
    await first.stop()
    second = await slack.start()
    for message in said:
        await slack.server.resend(message, times=2)
        await slack.server.resend(message, times=2, new_ids=True)
    await slack.server.socket.until_acked()
    await second.platform.idle()

    assert await listed(ana) == before
    assert [text in before for text in ("tabs", "spaces", "make", "ArgoCD", "vim")] == [False, True, True, True, True]


async def test_what_was_forgotten_since_is_not_remembered_again(slack: SlackMachine) -> None:
    """A delivery that comes late brings nothing back; saying it again does."""
    ana = slack.team.user("ana")
    first = await slack.start()
    said = await ana.says(ana.dm, "remember: I like ArgoCD")
    await slack.server.socket.until_acked()
    await first.platform.idle()
    await ana.slash("/forget", "#1")
    await first.stop()
    second = await slack.start()
    slack.clock.advance(60)
    await slack.server.resend(said)
    await slack.server.socket.until_acked()
    await second.platform.idle()
    assert "Nothing is remembered of you." in await listed(ana)
    await ana.says(ana.dm, "remember: I like ArgoCD")
    await slack.server.socket.until_acked()
    await second.platform.idle()

    assert "I like ArgoCD" in await listed(ana)
