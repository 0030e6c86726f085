"""`kill -9` at any point, then a start: nothing accepted is lost, nothing is stored or answered twice."""

import asyncio
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.anthropic_server import Answer, AnthropicServer, Fault

_PATIENCE_S = 240
_FACT = '{"facts": [{"operation": "add", "subject": "A", "text": "My shell is fish", "messages": [1]}]}'


@dataclass
class Chats:
    """Starts `recall chat` as a process of its own, on one data folder and one model server."""

    data_dir: Path
    server: AnthropicServer

    @asynccontextmanager
    async def start(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Start a chat whose input stays open; it is killed at the end if it still runs."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bots",
            "chat",
            "--user",
            "ana",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=os.environ | {"RECALL_DATA_DIR": str(self.data_dir), "ANTHROPIC_BASE_URL": self.server.url},
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def talk(self, *lines: str) -> str:
        """Feed lines to a chat until it ends well, and return what it printed."""
        async with asyncio.timeout(_PATIENCE_S), self.start() as process:
            output, _ = await process.communicate("".join(f"{line}\n" for line in lines).encode())
            assert process.returncode == 0
            return output.decode()

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Read the record as it lies on disk."""
        with sqlite3.connect(self.data_dir / "recall.db") as connection:
            return list(connection.execute(query))


@pytest.fixture
def chats(tmp_path: Path, models_dir: Path, anthropic_server: AnthropicServer) -> Chats:
    """Give chats on an empty data folder of a machine where the embedding model was exported before."""
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o700)
    shutil.copytree(models_dir, data_dir / "models", copy_function=os.link)
    return Chats(data_dir=data_dir, server=anthropic_server)


async def say(process: asyncio.subprocess.Process, line: str) -> None:
    """Type a line."""
    assert process.stdin is not None
    process.stdin.write(f"{line}\n".encode())
    await process.stdin.drain()


async def kill(process: asyncio.subprocess.Process) -> None:
    """End a process as a power cut would."""
    process.send_signal(signal.SIGKILL)
    await process.wait()


@pytest.mark.parametrize("fault", [Fault(kind="hang"), Fault(kind="silent")], ids=["before it", "in the middle"])
async def test_a_kill_during_the_answer_is_made_good_at_the_next_start(chats: Chats, fault: Fault) -> None:
    """The message is answered once, by the next process, and is in the history once."""
    chats.server.will_fail(fault)
    chats.server.will_answer("Prod is up.", "Prod is up.")
    async with asyncio.timeout(_PATIENCE_S), chats.start() as process:
        await say(process, "Is prod up?")
        await chats.server.wait_for_requests(1)
        await kill(process)
    printed = await chats.talk()
    await chats.talk()

    assert printed.count("Prod is up.") == 1
    assert chats.rows("SELECT role, text, state FROM messages ORDER BY id") == [
        ("user", "Is prod up?", "answered"),
        ("assistant", "Prod is up.", "answered"),
    ]
    assert len([each for each in chats.server.received if each.body.get("stream")]) == 2


async def test_a_kill_during_extraction_learns_once_after_the_restart(chats: Chats) -> None:
    """Neither is the fact lost, nor stored twice."""
    await chats.talk("My shell is fish")
    chats.server.will_fail(Fault(kind="hang"))
    async with asyncio.timeout(_PATIENCE_S), chats.start() as process:
        await say(process, "/sweep")
        await chats.server.wait_for_requests(2)
        await kill(process)
    chats.server.will_answer(Answer(text=_FACT))
    await chats.talk("/sweep")
    await chats.talk("/sweep")

    assert chats.rows("SELECT text FROM facts") == [("My shell is fish",)]


async def test_a_kill_right_after_the_start_leaves_a_folder_that_opens(chats: Chats) -> None:
    """However early the end comes: during migration, while servers start, before the first prompt."""
    for size in (0, 1, 4096):
        async with asyncio.timeout(_PATIENCE_S), chats.start() as process:
            record = chats.data_dir / "recall.db"
            while not record.exists() or record.stat().st_size < size:
                await asyncio.sleep(0)
            await kill(process)

    assert "echo" not in await chats.talk("/memories")


async def test_no_server_outlives_its_owner(chats: Chats) -> None:
    """The embedded Valkey dies with a killed process, so that nothing forgotten lives on in its memory."""
    async with asyncio.timeout(_PATIENCE_S), chats.start() as process:
        await say(process, "hello")
        await chats.server.wait_for_requests(1)
        children = _children(process.pid)
        await kill(process)
        while any(_is_alive(child) for child in children):
            await asyncio.sleep(0)

    assert children


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _is_alive(pid: int) -> bool:
    try:
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
