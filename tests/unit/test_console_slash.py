"""Which lines are commands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.console.slash import COMMANDS, Slash, parse, unknown


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/help", Slash(name="help")),
        ("/Forget  #7 ", Slash(name="forget", argument="#7")),
        ("/remember one\ntwo", Slash(name="remember", argument="one\ntwo")),
        ("/deploy the app", Slash(name="deploy", argument="the app")),
    ],
)
def test_a_slash_and_a_word_is_a_command(line: str, command: Slash) -> None:
    """Known or not, in any case, with what follows as its argument."""
    assert parse(line) == command


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "//",
        "// comment",
        "/",
        "/etc/hosts",
        "/etc",
        "/VAR is full",
        "/a/b c",
        "/2",
        " /help",
        "/foo\nbar",
        "/help/me",
    ],
)
def test_other_slashes_are_messages(line: str) -> None:
    """Comments, paths, pasted blocks, and whatever stands after a space."""
    assert parse(line) is None


@given(st.text())
def test_no_line_breaks_the_parser(line: str) -> None:
    """Any text is a command or a message; a known command has a name of the list."""
    command = parse(line)

    assert command is None or command.is_known == (command.name in COMMANDS)


def test_an_unknown_command_names_the_nearest() -> None:
    """One line, with the nearest command or where to look, and how to send it as a message."""
    assert unknown(Slash(name="memoris")) == (
        "There is no command /memoris; did you mean /memories? (A space in front makes it a message.)"
    )
    assert "/help lists them" in unknown(Slash(name="zzz"))
