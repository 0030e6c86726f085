"""What is shown: plain text for a pipe, rendered Markdown for a terminal, and nothing that drives the terminal."""

import asyncio
import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bots.console.screen import PlainScreen, Screen, Stages, TerminalScreen, printable
from bots.platform import Reply
from memory.model import Message, MessageId, Role, SessionId
from tests.fakes.clock import FrozenClock
from tests.fakes.values import stored_fact

ANSWER = "Use **rollout undo**:\n\n```sh\nkubectl rollout undo deploy/api\n```\n"


@dataclass
class Shown:
    """A screen and what it wrote."""

    out: io.StringIO = field(default_factory=io.StringIO)
    err: io.StringIO = field(default_factory=io.StringIO)

    def plain(self) -> PlainScreen:
        """Return a screen for a pipe."""
        return PlainScreen(self.out, self.err)

    def terminal(self, environ: Mapping[str, str] | None = None) -> TerminalScreen:
        """Return a screen for a terminal."""
        environ = {"TERM": "xterm-256color"} | dict(environ or {})
        return TerminalScreen(Console(file=self.out, force_terminal=True, width=80, height=24, _environ=environ))


async def _answer(screen: Screen, reply: Reply, *deltas: str) -> None:
    with screen.answering() as sink:
        for delta in deltas:
            await sink.append(delta)
        await sink.finish(reply)


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_printable_moves_the_cursor(text: str) -> None:
    """No control but line break and tab is left, no direction override, and it can be written as UTF-8."""
    shown = printable(text)

    assert shown.encode().decode() == shown
    assert not set(shown) & {chr(code) for code in [*range(9), *range(11, 32), *range(127, 160), 0x202E, 0x2066]}


async def test_a_pipe_gets_the_text_as_it_streams() -> None:
    """The reply as the model wrote it, its notices in brackets, an empty line, and no colour code."""
    shown = Shown()
    await _answer(shown.plain(), Reply(text=ANSWER, notices=("Redis is away.",)), ANSWER[:9], ANSWER[9:])

    assert shown.out.getvalue() == f"{ANSWER}\n(Redis is away.)\n\n"
    assert shown.err.getvalue() == ""


async def test_a_pipe_is_told_what_was_remembered_and_how_to_take_it_back() -> None:
    """By the number that the memory has for good."""
    fact = stored_fact(7, "My shell is fish.")
    shown = Shown()
    await _answer(shown.plain(), Reply(text="Noted.", remembered=(fact,)), "Noted.")

    assert shown.out.getvalue() == "Noted.\n(I'll remember that: My shell is fish. (/forget #7 takes it back))\n\n"


async def test_a_pipe_gets_a_reply_that_was_not_streamed() -> None:
    """A reply that comes whole is shown once."""
    shown = Shown()
    await _answer(shown.plain(), Reply(text="Stopped.", failed=True))

    assert shown.out.getvalue() == "Stopped.\n\n"


async def test_a_failed_reply_ends_in_its_fixed_words() -> None:
    """What had streamed stays, and the words that end it stand on a line of their own."""
    shown = Shown()
    await _answer(shown.plain(), Reply(text="The answer was cut off.", failed=True), "Half an ans")

    assert shown.out.getvalue() == "Half an ans\nThe answer was cut off.\n\n"


async def test_a_terminal_renders_markdown() -> None:
    """Bold is bold, code is set apart, and what was used is named."""
    shown = Shown()
    await _answer(shown.terminal(), Reply(text=ANSWER), ANSWER)

    assert "\x1b[1mrollout undo\x1b[0m" in shown.out.getvalue()
    assert "**" not in shown.out.getvalue()


async def test_no_color_is_respected() -> None:
    """With NO_COLOR set, no colour code is written."""
    coloured, plain = Shown(), Shown()
    await _answer(coloured.terminal(), Reply(text="`code`"), "`code`")
    await _answer(plain.terminal({"NO_COLOR": "1"}), Reply(text="`code`"), "`code`")

    assert "\x1b[1;36;40m" in coloured.out.getvalue()
    assert ";36;40m" not in plain.out.getvalue()


async def test_a_terminal_shows_where_a_link_leads() -> None:
    """A link's text cannot hide its address."""
    shown = Shown()
    await _answer(shown.terminal(), Reply(text="[docs](https://evil.example)"))

    assert "https://evil.example" in shown.out.getvalue()
    assert "\x1b]8;" not in shown.out.getvalue()


def test_a_terminal_begins_with_help_and_the_last_turns(clock: FrozenClock) -> None:
    """How to get help, and what was said before."""
    shown = Shown()
    earlier = [
        Message(
            message_id=MessageId(number),
            session_id=SessionId("s"),
            role=role,
            author=None,
            text=text,
            sent_at=clock.now(),
        )
        for number, (role, text) in enumerate([(Role.USER, "What [b]failed?"), (Role.ASSISTANT, "The *deploy*.")])
    ]

    screen = shown.terminal({"NO_COLOR": "1", "TERM": "dumb"})
    screen.welcome()
    screen.earlier(earlier)

    assert "/help lists the commands" in shown.out.getvalue()
    assert "> What [b]failed?" in shown.out.getvalue()
    assert "deploy" in shown.out.getvalue()


async def test_a_quick_stage_is_not_worth_a_line() -> None:
    """What ends at once is not shown, nor is its end."""
    lines: list[str] = []
    stages = Stages("Embedding model", lines.append)
    stages.enter("loading")
    stages.enter("ready")
    stages.close()

    assert lines == []


@pytest.mark.parametrize("terminal", [False, True])
async def test_a_long_wait_says_what_is_going_on(*, terminal: bool) -> None:
    """Past a second, the status is shown, and not as part of the answer."""
    shown = Shown()
    screen = shown.terminal() if terminal else shown.plain()
    with screen.answering() as sink:
        await sink.status("Queued")
        async with asyncio.timeout(30):
            while "Queued ..." not in shown.out.getvalue() + shown.err.getvalue():
                await asyncio.to_thread(shown.err.flush)
        await sink.finish(Reply(text="done"))

    assert "done" in shown.out.getvalue()
    assert ("Queued" in shown.out.getvalue()) == terminal
