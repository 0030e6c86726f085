"""Odd lines at the console: each is answered or refused in one clear line, and the talk goes on."""

import json

import pytest

from bots.console.lines import MAX_LINE_BYTES
from bots.console.slash import COMMANDS
from bots.text import MAX_MESSAGE_CHARS
from tests.fakes.model import ScriptedModel
from tests.fixtures.console import ConsoleRunner


async def test_every_line_gets_one_answer_in_order(console: ConsoleRunner) -> None:
    """Empty lines are nothing; the last line needs no line break; answers come in the order of the lines."""
    shown = await console.talk("", "one", "  ", "two", "three", model=ScriptedModel())

    assert shown == ["answer 1", "answer 2", "answer 3"]


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (b"a\x00b", "ab"),
        (b"caf\xe9 is latin-1", r"caf\xe9 is latin-1"),
        ("שלום \u202eevil".encode(), "שלום evil"),
        ("zero\u200bwidth".encode(), "zerowidth"),
        (b"x" * 100_000, "x" * 100_000),
        (b"windows\r", "windows"),
        (b"/etc/hosts", "/etc/hosts"),
        (b"/var is full", "/var is full"),
        (b"// a comment", "// a comment"),
        (b" /help", "/help"),
    ],
    ids=["nul", "not utf-8", "right to left", "zero width", "100 kB", "crlf", "path", "folder", "comment", "space"],
)
async def test_odd_text_is_a_message(console: ConsoleRunner, line: bytes, kept: str) -> None:
    """What is odd but text is answered, and kept without what would harm a store or a screen."""
    answer, exported = await console.talk(line, "/export", model=ScriptedModel())

    assert answer == "answer 1"
    assert json.dumps(kept, ensure_ascii=False) in exported


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("\u200b".encode(), "That message has no text, so there is nothing to answer."),
        (b"x" * (MAX_MESSAGE_CHARS + 1), "That message has 200,001 characters; I take at most 200,000."),
        (b"x" * (3 * MAX_LINE_BYTES), "That line is longer than 1000 kB and was not taken; send it in parts."),
        (b"/forgt 1", "There is no command /forgt; did you mean /forget?"),
        (b"/xyzzy", "There is no command /xyzzy; /help lists them."),
        (b"/forget", "Say what to forget: a number such as #7,"),
        (b"/forget #1 #2", "One number at a time, please, such as #7."),
        (b"/forget 99999999999999999999", "Nothing of yours matches that."),
        (b"/remember", "Say what to remember,"),
        (b"/thread", "Name a thread, as /threads lists them: /thread NAME"),
        (b"/export /no/such/folder/x", "/no/such/folder/x cannot be written (FileNotFoundError)."),
    ],
    ids=lambda value: str(value[:12]) if isinstance(value, bytes) else "",
)
async def test_what_cannot_be_done_is_said_in_one_line(console: ConsoleRunner, line: bytes, answer: str) -> None:
    """A refusal is one line, nothing reaches the model, and the next line is answered."""
    model = ScriptedModel()
    refused, after = await console.talk(line, "next", model=model)

    assert refused.startswith(answer)
    assert "\n" not in refused
    assert after == "answer 1"
    assert len(model.asked) == 1


async def test_help_lists_every_command(console: ConsoleRunner) -> None:
    """`/help`, in any case, names each command once; `/quit` leaves before the next line."""
    shown = await console.talk("/HELP", "/quit", "never read", model=ScriptedModel())

    (listed,) = shown
    assert [line.split()[0] for line in listed.splitlines()] == [f"/{name}" for name in COMMANDS]


async def test_no_answer_can_drive_the_terminal(console: ConsoleRunner) -> None:
    """Escape sequences in an answer are spelt out."""
    shown = await console.talk("hello", model=ScriptedModel(replies=["\x1b[2Jgone \x07"]))

    assert shown == [r"\x1b[2Jgone \x07"]
