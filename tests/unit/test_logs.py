"""Logs tell operators what happened, and nothing that people said."""

import io

import pytest
import structlog

from bots.logs import configure_logs


class Terminal(io.StringIO):
    """A stream that people read."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()], ids=["terminal", "machine"])
def test_a_traceback_shows_no_words_of_people(stream: io.StringIO) -> None:
    """Local variables of the frames that broke hold message texts."""
    configure_logs(stream=stream)

    def work(text: str) -> None:
        try:
            _ = text[100]
        except IndexError:
            structlog.get_logger("bots").exception("turn_broke")

    work("the staging vault is behind the blue door")
    shown = stream.getvalue()
    assert ("turn_broke" in shown, "IndexError" in shown, "blue door" in shown) == (True, True, False)
