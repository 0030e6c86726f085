"""What stands below a reply on every platform, and on which of its posts."""

from collections.abc import Sequence

from bots.platform import Reply
from bots.press import Press
from bots.reply import MOST_NOTICES, NOTICE_CHARS, PLACEHOLDER, WORDS_CHARS, Ending, parts
from tests.fakes.values import person, stored_fact

ASKER = person("ana").user_id


def _words(text: str) -> Sequence[str]:
    return text.split()


def _ending(reply: Reply, *, message: str = "7", partial: str = "") -> Ending:
    ending = parts(reply, split=_words, message=message, asker=ASKER, partial=partial)[-1].ending
    assert ending is not None
    return ending


def test_only_the_last_part_has_something_below() -> None:
    """Whatever the platform cuts an answer into."""
    *earlier, last = parts(Reply(text="one two three", notices=("Slow.",)), split=_words, message="7")

    assert [part.text for part in (*earlier, last)] == ["one", "two", "three"]
    assert [part.ending for part in earlier] == [None, None]
    assert last.ending is not None and last.ending.notices == ("Slow.",)


def test_an_answer_can_be_asked_about_and_judged_by_anybody() -> None:
    """Its buttons name the message; where no memory was used, there is nothing to ask about."""
    used, unused = _ending(Reply(text="Hi.", used_before=2)), _ending(Reply(text="Hi."))

    assert used.why is not None and used.why.label == "Used 2 memories"
    assert used.why.press == Press(action="why", message="7")
    assert [button.press for button in used.feedback] == [
        Press(action="good", message="7"),
        Press(action="bad", message="7"),
    ]
    assert (unused.why, unused.retry, unused.words) == (None, None, "")


def test_a_failed_turn_keeps_what_was_shown_and_can_be_tried_again_by_who_asked() -> None:
    """Its words name the line in the log; what is not kept cannot be tried again."""
    reply = Reply(text="It broke.", failed=True, correlation_id="ab12")
    found = parts(reply, split=_words, message="7", asker=ASKER, partial="At first")
    ending = _ending(reply)

    assert [(part.text, part.is_failed) for part in found] == [("At", True), ("first", True)]
    assert (ending.words, ending.why, ending.feedback) == ("It broke.\nError id: ab12", None, ())
    assert ending.retry is not None and ending.retry.press == Press(action="retry", user=ASKER, message="7")
    assert _ending(Reply(text="It broke.", failed=True, kept=False)).retry is None
    assert parts(reply, split=_words, message="7")[-1].ending == Ending(words="It broke.\nError id: ab12")


def test_nobody_is_asked_how_good_an_answer_was_that_is_withheld() -> None:
    """There is none; nor is anything left to try again."""
    ending = _ending(Reply(text="It is neither shown nor kept.", withheld=True))

    assert (ending.feedback, ending.why, ending.retry) == ((), None, None)


def test_there_is_always_something_to_post() -> None:
    """The words of a turn without an answer, or a sign that there are none; at most so many."""
    assert _ending(Reply(text=" ")).words == PLACEHOLDER
    assert len(_ending(Reply(text="x" * 9_999, failed=True)).words) == WORDS_CHARS
    assert parts(Reply(text="It broke.", failed=True), split=_words)[0].alone == "It broke."


def test_what_was_stored_can_be_taken_back_by_who_asked() -> None:
    """Line by line; what is too much is counted; also below a reply whose message is not named."""
    facts = tuple(stored_fact(number, f"Fact {number}.") for number in range(1, 6))
    ending = _ending(Reply(text="Hi.", remembered=facts), message="")

    assert [kept.text for kept in ending.kept] == [f"I'll remember that: Fact {number}." for number in (1, 2, 3)]
    assert [kept.undo.press for kept in ending.kept if kept.undo is not None] == [
        Press(action="forget", user=ASKER, what=f"#{number}") for number in (1, 2, 3)
    ]
    assert ending.more == "… and 2 more: /memories"
    assert ending.feedback == ()


def test_notices_are_few_and_short() -> None:
    """What is too much is counted, what is too long is cut, what is blank is left out."""
    notices = ("x" * 999, " ", *(f"notice {number}" for number in range(9)))
    shown = _ending(Reply(text="Hi.", notices=notices)).notices

    assert len(shown) == MOST_NOTICES and len(shown[0]) == NOTICE_CHARS
    assert shown[1] == "notice 0" and shown[-1] == "… and 4 more."
