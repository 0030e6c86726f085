"""Guests of a workspace: what they may not read is not drawn on where they read along, and nobody waits for that."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bots.slack.guests import FAILURE_GOOD_FOR_S, GOOD_FOR_S, LIST_GOOD_FOR_S, Guests
from bots.slack.web import SlackWeb
from memory.tasks import TaskTracker
from tests.fakes.clock import FrozenClock
from tests.fakes.slack_server import Channel, Message, Person, SlackServer, Team, lifecycle
from tests.fixtures.slack import SlackMachine, SlackProcess

pytestmark = pytest.mark.timeout(120)

ASKED = "@recall what do I deploy with?"


async def learned(slack: SlackMachine, process: SlackProcess, person: Person, channel: Channel) -> None:
    """Let a fact about a person be learned from what they say in a channel."""
    thread = slack.team.thread(await person.says(channel, "@recall I deploy with the frobnicator"))
    await thread.until_answers(1)
    await process.learn("ana deploys with the frobnicator")


async def answer_to(slack: SlackMachine, person: Person, channel: Channel, words: str = ASKED) -> Message:
    """Return the answer to a question in a new thread."""
    (answer,) = await slack.team.thread(await person.says(channel, words)).until_answers(1)
    return answer


def has_recalled(process: SlackProcess) -> bool:
    """Whether the last answer was given the fact."""
    return any("frobnicator" in item.memory.text for item in process.model.asked[-1].recalled)


async def test_a_guest_reads_nothing_of_channels_they_cannot_see(slack: SlackMachine) -> None:
    """Where one reads along nothing is recalled and no footer says so; elsewhere and in DMs all is as ever."""
    ana, gus = slack.team.user("ana"), slack.team.user("gus", guest="multi_channel")
    ops, lobby, visited = (slack.team.channel(name, ana) for name in ("ops", "lobby", "visited"))
    visited.members[gus.user_id] = gus.user
    process = await slack.start()
    await learned(slack, process, ana, ops)

    seen = {}
    for channel in (lobby, visited, ana.dm):
        answer = await answer_to(slack, ana, channel)
        seen[channel.name] = (has_recalled(process), "recall_why" in answer.buttons)

    assert seen == {"lobby": (True, True), "visited": (False, False), ana.dm.name: (True, True)}
    assert slack.server.refusals == []


async def test_what_is_said_among_guests_is_recalled_elsewhere(slack: SlackMachine) -> None:
    """It was said in a public channel, which every full member reads."""
    ana, gus = slack.team.user("ana"), slack.team.user("gus", guest="single_channel")
    visited, lobby = slack.team.channel("visited", ana, gus), slack.team.channel("lobby", ana)
    process = await slack.start()
    await learned(slack, process, ana, visited)
    await answer_to(slack, ana, lobby)

    assert has_recalled(process)


async def test_a_private_channel_with_a_guest_keeps_its_own(slack: SlackMachine) -> None:
    """What was said in it, and nothing of the public ones."""
    ana, gus = slack.team.user("ana"), slack.team.user("gus", guest="single_channel")
    secret = slack.team.channel("secret", ana, gus, kind="private")
    ops = slack.team.channel("ops", ana)
    process = await slack.start()
    await answer_to(slack, ana, ops, "@recall the vault of ops is in cellar-17")
    await answer_to(slack, ana, secret, "@recall the vault of finance is in cellar-18")
    await answer_to(slack, ana, secret, "@recall in which cellar is the vault?")

    recalled = " ".join(item.memory.text for item in process.model.asked[-1].recalled)
    assert "cellar-18" in recalled
    assert "cellar-17" not in recalled


async def test_a_guest_comes_into_a_thread_and_goes(slack: SlackMachine) -> None:
    """From the next message on nothing is recalled in it; once they have left it is again."""
    ana, gus = slack.team.user("ana"), slack.team.user("gus", guest="multi_channel")
    ops, lobby = slack.team.channel("ops", ana), slack.team.channel("lobby", ana)
    process = await slack.start()
    await learned(slack, process, ana, ops)
    thread = slack.team.thread(await ana.says(lobby, ASKED))
    await thread.until_answers(1)
    recalled = [has_recalled(process)]
    for number, change in enumerate((lifecycle.join, lifecycle.leave), start=2):
        await change(lobby, gus.user)
        await slack.server.socket.until_acked()
        await ana.says(lobby, "and what do I deploy it with?", thread=thread)
        await thread.until_answers(number)
        recalled.append(has_recalled(process))

    assert recalled == [True, False, True]


async def test_somebody_becomes_a_guest_or_comes_as_one(slack: SlackMachine) -> None:
    """The event says so, and counts at once; without any guest nobody asked who is in a channel."""
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops, lobby = slack.team.channel("ops", ana), slack.team.channel("lobby", ana, bob)
    process = await slack.start()
    await learned(slack, process, ana, ops)
    await answer_to(slack, ana, lobby)
    recalled = [has_recalled(process)]
    assert slack.server.calls_of("conversations.members") == []

    bob.user.is_restricted = True
    await slack.team.user_changes(bob)
    await slack.server.socket.until_acked()
    await answer_to(slack, ana, lobby)
    recalled.append(has_recalled(process))

    await slack.team.deactivate(bob)
    await slack.server.socket.until_acked()
    await answer_to(slack, ana, lobby)
    recalled.append(has_recalled(process))

    gus = slack.team.user("gus", guest="single_channel")
    await slack.team.joins(gus)
    await lifecycle.join(lobby, gus.user)
    await slack.server.socket.until_acked()
    await answer_to(slack, ana, lobby)
    recalled.append(has_recalled(process))

    assert recalled == [True, False, True, False]


async def test_every_process_hears_of_a_guest(slack: SlackMachine) -> None:
    """Slack tells one of them, and any of them answers."""
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops, lobby = slack.team.channel("ops", ana), slack.team.channel("lobby", ana)
    processes = [await slack.start(), await slack.start()]
    thread = slack.team.thread(await ana.says(ops, "@recall the vault of ops is in cellar-17"))
    await thread.until_answers(1)

    async def recalled() -> list[bool]:
        """Ask until both have answered, and say what they recalled."""
        found = []
        for process in processes:
            process.model.asked.clear()
        while not all(process.model.asked for process in processes):
            await answer_to(slack, ana, lobby, "@recall in which cellar is the vault of ops?")
        for process in processes:
            texts = [item.memory.text for item in process.model.asked[-1].recalled]
            found.append(any("cellar-17" in text for text in texts))
        return found

    seen = [await recalled()]
    for change in (lifecycle.join, lifecycle.leave):
        bob.user.is_restricted = True
        await slack.team.user_changes(bob)
        await change(lobby, bob.user)
        await slack.server.socket.until_acked()
        seen.append(await recalled())

    assert seen == [[True, True], [False, False], [True, True]]


@pytest.mark.parametrize("method", ["users.list", "conversations.members"])
async def test_unknown_readers_may_be_guests(slack: SlackMachine, method: str) -> None:
    """While Slack does not answer, the message is, without what others cannot see; a DM recalls as ever."""
    ana = slack.team.user("ana")
    slack.team.user("gus", guest="single_channel")
    ops, lobby = slack.team.channel("ops", ana), slack.team.channel("lobby", ana)
    slack.server.faults.add(method, "status", status=503, times=None)
    process = await slack.start()
    await learned(slack, process, ana, ops)
    await answer_to(slack, ana, lobby)
    recalled = [has_recalled(process)]
    await answer_to(slack, ana, ana.dm)
    recalled.append(has_recalled(process))

    assert recalled == [False, True]
    await slack.server.socket.until_acked()


async def test_nobody_waits_for_a_long_list_of_members(slack: SlackMachine) -> None:
    """The message is acknowledged and answered while Slack thinks; once it has answered, that counts."""
    ana = slack.team.user("ana")
    slack.team.user("gus", guest="single_channel")
    ops, lobby = slack.team.channel("ops", ana), slack.team.channel("lobby", ana)
    process = await slack.start(patience_s=0)
    await learned(slack, process, ana, ops)
    await process.platform.idle()
    slack.server.faults.add("conversations.members", "hold", times=None)
    await answer_to(slack, ana, lobby)
    recalled = [has_recalled(process)]
    await slack.server.socket.until_acked()
    slack.server.faults.clear()
    slack.server.release()
    await process.platform.idle()
    await answer_to(slack, ana, lobby)
    recalled.append(has_recalled(process))

    assert recalled == [False, True]


async def test_why_is_told_to_the_person_alone(slack: SlackMachine) -> None:
    """A guest who has come since takes nothing from what only a full member is shown."""
    ana, gus = slack.team.user("ana"), slack.team.user("gus", guest="multi_channel")
    ops, lobby = slack.team.channel("ops", ana), slack.team.channel("lobby", ana)
    process = await slack.start()
    await learned(slack, process, ana, ops)
    answer = await answer_to(slack, ana, lobby)
    await lifecycle.join(lobby, gus.user)
    await slack.server.socket.until_acked()
    hers = await ana.presses(answer, "recall_why", expect=1)
    his = await gus.presses(answer, "recall_why", expect=1)

    assert "ana deploys with the frobnicator" in hers.text
    assert "frobnicator" not in his.text


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    """A fake Slack that gives two a page."""
    async with SlackServer() as server:
        server.world.page_size = 2
        yield server


@pytest.fixture
def team(server: SlackServer) -> Team:
    """A workspace with guests among others."""
    team = server.team()
    for number in range(3):
        team.user(f"member{number}")
        team.user(f"guest{number}", guest="single_channel")
    team.user("eve", home_team_id="T0OTHER")
    team.other_bot("deployer")
    return team


@pytest.fixture
async def web(server: SlackServer, team: Team, clock: FrozenClock) -> AsyncIterator[SlackWeb]:
    """Its Web API, which waits by the test's clock."""

    async def wait(seconds: float) -> None:
        clock.advance(seconds)

    web = SlackWeb(team.bot_token, api_url=server.url, wait=wait)
    yield web
    await web.close()


@pytest.fixture
async def tasks() -> AsyncIterator[TaskTracker]:
    """Owns what is asked in the background."""
    tasks = TaskTracker()
    yield tasks
    await tasks.close(grace_s=0)


@pytest.fixture
def guests(web: SlackWeb, clock: FrozenClock, tasks: TaskTracker) -> Guests:
    """What is tested."""
    return Guests(web, clock, tasks, patience_s=30)


async def test_all_pages_count(team: Team, guests: Guests) -> None:
    """Of people and of members; strangers are as guests, bots are not, nor is who was deactivated."""
    members = [team.user(f"member{number}") for number in range(3)]
    plain = team.channel("plain", *members)
    plain.members["U9BOT"] = team.other_bot("deployer")
    visited = team.channel("visited", *members, team.user("guest2"))
    strange = team.channel("strange", *members, team.user("eve"))
    gone = team.channel("gone", *members, team.user("guest1"))
    team.user("guest1").user.deleted = True
    async with guests.kept(team.team_id):
        found = [await guests.read_along(each.channel_id) for each in (plain, visited, strange, gone)]

    assert found == [False, True, True, False]
    assert await guests.read_along(plain.channel_id) is False


async def test_rate_limits_are_waited_for(server: SlackServer, team: Team, guests: Guests, clock: FrozenClock) -> None:
    """A large workspace takes its time, by the tier of the method."""
    for number in range(60):
        team.user(f"more{number}")
    server.faults.enforce_rates(lambda: clock.now().timestamp())
    plain = team.channel("plain", team.user("member0"))
    async with guests.kept(team.team_id):
        assert await guests.read_along(plain.channel_id) is False

    assert len(server.calls_of("users.list")) > 20


async def test_an_answer_is_good_for_a_minute_or_until_somebody_comes_or_goes(
    server: SlackServer, team: Team, guests: Guests, clock: FrozenClock
) -> None:
    """However many ask, and at once."""
    lobby, gus = team.channel("lobby", team.user("member0")), team.user("guest0")
    async with guests.kept(team.team_id):
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(guests.read_along(lobby.channel_id)) for _ in range(20)]
        assert {each.result() for each in asked} == {False}
        assert len(server.calls_of("conversations.members")) == 1
        lobby.members[gus.user_id] = gus.user
        assert await guests.read_along(lobby.channel_id) is False
        guests.forget(lobby.channel_id)
        assert await guests.read_along(lobby.channel_id) is True
        del lobby.members[gus.user_id]
        clock.advance(GOOD_FOR_S)
        assert await guests.read_along(lobby.channel_id) is False


async def test_a_channel_of_too_many_is_unknown(team: Team, guests: Guests) -> None:
    """It is not paged through without end."""
    crowd = [team.user(f"more{number}") for number in range(50)]
    async with guests.kept(team.team_id):
        assert await guests.read_along(team.channel("crowded", *crowd).channel_id) is True
        assert await guests.read_along(team.channel("smaller", *crowd[:30]).channel_id) is False


async def test_a_list_is_believed_for_an_hour(
    server: SlackServer, team: Team, guests: Guests, clock: FrozenClock
) -> None:
    """Then it is read anew, and while that fails guests may be anywhere."""
    lobby = team.channel("lobby", team.user("member0"))
    async with guests.kept(team.team_id):
        assert await guests.read_along(lobby.channel_id) is False
        clock.advance(LIST_GOOD_FOR_S)
        assert await guests.read_along(lobby.channel_id) is False
        assert len(server.calls_of("users.list")) == 10
        server.faults.add("users.list", "status", status=503, times=None)
        clock.advance(LIST_GOOD_FOR_S)
        assert [await guests.read_along(lobby.channel_id) for _ in range(3)] == [True] * 3
        assert len(server.calls_of("users.list")) == 11


async def test_the_list_is_read_again_by_itself(
    server: SlackServer, team: Team, web: SlackWeb, clock: FrozenClock, tasks: TaskTracker
) -> None:
    """Whoever became a guest unheard is found."""
    guests = Guests(web, clock, tasks, refresh_s=0.01, patience_s=30)
    bob = team.user("member0")
    lobby = team.channel("lobby", bob)
    async with guests.kept(team.team_id):
        assert await guests.read_along(lobby.channel_id) is False
        bob.user.is_restricted = True
        calls = len(server.calls_of("users.list"))
        await server.until_called("users.list", calls + 12)  # two whole lists

        assert await guests.read_along(lobby.channel_id) is True


async def test_what_an_event_says_while_the_list_is_read_is_newer(
    server: SlackServer, team: Team, guests: Guests
) -> None:
    """Who was listed as a member, and has become a guest since, is one."""
    bob, gus = team.user("member0"), team.user("guest0")
    lobby, plain = team.channel("lobby", bob), team.channel("plain", gus)
    server.faults.add("users.list", "hold", only=lambda arguments: "cursor" in arguments)
    async with asyncio.TaskGroup() as group:

        async def note() -> None:
            await server.until_called("users.list", 2)
            guests.note(bob.user_id, is_guest=True)
            guests.note(gus.user_id, is_guest=False)
            server.release()

        group.create_task(note())
        async with guests.kept(team.team_id):
            assert await guests.read_along(lobby.channel_id) is True
            assert await guests.read_along(plain.channel_id) is False


async def test_a_failure_is_soon_asked_again(
    server: SlackServer, team: Team, guests: Guests, clock: FrozenClock
) -> None:
    """A refusal, which will not soon change, a little later."""
    lobby = team.channel("lobby", team.user("member0"))
    async with guests.kept(team.team_id):
        server.faults.add("conversations.members", "status", status=503)
        assert [await guests.read_along(lobby.channel_id) for _ in range(2)] == [True, True]
        clock.advance(FAILURE_GOOD_FOR_S)
        assert await guests.read_along(lobby.channel_id) is False
        guests.forget(lobby.channel_id)
        server.faults.add("conversations.members", "error", error="missing_scope")
        assert await guests.read_along(lobby.channel_id) is True
        clock.advance(FAILURE_GOOD_FOR_S)
        assert await guests.read_along(lobby.channel_id) is True
        clock.advance(GOOD_FOR_S)
        assert await guests.read_along(lobby.channel_id) is False
