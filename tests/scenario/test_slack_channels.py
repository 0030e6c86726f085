"""Who can read a channel and who is an outsider, asked of a Slack that answers, refuses, changes and breaks."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bots.slack import ids
from bots.slack.channels import FAILURE_GOOD_FOR_S, GOOD_FOR_S, Channels
from bots.slack.errors import SlackUnavailableError
from bots.slack.guests import Guests
from bots.slack.ids import SlackThread
from bots.slack.web import SlackWeb
from memory.audience import everyone_in, members_of, private_to
from memory.tasks import TaskTracker
from tests.fakes.clock import FrozenClock
from tests.fakes.slack_server import Channel, Person, SlackServer, Team, lifecycle

OTHER_TEAM = "T0OTHER"


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    """A fake Slack."""
    async with SlackServer() as server:
        yield server


@pytest.fixture
def team(slack: SlackServer) -> Team:
    """A workspace whose app may also ask about DMs and group DMs."""
    team = slack.team()
    team.state.scopes |= {"im:read", "mpim:read"}
    return team


@pytest.fixture
def ana(team: Team) -> Person:
    """A full member."""
    return team.user("ana")


@pytest.fixture
def general(team: Team, ana: Person) -> Channel:
    """A public channel."""
    return team.channel("general", ana)


@pytest.fixture
def clock() -> FrozenClock:
    """A clock that stands still."""
    return FrozenClock()


@pytest.fixture
async def web(slack: SlackServer, team: Team) -> AsyncIterator[SlackWeb]:
    """The workspace's Web API."""
    web = SlackWeb(team.bot_token, api_url=slack.url)
    yield web
    await web.close()


@pytest.fixture
def channels(web: SlackWeb, clock: FrozenClock) -> Channels:
    """What is tested."""
    return Channels(web, clock, Guests(web, clock, TaskTracker()))


def thread_in(channel: Channel) -> SlackThread:
    """Return some thread of a channel."""
    return SlackThread(channel.team.team_id, channel.channel_id, "1764000000.000100")


async def test_a_public_channel_is_the_workspaces(team: Team, general: Channel, channels: Channels) -> None:
    """Everyone in the workspace can read it."""
    place = await channels.place(thread_in(general))

    assert place is not None and place.shared
    assert place.audience == everyone_in(ids.tenant_id(team.team_id))
    assert ids.thread_of(place.session_id) == thread_in(general)


async def test_private_channels_and_group_dms_are_their_members(team: Team, ana: Person, channels: Channels) -> None:
    """Only members can read them, and more than one does."""
    for channel in (team.channel("secret", ana, kind="private"), team.group(ana, team.user("bob"))):
        place = await channels.place(thread_in(channel))

        assert place is not None and place.shared
        assert place.audience == members_of(ids.channel_id(team.team_id, channel.channel_id))


async def test_a_dm_is_one_persons(slack: SlackServer, team: Team, ana: Person, channels: Channels) -> None:
    """Only she reads her DM; where the event said whose it is, Slack is not asked, for which there is no scope."""
    asked = await channels.place(thread_in(ana.dm))
    told = await channels.place(thread_in(ana.dm), dm_with=ana.user_id)

    assert asked is not None and not asked.shared
    assert asked.audience == private_to(ids.user_id(team.team_id, ana.user_id))
    assert told == asked
    assert len(slack.calls_of("conversations.info")) == 1


@pytest.mark.parametrize("kind", ["public", "private"])
async def test_a_channel_that_outsiders_read_is_no_place(
    team: Team, ana: Person, channels: Channels, kind: str
) -> None:
    """Slack Connect, also when another workspace is only invited."""
    shared = team.channel("shared", ana, kind="public" if kind == "public" else "private", shared_with=OTHER_TEAM)
    offered = team.channel("offered", ana, kind="public" if kind == "public" else "private")
    await lifecycle.offer_to_share(offered)

    assert await channels.place(thread_in(shared)) is None
    assert await channels.place(thread_in(offered)) is None


@pytest.mark.parametrize("guest", ["single_channel", "multi_channel"])
async def test_a_guest_is_an_outsider(team: Team, channels: Channels, guest: str) -> None:
    """Guests of both kinds are outsiders, and their DMs no place."""
    gus = team.user("gus", guest="single_channel" if guest == "single_channel" else "multi_channel")

    assert await channels.is_outsider(team.team_id, gus.user_id)
    assert await channels.place(thread_in(gus.dm), dm_with=gus.user_id) is None


async def test_people_of_other_workspaces_are_outsiders(team: Team, ana: Person, channels: Channels) -> None:
    """Slack's word about somebody counts, and the event's too, whatever the other says."""
    eve = team.user("eve", home_team_id=OTHER_TEAM)
    at_home = {"user": ana.user_id, "team": team.team_id}

    assert await channels.is_outsider(team.team_id, eve.user_id)
    assert await channels.is_outsider(team.team_id, eve.user_id, {"user_team": team.team_id})
    assert not await channels.is_outsider(team.team_id, ana.user_id)
    assert not await channels.is_outsider(team.team_id, ana.user_id, at_home)
    assert await channels.is_outsider(team.team_id, ana.user_id, at_home | {"user_team": OTHER_TEAM})
    assert await channels.is_outsider(team.team_id, ana.user_id, at_home | {"source_team": ["T1"]})


async def test_what_slack_refuses_to_say_is_nobodys(team: Team, channels: Channels) -> None:
    """Unknown channels and people, and a missing scope, give no place and an outsider."""
    team.state.scopes -= {"groups:read"}
    unknown = SlackThread(team.team_id, "C0NONE", "1.2")
    unreadable = thread_in(team.channel("secret", kind="private"))

    assert await channels.place(unknown) is None
    assert await channels.place(unreadable) is None
    assert await channels.is_outsider(team.team_id, "U0NONE")


async def test_where_slack_does_not_answer_nothing_is_known(slack: SlackServer, team: Team, channels: Channels) -> None:
    """Neither that outsiders read, nor that they do not; a name can do without."""
    broken, bob = thread_in(team.channel("broken")), team.user("bob")
    slack.faults.add("*", "status", status=500, times=None)

    with pytest.raises(SlackUnavailableError):
        await channels.place(broken)
    with pytest.raises(SlackUnavailableError):
        await channels.place(thread_in(bob.dm), dm_with=bob.user_id)
    with pytest.raises(SlackUnavailableError):
        await channels.is_outsider(team.team_id, bob.user_id)
    assert (await channels.person(team.team_id, bob.user_id)).name == bob.user_id


async def test_an_answer_is_good_for_a_minute(
    slack: SlackServer, general: Channel, channels: Channels, clock: FrozenClock
) -> None:
    """Slack is asked once a minute, however many threads ask."""
    for ts in ("1.1", "2.2", "3.3"):
        assert await channels.place(SlackThread(general.team.team_id, general.channel_id, ts)) is not None
    assert len(slack.calls_of("conversations.info")) == 1

    await lifecycle.offer_to_share(general)
    clock.advance(GOOD_FOR_S)

    assert await channels.place(thread_in(general)) is None


async def test_many_who_ask_at_once_ask_slack_once(slack: SlackServer, general: Channel, channels: Channels) -> None:
    """Fifty events at once cost one call, and all get the answer; one that gives up takes it from nobody."""
    slack.faults.add("conversations.info", "hold")
    async with asyncio.TaskGroup() as group:
        first = group.create_task(channels.place(thread_in(general)))
        await slack.until_called("conversations.info")
        others = [group.create_task(channels.place(thread_in(general))) for _ in range(50)]
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        slack.release()

    assert len({other.result() for other in others}) == 1
    assert others[0].result() is not None
    assert len(slack.calls_of("conversations.info")) == 2


async def test_a_change_is_seen_at_once(ana: Person, general: Channel, channels: Channels) -> None:
    """After `forget`, the next one who asks hears what Slack says now."""
    await channels.place(thread_in(general))
    await lifecycle.make_private(general, ana.user)
    channels.forget(general.channel_id)

    place = await channels.place(thread_in(general))

    assert place is not None
    assert place.audience == members_of(ids.channel_id(general.team.team_id, general.channel_id))


async def test_a_change_while_slack_answers_is_seen(slack: SlackServer, general: Channel, channels: Channels) -> None:
    """An answer that was on its way when the channel changed is thrown away, not handed out and not kept."""
    slack.faults.add("conversations.info", "hold", after_effect=True)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(channels.place(thread_in(general)))
        await slack.until_called("conversations.info")
        await lifecycle.share(general, OTHER_TEAM)
        channels.forget(general.channel_id)
        slack.release()

    assert asking.result() is None
    assert await channels.place(thread_in(general)) is None


async def test_a_failure_is_soon_asked_again(
    slack: SlackServer, general: Channel, channels: Channels, clock: FrozenClock
) -> None:
    """While Slack is down not every event waits for it; once it is back, so are the places."""
    slack.faults.add("conversations.info", "status", status=503, times=2)

    for _ in range(3):
        with pytest.raises(SlackUnavailableError):
            await channels.place(thread_in(general))
    assert len(slack.calls_of("conversations.info")) == 2
    clock.advance(FAILURE_GOOD_FOR_S)
    assert await channels.place(thread_in(general)) is not None


async def test_one_lost_answer_is_no_failure(slack: SlackServer, general: Channel, channels: Channels) -> None:
    """Asking changes nothing, so Slack is asked again at once."""
    slack.faults.add("conversations.info", "drop")

    assert await channels.place(thread_in(general)) is not None


async def test_people_are_called_what_they_call_themselves(
    slack: SlackServer, team: Team, ana: Person, channels: Channels
) -> None:
    """The display name; the id where Slack does not know them; and a new standing once they have changed."""
    assert await channels.person(team.team_id, ana.user_id) == ids.person(team.team_id, ana.user_id, "ana")
    assert (await channels.person(team.team_id, "U0NONE")).name == "U0NONE"
    ana.user.is_restricted = True
    assert not await channels.is_outsider(team.team_id, ana.user_id)
    channels.forget_user(ana.user_id)
    assert await channels.is_outsider(team.team_id, ana.user_id)
    assert len(slack.calls_of("users.info")) == 3
