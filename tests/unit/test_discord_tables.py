"""Tables as Discord can show them: in code, with columns in line, and within the limits of a post."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.discord.render import CONTENT_CHARS, Answered, parts, so_far, units
from bots.discord.tables import tables_in_code
from bots.platform import Reply

ANSWERED = Answered(guild="1", thread="2", message="3", asker="4")
TABLE = "| Pod | Restarts |\n|:----|---:|\n| **api-7f9c** | 12 |\n| `web` | 3 |"
BLOCK = "```\nPod       Restarts\n--------  --------\napi-7f9c  12\nweb       3\n```"
_CELLS = st.text(alphabet="ab漢😀*`\\-: ", max_size=60)
_ROWS = st.lists(st.lists(_CELLS, min_size=1, max_size=4), max_size=60)


def table(columns: int, rows: list[list[str]]) -> str:
    """Return a table as a model writes it."""
    lines = ["|".join(["h"] * columns), "|".join(["---"] * columns), *("|".join(row) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines)


def test_a_table_is_a_block_with_columns_in_line() -> None:
    """What stands around it stays."""
    assert tables_in_code(TABLE) == BLOCK
    assert tables_in_code(f"Look:\n{TABLE}\n\nDone | dusted.") == f"Look:\n{BLOCK}\n\nDone | dusted."


def test_wide_letters_and_long_cells_keep_the_lines_short() -> None:
    """A letter of two columns counts as two; one long cell does not widen all rows; no cell is lost."""
    lines = tables_in_code("a|b\n-|-\n漢|x\ny|z|extra\n|only|").splitlines()
    assert lines[3:6] == [
        "漢    x",
        "y     z  extra",
        "only",
    ]
    long = tables_in_code(table(2, [["x" * 500, "y"], ["short", "z"]]))
    assert "x" * 500 + "  y" in long
    assert f"{'short':40}  z" in long


@pytest.mark.parametrize(
    "text",
    [
        f"```\n{TABLE}\n```",
        f"~~~md\n{TABLE}",
        "a | b\nc | d",
        "Title\n---\nwords",
        "a | b\n---\nwords",
        "| a | b |\n|---|\n| c | d |",
        "",
    ],
)
def test_what_is_no_table_stays(text: str) -> None:
    """Code, pipes in words, headings, and rules of another number of columns."""
    assert tables_in_code(text) == text


def test_an_escaped_bar_is_part_of_its_cell() -> None:
    """As Markdown has it."""
    assert "a | b  c" in tables_in_code("| x | y |\n|---|---|\n| a \\| b | c |")


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("**bold**", "bold"),
        ("**a:** `b` and **`c`**", "a: b and c"),
        ("``a`b``", "a`b"),
        ("2**10", "2**10"),
        ("logs/**/*.log", "logs/**/*.log"),
        ("**/*.yaml, src/**", "**/*.yaml, src/**"),
        ("`**/*.yaml` and `**`", "**/*.yaml and **"),
        ("it costs ` more", "it costs ` more"),
        ("```: ````x```y````", ": xy"),
    ],
)
def test_a_cell_loses_its_markup_alone(cell: str, shown: str) -> None:
    """What is code, or only looks like markup, is said as it is: it may be copied."""
    assert tables_in_code(f"|a|\n|-|\n|{cell}|").splitlines()[3] == shown


@pytest.mark.timeout(20)
def test_no_line_takes_long_to_look_at() -> None:
    """Whatever a model writes, the process goes on."""
    for line in (
        "|-----" + " " * 100_000 + "x",
        "|" + "-|" * 50_000 + "x",
        "|" + "`a**b " * 5_000,
        "|" + "-" * 50_000 + "x",
    ):
        assert tables_in_code(f"|a|b|\n{line}") == f"|a|b|\n{line}"
    tables_in_code("|a|\n|-|\n|" + "**`a " * 5_000)


@settings(max_examples=60)
@given(st.integers(1, 4), _ROWS, st.text(alphabet="ab \n", max_size=300))
def test_posts_with_tables_are_within_the_limits(columns: int, rows: list[list[str]], around: str) -> None:
    """Each with its code closed, whole or on its way, and every cell is there."""
    text = f"{around}\n{table(columns, rows)}\n{around}"
    posts = parts(Reply(text=text), ANSWERED)

    for post in [*posts, *so_far(text, ANSWERED)]:
        assert units(post.content) <= CONTENT_CHARS
        assert len(re.findall(r"^```", post.content, re.MULTILINE)) % 2 == 0
    shown = "".join("".join(post.content.split()) for post in posts).replace("```", "")
    for cell in (cell for row in rows for cell in row if re.fullmatch("[ab漢]+", cell)):
        assert cell in shown
