"""Which application commands Discord takes. Pure.

Source: docs.discord.com/developers/interactions/application-commands.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tests.fakes.discord.errors import Problem, invalid

Json = dict[str, Any]

CHAT_INPUT, USER, MESSAGE = 1, 2, 3
SUBCOMMAND, SUBCOMMAND_GROUP = 1, 2
_MOST = {CHAT_INPUT: 100, USER: 15, MESSAGE: 15}
_COMMAND_CHARS = 8_000
_TYPES = range(1, 12)


def check_commands(commands: Sequence[Json]) -> None:
    """Refuse a set of commands that Discord would not take as a whole."""
    problems = [problem for place, command in enumerate(commands) for problem in _command(command, str(place))]
    kinds = Counter(kind_of(command) for command in commands)
    for kind, most in _MOST.items():
        if kinds[kind] > most:
            code = "APPLICATION_COMMANDS_EXCEEDED_MAX"
            problems.append(("_", code, f"Maximum number of application commands reached ({most})"))
    names = Counter((kind_of(command), command.get("name")) for command in commands)
    for (_, name), count in names.items():
        if count > 1:
            code = "APPLICATION_COMMANDS_DUPLICATE_NAME"
            problems.append(("_", code, f"Application command names must be unique: {name}"))
    if problems:
        raise invalid(*problems)


def kind_of(command: Json) -> int:
    """Return a command's type."""
    return int(command.get("type") or CHAT_INPUT)


def _command(command: Json, path: str) -> Iterator[Problem]:
    kind, name = kind_of(command), str(command.get("name") or "")
    if kind not in _MOST:
        yield (f"{path}.type", "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4}.")
    if kind == CHAT_INPUT:
        yield from _named(command, path)
        yield from _options(command.get("options") or [], f"{path}.options", depth=0)
        if command_chars(command) > _COMMAND_CHARS:
            yield (path, "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({_COMMAND_CHARS})")
        return
    if not 1 <= len(name) <= 32:
        yield (f"{path}.name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 32 in length.")
    if command.get("description"):
        code = "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_NOT_ALLOWED"
        yield (f"{path}.description", code, "Context menu commands cannot have description")
    if command.get("options"):
        code = "APPLICATION_COMMAND_CONTEXT_MENU_OPTIONS_NOT_ALLOWED"
        yield (f"{path}.options", code, "Context menu commands cannot have options")


def _named(thing: Json, path: str) -> Iterator[Problem]:
    name, description = str(thing.get("name") or ""), str(thing.get("description") or "")
    legal = all(letter.isalnum() or letter in "-_'" for letter in name)
    if not 1 <= len(name) <= 32 or not legal or name != name.lower():
        yield (f"{path}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    if not 1 <= len(description) <= 100:
        yield (f"{path}.description", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")


def _options(options: Sequence[Json], path: str, *, depth: int) -> Iterator[Problem]:
    if len(options) > 25:
        yield (path, "BASE_TYPE_BAD_LENGTH", "Must be 25 or fewer in length.")
    optional_seen = False
    for place, option in enumerate(options):
        where = f"{path}.{place}"
        yield from _option(option, where, depth=depth)
        if option.get("required") and optional_seen:
            code = "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"
            yield (where, code, "Required options must be placed before non-required options")
        optional_seen = optional_seen or not option.get("required")
    names = [option.get("name") for option in options]
    if len({*names}) < len(names):
        yield (path, "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option name already exists")
    kinds = {option.get("type") in {SUBCOMMAND, SUBCOMMAND_GROUP} for option in options}
    if len(kinds) > 1:
        code = "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"
        yield (path, code, "Sub-command and sub-command group option types are mutually exclusive to all other types")


def _option(option: Json, path: str, *, depth: int) -> Iterator[Problem]:
    yield from _named(option, path)
    kind = option.get("type")
    if kind not in _TYPES or (kind == SUBCOMMAND_GROUP and depth > 0) or (kind == SUBCOMMAND and depth > 1):
        yield (f"{path}.type", "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}.")
    if kind in {SUBCOMMAND, SUBCOMMAND_GROUP}:
        yield from _options(option.get("options") or [], f"{path}.options", depth=depth + 1)
        return
    choices = option.get("choices") or []
    if len(choices) > 25:
        yield (f"{path}.choices", "BASE_TYPE_BAD_LENGTH", "Must be 25 or fewer in length.")
    if choices and option.get("autocomplete"):
        code = "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_CHOICES"
        yield (path, code, "Choices cannot be set when autocomplete is on")
    for place, choice in enumerate(choices):
        if not 1 <= len(str(choice.get("name") or "")) <= 100 or len(str(choice.get("value"))) > 100:
            yield (f"{path}.choices.{place}", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    if not 0 <= int(option.get("min_length") or 0) <= 6_000 or not 1 <= int(option.get("max_length") or 1) <= 6_000:
        yield (path, "NUMBER_TYPE_MAX", "int value should be less than or equal to 6000.")


def command_chars(thing: Json) -> int:
    """Return how many characters of a command or option count: names, descriptions and values of choices."""
    own = len(str(thing.get("name") or "")) + len(str(thing.get("description") or ""))
    choices = sum(len(str(each.get("name"))) + len(str(each.get("value"))) for each in thing.get("choices") or [])
    return own + choices + sum(command_chars(each) for each in thing.get("options") or [])
