"""How the console shows things: plain text for a pipe, rendered Markdown and a spinner for a terminal.

Knows what a reply is, not where it comes from. Nothing that is shown can move the cursor or change the terminal.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Protocol, TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.markdown import Markdown
from rich.segment import Segment
from rich.spinner import Spinner

from bots.platform import Reply, ReplySink
from bots.wording import kept_line
from memory.model import Message, Role

QUIET_S = 1.0
"""Shorter waits show nothing."""

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
THINKING = "Thinking"


def printable(text: str) -> str:
    """Return text that any terminal shows as it is: control and direction characters and surrogates are spelt out."""
    spelt = _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text.replace("\r\n", "\n"))
    return spelt.encode(errors="backslashreplace").decode()


def beside(reply: Reply) -> list[str]:
    """Return the lines beside an answer."""
    stored = [f"{kept_line(fact)} (/forget #{fact.number} takes it back)" for fact in reply.remembered]
    return [*reply.notices, *stored]


class Screen(Protocol):
    """Where the console shows things."""

    def say(self, text: str) -> None:
        """Show Recall's own words, such as the answer to a command."""
        ...

    def note(self, text: str) -> None:
        """Show what is going on in the background, beside everything else."""
        ...

    def welcome(self) -> None:
        """Say what there is to know at the start."""
        ...

    def earlier(self, messages: Sequence[Message]) -> None:
        """Show what was last said in a thread that is entered."""
        ...

    def busy(self, text: str) -> AbstractContextManager[None]:
        """Show `text` while the block runs, if it runs longer than `QUIET_S`."""
        ...

    def answering(self) -> AbstractContextManager[ReplySink]:
        """Open the place of one reply."""
        ...


class PlainScreen(Screen):
    """Text as it is, an empty line after each reply or answer; what is going on goes to `err`."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out = out
        self._err = err

    def say(self, text: str) -> None:
        _write(self._out, f"{printable(text)}\n\n")

    def note(self, text: str) -> None:
        _write(self._err, f"{printable(text)}\n")

    def welcome(self) -> None:
        """Say nothing: what a pipe carries is answers."""

    def earlier(self, messages: Sequence[Message]) -> None:
        """Show nothing, for the same reason."""

    @contextmanager
    def busy(self, text: str) -> Iterator[None]:
        with closing(_LateNote(self._err, text)):
            yield

    @contextmanager
    def answering(self) -> Iterator[ReplySink]:
        with closing(_LateNote(self._err, THINKING)) as note:
            yield _PlainReply(self._out, note)


class _LateNote:
    """Says what is going on once that has taken a while."""

    def __init__(self, err: TextIO, text: str) -> None:
        self._err = err
        self._text = text
        self._due = False
        self._timer = asyncio.get_running_loop().call_later(QUIET_S, self._show)

    def say(self, text: str) -> None:
        """Replace the text."""
        self._text = text
        if self._due:
            self._show()

    def close(self) -> None:
        """Say nothing more."""
        self._timer.cancel()
        self._due = False

    def _show(self) -> None:
        self._due = True
        _write(self._err, f"{printable(self._text)} ...\n")


class _PlainReply(ReplySink):
    """A reply as it streams; a failed one ends in its fixed words, on a line of their own."""

    def __init__(self, out: TextIO, note: _LateNote) -> None:
        self._out = out
        self._note = note
        self._streamed = ""

    async def status(self, text: str) -> None:
        self._note.say(text)

    async def append(self, delta: str) -> None:
        self._note.close()
        self._streamed += delta
        _write(self._out, printable(delta))

    async def finish(self, reply: Reply) -> None:
        self._note.close()
        rest = reply.text.removeprefix(self._streamed) if self._streamed else reply.text
        gap = "\n" if self._streamed and rest == reply.text else ""
        notices = "".join(f"({printable(notice)})\n" for notice in beside(reply))
        _write(self._out, f"{gap}{printable(rest)}\n{notices}\n")

    async def abandon(self) -> None:
        self._note.close()
        if self._streamed:
            _write(self._out, "\n\n")


class Stages:
    """The stages of work behind the talk: one is shown only once it has taken a while, and the end only after that.

    Args:
        subject: What is being worked on.
        show: Shows a line.
    """

    _LAST = "ready"

    def __init__(self, subject: str, show: Callable[[str], None]) -> None:
        self._subject = subject
        self._show_line = show
        self._timer: asyncio.TimerHandle | None = None
        self._shown = False

    def enter(self, stage: str) -> None:
        """Go on to a stage."""
        self.close()
        if stage != self._LAST:
            self._timer = asyncio.get_running_loop().call_later(QUIET_S, self._show, stage)
        elif self._shown:
            self._show(stage)

    def close(self) -> None:
        """Show nothing that was not shown yet."""
        if self._timer is not None:
            self._timer.cancel()

    def _show(self, stage: str) -> None:
        self._shown = True
        self._show_line(f"{self._subject}: {stage}")


class TerminalScreen(Screen):
    """Rendered Markdown that grows while it streams, and a spinner for what takes a while."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str) -> None:
        self._console.print(printable(text), markup=False, highlight=False, emoji=False, soft_wrap=True)

    def note(self, text: str) -> None:
        self._console.print(printable(text), style="dim", markup=False, highlight=False)

    def welcome(self) -> None:
        self._console.print("/help lists the commands, Ctrl-D leaves.", style="dim", highlight=False)

    def earlier(self, messages: Sequence[Message]) -> None:
        for message in messages:
            if message.role is Role.USER:
                self._console.print(f"> {printable(message.text)}", style="dim", markup=False, highlight=False)
            else:
                self._console.print(_markdown(message.text))

    @contextmanager
    def busy(self, text: str) -> Iterator[None]:
        with self._live(_Growing(text)):
            yield

    @contextmanager
    def answering(self) -> Iterator[ReplySink]:
        growing = _Growing(THINKING)
        with self._live(growing) as live:
            yield _RenderedReply(self._console, live, growing)

    def _live(self, growing: "_Growing") -> Live:
        return Live(growing, console=self._console, refresh_per_second=10, transient=True)


class _Growing:
    """What stands in for a reply while it is made: nothing at first, then a spinner, then the end of the text so far.

    Rendered from rich's own thread: both attributes are replaced whole, never changed in place.
    """

    def __init__(self, status: str) -> None:
        self.status = status
        self.text = ""
        self._began_s = time.monotonic()
        self._spinner = Spinner("dots")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.text:
            lines = console.render_lines(_markdown(self.text), options, pad=False)
            for line in lines[-max(1, console.height - 2) :]:
                yield from line
                yield Segment.line()
        elif time.monotonic() - self._began_s >= QUIET_S:
            self._spinner.update(text=f"{self.status} ...")
            yield self._spinner


class _RenderedReply(ReplySink):
    """A reply that is shown as it grows, then once more in full where it stays."""

    def __init__(self, console: Console, live: Live, growing: _Growing) -> None:
        self._console = console
        self._live = live
        self._growing = growing

    async def status(self, text: str) -> None:
        self._growing.status = printable(text)

    async def append(self, delta: str) -> None:
        self._growing.text += delta

    async def finish(self, reply: Reply) -> None:
        self._live.stop()
        if reply.failed and self._growing.text:
            self._console.print(_markdown(self._growing.text))
        self._console.print(_markdown(reply.text))
        used = [f"{len(reply.used)} used: /why"] if reply.used else []
        for notice in [*beside(reply), *used]:
            self._console.print(printable(notice), style="dim", markup=False, highlight=False)

    async def abandon(self) -> None:
        self._live.stop()


def _markdown(text: str) -> Markdown:
    """Return text to be rendered; links show where they lead."""
    return Markdown(printable(text), hyperlinks=False)


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()
