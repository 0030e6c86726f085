"""A fake Slack and a fake Discord, and the app at the other end of each with the real library."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import discord
import pytest
from discord import app_commands
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.discord_server import Channel as DiscordChannel
from tests.fakes.discord_server import DiscordServer, Guild
from tests.fakes.discord_server import Person as DiscordPerson
from tests.fakes.slack_server import SlackServer, Team
from tests.fixtures.bare_discord import BareApp, Button, Rest, bare_app

Json = dict[str, Any]


@dataclass(eq=False)
class App:
    """An app that takes everything down and acknowledges it, with what `answer` returns.

    Attributes:
        deaf: It takes things down and acknowledges nothing.
    """

    client: SocketModeClient
    web: AsyncWebClient
    requests: list[SocketModeRequest] = field(default_factory=list)
    answer: Callable[[Json], Json | None] = lambda _payload: None
    deaf: bool = False

    async def take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Take an envelope."""
        self.requests.append(request)
        if not self.deaf:
            answer = self.answer(request.payload)
            await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, answer))

    @property
    def events(self) -> list[Json]:
        """The events that came, in order."""
        return [each.payload["event"] for each in self.requests if each.type == "events_api"]


@pytest.fixture
def web(slack: SlackServer, team: Team) -> AsyncWebClient:
    """The app's Web API client, which repeats nothing by itself."""
    none: list[AsyncRetryHandler] = []
    return AsyncWebClient(team.bot_token, base_url=slack.url, retry_handlers=none)


@pytest.fixture
async def app(slack: SlackServer, web: AsyncWebClient) -> AsyncIterator[App]:
    """A connected app."""
    client = SocketModeClient(slack.app_token, web_client=web, ping_interval=0.2)
    app = App(client, web)
    client.socket_mode_request_listeners.append(app.take)
    await client.connect()  # type: ignore[no-untyped-call]  # the SDK leaves these two untyped
    await slack.socket.until_connected()
    yield app
    await client.close()  # type: ignore[no-untyped-call]


@pytest.fixture
async def discord_server() -> AsyncIterator[DiscordServer]:
    """A fake Discord."""
    async with DiscordServer() as server:
        yield server


@pytest.fixture
def guild(discord_server: DiscordServer) -> Guild:
    """A guild with the app."""
    return discord_server.guild()


@pytest.fixture
def dana(guild: Guild) -> DiscordPerson:
    """A member of it."""
    return guild.user("dana")


@pytest.fixture
def lobby(guild: Guild) -> DiscordChannel:
    """A channel that everyone in it sees."""
    return guild.channel("lobby")


@pytest.fixture
async def rest(discord_server: DiscordServer) -> AsyncIterator[Rest]:
    """The app's calls by hand."""
    async with aiohttp.ClientSession() as session:
        yield Rest(discord_server, session)


@pytest.fixture
async def bare(discord_server: DiscordServer, lobby: DiscordChannel, dana: DiscordPerson) -> AsyncIterator[BareApp]:
    """The app, connected, with a slash command and a button; the guild has a channel and a member before it comes."""
    del lobby, dana
    async with bare_app(discord_server, before=equipped) as app:
        yield app


async def equipped(app: BareApp) -> None:
    """Give the app its commands and its button."""
    app.add_dynamic_items(Button)
    app.tree.add_command(app_commands.Command(name="memories", description="What I know", callback=memories))
    app.tree.add_command(app_commands.ContextMenu(name="Remember this", callback=remember))
    await app.tree.sync()


async def memories(interaction: discord.Interaction, words: str = "", mine: bool = False) -> None:  # noqa: FBT002 - an option with a default
    """Answer only the one who asked."""
    await interaction.response.send_message(f"about {words!r}, mine: {mine}", ephemeral=True, view=_view(7))


async def remember(interaction: discord.Interaction, message: discord.Message) -> None:
    """Think, then answer with what the message says."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    await interaction.followup.send(f"remembered {message.content!r}")


def _view(number: int) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    view.add_item(Button(number))
    return view
