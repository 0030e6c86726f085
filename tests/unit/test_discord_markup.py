"""Discord's markup as people read it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.discord.markup import Names, decode_text

NAMES = Names(users={"1": "Ana"}, roles={"2": "on-call"}, channels={"3": "incidents"})


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("<@1> look", "@Ana look"),
        ("<@!1> look", "@Ana look"),
        ("ask <@&2>", "ask @on-call"),
        ("see <#3>", "see #incidents"),
        ("see <#4>", "see #4"),
        ("<:ship:123456> it <a:party:99>", ":ship: it :party:"),
        ("since <t:1764000000:R>", "since 2025-11-24 16:00 UTC"),
        ("use </memory pause:77>", "use /memory pause"),
        ("in <id:browse>", "in #browse"),
        ("a < b && c > d", "a < b && c > d"),
        ("<https://example.org>", "<https://example.org>"),
        ("<t:99999999999999:R>", "<t:99999999999999:R>"),
    ],
)
def test_markup_reads_as_discord_shows_it(raw: str, read: str) -> None:
    """Mentions, emoji, times and commands read as words; what only looks like markup stays."""
    assert decode_text(raw, NAMES) == read


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("<@9> why?", "why?"),
        ("<@!9>, why?", "why?"),
        ("why <@9> ?", "why?"),
        ("why, <@9>?", "why,?"),
        ("<@&8> why <@1>?", "why @Ana?"),
        ("one\n<@9>\ntwo", "one\n\ntwo"),
        ("<@9>", ""),
    ],
)
def test_mentions_of_recall_are_left_out(raw: str, read: str) -> None:
    """What is said to Recall does not name it; neither its user nor its role."""
    assert decode_text(raw, NAMES, own=frozenset({"9", "8"})) == read


@given(st.text("<@!&#:t09a>/ \n", max_size=40))
def test_anything_can_be_read(raw: str) -> None:
    """Whatever somebody types, reading it raises nothing."""
    decode_text(raw, NAMES, own=frozenset({"9"}))
