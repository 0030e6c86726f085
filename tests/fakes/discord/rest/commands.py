"""The calls about application commands: read them, replace them all, of the app or of one guild."""

from typing import Any

from tests.fakes.discord.command_limits import check_commands, kind_of
from tests.fakes.discord.errors import ApiError, invalid
from tests.fakes.discord.rest.calls import Call, Route

Json = dict[str, Any]

CREATES_A_DAY = 200


def _scope(call: Call) -> str:
    if call.params["application_id"] != call.world.app.app_id:
        raise ApiError(20012)
    return call.guild().guild_id if "guild_id" in call.params else ""


async def read(call: Call) -> list[Json]:
    """Return the commands."""
    return call.world.commands.get(_scope(call), [])


async def replace(call: Call) -> list[Json]:
    """Replace all commands: those of the same type and name keep their id, others are made or go."""
    scope = _scope(call)
    if not isinstance(call.body, list):
        raise invalid(("_", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType"))
    check_commands(call.body)
    known = {(kind_of(command), command["name"]): command for command in call.world.commands.get(scope, [])}
    fresh = [command for command in call.body if (kind_of(command), command["name"]) not in known]
    if call.world.created_commands + len(fresh) > CREATES_A_DAY:
        raise ApiError(30034)
    call.world.created_commands += len(fresh)
    call.world.commands[scope] = [
        _kept(call, command, known.get((kind_of(command), command["name"])), scope) for command in call.body
    ]
    return call.world.commands[scope]


def _kept(call: Call, command: Json, earlier: Json | None, scope: str) -> Json:
    same = earlier is not None and all(earlier.get(name) == value for name, value in command.items())
    kept: Json = {
        "id": earlier["id"] if earlier is not None else call.world.counter.snowflake(),
        "application_id": call.world.app.app_id,
        "version": earlier["version"] if earlier is not None and same else call.world.counter.snowflake(),
        "type": kind_of(command),
        "default_member_permissions": None,
        "dm_permission": True,
        "nsfw": False,
        "integration_types": [0],
        "contexts": None,
        "description": "",
    }
    return kept | command | ({"guild_id": scope} if scope else {})


_GLOBAL = "/applications/{application_id}/commands"
_OF_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"

ROUTES = {
    f"GET {_GLOBAL}": Route(run=read, bucket="commands"),
    f"PUT {_GLOBAL}": Route(run=replace, bucket="commands", limit=2),
    f"GET {_OF_GUILD}": Route(run=read, bucket="commands"),
    f"PUT {_OF_GUILD}": Route(run=replace, bucket="commands", limit=2),
}
