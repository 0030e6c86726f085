"""Which application commands the fake Discord takes, and who can use them."""

from typing import Any

import pytest

from tests.fakes.discord_server import Channel, DiscordRefusesError, DiscordServer, Guild, Person
from tests.fixtures.bare_discord import Answer, Rest

SHOW = {"name": "show", "description": "Show", "type": 1}


def command(name: str = "memory", **more: Any) -> dict[str, Any]:
    """Return a slash command."""
    return {"name": name, "description": "Memory", **more}


def option(name: str = "words", **more: Any) -> dict[str, Any]:
    """Return an option that takes a text."""
    return {"name": name, "description": "Words", "type": 3, **more}


async def put(rest: Rest, server: DiscordServer, *commands: dict[str, Any]) -> Answer:
    """Replace the global commands."""
    return await rest("PUT", f"/applications/{server.world.app.app_id}/commands", list(commands))


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (command("Memory"), "0.name", "APPLICATION_COMMAND_INVALID_NAME"),
    (command("a b"), "0.name", "APPLICATION_COMMAND_INVALID_NAME"),
    (command("x" * 33), "0.name", "APPLICATION_COMMAND_INVALID_NAME"),
    (command(description=""), "0.description", "BASE_TYPE_BAD_LENGTH"),
    (command(description="x" * 101), "0.description", "BASE_TYPE_BAD_LENGTH"),
    (command(options=[option(f"o{number}") for number in range(26)]), "0.options", "BASE_TYPE_BAD_LENGTH"),
    (
        command(options=[option(), option("b", required=True)]),
        "0.options.1",
        "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
    ),
    (command(options=[option(), option()]), "0.options", "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS"),
    (command(options=[option(), SHOW]), "0.options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"),
    (
        command(options=[option(choices=[{"name": "a", "value": "a"}] * 26)]),
        "0.options.0.choices",
        "BASE_TYPE_BAD_LENGTH",
    ),
    (command(options=[option(f"o{each}", description="x" * 100) for each in range(25)]), "", ""),
    ({"name": "Remember", "type": 3, "description": "no"}, "0.description", ""),
]


@pytest.mark.parametrize(("body", "path", "code"), REFUSED)
async def test_a_malformed_command_is_refused(
    body: dict[str, Any], path: str, code: str, rest: Rest, discord_server: DiscordServer
) -> None:
    """The refusal names the place; a command within the limits is taken."""
    answer = await put(rest, discord_server, body)

    assert answer.status == (400 if path else 200)
    assert code in [*answer.errors(path), ""] if path else answer.body[0]["id"]


async def test_there_are_so_many_commands_of_each_kind(rest: Rest, discord_server: DiscordServer) -> None:
    """A hundred slash commands, fifteen in each menu, each name once, and eight thousand characters."""
    menus = [{"name": f"Menu {number}", "type": 3} for number in range(16)]
    big = [option(f"o{each}", choices=[{"name": "x" * 100, "value": f"{each}"}] * 4) for each in range(25)]

    assert (await put(rest, discord_server, *menus)).errors("_") == ["APPLICATION_COMMANDS_EXCEEDED_MAX"]
    assert (await put(rest, discord_server, command(), command())).errors("_") == [
        "APPLICATION_COMMANDS_DUPLICATE_NAME"
    ]
    assert (await put(rest, discord_server, command(options=big))).errors("0") == ["APPLICATION_COMMAND_TOO_LARGE"]
    assert (await put(rest, discord_server, *[command(f"c{each}") for each in range(101)])).status == 400
    assert (await put(rest, discord_server, *menus[:15], *[command(f"c{each}") for each in range(100)])).status == 200


async def test_commands_keep_their_ids(rest: Rest, discord_server: DiscordServer) -> None:
    """A command of the same kind and name keeps its id; two hundred new ones a day are the end."""
    first = (await put(rest, discord_server, command(), command("b"))).body
    second = (await put(rest, discord_server, command(description="Other"), command("c"))).body
    discord_server.world.created_commands = 200
    enough = await put(rest, discord_server, command("d"))
    wrong = await rest("PUT", "/applications/1/commands", [])

    assert first[0]["id"] == second[0]["id"] and first[0]["version"] != second[0]["version"]
    assert [each["name"] for each in second] == ["memory", "c"]
    assert (enough.code, wrong.code) == (30034, 20012)


async def test_only_synced_commands_can_be_used(
    rest: Rest, discord_server: DiscordServer, guild: Guild, dana: Person, lobby: Channel
) -> None:
    """A guild's own stay there, contexts keep them out of direct messages, and permissions are asked for."""
    with pytest.raises(DiscordRefusesError):
        await dana.slash("/memory", lobby)
    path = f"/applications/{discord_server.world.app.app_id}/guilds/{guild.guild_id}/commands"
    await rest("PUT", path, [command("here")])
    admin = command("admin", default_member_permissions="32")
    await put(rest, discord_server, command(contexts=[0, 1]), command("guild-only", contexts=[0]), admin)
    other = discord_server.guild("other")
    other.user("dana")

    assert set(dana.commands(lobby)) == {"here", "memory", "guild-only"}
    assert set(dana.commands(other.channel("general"))) == {"memory", "guild-only"}
    assert set(dana.commands(dana.dm)) == {"memory", "admin"}


async def test_options_are_checked_as_a_client_does(
    rest: Rest, discord_server: DiscordServer, dana: Person, lobby: Channel
) -> None:
    """Unknown, missing, mistyped and too long values never leave the client; the rest arrives nested."""
    show = SHOW | {"options": [option(required=True, max_length=5), option("page", type=4, min_value=1)]}
    await put(rest, discord_server, command(options=[show]))
    for wrong in ({}, {"words": 1}, {"words": "too long"}, {"words": "a", "page": 0}, {"words": "a", "other": "b"}):
        with pytest.raises(DiscordRefusesError):
            await dana.slash("/memory show", lobby, **wrong)
    with pytest.raises(DiscordRefusesError):
        await dana.slash("/memory", lobby)
    dana.patience_s = 0.01
    seen = await dana.slash("/memory show", lobby, words="dns", page=2)

    assert seen.error == "The application did not respond"
    (sub,) = seen.interaction.data["options"]
    assert [(each["name"], each["value"]) for each in sub["options"]] == [("words", "dns"), ("page", 2)]
