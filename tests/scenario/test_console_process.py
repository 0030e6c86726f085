"""The program itself, started as people start it: pipes, signals, a folder in use, and the shell commands beside it."""

import asyncio
import os
import re
import signal
import sys
import termios
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.anthropic_server import AnthropicServer, Fault
from tests.fixtures.console import ConsoleRunner, blocks

ROOT = Path(__file__).parents[2]
STAGING = "My staging cluster is kind-staging."
_PATIENCE_S = 120
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a process left."""

    code: int
    out: str
    err: str


class Terminal:
    """A pseudo-terminal's other end: keys go in, what the screen was sent comes out."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._shown = ""
        self._grew = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._descriptor, keys.encode())

    async def shows(self, text: str) -> None:
        """Wait until a text is shown that was not there at the last wait."""
        async with asyncio.timeout(_PATIENCE_S):
            while text not in self._shown:
                self._grew.clear()
                await self._grew.wait()
        self._shown = self._shown.partition(text)[2]

    def _read(self) -> None:
        try:
            shown = os.read(self._descriptor, 65_536).decode(errors="replace")
            self._shown = _ESCAPES.sub("", self._shown + shown)
        except OSError:  # the other side is closed: Linux's way to say so
            asyncio.get_running_loop().remove_reader(self._descriptor)
        self._grew.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """`recall` on one data folder, with no other setting."""

    data_dir: Path
    environ: dict[str, str]

    async def start(self, *arguments: str) -> Process:
        """Start a command."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bots",
            *arguments,
            cwd=self.data_dir.parent,
            env=self.environ,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )

    async def run(self, *arguments: str, lines: str = "") -> Ended:
        """Run a command to its end, with lines on its standard input."""
        return await _end(await self.start(*arguments), lines)

    @asynccontextmanager
    async def terminal(self) -> AsyncIterator[tuple["Terminal", Process]]:
        """Start a chat at a terminal."""
        ours, theirs = os.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        command = [sys.executable, "-m", "bots", "chat", "--user", "ana"]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=self.data_dir.parent, env=self.environ, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        try:
            yield Terminal(ours), process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            asyncio.get_running_loop().remove_reader(ours)
            os.close(ours)

    @asynccontextmanager
    async def chat(self, line: str) -> AsyncIterator[Process]:
        """Start a chat, send it a line, and make sure that it ends."""
        process = await self.start("chat", "--user", "ana")
        assert process.stdin is not None
        process.stdin.write(line.encode() + b"\n")
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()


async def _end(process: Process, lines: str = "") -> Ended:
    async with asyncio.timeout(_PATIENCE_S):
        out, err = await process.communicate(lines.encode())
    return Ended(code=process.returncode or 0, out=out.decode(), err=err.decode())


async def _read_until(process: Process, text: str) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(_PATIENCE_S):
        while text not in (line := await process.stdout.readline()).decode():
            assert line, "the process ended first"


@pytest.fixture
def program(console: ConsoleRunner) -> Program:
    """Give the program on the console's data folder."""
    data_dir = console.settings.data_dir
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    return Program(
        data_dir=data_dir,
        environ=inherited | {"PYTHONPATH": str(ROOT), "RECALL_DATA_DIR": str(data_dir)},
    )


async def test_what_one_process_learned_the_next_one_knows(program: Program) -> None:
    """Piped in, plain text out, exit code 0; the fact is there in a new process and thread."""
    first = await program.run("chat", "--user", "ana", lines=f"{STAGING}\n/sweep\n")
    second = await program.run("chat", "--user", "ana", "--thread", "new", lines="Which staging cluster do I use?")

    assert (first.code, second.code) == (0, 0)
    assert blocks(first.out)[-1] == "Read 1 thread: 1 fact added."
    assert "kind-staging" in second.out
    assert "\x1b" not in first.out + second.out
    assert "Traceback" not in first.err + second.err


async def test_a_folder_in_use_is_refused_and_the_shell_commands_still_work(program: Program) -> None:
    """A second chat ends with one line; memories, forget and export go on beside the first; SIGTERM ends it cleanly."""
    async with program.chat("/remember I deploy with ArgoCD.") as running:
        await _read_until(running, "Remembered: #1")
        second = await program.run("chat", "--user", "bob", lines="hello")
        listed = await program.run("memories", "--user", "ana", "argocd")
        exported = await program.run("export", "--user", "ana")
        forgotten = await program.run("forget", "--user", "ana", "last")
        examined = await program.run("doctor")
        running.send_signal(signal.SIGTERM)
        ended = await _end(running)

    problems = [line for line in second.err.splitlines() if line != "Starting ..."]
    assert (second.code, second.out, len(problems)) == (2, "", 1)
    assert str(program.data_dir) in problems[0]
    assert listed.out.startswith("#1  I deploy with ArgoCD.")
    assert "I deploy with ArgoCD." in exported.out
    assert forgotten.out == "Forgotten: 1 fact.\n"
    assert examined.code == 0
    lines = {line.partition(":")[0]: line for line in examined.out.splitlines() if not line.startswith("RECALL_")}
    assert lines["ok      data folder"].startswith(f"ok      data folder: process {running.pid} owns it")
    assert "something was erased since" in lines["ok      compaction"]
    assert "recall compact" not in examined.out
    assert ended.code == 0
    assert "Traceback" not in ended.err


async def test_compaction_says_what_it_did_and_nothing_else(program: Program) -> None:
    """One line; what a log would tell is for those who run a service."""
    await program.run("chat", "--user", "ana", lines="/remember I deploy with Helm.\n/forget last\n")
    done = await program.run("compact")

    assert (done.code, done.err) == (0, "")
    assert done.out == "Compacted: nothing forgotten is left in the files of the data folder.\n"


async def test_forgetting_from_the_shell_asks_too(program: Program) -> None:
    """Two memories: without a yes they stay, with `yes` on standard input or --yes they go."""
    await program.run("chat", "--user", "ana", lines="/remember I deploy on Mondays.\n/remember I deploy with Helm.\n")
    kept = await program.run("forget", "--user", "ana", "about", "deploy")
    refused = await program.run("forget", "--user", "ana", "about", "deploy", lines="no\n")
    gone = await program.run("forget", "--user", "ana", "about", "deploy", lines="yes\n")
    nothing = await program.run("forget", "--user", "ana", "everything", "--yes")

    assert kept.out.splitlines()[-1] == refused.out.splitlines()[-1] == "Nothing was forgotten."
    assert gone.out.splitlines()[-1] == "Forgotten: 2 facts."
    assert (nothing.code, nothing.err) == (2, "recall: Nothing of yours matches that.\n")


async def test_nothing_forgotten_is_left_in_the_folder(program: Program) -> None:
    """After /forget and a compaction, no file of the data folder holds the words."""
    said = "My vault is named zanzibar-quokka."
    await program.run("chat", "--user", "ana", lines=f"{said}\n/sweep\n/new other\nWhich vault do I use?\n")
    before = _files_with(program.data_dir, b"zanzibar")
    forgotten = await program.run("chat", "--user", "ana", lines="/forget everything\nyes\n")
    compacted = await program.run("compact")

    assert before
    assert "Forgotten: 1 fact" in forgotten.out
    assert compacted.code == 0
    assert _files_with(program.data_dir, b"zanzibar") == []


def _files_with(folder: Path, text: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text in path.read_bytes()]


async def test_ctrl_c_at_a_terminal_stops_the_answer_only(program: Program, anthropic_server: AnthropicServer) -> None:
    """While the model is silent, an interrupt ends the answer; the prompt is back, and Ctrl-D leaves."""
    program.environ.update(ANTHROPIC_BASE_URL=anthropic_server.url, TERM="xterm")
    anthropic_server.will_fail(Fault(kind="hang"))
    async with program.terminal() as (terminal, process):
        await terminal.shows("main>")
        terminal.type("Are you there?\r")
        async with asyncio.timeout(_PATIENCE_S):
            await anthropic_server.wait_for_requests(1)
        process.send_signal(signal.SIGINT)
        await terminal.shows("Stopped.")
        await terminal.shows("main>")
        terminal.type("/threads\r")
        await terminal.shows("main  (1 message, ")
        await terminal.shows("main>")
        terminal.type("\x04")
        async with asyncio.timeout(_PATIENCE_S):
            await process.wait()

    assert process.returncode == 0


async def test_a_killed_process_loses_nothing(program: Program, anthropic_server: AnthropicServer) -> None:
    """`kill -9` while the model thinks: the next start answers the message, once."""
    program.environ["ANTHROPIC_BASE_URL"] = anthropic_server.url
    anthropic_server.will_fail(Fault(kind="hang"))
    async with program.chat("What is left of me?") as killed:
        async with asyncio.timeout(_PATIENCE_S):
            await anthropic_server.wait_for_requests(1)
        killed.kill()
        await killed.communicate()
    anthropic_server.will_answer("Everything.")
    second = await program.run("chat", "--user", "ana", lines="/threads\n")
    third = await program.run("chat", "--user", "ana", lines="/threads\n")

    assert any(block.startswith("> What is left of me?\nEverything.") for block in blocks(second.out))
    assert blocks(third.out)[0].startswith("main  (2 messages, ")
    assert len(anthropic_server.received) == 2
