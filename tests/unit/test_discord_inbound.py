"""Whatever Discord says of a message, reading it raises nothing, and people alone are heard."""

from typing import Any

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.discord.gateway import pause_before
from bots.discord.inbound import BotIdentity, Overheard, Said, read_edit, read_message

BOT = BotIdentity(user_id="1")
ANA, BOB, OTHER_BOT = 7, 8, 9


class Channel:
    """Where a message stands, as far as reading it asks."""

    id = 5
    guild = None
    type = discord.ChannelType.private


def message(**more: Any) -> discord.Message:
    """Return a message of the library, as the wire has it."""
    author = more.pop("author", ANA)
    data: dict[str, Any] = {
        "id": "100",
        "channel_id": "5",
        "author": user(author, bot=author in {1, OTHER_BOT}),
        "content": "hello",
        "timestamp": "2026-11-02T09:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
        "type": 0,
    }
    state = discord.Client(intents=discord.Intents.none())._connection
    return discord.Message(state=state, channel=Channel(), data=data | more)  # type: ignore[arg-type]  # as far as it is asked


def user(number: int, *, bot: bool = False) -> dict[str, Any]:
    """Return somebody as the wire has them."""
    return {"id": str(number), "username": f"user {number}", "discriminator": "0", "avatar": None, "bot": bot}


_WORDS = st.one_of(st.text(max_size=60), st.text(alphabet="<@!&#:t/>0123456789 ,\n", max_size=60))
_PEOPLE = st.lists(st.sampled_from([1, ANA, BOB, OTHER_BOT]), max_size=3, unique=True)
_FILES = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(1, 10**19).map(str),
            "filename": st.text(max_size=20),
            "size": st.integers(0, 10**9),
            "url": st.just("https://cdn"),
            "proxy_url": st.just("https://cdn"),
            "content_type": st.one_of(st.none(), st.text(max_size=20)),
        }
    ),
    max_size=2,
)


@settings(max_examples=150)
@given(_WORDS, _PEOPLE, _FILES, st.sampled_from([0, 6, 7, 18, 19, 20, 21, 99]), st.sampled_from([1, ANA, OTHER_BOT]))
def test_reading_raises_nothing(content: str, people: list[int], files: list[Any], kind: int, author: int) -> None:
    """New or edited, of whomever and whatever kind; only a person's words come through."""
    shown = message(
        content=content, mentions=[user(each) for each in people], attachments=files, type=kind, author=author
    )
    read, edit = read_message(shown, bot=BOT, guild="5"), read_edit(shown, bot=BOT, guild="5")

    assert isinstance(read, Said) == (author == ANA and kind in {0, 19} and bool(content.strip() or files))
    assert isinstance(edit, Overheard) == (author != ANA)
    if isinstance(read, Said):
        assert read.is_mention == (1 in people)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"author": 1}, "own"),
        ({"author": OTHER_BOT}, "bot"),
        ({"webhook_id": "3"}, "bot"),
        ({"type": 18}, "system"),
        ({"content": " "}, "empty"),
    ],
)
def test_what_nobody_said_to_recall(more: dict[str, Any], reason: str) -> None:
    """With the reason, for the metrics."""
    assert read_message(message(**more), bot=BOT, guild="5") == Overheard(reason=reason)  # type: ignore[arg-type]  # one of them


def test_what_an_edit_says_is_withheld_where_it_is_empty() -> None:
    """Discord keeps words back from a bot that is not mentioned."""
    kept_back = read_edit(message(content=""), bot=BOT, guild="5")
    told = read_edit(message(), bot=BOT, guild="5")

    assert not isinstance(kept_back, Overheard)
    assert not isinstance(told, Overheard)
    assert (kept_back[1], told[1]) == (True, False)


@given(st.integers(1, 100_000), st.floats(0, 1), st.floats(0, 86_400))
def test_a_budget_of_sessions_lasts_until_it_is_renewed(total: int, share: float, reset_after_s: float) -> None:
    """While half of it is left nobody waits; then what is left is spread over the time that is left."""
    remaining = int(total * share)
    pause_s = pause_before(total=total, remaining=remaining, reset_after_s=reset_after_s)

    assert pause_s * max(1, remaining) == pytest.approx(reset_after_s if 2 * remaining <= total else 0)
