"""Replies as Slack posts: nothing lost, nothing over a limit, nobody pinged."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.platform import Reply
from bots.press import Press
from bots.slack.blocks import TEXT_BYTES, fallback
from bots.slack.press import FEEDBACK, NAMES, decoded
from bots.slack.render import Post, StreamGuard, escape_mass_mentions, parts
from memory.model import MemoryKey, MessageId, Recallable, Recalled, SessionId, UserId
from tests.fakes.slack.blocks import visible_text
from tests.fakes.slack.limits import (
    MARKDOWN_CHARS,
    MESSAGE_BLOCKS_CHARS,
    UPDATE_BYTES,
    check_blocks,
    mass_mentions,
    pinging_texts,
    total_chars,
)
from tests.fakes.values import NOON, stored_fact

ASKER = UserId("slack:T1:U7")
_MENTIONS = st.sampled_from([
    "<!channel>", "<!here>", "<!everyone|all>", "<!subteam^S1>", "<!CHANNEL>", "<\\!here>", "<<!here>", "<!", "<", "!",
    "<&#33;channel>", "<\\&#x21;here>", "<&excl;here>", "<!h&#101;re>", "<!&#99hannel>", "&#33;", "&#", "&lt;!here&gt;",
])  # fmt: skip
_RISKY = st.lists(st.one_of(_MENTIONS, st.text(alphabet="<!chanelr >^|\\&#;3", max_size=6)), max_size=12).map("".join)
_WORDS = st.text(alphabet="ab é漢😀 .\n<>&", max_size=200)
_CODE = st.builds(
    lambda marker, language, code, closed: f"\n{marker}{language}\n{code}\n{marker if closed else ''}\n",
    st.sampled_from(["```", "````", "~~~"]),
    st.sampled_from(["", "python", "yaml"]),
    st.text(alphabet="xy \n", max_size=400),
    st.booleans(),
)
_REPEATED = st.builds(lambda text, times: text * times, st.one_of(_WORDS, _CODE, _RISKY), st.integers(1, 120))
_ANSWERS = st.lists(_REPEATED, max_size=4).map("".join)


@given(_RISKY)
def test_no_mass_mention_stays_live(text: str) -> None:
    """Whatever the text, it pings nobody, and it reads the same."""
    escaped = escape_mass_mentions(text)

    assert mass_mentions(escaped) == [] and mass_mentions(escaped.replace("\\", "")) == []
    assert escaped.replace("\u200b", "") == text


@pytest.mark.parametrize(
    "text",
    ["<@U123> see <https://x.y|docs>", "<!-- note -->", "<!DOCTYPE html>", "a < b", "<!date^1^x|y>", "2<&1", "&#33;"],
)
def test_other_angle_brackets_stay(text: str) -> None:
    """Links, people, dates and markup are left as they are."""
    assert escape_mass_mentions(text) == text


@given(_RISKY, st.data())
def test_the_guard_gives_out_the_escaped_text(text: str, data: st.DataObject) -> None:
    """However the text is cut into pieces, nothing live leaves, and all of it leaves."""
    guard, sent = StreamGuard(), ""
    for piece in _cut_up(text, data):
        sent += guard.feed(piece)

        assert mass_mentions(sent) == []
    assert sent + guard.flush() == escape_mass_mentions(text)


def _cut_up(text: str, data: st.DataObject) -> Sequence[str]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def test_the_guard_holds_back_little() -> None:
    """Plain text goes out at once; only what may become a mention waits."""
    guard = StreamGuard()

    assert guard.feed("deploy <") == "deploy "
    assert guard.feed("!cha") == ""
    assert guard.feed("rts>") == "<!charts>"


def test_lone_surrogates_can_be_sent() -> None:
    """Half a character becomes the replacement character, wherever it stands."""
    reply = Reply(text="a \ud83d b", notices=("n \udc00",))

    [post] = parts(reply)

    assert "a \ufffd b" in visible_text(post.blocks) and "n \ufffd" in visible_text(post.blocks)
    assert (post.text + visible_text(post.blocks)).encode()


@settings(max_examples=60)
@given(_ANSWERS, st.lists(_WORDS, max_size=12), st.integers(0, 6), st.booleans())
def test_every_post_is_within_the_limits(text: str, notices: list[str], count: int, failed: bool) -> None:
    """Slack takes every post, with all that is below the answer, and none of it pings anybody."""
    facts = tuple(stored_fact(number, text) for number in range(count))
    reply = Reply(text=text, notices=tuple(notices), used=(_used(),) * count, remembered=facts, failed=failed)

    for post in parts(reply, message_id="7", asker=ASKER, partial=text):
        blocks = post.blocks

        assert post.blocks and check_blocks(blocks, "message") == []
        assert check_blocks(post.plain_blocks, "message") == []
        assert len(post.markdown) <= MARKDOWN_CHARS and total_chars(blocks) <= MESSAGE_BLOCKS_CHARS
        assert total_chars(post.plain_blocks) <= MESSAGE_BLOCKS_CHARS
        assert 0 < len(post.text.encode()) <= TEXT_BYTES <= UPDATE_BYTES
        assert not any(mass_mentions(live) for live in [post.text, *pinging_texts(blocks)])


@settings(max_examples=60)
@given(_ANSWERS)
def test_the_posts_joined_are_the_answer(text: str) -> None:
    """Nothing is lost or put in another order; only fences, white space and the breaks in mentions differ."""
    shown = "".join(f"{post.markdown}\n" for post in parts(Reply(text=text)))

    assert _bare(shown) == _bare(text)


@settings(max_examples=60)
@given(_ANSWERS)
def test_every_post_closes_its_code(text: str) -> None:
    """No post leaves a code block open, also where the answer did."""
    assert all(_is_closed(post.markdown) for post in parts(Reply(text=text)))


def test_code_goes_on_in_its_language() -> None:
    """A code block longer than a post is opened again in the same language."""
    code = "".join(f"print({number})\n" for number in range(3_000))

    posts = parts(Reply(text=f"Run this:\n```python\n{code}```\nDone."))

    assert len(posts) > 2
    assert all(post.markdown.startswith("```python\n") for post in posts[1:-1])
    assert posts[-1].markdown.endswith("Done.")


def _bare(text: str) -> str:
    without_fences = re.sub(r"^(?:`{3,}|~{3,})\w*$", "", text, flags=re.MULTILINE)
    return "".join(without_fences.replace("\u200b", "").split())


def _is_closed(part: str) -> bool:
    marker = ""
    for line in part.split("\n"):
        fence = re.match(r"(`{3,}|~{3,})(\w*)$", line)
        if fence and not marker:
            marker = fence[1]
        elif fence and fence[1].startswith(marker) and not fence[2]:
            marker = ""
    return not marker


def test_what_is_below_an_answer() -> None:
    """Notices, then the memories used and the feedback buttons, each naming the message; on the last post only."""
    reply = Reply(text="word " * 5_000, notices=("Memory is slow.",), used=(_used(), _used(), _used()))

    *earlier, last = parts(reply, message_id="7")

    assert earlier and all(post.below == () for post in earlier)
    assert [block["type"] for block in last.below] == ["context", "actions", "context_actions"]
    assert last.below[0]["elements"][0]["text"] == "Memory is slow."
    [button], [feedback] = last.below[1]["elements"], last.below[2]["elements"]
    assert (button["action_id"], button["value"], button["text"]["text"]) == (NAMES["why"], "7", "Used 3 memories")
    assert feedback["action_id"] == FEEDBACK
    assert [feedback[name]["value"] for name in ("positive_button", "negative_button")] == ["good:7", "bad:7"]


def test_no_button_where_nothing_was_used() -> None:
    """An answer without memories has feedback buttons only."""
    [post] = parts(Reply(text="Hi."), message_id="7")

    assert [block["type"] for block in post.below] == ["context_actions"]


def test_a_failed_turn_shows_its_words_and_id() -> None:
    """What was shown before stays, the fixed words and the id follow, and there are no buttons."""
    reply = Reply(text="The answer was cut off.", failed=True, correlation_id="ab12")

    [post] = parts(reply, message_id="7", partial="First, look at\n```sh\nkubectl get")

    shown = visible_text(post.blocks)
    assert shown == "First, look at\n```sh\nkubectl get\n```\nThe answer was cut off.\nError id: ab12"
    assert {block["type"] for block in post.blocks} == {"markdown", "section"}


def test_the_words_of_a_failed_turn_stand_once_in_plain_blocks() -> None:
    """As they are, where Slack takes no other blocks."""
    [post] = parts(Reply(text="I can't <now> & here.", failed=True), message_id="7")

    assert visible_text(post.plain_blocks) == "I can't <now> & here."


def test_an_answer_that_another_process_made_counts_its_memories() -> None:
    """They are not at hand, and their number is."""
    [post] = parts(Reply(text="Hi.", used_before=2), message_id="7")

    assert post.below[0]["elements"][0]["text"]["text"] == "Used 2 memories"


def test_what_was_remembered_can_be_taken_back() -> None:
    """Each with its own button for the asker; what is too much is counted, and plain blocks have no button."""
    facts = tuple(stored_fact(number, f"Fact {number} is true.") for number in range(1, 6))
    [post] = parts(Reply(text="Hi.", remembered=facts), asker=ASKER)
    told = [block for block in post.blocks if "accessory" in block]

    assert [block["accessory"]["action_id"] for block in told] == [f"recall_forget:{number}" for number in (1, 2, 3)]
    assert [_press(block["accessory"]) for block in told] == [
        Press(action="forget", user=ASKER, what=f"#{number}") for number in (1, 2, 3)
    ]
    assert "I'll remember that: Fact 1 is true." in visible_text(post.blocks)
    assert "… and 2 more: /memories" in visible_text(post.blocks)
    assert not any("accessory" in block for block in post.plain_blocks)


def test_too_many_notices_are_counted() -> None:
    """More lines than there is room for end in how many more there are."""
    [post] = parts(Reply(text="Hi.", notices=tuple(f"notice {number}" for number in range(20))))

    lines = [element["text"] for element in post.below[0]["elements"]]
    assert lines[:2] == ["notice 0", "notice 1"] and lines[-1] == "… and 14 more."


@given(st.text(alphabet="<>&ab漢😀", max_size=4_000))
def test_the_fallback_is_cut_between_characters(text: str) -> None:
    """It is within its bytes, and never ends in half an escape."""
    cut = fallback(text)

    assert len(cut.encode()) <= TEXT_BYTES
    unescaped = cut.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert unescaped == text or (cut.endswith("…") and text.startswith(unescaped[:-1]))


def test_plain_blocks_keep_the_words() -> None:
    """Where Slack takes no Markdown, the same words and notices go out without buttons."""
    [post] = parts(Reply(text="# Title\n" + "w" * 7_000, notices=("Note.",)), message_id="7")

    assert {block["type"] for block in post.plain_blocks} == {"section", "context"}
    assert visible_text(post.plain_blocks).replace("\n", "") == "# Title" + "w" * 7_000 + "Note."
    assert isinstance(post, Post)


def _press(button: dict[str, Any]) -> Press | None:
    return decoded(button["action_id"], button["value"], team="T1", channel="C1")


def _used() -> Recalled:
    memory = Recallable(
        key=MemoryKey("f1"),
        kind="fact",
        owner=UserId("test:acme:ana"),
        number=1,
        text="Prod is in eu-west-1.",
        author="ana",
        said_at=NOON,
        session_id=SessionId("test:acme:ops:1"),
        thread="ops",
        sources=(MessageId(1),),
    )
    return Recalled(memory=memory, similarity=0.9, score=1.0)
