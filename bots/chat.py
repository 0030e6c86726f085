"""Puts the console together: settings, screen, lines, and the memory that opens behind the prompt."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from functools import partial

from rich.console import Console

from bots.commands import Commands
from bots.console.adapter import ConsolePlatform
from bots.console.lines import LineSource, PipedLines, PromptLines
from bots.console.screen import PlainScreen, Screen, Stages, TerminalScreen
from bots.console.session import Backend
from bots.conversation import Conversation
from bots.pausing import HowToPause, Pausing
from bots.prompts import assistant_prompt
from bots.settings import Settings
from bots.wording import counted
from memory.clock import SystemClock
from memory.extraction import SweepReport
from memory.ports import LanguageModel
from memory.settings import MemorySettings

INTERRUPTED = 130
"""Exit code of a program that Ctrl-C ended, as shells count."""


def chat(settings: Settings, *, user: str, thread: str) -> int:
    """Talk until the end of the lines; return the exit code.

    Raises:
        RecallError: It cannot be opened.
    """
    return asyncio.run(_chat(settings, user=user, thread=thread))


async def _chat(settings: Settings, *, user: str, thread: str) -> int:
    screen, lines = _terminal() if sys.stdin.isatty() and sys.stdout.isatty() else _pipe()
    platform = ConsolePlatform(
        open_backend=partial(open_backend, settings.memory, screen),
        lines=lines,
        screen=screen,
        user=user,
        thread=thread,
    )
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        interrupted = not sys.stdin.isatty()
        platform.interrupt() if sys.stdin.isatty() else platform.stop()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, interrupt)
    loop.add_signal_handler(signal.SIGTERM, platform.stop)
    await platform.run()
    return INTERRUPTED if interrupted else 0


def _terminal() -> tuple[Screen, LineSource]:
    return TerminalScreen(Console()), PromptLines()


def _pipe() -> tuple[Screen, LineSource]:
    return PlainScreen(sys.stdout, sys.stderr), PipedLines(sys.stdin.fileno())


@asynccontextmanager
async def open_backend(
    settings: MemorySettings, screen: Screen, *, model: LanguageModel | None = None
) -> AsyncIterator[Backend]:
    """Open the memory and everything above it.

    Args:
        settings: Where everything is.
        screen: Told what takes long.
        model: Who answers; what is configured when None.

    Raises:
        ConfigError: Something configured cannot be used.
    """
    await asyncio.to_thread(_import_memory)
    from memory.bootstrap import open_memory  # noqa: PLC0415  # imported by the line above, behind the prompt

    loop = asyncio.get_running_loop()
    with closing(Stages("Embedding model", screen.note)) as stages:

        def note(stage: str) -> None:
            with suppress(RuntimeError):  # the talk is over and its loop closed while the model was still loading
                loop.call_soon_threadsafe(stages.enter, stage)

        async with open_memory(settings, model=model, on_progress=note) as recall:
            conversation = Conversation(service=recall.service, model=recall.model, system=assistant_prompt())
            yield Backend(
                service=recall.service,
                conversation=conversation,
                pace=recall.pace,
                commands=Commands(recall.personal),
                pausing=Pausing(recall.personal, how=HowToPause(), mode=settings.mode),
                personal=recall.personal,
                sweep=partial(_sweep, settings.mode, recall.sweep),
                clock=SystemClock(),
            )


async def _sweep(mode: str, sweep: Callable[[], Awaitable[SweepReport]]) -> str:
    if mode != "full":
        return f"RECALL_MEMORY is {mode}: nothing is learned from finished turns."
    return sweep_line(await sweep())


def _import_memory() -> None:
    """Import what takes a second or two (numeric and database libraries) where the prompt does not wait for it."""
    import memory.bootstrap  # noqa: F401, PLC0415


def sweep_line(report: SweepReport) -> str:
    """Return what a sweep did, in one line."""
    parts = [
        f"{counted(count, noun)} {verb}"
        for count, noun, verb in (
            (report.added, "fact", "added"),
            (report.updated, "fact", "updated"),
            (report.confirmed, "fact", "confirmed"),
            (report.retracted, "fact", "retracted"),
            (report.episodes, "episode", "added"),
        )
        if count
    ]
    threads = f"Read {counted(report.threads, 'thread')}: " if report.threads else ""
    learned = threads + (", ".join(parts) or "nothing new to learn") + "."
    failed = f" {counted(report.failed, 'thread')} could not be read and will be tried again." if report.failed else ""
    return learned[:1].upper() + learned[1:] + failed
