"""What all signals must do, and how those over a server live through its absence."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import redis.asyncio

from memory.ports import Signals
from memory.stores.embedded import DataFolder, open_valkey
from tests.fixtures.servers import free_port, open_valkey_signals

OpenSignals = Callable[[], AbstractAsyncContextManager[Signals]]
WITHIN_S = 30


async def words(heard: AsyncIterator[str], count: int) -> list[str]:
    """Return the next so many words."""
    async with asyncio.timeout(WITHIN_S):
        return [await anext(heard) for _ in range(count)]


async def until_heard(sender: Signals, heard: AsyncIterator[str]) -> None:
    """Say hello until one is heard."""
    async with asyncio.timeout(WITHIN_S):
        hearing = asyncio.ensure_future(anext(heard))
        while not hearing.done():
            await sender.send("stop", "hello")
            await asyncio.wait([hearing], timeout=0.05)


async def test_a_word_reaches_other_processes_in_order(open_signaller: OpenSignals) -> None:
    """Whatever the text, from the moment that listening was entered."""
    said = ["one", "", "two\nlines", "\x00 \u202eabc\U0001f600 \ud83d", '["x", "y"]', *map(str, range(100))]
    async with open_signaller() as here, open_signaller() as there, there.listen("stop") as heard:
        for word in said:
            await here.send("stop", word)

        assert await words(heard, len(said)) == said


async def test_the_sender_hears_itself_once(open_signaller: OpenSignals) -> None:
    """A process need not know whether the one it tells is itself."""
    async with open_signaller() as here, open_signaller() as there, here.listen("stop") as heard:
        await here.send("stop", "mine")
        await there.send("stop", "theirs")
        await here.send("stop", "mine again")

        assert sorted(await words(heard, 3)) == ["mine", "mine again", "theirs"]


async def test_topics_are_apart(open_signaller: OpenSignals) -> None:
    """Who listens to one does not hear the other."""
    async with (
        open_signaller() as here,
        open_signaller() as there,
        there.listen("stop") as stops,
        there.listen("wake") as wakes,
    ):
        await here.send("wake", "w")
        await here.send("stop", "s")

        assert (await words(stops, 1), await words(wakes, 1)) == (["s"], ["w"])


async def test_every_listener_hears(open_signaller: OpenSignals) -> None:
    """Two of one process each hear all, and one that leaves takes nothing from the other."""
    async with open_signaller() as here, open_signaller() as there, there.listen("stop") as one:
        async with there.listen("stop") as two:
            await here.send("stop", "a")
            assert (await words(one, 1), await words(two, 1)) == (["a"], ["a"])
        await here.send("stop", "b")

        assert await words(one, 1) == ["b"]


async def test_a_topic_can_be_left_and_entered_again(open_signaller: OpenSignals) -> None:
    """Each time it hears what is said from then on."""
    async with open_signaller() as here, open_signaller() as there:
        for number in range(20):
            async with there.listen("stop") as heard:
                await here.send("stop", str(number))
                assert await words(heard, 1) == [str(number)]


async def test_a_listener_that_takes_nothing_keeps_the_newest(open_signaller: OpenSignals) -> None:
    """Its words do not pile up for ever: the oldest go."""
    async with open_signaller() as here, here.listen("stop") as heard:
        for number in range(1_500):
            await here.send("stop", str(number))

        assert (await words(heard, 1_000))[-1] == "1499"


async def test_nobody_listens(open_signaller: OpenSignals) -> None:
    """A word to nobody is no error."""
    async with open_signaller() as here:
        await here.send("stop", "x")


async def test_an_unreachable_server_is_soft(capsys: pytest.CaptureFixture[str]) -> None:
    """Listening can be entered, one's own process is told, and sending says in the log that nobody else is."""
    async with open_valkey_signals(f"redis://ann:s3cret@127.0.0.1:{free_port()}") as here, here.listen("stop") as heard:
        await here.send("stop", "x")

        assert await words(heard, 1) == ["x"]
    logged = capsys.readouterr().out
    assert "signal_not_sent" in logged
    assert "s3cret" not in logged


@pytest.mark.service
async def test_a_restarted_server_is_followed_again(tmp_path: Path) -> None:
    """Listeners on both sides stay, and hear again once it is back; so do those who began to listen meanwhile."""
    folder = DataFolder(tmp_path)
    async with (
        open_valkey(folder) as url,
        open_valkey_signals(url) as here,
        open_valkey_signals(url) as there,
        there.listen("stop") as heard,
    ):
        await until_heard(here, heard)
        async with redis.asyncio.Redis.from_url(url, protocol=2) as client:
            with pytest.raises(redis.exceptions.ConnectionError):
                await client.execute_command("SHUTDOWN", "NOSAVE")  # type: ignore[no-untyped-call]
        async with there.listen("wake") as wakes, open_valkey(folder):
            await until_heard(here, heard)
            await here.send("wake", "w")
            assert await words(wakes, 1) == ["w"]


@pytest.mark.service
async def test_a_killed_connection_is_renewed(valkey_url: str, valkey: "redis.asyncio.Redis") -> None:
    """A server or a proxy may end a connection at any time."""
    async with (
        open_valkey_signals(valkey_url) as here,
        open_valkey_signals(valkey_url) as there,
        there.listen("stop") as heard,
    ):
        await until_heard(here, heard)
        assert await valkey.execute_command("CLIENT KILL TYPE pubsub") >= 1  # type: ignore[no-untyped-call]

        await until_heard(here, heard)


@pytest.mark.service
async def test_a_dead_connection_is_noticed(
    valkey_url: str, valkey: "redis.asyncio.Redis", capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that says nothing at all is given up, also while nobody says a word, and followed again later."""
    server = (await valkey.info("server"))["process_id"]
    async with (
        open_valkey_signals(valkey_url) as here,
        open_valkey_signals(valkey_url, timeout_s=1, quiet_s=0.1) as there,
        there.listen("stop") as heard,
    ):
        os.kill(server, signal.SIGSTOP)
        try:
            async with asyncio.timeout(WITHIN_S):
                while "signals_lost" not in capsys.readouterr().out:
                    await asyncio.sleep(0)
        finally:
            os.kill(server, signal.SIGCONT)

        await until_heard(here, heard)


@pytest.mark.service
@pytest.mark.parametrize("foreign", [b"", b"\xff", b"x", b"1", b"[1]", b"{}", b"null"])
async def test_foreign_words_are_left_out(valkey_url: str, valkey: "redis.asyncio.Redis", foreign: bytes) -> None:
    """What another program publishes there harms nobody."""
    async with (
        open_valkey_signals(valkey_url) as here,
        open_valkey_signals(valkey_url) as there,
        there.listen("stop") as heard,
    ):
        await valkey.publish("recall:signals:stop", foreign)
        await here.send("stop", "x")

        assert await words(heard, 1) == ["x"]


@pytest.mark.service
async def test_nothing_is_followed_that_nobody_listens_to(valkey_url: str, valkey: "redis.asyncio.Redis") -> None:
    """The server is told when the last listener of a topic has left, and nothing is connected once all is closed."""
    async with open_valkey_signals(valkey_url) as here, here.listen("wake"):
        async with here.listen("stop"):
            assert sorted(await valkey.pubsub_channels()) == [b"recall:signals:stop", b"recall:signals:wake"]
        async with asyncio.timeout(WITHIN_S):
            while await valkey.pubsub_channels() != [b"recall:signals:wake"]:
                await asyncio.sleep(0)
    async with asyncio.timeout(WITHIN_S):
        while await valkey.pubsub_channels():
            await asyncio.sleep(0)
