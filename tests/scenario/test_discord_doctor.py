"""`recall doctor` before Discord: what it says of the token, intents, sessions, servers and permissions."""

from collections.abc import AsyncIterator, Iterator, Sequence

import pytest

from bots.discord.checks import check_discord
from bots.discord.gateway import NO_INTENT, REFUSED
from bots.discord.manifest import BROKEN_WITHOUT, SHOWN, permissions, privileged_intents
from memory.clock import SystemClock
from memory.diagnosis import Check
from tests.fakes.clock import FrozenClock
from tests.fakes.discord_server import DiscordServer, FaultKind
from tests.fixtures.bare_discord import pointed_at

_WITHIN_S = 2
_MEND = "open the link of `recall manifest discord` again"


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    """Yield a Discord where the app is installed by its link in one server."""
    async with DiscordServer() as server:
        server.install(permissions().value, *privileged_intents(follow_up=False))
        server.guild("acme")
        yield server


@pytest.fixture(autouse=True)
def addresses(server: DiscordServer) -> Iterator[None]:
    """Put the library's addresses back afterwards."""
    with pointed_at(server):
        yield


async def examined(
    server: DiscordServer, *, token: str | None = None, follow_up: bool = False, api_url: str | None = None
) -> Sequence[Check]:
    """Look at Discord with the right token, unless told otherwise."""
    return await check_discord(
        token=token or server.token,
        api_url=api_url or server.api_url,
        follow_up=follow_up,
        clock=SystemClock(),
        within_s=_WITHIN_S,
    )


def lines(checks: Sequence[Check], verdict: str) -> list[str]:
    """Return what was found with one verdict."""
    return [f"{check.name}: {check.detail}" for check in checks if check.verdict == verdict]


async def test_a_bot_in_order(server: DiscordServer) -> None:
    """Everything is fine; nothing is posted, and no session is begun."""
    checks = await examined(server)

    assert lines(checks, "ok") == [
        f"Discord bot token: recall, application {server.bot.user_id}",
        "clock: agrees with Discord's",
        "Discord intents: none is to be switched on",
        "Discord sessions: 1,000 of 1,000 starts are left, 1 needed for each",
        "Discord servers: acme",
        f"Discord permissions: all {len(BROKEN_WITHOUT)} are granted in every server; a channel may still deny some",
    ]
    assert len(checks) == 6
    assert server.gateway.identifies == []
    assert {call.route.partition(" ")[0] for call in server.calls} == {"GET"}


async def test_each_missing_permission_is_named_with_its_server_and_what_it_breaks(server: DiscordServer) -> None:
    """One line each."""
    without = permissions()
    without.update(create_public_threads=False, read_message_history=False)
    server.guild("beta").allow_bot(without.value)
    checks = await examined(server)

    assert lines(checks, "problem") == [
        f"Discord permissions: {SHOWN[name]} is missing in beta: {BROKEN_WITHOUT[name]}; {_MEND}"
        for name in ("create_public_threads", "read_message_history")
    ]
    assert "Discord servers: acme, beta" in lines(checks, "ok")


async def test_many_servers_are_counted(server: DiscordServer) -> None:
    """All of them are looked at, over the pages that Discord gives."""
    for number in range(205):
        server.guild(f"guild-{number}")
    server.guild("last").allow_bot(0)
    checks = await examined(server)

    assert "Discord servers: acme, guild-0, guild-1, guild-2, guild-3 and 202 more" in lines(checks, "ok")
    assert {line.partition(" is missing in ")[2].partition(":")[0] for line in lines(checks, "problem")} == {"last"}


async def test_follow_up_mode_needs_its_intent(server: DiscordServer) -> None:
    """The same line as at a start; switched on, it is fine, and without the mode it is more than needed."""
    missing = await examined(server, follow_up=True)
    server.switch_on("message_content")
    there, spare = await examined(server, follow_up=True), await examined(server)

    assert lines(missing, "problem") == [f"Discord intents: {NO_INTENT}"]
    assert "Discord intents: Message Content is on" in lines(there, "ok")
    assert "Discord intents: none is to be switched on; not needed: Message Content" in lines(spare, "ok")


async def test_a_token_that_discord_refuses(server: DiscordServer) -> None:
    """One line, without the token."""
    checks = await examined(server, token="MTIz.wrong.wrong")

    assert [(check.verdict, check.detail) for check in checks] == [("problem", REFUSED)]


async def test_sessions_that_are_nearly_spent(server: DiscordServer) -> None:
    """A warning: the next start waits."""
    server.gateway.remaining = 10
    (line,) = lines(await examined(server), "warning")

    assert line.startswith("Discord sessions: 10 of 1,000 starts are left, 1 needed for each; a start waits ")


async def test_a_bot_that_is_nowhere(server: DiscordServer) -> None:
    """The link is what is missing."""
    server.guilds["acme"].state.has_bot = False

    assert lines(await examined(server), "warning") == [f"Discord servers: Recall is in none; {_MEND}"]


async def test_a_clock_that_is_wrong(server: DiscordServer) -> None:
    """By more than the network can explain: a warning."""
    here = FrozenClock(SystemClock().now())
    here.advance(90)
    checks = await check_discord(token=server.token, api_url=server.api_url, follow_up=False, clock=here)

    (line,) = lines(checks, "warning")
    assert "s ahead of Discord's" in line


@pytest.mark.parametrize("kind", ["hold", "drop"])
async def test_a_discord_that_gives_no_answer(server: DiscordServer, kind: FaultKind) -> None:
    """It says so, and nothing waits for better times."""
    server.faults.add("*", kind, times=None)
    (line,) = lines(await examined(server), "problem")

    assert line.startswith("Discord API: Discord cannot be reached: ")


async def test_an_address_where_something_else_answers(server: DiscordServer) -> None:
    """Such as without the version."""
    (line,) = lines(await examined(server, api_url=server.api_url.removesuffix("/v10")), "problem")

    assert line.startswith("Discord API: DISCORD_API_URL: what answers there is not Discord's API. ")
