"""Where lines come from: a pipe byte by byte, and a prompt key by key."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from bots.console.lines import MAX_LINE_BYTES, PipedLines, PromptLines
from memory.errors import InputError


async def _all(lines: PipedLines) -> AsyncIterator[str]:
    while (line := await lines.next_line("> ")) is not None:
        yield line


def _read(data: bytes) -> list[str]:
    async def read() -> list[str]:
        reading, writing = os.pipe()
        try:
            await asyncio.to_thread(_write, writing, data)
            return [line async for line in _all(PipedLines(reading))]
        finally:
            os.close(reading)

    return asyncio.run(read())


def _write(descriptor: int, data: bytes) -> None:
    os.write(descriptor, data)
    os.close(descriptor)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20), max_size=5))
def test_piped_lines_arrive_as_they_were_sent(lines: list[str]) -> None:
    """Every line, empty ones included, in order."""
    assert _read("".join(f"{line}\n" for line in lines).encode()) == lines


def test_the_last_line_needs_no_line_break() -> None:
    """What stands before the end of the file counts."""
    assert _read(b"one\r\ntwo") == ["one", "two"]


def test_bytes_that_are_no_text_are_kept_visibly() -> None:
    """Nothing of a line in another encoding is lost."""
    assert _read(b"caf\xe9\n") == ["caf\\xe9"]


async def test_a_line_beyond_the_limit_is_refused_once() -> None:
    """It is not held in memory, and the next line is read from its beginning."""
    reading, writing = os.pipe()
    lines = PipedLines(reading)
    feeding = asyncio.create_task(asyncio.to_thread(_feed, writing, [b"x" * 1000] * 3000 + [b"\nnext\n"]))
    with pytest.raises(InputError, match="longer than 1000 kB"):
        await lines.next_line("> ")

    assert await lines.next_line("> ") == "next"
    assert await lines.next_line("> ") is None

    await feeding
    os.close(reading)


async def test_a_line_at_the_limit_is_taken() -> None:
    """The limit itself still fits."""
    reading, writing = os.pipe()
    feeding = asyncio.create_task(asyncio.to_thread(_feed, writing, [b"x" * (MAX_LINE_BYTES - 1), b"\n"]))

    assert len(await PipedLines(reading).next_line("> ") or "") == MAX_LINE_BYTES - 1

    await feeding
    os.close(reading)


def _feed(descriptor: int, pieces: list[bytes]) -> None:
    with os.fdopen(descriptor, "wb") as pipe:
        pipe.writelines(pieces)


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    """Give a keyboard."""
    with create_pipe_input() as keyboard:
        yield keyboard


async def test_a_paste_of_several_lines_is_one_message(keys: PipeInput) -> None:
    """Line breaks inside a bracketed paste do not send it."""
    lines = PromptLines(source=keys, target=DummyOutput())
    keys.send_text("\x1b[200~kubectl get pods\nkubectl get nodes\x1b[201~ please\r")

    assert await lines.next_line("main> ") == "kubectl get pods\nkubectl get nodes please"


async def test_ctrl_c_throws_the_line_away_and_ctrl_d_leaves(keys: PipeInput) -> None:
    """Ctrl-C starts the line anew; Ctrl-D on an empty line is the end."""
    lines = PromptLines(source=keys, target=DummyOutput())
    keys.send_text("half a thought\x03whole\r")

    assert await lines.next_line("main> ") == "whole"

    keys.send_text("\x04")

    assert await lines.next_line("main> ") is None


async def test_the_arrow_key_recalls_what_was_said_in_this_thread(keys: PipeInput) -> None:
    """What a thread holds is offered; what another thread held is not."""
    lines = PromptLines(source=keys, target=DummyOutput())
    lines.recall(["in the other thread"])
    lines.recall(["older", "newer"])
    keys.send_text("\x1b[A\x1b[A\r")

    assert await lines.next_line("main> ") == "older"


async def test_alt_enter_starts_a_new_line(keys: PipeInput) -> None:
    """A message of several lines can be typed."""
    lines = PromptLines(source=keys, target=DummyOutput())
    keys.send_text("one\x1b\rtwo\r")

    assert await lines.next_line("main> ") == "one\ntwo"
