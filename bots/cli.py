"""The command line: names and explains the commands, and turns errors into lines and an exit code.

What a command needs is imported inside it, so that `recall --help` and the prompt of `recall chat` do not wait.
"""

import asyncio
import getpass
import io
import logging
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from importlib.metadata import version
from typing import Annotated

import typer

from memory.errors import InputError, RecallError, UnreachableError

CONFIG_ERROR = 2
UNREACHABLE = 75
"""EX_TEMPFAIL of sysexits.h: another start may help, so a supervisor is to make one."""
PROBLEMS_FOUND = 1

app = typer.Typer(
    name="recall",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class PlatformName(StrEnum):
    """The chat platforms that `run` knows by name."""

    SLACK = "slack"
    DISCORD = "discord"


def _one_of(names: type[StrEnum]) -> Callable[[str], StrEnum]:
    """Return what takes one of these names; typer's own way to refuse another is in the words of its libraries."""

    def parse(given: str) -> StrEnum:
        if given not in list(names):
            raise typer.BadParameter(f"{given!r} is not {' or '.join(names)}.")
        return names(given)

    return parse


def login_name() -> str:
    """Return the name of whoever is logged in; "me" where the system has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user id has no entry
        return "me"


User = Annotated[
    str, typer.Option("--user", default_factory=login_name, show_default="your login name", help="Whose memories.")
]


def _show_version(asked: bool) -> None:  # as typer calls it
    if asked:
        _say(f"recall {version('devops-recall')}")
        raise typer.Exit


@app.callback()
def recall(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """A DevOps assistant that remembers, and forgets when it is told to."""
    from bots.logs import configure_logs

    configure_logs()


@app.command()
def chat(
    user: User,
    thread: Annotated[str, typer.Option(help="The thread to start in; it is made when it is new.")] = "main",
) -> None:
    """Talk in this terminal, or through a pipe: one message a line in, replies out."""
    from bots.chat import chat as talk
    from bots.settings import load_settings

    settings = load_settings()
    _readable_output()
    raise typer.Exit(talk(settings, user=_named(user, "--user"), thread=_named(thread, "--thread")))


@app.command()
def run(
    platform: Annotated[
        PlatformName | None,
        typer.Option(
            parser=_one_of(PlatformName),
            metavar="|".join(PlatformName),
            help="Only this platform; all configured ones if unset.",
        ),
    ] = None,
) -> None:
    """Serve the configured chat platforms."""
    from bots.logs import configure_logs
    from bots.run import run as serve
    from bots.settings import load_settings, serving_needs

    settings = load_settings(needs=partial(serving_needs, platform=platform))
    configure_logs(level=logging.INFO)
    serve(settings, platform=platform)


@app.command()
def manifest(
    platform: Annotated[
        PlatformName,
        typer.Argument(
            parser=_one_of(PlatformName), metavar="PLATFORM", help=f"Whose manifest: {' or '.join(PlatformName)}."
        ),
    ],
) -> None:
    """Print the manifest that a chat platform installs Recall from; for Discord, the page with the install link."""
    if platform is PlatformName.SLACK:
        from bots.slack.manifest import app_manifest

        sys.stdout.write(app_manifest())
    else:
        from bots.credentials import discord_bot
        from bots.discord.manifest import install_page
        from bots.settings import load_settings

        token = load_settings().platforms.discord_token
        sys.stdout.write(install_page(discord_bot(token.get_secret_value()) if token is not None else None))


@app.command()
def memories(
    user: User,
    *,
    words: Annotated[list[str] | None, typer.Argument(help="Only memories that have all of these words.")] = None,
    history: Annotated[bool, typer.Option("--history", help="Also what is no longer true.")] = False,
) -> None:
    """List what is remembered of a person."""
    from bots import upkeep
    from bots.settings import load_settings

    asyncio.run(
        upkeep.show(
            load_settings(), user=_named(user, "--user"), words=" ".join(words or []), history=history, say=_say
        )
    )


@app.command()
def forget(
    user: User,
    *,
    what: Annotated[
        list[str], typer.Argument(help='A number such as 7, "last", "this thread", "about WORDS", or "everything".')
    ],
    thread: Annotated[str | None, typer.Option(help='The thread that "this thread" means.')] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, whatever goes.")] = False,
) -> None:
    """Forget; asks first when it is more than one memory."""
    from bots import upkeep
    from bots.settings import load_settings

    asyncio.run(
        upkeep.forget(
            load_settings(),
            user=_named(user, "--user"),
            what=" ".join(what),
            thread=thread,
            say=_say,
            ask=(lambda: "yes") if yes else sys.stdin.readline,
        )
    )


@app.command()
def export(
    user: User,
    output: Annotated[str | None, typer.Option(help="A new file; standard output if unset.")] = None,
) -> None:
    """Give out all that is kept of a person, as JSON."""
    from bots import upkeep
    from bots.settings import load_settings

    asyncio.run(upkeep.export(load_settings(), user=_named(user, "--user"), output=output, say=_say))


@app.command()
def doctor() -> None:
    """Show the settings in force and check everything they name."""
    from bots.doctor import examine
    from bots.settings import load_settings

    if not asyncio.run(examine(load_settings(), say=_say)):
        raise typer.Exit(PROBLEMS_FOUND)


@app.command()
def reindex() -> None:
    """Build the vector index anew from the record: for a new embedding model, or a lost or damaged index."""
    from bots import upkeep
    from bots.settings import load_settings

    asyncio.run(upkeep.reindex(load_settings(), say=_say, note=_note))


@app.command()
def compact() -> None:
    """Rewrite the files of the data folder, so that nothing forgotten is left in them."""
    from bots import upkeep
    from bots.settings import load_settings

    asyncio.run(upkeep.compact(load_settings(), say=_say))


@app.command()
def migrate() -> None:
    """Bring the record's tables to this version."""
    from bots import upkeep
    from bots.settings import load_settings

    asyncio.run(upkeep.migrate(load_settings(), say=_say))


def main() -> None:
    """Run the command line; a RecallError ends as readable lines on standard error and an exit code."""
    try:
        app()
    except RecallError as error:
        sys.stderr.write("".join(f"recall: {line}\n" for line in str(error).splitlines()))
        sys.exit(UNREACHABLE if isinstance(error, UnreachableError) else CONFIG_ERROR)
    except BrokenPipeError:  # whoever read our output has left; there is nobody to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _named(name: str, option: str) -> str:
    if not name.strip():
        raise InputError(f"{option} needs a name.")
    return name.strip()


def _readable_output() -> None:
    """Write what the output's encoding lacks as escapes, instead of failing on it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _note(text: str) -> None:
    sys.stderr.write(f"{text} ...\n")
    sys.stderr.flush()
