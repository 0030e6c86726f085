"""The embedded Valkey server and the data folder when processes die, folders are odd, and others hold the lock."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis.asyncio

from memory.errors import ConfigError, StoreUnavailableError
from memory.stores.embedded import DataFolder, lock_data_folder, open_valkey
from memory.stores.redis import open_redis
from tests.contract.test_session_cache import message, thread

pytestmark = pytest.mark.service

_OWNER = """
import asyncio, sys
from pathlib import Path
from memory.stores.embedded import lock_data_folder, open_valkey

async def main():
    with lock_data_folder(Path(sys.argv[1])) as folder:
        async with open_valkey(folder) as url:
            print(url, flush=True)
            await asyncio.Event().wait()

asyncio.run(main())
"""


@contextmanager
def owner(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run another process that owns a data folder and has its Valkey server up."""
    command = [sys.executable, "-c", textwrap.dedent(_OWNER), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        try:
            assert process.stdout
            assert process.stdout.readline().startswith("unix://")
            yield process
        finally:
            process.kill()


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or dead and only waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_for_end(pid: int) -> None:
    """Return when a process has ended."""
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        ended, _, _ = select.select([descriptor], [], [], 10)
        os.close(descriptor)
        assert ended


def files(path: Path) -> dict[str, Path]:
    """Return everything under a folder, by name."""
    return {each.name: each for each in path.rglob("*")}


async def test_server_dies_with_a_killed_parent(tmp_path: Path) -> None:
    """`kill -9` of the owner leaves no server and no lock; the next owner starts."""
    with owner(tmp_path) as process:
        server = json.loads((tmp_path / "valkey.json").read_text())["pid"]
        assert not has_ended(server)
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_for_end(server)

    with lock_data_folder(tmp_path) as folder:
        async with open_valkey(folder) as url, open_redis(url, ttl_s=60, max_messages=9) as cache:
            await cache.ping()


async def test_second_owner_is_refused_by_name(tmp_path: Path) -> None:
    """One readable line names the folder and the process that holds it; a killed holder holds nothing."""
    with owner(tmp_path) as process:
        with pytest.raises(ConfigError) as caught, lock_data_folder(tmp_path):
            pass
        assert len(caught.value.problems) == 1
        assert f"process {process.pid}" in caught.value.problems[0]
        assert str(tmp_path) in caught.value.problems[0]
        process.kill()
        process.wait()

        with lock_data_folder(tmp_path):
            pass


def test_lock_is_exclusive_within_a_process(tmp_path: Path) -> None:
    """The same process cannot own a folder twice, and can own it again afterwards."""
    with lock_data_folder(tmp_path), pytest.raises(ConfigError), lock_data_folder(tmp_path):
        pass
    with lock_data_folder(tmp_path):
        pass


def test_data_folder_is_private(tmp_path: Path) -> None:
    """A new folder is made for its user alone, an existing one is made private."""
    for name, existing in (("new/deep", False), ("old", True)):
        path = tmp_path / name
        if existing:
            path.mkdir(mode=0o755)
        with lock_data_folder(path):
            assert path.stat().st_mode & 0o777 == 0o700


def test_unusable_data_folder_is_a_config_error(tmp_path: Path) -> None:
    """A file where the folder should be is one readable line."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="RECALL_DATA_DIR"), lock_data_folder(tmp_path / "file"):
        pass


async def test_nothing_of_it_touches_the_disk(tmp_path: Path) -> None:
    """No dump, no log, no text in any file, while it runs and after it; no TCP port."""
    async with open_valkey(DataFolder(tmp_path)) as url:
        async with open_redis(url, ttl_s=60, max_messages=9) as cache:
            await cache.replace(thread(1, 1))
            await cache.append([message(2, text="zebra-crossing")], before=thread(1).head, after=thread(2).head)
        async with redis.asyncio.Redis.from_url(url, protocol=2) as client:
            assert await client.config_get("port") == {"port": "0"}
            assert await client.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}
        running = files(tmp_path)
        assert set(running) == {"valkey.json", "run", "valkey.sock"}
        assert b"zebra" not in running["valkey.json"].read_bytes()
        assert running["run"].stat().st_mode & 0o777 == 0o700

    assert files(tmp_path) == {}


async def test_deep_data_folder_gets_a_short_socket(tmp_path: Path) -> None:
    """A path too long for a socket is no obstacle; the private folder elsewhere goes afterwards."""
    deep = tmp_path.joinpath(*["a-rather-long-name"] * 8)
    deep.mkdir(parents=True)

    async with open_valkey(DataFolder(deep)) as url, open_redis(url, ttl_s=60, max_messages=9) as cache:
        await cache.ping()
        home = Path(url.removeprefix("unix://")).parent
        assert home.stat().st_mode & 0o777 == 0o700

    assert not home.exists()


async def test_leftover_server_is_ended(tmp_path: Path) -> None:
    """A server that an earlier owner left running is ended by the next."""
    folder = DataFolder(tmp_path)
    async with open_valkey(folder) as first:
        server = json.loads((tmp_path / "valkey.json").read_text())["pid"]
        async with open_valkey(folder) as second, open_redis(second, ttl_s=60, max_messages=9) as cache:
            assert second == first
            assert has_ended(server)
            await cache.ping()


async def test_recorded_number_of_another_process_is_left_alone(tmp_path: Path) -> None:
    """A process number that was given out anew belongs to somebody else."""
    stranger = await asyncio.create_subprocess_exec("/bin/sleep", "60")
    try:
        record = {"pid": stranger.pid, "socket": str(tmp_path / "run" / "valkey.sock")}
        (tmp_path / "valkey.json").write_text(json.dumps(record))

        async with open_valkey(DataFolder(tmp_path)):
            assert stranger.returncode is None
    finally:
        stranger.kill()
        await stranger.wait()


@pytest.mark.parametrize("record", ["", "{}", "[]", '{"pid": "x", "socket": 1}', "\x00"])
async def test_damaged_record_is_ignored(tmp_path: Path, record: str) -> None:
    """A record cut off by a crash does not keep the server from starting."""
    (tmp_path / "valkey.json").write_text(record)

    async with open_valkey(DataFolder(tmp_path)) as url, open_redis(url, ttl_s=60, max_messages=9) as cache:
        await cache.ping()


async def test_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    """The reason is the server's own, in one line, and nothing is left."""
    with pytest.raises(StoreUnavailableError, match="memory value"):
        async with open_valkey(DataFolder(tmp_path), max_memory_mb=-1):
            pass

    assert not (tmp_path / "run").exists()
