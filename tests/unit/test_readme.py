"""The README says what the code does."""

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from bots.cli import app
from bots.console.slash import COMMANDS
from bots.settings import GROUPS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_two_commands_come_first() -> None:
    """The first shell block is `make chat` and `make test`, and both are in the Makefile."""
    block = README.partition("```sh\n")[2].partition("```")[0]
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    assert re.findall(r"^make ([a-z]+)", block, re.MULTILINE) == ["chat", "test"]
    assert {"chat", "run", "test", "check", "bench", "help"} <= set(targets)


def test_the_settings_table_is_the_code() -> None:
    """Names, defaults and meanings, in the order of the code."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| (.+) \|$", README, re.MULTILINE)
    expected = [
        (str(field.validation_alias), _default(field.default, field.json_schema_extra), field.description)
        for group in GROUPS
        for field in group.model_fields.values()
    ]

    assert rows == expected


def _default(value: object, extra: object) -> str:
    shown = extra["shown_default"] if isinstance(extra, dict) else ""
    match value:
        case _ if shown:
            return str(shown)
        case None:
            return "none"
        case bool():
            return f"`{str(value).lower()}`"
        case float():
            return f"`{value:g}`"
        case _:
            return f"`{value}`"


def test_the_console_commands_are_the_code() -> None:
    """Every command of the console with its meaning, and no other."""
    rows = re.findall(r"^\| `(/.+?)` \| (.+) \|$", _section("At the console"), re.MULTILINE)

    assert rows == list(COMMANDS.values())


def test_the_slash_commands_are_those_of_the_manifest() -> None:
    """What Slack installs is what people are told to type."""
    manifest = yaml.safe_load((ROOT / "manifests" / "slack" / "app.yaml").read_text(encoding="utf-8"))
    typed = re.findall(r"^\| .*$", _section("In Slack"), re.MULTILINE)

    assert set(re.findall(r"`(/\w+)", "\n".join(typed))) == {
        each["command"] for each in manifest["features"]["slash_commands"]
    }


def _section(title: str) -> str:
    """Return a section of the README."""
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`recall ([a-z]+)", README))))
def test_every_shell_command_named_exists(command: str) -> None:
    """What the README tells people to type is there."""
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:bots|memory|tests)/[\w/.]+)`", README))))
def test_every_file_named_exists(path: str) -> None:
    """The layout and the "to add a ..." table point at files that are there."""
    assert (ROOT / path).exists()
