"""Chroma damaged, killed, unreachable, compacted while in use; and what is left on disk of a deleted vector."""

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from memory.errors import StoreCorruptError, StoreUnavailableError
from memory.model import UserId, VectorEntry, VectorRef, fact_key, turn_key
from memory.model.recall import Vector
from memory.stores.chroma import ChromaVectorIndex, open_chroma_folder, open_chroma_server
from tests.contract.test_vector_index import ANN, axis, entry, ref, units
from tests.fixtures.servers import DIMENSIONS, MODEL, free_port, run_chroma

pytestmark = pytest.mark.service

ROWS = 1500  # past Chroma's sync threshold, so that there are index files beside the database
SECRET: Vector = np.array([0.5, -0.5, 0.5, -0.5, 0, 0, 0, 0], dtype=np.float32)  # of norm 1 without rounding


def folder_index(path: Path) -> AbstractAsyncContextManager[ChromaVectorIndex]:
    """Open the index in a folder."""
    return open_chroma_folder(path, model_name=MODEL, dimensions=DIMENSIONS, timeout_s=30)


def holding(path: Path, data: bytes) -> list[str]:
    """Return the names of the files that contain some bytes."""
    return [each.name for each in path.rglob("*") if each.is_file() and data in each.read_bytes()]


def generations(path: Path) -> list[str]:
    """Return what is in the index's folder."""
    return sorted(each.name for each in path.iterdir())


async def fill(index: ChromaVectorIndex, *, rows: int = ROWS) -> list[Vector]:
    """Write facts with vectors that point anywhere."""
    vectors = units(rows)
    await index.upsert([entry(fact_key(number), vector) for number, vector in enumerate(vectors)])
    return vectors


@pytest.mark.parametrize("rows", [3, ROWS])
async def test_compaction_erases_the_bytes_of_deleted_vectors(tmp_path: Path, rows: int) -> None:
    """Before it the bytes are there, in the database or the index files; afterwards in no file, and the rest works."""
    async with folder_index(tmp_path) as index:
        await index.upsert([entry(fact_key(10_000), SECRET), entry(turn_key(1, 1), SECRET)])
        vectors = await fill(index, rows=rows)
        await index.delete([ref(fact_key(10_000)), ref(turn_key(1, 1))])
        assert holding(tmp_path, SECRET.tobytes())

        await index.compact()

        assert holding(tmp_path, SECRET.tobytes()) == []
        assert await index.count() == rows
        assert (await index.nearest(vectors[1], limit=1))[0][0] == fact_key(1)
    assert holding(tmp_path, SECRET.tobytes()) == []
    assert generations(tmp_path) == ["CURRENT", "gen-000002"]


async def test_clear_erases_bytes_too(tmp_path: Path) -> None:
    """Nothing of a cleared index is left, of no embedding model."""
    async with folder_index(tmp_path) as index:
        await index.upsert([entry(fact_key(1), SECRET)])
    async with open_chroma_folder(tmp_path, model_name="other", dimensions=DIMENSIONS) as index:
        await index.clear()

    assert holding(tmp_path, SECRET.tobytes()) == []


async def test_old_files_are_released(tmp_path: Path) -> None:
    """After a compaction the process holds no file of the old generation open."""
    async with folder_index(tmp_path) as index:
        await fill(index)
        await index.compact()
        await index.ping()

        async with asyncio.timeout(10):
            while any("gen-000001" in target for target in open_files()):  # Chroma's pool closes them in its own time
                await asyncio.sleep(0)


def open_files() -> list[str]:
    """Return the paths of this process's open files."""
    paths = []
    for each in os.listdir("/proc/self/fd"):  # noqa: PTH208 - links, which a Path would follow
        try:
            paths.append(os.readlink(f"/proc/self/fd/{each}"))  # noqa: PTH115 - the same
        except OSError:
            continue
    return paths


async def test_nothing_is_lost_during_a_compaction(tmp_path: Path) -> None:
    """Reads go on, writes end up in the new files, deletions hold."""
    async with folder_index(tmp_path) as index:
        vectors = await fill(index)
        async with asyncio.TaskGroup() as group:
            group.create_task(index.compact())
            for number in range(5):
                group.create_task(index.upsert([entry(fact_key(20_000 + number), axis(number))]))
                group.create_task(index.delete([ref(fact_key(number))]))
            reads = [group.create_task(index.nearest(vectors[number], limit=1)) for number in range(100, 110)]
            group.create_task(index.compact())

        assert [read.result()[0][0] for read in reads] == [fact_key(number) for number in range(100, 110)]
        assert await index.count() == ROWS
    async with folder_index(tmp_path) as index:
        asked = [ref(fact_key(number)) for number in (*range(5), *range(20_000, 20_005))]
        assert set(await index.vectors(asked)) == {fact_key(number) for number in range(20_000, 20_005)}
        assert await index.count() == ROWS


async def test_cancelled_compaction_loses_nothing(tmp_path: Path) -> None:
    """A write that follows a compaction given up half way is in the index that counts."""
    async with folder_index(tmp_path) as index:
        await fill(index)
        compaction = asyncio.create_task(index.compact())
        async with asyncio.timeout(30):
            while "gen-000002" not in generations(tmp_path):  # begun, and not to be stopped in its thread
                await asyncio.sleep(0)
        compaction.cancel()
        with pytest.raises(asyncio.CancelledError):
            await compaction

        await index.upsert([entry(fact_key(20_000), axis(0))])

        assert await index.count() == ROWS + 1
    async with folder_index(tmp_path) as index:
        assert await index.count() == ROWS + 1


@pytest.mark.parametrize(
    "leave",
    [
        lambda path: shutil.copytree(path / "gen-000001", path / "gen-000002"),
        lambda path: (path / "gen-000002").mkdir(),
        lambda path: (path / "CURRENT.new").write_text("gen-0000"),
    ],
    ids=["copied", "begun", "pointing"],
)
async def test_interrupted_compaction_is_cleaned_up(tmp_path: Path, leave: Callable[[Path], object]) -> None:
    """Whatever a crash before the switch leaves is removed at the next open, and the old generation counts."""
    async with folder_index(tmp_path) as index:
        await fill(index, rows=5)
    leave(tmp_path)

    async with folder_index(tmp_path) as index:
        assert await index.count() == 5
        assert generations(tmp_path) == ["CURRENT", "gen-000001"]
        await index.compact()
        assert await index.count() == 5


async def test_crash_after_the_switch_is_cleaned_up(tmp_path: Path) -> None:
    """A crash between the switch and the removal leaves the new generation in charge."""
    async with folder_index(tmp_path) as index:
        await fill(index, rows=5)
        await index.compact()
    shutil.copytree(tmp_path / "gen-000002", tmp_path / "gen-000001")

    async with folder_index(tmp_path) as index:
        assert await index.count() == 5
        assert generations(tmp_path) == ["CURRENT", "gen-000002"]


def garble(path: Path, *, size: int | None = None) -> None:
    """Overwrite the beginning of a file, or all of it, with the same nonsense each time."""
    with path.open("r+b") as file:
        file.write(np.random.default_rng(0).bytes(size or path.stat().st_size))


def hnsw(path: Path, name: str) -> Path:
    """Return one of the index files."""
    return next(path.glob(f"gen-*/*/{name}"))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "database is nonsense": lambda path: garble(path / "gen-000001" / "chroma.sqlite3", size=4096),
    "database is cut off": lambda path: os.truncate(path / "gen-000001" / "chroma.sqlite3", 5000),
    "database is empty": lambda path: os.truncate(path / "gen-000001" / "chroma.sqlite3", 0),
    "database is gone": lambda path: (path / "gen-000001" / "chroma.sqlite3").unlink(),
    "generation is gone": lambda path: shutil.rmtree(path / "gen-000001"),
    "pointer is nonsense": lambda path: (path / "CURRENT").write_bytes(b"\xff\x00/etc"),
    "pointer is empty": lambda path: (path / "CURRENT").write_bytes(b""),
    "index header is nonsense": lambda path: garble(hnsw(path, "header.bin")),
    "index file is gone": lambda path: hnsw(path, "data_level0.bin").unlink(),
    "index file is cut off": lambda path: os.truncate(hnsw(path, "data_level0.bin"), 1000),
    "index metadata is nonsense": lambda path: garble(hnsw(path, "index_metadata.pickle")),
    "index data is nonsense": lambda path: garble(hnsw(path, "data_level0.bin"), size=50_000),
    "index links are nonsense": lambda path: garble(hnsw(path, "link_lists.bin")),
    "index folder is gone": lambda path: shutil.rmtree(hnsw(path, "header.bin").parent),
}


def kill(path: Path) -> None:
    """Leave the folder as `kill -9` in the middle of a write does: no seal, and half a file."""
    os.truncate(hnsw(path, "data_level0.bin"), 1000)
    next(path.glob("*/SEAL")).unlink()


DAMAGE["index data is cut off by kill -9"] = kill


@pytest.mark.parametrize("damage", DAMAGE)
async def test_damage_is_told_and_mended(tmp_path: Path, damage: str) -> None:
    """A damaged folder is an error that names `recall reindex`, again and again, and a clear makes it work."""
    async with folder_index(tmp_path) as index:
        vectors = await fill(index)
    DAMAGE[damage](tmp_path)

    async with folder_index(tmp_path) as index:
        for _ in range(2):
            with pytest.raises(StoreCorruptError, match="recall reindex"):
                await index.vectors([ref(fact_key(number)) for number in range(900)])

        await index.clear()

        assert await index.count() == 0
        await index.upsert([entry(fact_key(1), vectors[1])])
        assert (await index.nearest(vectors[1], limit=1))[0][0] == fact_key(1)
    async with folder_index(tmp_path) as index:
        assert await index.count() == 1


async def test_unclean_end_is_no_damage(tmp_path: Path) -> None:
    """A folder whose process was killed opens with all that is in it."""
    async with folder_index(tmp_path) as index:
        await fill(index)
    hnsw(tmp_path, "header.bin").parent.parent.joinpath("SEAL").unlink()

    async with folder_index(tmp_path) as index:
        assert await index.count() == ROWS


async def test_unwritable_place_is_an_error_of_ours(tmp_path: Path) -> None:
    """A file where the folder should be is no traceback of somebody else's."""
    (tmp_path / "file").write_text("")

    async with folder_index(tmp_path / "file") as index:
        with pytest.raises(StoreUnavailableError):
            await index.ping()


def test_importing_the_package_does_not_import_chromadb() -> None:
    """The prompt does not wait for chromadb."""
    code = "import sys, memory.stores.chroma; sys.exit('chromadb' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own command


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}", "https://127.0.0.1:{port}", "http://nowhere.invalid"])
async def test_unreachable_server_is_unavailable(url: str) -> None:
    """Every operation says which store failed, within the timeout, and the next may work."""
    async with open_chroma_server(url.format(port=free_port()), model_name=MODEL, dimensions=DIMENSIONS) as index:
        for call in (index.ping, index.count, index.clear, lambda: index.nearest(axis(0), limit=1)):
            with pytest.raises(StoreUnavailableError) as caught:
                await call()
            assert caught.value.store == "chroma"


@asynccontextmanager
async def fake_server(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Give the URL of a server that answers each connection once, or never, and what it heard."""
    heard: list[bytes] = []
    connections: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.current_task())
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        if answer:
            writer.write(answer)
        else:
            await reader.read()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", port := free_port()):
        yield f"http://127.0.0.1:{port}", heard
    await asyncio.wait([task for task in connections if task], timeout=10)


async def test_silent_server_is_unavailable() -> None:
    """A server that accepts and says nothing does not hold anybody up."""
    async with (
        fake_server(b"") as (url, _),
        open_chroma_server(url, model_name=MODEL, dimensions=DIMENSIONS, timeout_s=2) as index,
    ):
        with pytest.raises(StoreUnavailableError, match="no answer"):
            await index.ping()


async def test_token_is_sent_and_kept_out_of_errors() -> None:
    """The token goes out as a bearer token; an answer that is not Chroma's is an error without it."""
    refusal = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno"
    async with (
        fake_server(refusal) as (url, heard),
        open_chroma_server(url, model_name=MODEL, dimensions=DIMENSIONS, token="s3cret") as index,
    ):
        with pytest.raises(StoreUnavailableError) as caught:
            await index.ping()

    assert b"authorization: bearer s3cret" in heard[0].lower()
    assert "s3cret" not in str(caught.value)


@pytest.fixture
def self_signed(tmp_path: Path) -> ssl.SSLContext:
    """Give the TLS context of a server that nobody vouches for."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    request = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    subprocess.run(  # noqa: S603 - fixed words
        [*request, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def listen(listener: socket.socket, context: ssl.SSLContext, heard: list[bytes]) -> None:
    """Note the first words of every connection that trusts us, until the listener is shut."""
    while True:
        try:
            raw, _ = listener.accept()
        except OSError:
            return
        with raw, suppress(OSError), context.wrap_socket(raw, server_side=True) as connection:
            heard.append(connection.recv(4096))


async def test_server_that_nobody_vouches_for_hears_no_token(self_signed: ssl.SSLContext) -> None:
    """Certificates are checked before anything is said; chromadb by itself checks none."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        listening = asyncio.create_task(asyncio.to_thread(listen, listener, self_signed, heard))
        async with open_chroma_server(url, model_name=MODEL, dimensions=DIMENSIONS, token="s3cret") as index:
            with pytest.raises(StoreUnavailableError):
                await index.ping()
        listener.shutdown(socket.SHUT_RDWR)
        await listening

    assert heard == []


async def test_server_outage_is_ridden_out(tmp_path: Path) -> None:
    """The same index works on after its server went away and came back."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with open_chroma_server(url, model_name=MODEL, dimensions=DIMENSIONS, timeout_s=10) as index:
        with pytest.raises(StoreUnavailableError):
            await index.ping()
        with run_chroma(tmp_path, port):
            await index.upsert([entry(fact_key(1), axis(0))])
        with pytest.raises(StoreUnavailableError):
            await index.count()
        with run_chroma(tmp_path, port):
            assert await index.count() == 1


async def test_another_replicas_clear_is_survived(chroma_url: str) -> None:
    """Collections that another process made anew are found again."""
    async with (
        open_chroma_server(chroma_url, model_name=MODEL, dimensions=DIMENSIONS) as one,
        open_chroma_server(chroma_url, model_name=MODEL, dimensions=DIMENSIONS) as two,
    ):
        await one.clear()
        await one.upsert([entry(fact_key(1), axis(0))])
        await two.upsert([entry(fact_key(2), axis(1))])
        await two.clear()

        await one.upsert([VectorEntry(ref=VectorRef(owner=UserId(ANN), key=fact_key(3)), vector=axis(2))])

        assert set(await two.vectors([ref(fact_key(number)) for number in (1, 2, 3)])) == {fact_key(3)}
