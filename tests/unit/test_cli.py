"""The command line: what it explains, and how it ends when something is wrong."""

import os
import subprocess
import sys
from base64 import b64encode
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bots.chat import sweep_line
from bots.cli import app
from memory.extraction import SweepReport

ROOT = Path(__file__).parents[2]
COMMANDS = ["chat", "run", "manifest", "memories", "forget", "export", "doctor", "reindex", "compact", "migrate"]


def recall(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a person does, in a folder without `.env`, and with no other setting."""
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    return subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-m", "bots", *arguments],
        cwd=cwd,
        env=inherited | {"PYTHONPATH": str(ROOT), "RECALL_DATA_DIR": str(cwd / "data")} | environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_help_names_every_command() -> None:
    """`recall --help` lists the commands, each with a line of its own."""
    shown = CliRunner().invoke(app, ["--help"]).output

    assert [line.split()[0] for line in shown.partition("Commands:")[2].splitlines() if line.strip()] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    """Each has a help text, and those about a person take --user."""
    shown = CliRunner().invoke(app, [command, "--help"])

    assert shown.exit_code == 0
    assert ("--user" in shown.output) == (command in {"chat", "memories", "forget", "export"})


def test_all_bad_settings_are_listed_without_a_traceback(tmp_path: Path) -> None:
    """One line each on standard error, exit code 2, nothing on standard output."""
    ended = recall("chat", cwd=tmp_path, RECALL_MEMORY="none", RECALL_SWEEP="1", RECALL_RECENT_TURNS="x")

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.splitlines() == [
        "recall: RECALL_SWEEP is not a setting; did you mean RECALL_SWEEP_EVERY_S?",
        "recall: RECALL_MEMORY is 'none'; it must be buffer, summary or full.",
        "recall: RECALL_RECENT_TURNS is 'x'; it must be a whole number of at least 1.",
    ]


def test_serving_without_a_model_names_what_is_missing(tmp_path: Path) -> None:
    """`recall run` without a model is a configuration error that names both settings."""
    ended = recall("run", cwd=tmp_path)

    assert ended.returncode == 2
    assert "ANTHROPIC_API_KEY" in ended.stderr
    assert "ANTHROPIC_BASE_URL" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_version_is_that_of_the_package(tmp_path: Path) -> None:
    """One line, for a report of what went wrong."""
    ended = recall("--version", cwd=tmp_path)

    assert (ended.returncode, ended.stdout) == (0, f"recall {version('devops-recall')}\n")


@pytest.mark.parametrize("arguments", [["manifest", "banana"], ["run", "--platform", "banana"]])
def test_an_unknown_platform_is_refused_in_our_words(arguments: list[str], tmp_path: Path) -> None:
    """With the names that there are, and nothing of a library."""
    ended = recall(*arguments, cwd=tmp_path)

    assert ended.returncode == 2
    assert "'banana' is not slack" in ended.stderr
    assert "Value error" not in ended.stderr


def test_the_install_link_is_that_of_the_bot_whose_token_is_set(tmp_path: Path) -> None:
    """The token's first part names it; without a token, the page says what to put in."""
    token = f"{b64encode(b'1764000000000000000').decode().rstrip('=')}.x.y"
    with_token, without = (
        recall("manifest", "discord", cwd=tmp_path, DISCORD_TOKEN=each).stdout for each in (token, "")
    )

    assert "client_id=1764000000000000000&" in with_token
    assert token not in with_token
    assert without == (ROOT / "manifests" / "discord" / "install.md").read_text(encoding="utf-8")


def test_an_empty_name_is_refused(tmp_path: Path) -> None:
    """A person without a name would share their memories with all others without one."""
    ended = recall("memories", "--user", " ", cwd=tmp_path)

    assert (ended.returncode, ended.stderr) == (2, "recall: --user needs a name.\n")


def test_a_closed_output_is_no_error_to_report(tmp_path: Path) -> None:
    """`recall doctor | true` says nothing about a broken pipe."""
    reading, writing = os.pipe()
    os.close(reading)
    environ = {"PYTHONPATH": str(ROOT), "RECALL_DATA_DIR": str(tmp_path / "data"), "PATH": os.environ["PATH"]}
    ended = subprocess.run(  # our own program
        [sys.executable, "-m", "bots", "export", "--user", "ana"],
        cwd=tmp_path,
        env=environ,
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=120,
        check=False,
    )
    os.close(writing)

    assert (ended.returncode, ended.stderr) == (1, b"")


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (SweepReport(), "Nothing new to learn."),
        (SweepReport(threads=1), "Read 1 thread: nothing new to learn."),
        (SweepReport(threads=2, added=1, episodes=2), "Read 2 threads: 1 fact added, 2 episodes added."),
        (SweepReport(failed=1), "Nothing new to learn. 1 thread could not be read and will be tried again."),
    ],
)
def test_a_sweep_is_told_in_one_line(report: SweepReport, line: str) -> None:
    """What was read, what was learned, and what failed."""
    assert sweep_line(report) == line
