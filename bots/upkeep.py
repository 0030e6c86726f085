"""The shell commands besides `chat` and `run`: a person's memories, and the upkeep of what holds them."""

from collections.abc import Callable

from bots.commands import CommandResult, Commands
from bots.console import ids
from bots.console.screen import printable
from bots.files import write_new
from bots.settings import Settings
from bots.wording import counted
from memory import bootstrap

Say = Callable[[str], None]
Ask = Callable[[], str]

KEPT = "Nothing was forgotten."


async def show(settings: Settings, *, user: str, words: str, history: bool, say: Say) -> None:
    """List a person's memories."""
    async with bootstrap.open_record(settings.memory) as personal:
        result = await Commands(personal).show(ids.person(user).user_id, words, history=history)
    say(printable(result.text))


async def forget(settings: Settings, *, user: str, what: str, thread: str | None, say: Say, ask: Ask) -> None:
    """Forget what a person names, after a question when it is more than one memory."""
    session_id = ids.place(user, thread).session_id if thread else None
    async with bootstrap.open_record(settings.memory) as personal:
        commands = Commands(personal)
        result = await commands.forget(ids.person(user).user_id, what, session_id=session_id)
        say(printable(result.text))
        if result.question is not None:
            confirmed = ask().strip().casefold() in {"yes", "y"}
            done = await commands.confirm(result.question) if confirmed else CommandResult(text=KEPT)
            say(printable(done.text))


async def export(settings: Settings, *, user: str, output: str | None, say: Say) -> None:
    """Give out all that is kept of a person, as JSON."""
    async with bootstrap.open_record(settings.memory) as personal:
        result = await Commands(personal).export(ids.person(user).user_id)
    if output is None:
        say(result.text)
    else:
        say(f"Written to {write_new(output, result.text)}.")


async def reindex(settings: Settings, *, say: Say, note: Say) -> None:
    """Build the vector index anew."""
    count = await bootstrap.run_reindex(
        settings.memory, on_progress=note, on_count=lambda done, total: note(f"{done} of {total} texts indexed")
    )
    say(f"Indexed {counted(count, 'text')}.")


async def compact(settings: Settings, *, say: Say) -> None:
    """Rewrite the files of the data folder."""
    await bootstrap.run_compaction(settings.memory)
    say("Compacted: nothing forgotten is left in the files of the data folder.")


async def migrate(settings: Settings, *, say: Say) -> None:
    """Bring the record's tables to this version."""
    await bootstrap.run_migrations(settings.memory)
    say("The record is up to date.")
