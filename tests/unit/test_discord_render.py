"""Replies as Discord posts: nothing lost, nothing over a limit, every code block closed."""

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bots.discord.buttons import view_of
from bots.discord.marks import decoded
from bots.discord.render import CONTENT_CHARS, Answered, Post, is_stand_in, parts, so_far, thinking, waiting
from bots.discord.room import thread_name
from bots.platform import Reply
from tests.fakes.discord.limits import check_message
from tests.fakes.values import stored_fact

ANSWERED = Answered(guild="9" * 20, thread="9" * 20, message="9" * 20, asker="9" * 20)
_WORDS = st.text(alphabet="ab é漢😀 .\n<>@#*_|", max_size=200)
_CODE = st.builds(
    lambda marker, language, code, closed: f"\n{marker}{language}\n{code}\n{marker if closed else ''}\n",
    st.sampled_from(["```", "````", "~~~"]),
    st.sampled_from(["", "python", "yaml"]),
    st.text(alphabet="xy \n", max_size=400),
    st.booleans(),
)
_REPEATED = st.builds(lambda text, times: text * times, st.one_of(_WORDS, _CODE), st.integers(1, 120))
_ANSWERS = st.lists(_REPEATED, max_size=4).map("".join)


def units(text: str) -> int:
    """Return how long a text is the way JavaScript counts, which is never less than Python's."""
    return len(text.encode("utf-16-le")) // 2


def body(post: Post) -> dict[str, Any]:
    """Return a post as it goes to Discord."""
    view = view_of(post.buttons)
    return {"content": post.content, "components": view.to_components() if view is not None else []}


@settings(max_examples=60)
@given(_ANSWERS, st.lists(_WORDS, max_size=12), st.integers(0, 6), st.booleans())
async def test_every_post_is_within_the_limits(text: str, notices: list[str], count: int, failed: bool) -> None:
    """Discord takes every post, with all that is below the answer, whichever way it counts."""
    facts = tuple(stored_fact(number, text) for number in range(count))
    reply = Reply(text=text, notices=tuple(notices), used_before=count, remembered=facts, failed=failed)

    for post in parts(reply, ANSWERED, partial=text):
        check_message(body(post))
        assert post.content.strip()
        assert units(post.content) <= CONTENT_CHARS
        assert all(decoded(button.custom_id) is not None for button in post.buttons)


@settings(max_examples=60)
@given(_ANSWERS)
def test_the_posts_joined_are_the_answer(text: str) -> None:
    """Nothing is lost or put in another order; only fences and white space differ."""
    shown = "".join(f"{post.content}\n" for post in parts(Reply(text=f"{text} end"), ANSWERED))

    assert _bare(shown) == _bare(f"{text} end")


@settings(max_examples=60)
@given(_ANSWERS)
async def test_an_answer_so_far_is_within_the_limits_and_closed(text: str) -> None:
    """At any moment: the last post can be stopped, and no post is blank."""
    posts = so_far(text, ANSWERED)

    assert [any(button.label == "Stop" for button in post.buttons) for post in posts] == [
        number == len(posts) - 1 for number in range(len(posts))
    ]
    for post in posts:
        check_message(body(post))
        assert post.content.strip()
        assert _is_closed(post.content)


def test_code_goes_on_in_its_language() -> None:
    """A code block longer than a post is opened again in the same language."""
    code = "".join(f"print({number})\n" for number in range(600))
    posts = parts(Reply(text=f"Run this:\n```python\n{code}```\nDone."), ANSWERED)

    assert len(posts) > 2
    assert all(post.content.startswith("```python\n") for post in posts[1:-1])
    assert posts[-1].content.endswith("Done.")


def test_lone_surrogates_can_be_sent() -> None:
    """Half a character becomes the replacement character, wherever it stands."""
    [post] = parts(Reply(text="a \ud83d b", notices=("n \udc00",)), ANSWERED)

    assert post.content == "a \ufffd b\n-# n \ufffd"


def test_all_parts_of_a_failed_reply_are_marked_as_such() -> None:
    """So that another attempt takes all of them back."""
    posts = parts(Reply(text="No answer.", failed=True), ANSWERED, partial="word " * 900)
    marks = [[decoded(button.custom_id) for button in post.buttons] for post in posts]

    assert len(posts) == 3
    assert all(mark is not None and mark.is_failed for row in marks for mark in row)


def test_undo_says_which_only_where_there_are_several() -> None:
    """Below what is remembered by hand there is one, which is called the same."""

    def undos(count: int) -> list[str]:
        facts = tuple(stored_fact(number, "I like tabs.") for number in range(1, count + 1))
        [post] = parts(Reply(text="Noted.", remembered=facts), ANSWERED)
        return [button.label for button in post.buttons if button.label.startswith("Undo")]

    assert undos(1) == ["Undo"]
    assert undos(2) == ["Undo #1", "Undo #2"]


def test_stand_ins_are_known_as_such() -> None:
    """They carry nothing of an answer, and may be taken back."""
    assert is_stand_in(thinking(ANSWERED).content)
    assert is_stand_in(waiting("Queued: *earlier*\nmessages.", ANSWERED).content)
    assert not is_stand_in(parts(Reply(text="Hi."), ANSWERED)[0].content)


@given(st.text(max_size=400))
def test_a_thread_has_a_name_that_discord_takes(words: str) -> None:
    """On one line, with the first words."""
    name = thread_name(words)

    assert 1 <= len(name) <= 100
    assert len(name.splitlines()) == 1


def _bare(text: str) -> str:
    without_fences = re.sub(r"^(?:`{3,}|~{3,})\w*$", "", text, flags=re.MULTILINE)
    return "".join(without_fences.split())


def _is_closed(part: str) -> bool:
    marker = ""
    for line in part.split("\n"):
        fence = re.match(r"(`{3,}|~{3,})(\w*)$", line)
        if fence and not marker:
            marker = fence[1]
        elif fence and fence[1].startswith(marker) and not fence[2]:
            marker = ""
    return not marker
