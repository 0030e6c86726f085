"""A slash command's options, as a person's client fills them in and sends them."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.fakes.discord import wire
from tests.fakes.discord.command_limits import SUBCOMMAND, SUBCOMMAND_GROUP
from tests.fakes.discord.model import DiscordRefusesError, User
from tests.fakes.discord.places import Channel

Json = dict[str, Any]
Value = str | int | float | bool | User | Channel

_STRING, _INTEGER, _BOOLEAN, _USER, _CHANNEL, _NUMBER = 3, 4, 5, 6, 7, 10
_PYTHON: dict[int, type | tuple[type, ...]] = {
    _STRING: str, _INTEGER: int, _BOOLEAN: bool, _USER: User, _CHANNEL: Channel, _NUMBER: (int, float),
}  # fmt: skip


def chosen(
    channel: Channel,
    command: Json,
    path: Sequence[str],
    values: Mapping[str, Value],
    *,
    focused: str | None = None,
) -> Json:
    """Return what is sent for a command, its subcommands and the values of its options.

    Raises:
        DiscordRefusesError: The client would not send that.
    """
    holder, names = command, list(path)
    for name in path:
        holder = _subcommand(holder, name)
    known = {option["name"]: option for option in holder.get("options") or []}
    if any(option["type"] in {SUBCOMMAND, SUBCOMMAND_GROUP} for option in known.values()):
        raise DiscordRefusesError(f"choose one of {list(known)}")
    unknown = values.keys() - known.keys()
    missing = [name for name, option in known.items() if option.get("required") and name not in values]
    if unknown or (missing and focused is None):
        raise DiscordRefusesError(f"unknown: {sorted(unknown)}, missing: {missing}; there are {list(known)}")
    sent = [_sent(known[name], value, focused=name == focused) for name, value in values.items()]
    inner: list[Json] = sent
    kinds = [SUBCOMMAND_GROUP, SUBCOMMAND][-len(names) :] if names else []
    for name, kind in zip(reversed(names), reversed(kinds), strict=True):
        inner = [{"name": name, "type": kind, "options": inner}]
    data: Json = {"id": command["id"], "name": command["name"], "type": command["type"], "options": inner}
    resolved = _resolved(channel, list(values.values()))
    return data | ({"resolved": resolved} if resolved else {}) | _guild(command)


def _guild(command: Json) -> Json:
    return {"guild_id": command["guild_id"]} if "guild_id" in command else {}


def _subcommand(holder: Json, name: str) -> Json:
    for option in holder.get("options") or []:
        if option["name"] == name and option["type"] in {SUBCOMMAND, SUBCOMMAND_GROUP}:
            return dict(option)
    raise DiscordRefusesError(f"there is no {name!r}")


def _sent(option: Json, value: Value, *, focused: bool) -> Json:
    kind, name = int(option["type"]), option["name"]
    sent: Json = {"name": name, "type": kind, "value": _wire_value(value)}
    if focused:
        if not option.get("autocomplete"):
            raise DiscordRefusesError(f"{name} suggests nothing")
        return sent | {"focused": True}
    right = isinstance(value, _PYTHON.get(kind, str)) and (kind == _BOOLEAN or not isinstance(value, bool))
    if not right:
        raise DiscordRefusesError(f"{name} takes no {value!r}")
    _check_bounds(option, value)
    choices = {choice["name"]: choice["value"] for choice in option.get("choices") or []}
    if choices and value not in choices and value not in choices.values():
        raise DiscordRefusesError(f"{name} is one of {list(choices)}")
    return sent | ({"value": choices[value]} if isinstance(value, str) and value in choices else {})


def _check_bounds(option: Json, value: Value) -> None:
    if isinstance(value, str):
        measure: float = len(value)
        least, most = option.get("min_length", 0), option.get("max_length", 6_000)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        measure = value
        least, most = option.get("min_value", -(2**53)), option.get("max_value", 2**53)
    else:
        return
    if not least <= measure <= most:
        raise DiscordRefusesError(f"{option['name']} is not between {least} and {most}")


def _wire_value(value: Value) -> str | int | float | bool:
    if isinstance(value, User):
        return value.user_id
    return value.channel_id if isinstance(value, Channel) else value


def _resolved(channel: Channel, values: Sequence[Value]) -> Json:
    resolved: Json = {}
    guild = channel.guild
    for value in values:
        if isinstance(value, User):
            resolved.setdefault("users", {})[value.user_id] = wire.user_json(value)
            member = guild.members.get(value.user_id) if guild is not None else None
            if member is not None:
                allowed = {"permissions": str(channel.permissions_of(value.user_id))}
                found = wire.member_json(member, with_user=False) | allowed
                resolved.setdefault("members", {})[value.user_id] = found
        elif isinstance(value, Channel):
            shown = wire.channel_json(value) | {"permissions": "0"}
            resolved.setdefault("channels", {})[value.channel_id] = shown
    return resolved
