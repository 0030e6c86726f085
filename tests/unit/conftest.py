"""A fake Slack for tests of parts; scenarios have a whole machine under its name."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.slack_server import Channel, Person, SlackServer, Team


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    """A fake Slack."""
    async with SlackServer() as server:
        yield server


@pytest.fixture
def team(slack: SlackServer) -> Team:
    """A workspace."""
    return slack.team()


@pytest.fixture
def ana(team: Team) -> Person:
    """Somebody in it."""
    return team.user("ana")


@pytest.fixture
def general(team: Team, ana: Person) -> Channel:
    """A channel with her and the app."""
    return team.channel("general", ana)
