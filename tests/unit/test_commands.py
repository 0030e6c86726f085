"""The memory commands' words: what is understood, when a question is asked, and how lines read."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bots.commands import (
    FORGET_USAGE,
    counted,
    memory_line,
    needs_question,
    parse_forget,
    plan_digest,
    recalled_line,
    receipt_line,
)
from memory.audience import private_to
from memory.errors import InputError
from memory.model import (
    About,
    Everything,
    ForgetPlan,
    ForgetTarget,
    Last,
    Memory,
    MemoryKey,
    MessageId,
    Numbered,
    Recallable,
    Receipt,
    SessionId,
    ThisThread,
    UserId,
)

OWNER = UserId("console:local:ana")
SESSION = SessionId("console:local:ana:main")
SAID_AT = datetime(2026, 11, 2, 23, 59, tzinfo=UTC)


def _memory(number: int = 7, text: str = "I run EKS.", **more: object) -> Memory:
    values: dict[str, object] = {
        "key": MemoryKey(f"f{number}"),
        "number": number,
        "subject": "person",
        "kind": "other",
        "text": text,
        "audience": private_to(OWNER),
        "said_at": SAID_AT,
        "session_id": SESSION,
        "thread": "main",
    }
    return Memory(**(values | more))  # type: ignore[arg-type]  # the defaults above, and what a test changes


def _plan(*, memories: int = 0, messages: int = 0) -> ForgetPlan:
    return ForgetPlan(
        owner=OWNER,
        memories=tuple(_memory(number) for number in range(memories)),
        message_ids=tuple(MessageId(number) for number in range(messages)),
        reply_ids=(),
        session_ids=(),
    )


@pytest.mark.parametrize(
    ("argument", "target"),
    [
        ("7", Numbered(number=7)),
        ("#7", Numbered(number=7)),
        (" #007 ", Numbered(number=7)),
        ("last", Last()),
        ("LAST", Last()),
        ("this thread", ThisThread(session_id=SESSION)),
        ("this   Thread", ThisThread(session_id=SESSION)),
        ("everything", Everything()),
        ("all", Everything()),
        ("about my old laptop", About(words="my old laptop")),
        ("About EKS", About(words="EKS")),
        ("prod database", About(words="prod database")),
        ("about last", About(words="last")),
        ("about 7", About(words="7")),
        ("aboutness", About(words="aboutness")),
    ],
)
def test_what_to_forget_is_understood(argument: str, target: ForgetTarget) -> None:
    """A number, `last`, `this thread`, `everything`, and words with or without `about`."""
    assert parse_forget(argument, session_id=SESSION) == target


@pytest.mark.parametrize("argument", ["", "   ", "about", "About "])
def test_nothing_named_is_explained(argument: str) -> None:
    """Without words there is nothing to forget, and everything is never guessed."""
    with pytest.raises(InputError, match=FORGET_USAGE):
        parse_forget(argument, session_id=SESSION)


@pytest.mark.parametrize("argument", ["1 2", "#1, #2", "1,2 3"])
def test_several_numbers_are_refused(argument: str) -> None:
    """Numbers are not mistaken for words to look for."""
    with pytest.raises(InputError, match="One number at a time"):
        parse_forget(argument, session_id=SESSION)


def test_this_thread_needs_one() -> None:
    """Outside of a thread, "this thread" names nothing."""
    with pytest.raises(InputError, match="no current one"):
        parse_forget("this thread", session_id=None)


@pytest.mark.parametrize(
    ("plan", "target", "asks"),
    [
        (_plan(memories=1, messages=3), Numbered(number=1), False),
        (_plan(memories=2), Numbered(number=1), True),
        (_plan(memories=1, messages=1), Last(), False),
        (_plan(memories=1, messages=3), About(words="x"), False),
        (_plan(messages=2), About(words="x"), True),
        (_plan(messages=1), About(words="x"), False),
        (_plan(memories=1, messages=2), ThisThread(session_id=SESSION), True),
        (_plan(memories=1, messages=2), Everything(), True),
        (_plan(memories=1, messages=1), Everything(), False),
        (_plan(memories=2), Everything(), True),
    ],
)
def test_more_than_one_memory_is_asked_about(plan: ForgetPlan, target: ForgetTarget, *, asks: bool) -> None:
    """One memory goes at once; more of them, or the messages of a whole thread, only after a question."""
    assert needs_question(plan, target) == asks


def test_a_memory_reads_as_one_line() -> None:
    """Its number, its text, the day and the thread; line breaks in the text do not break the list."""
    line = memory_line(_memory(text="I run\n  EKS.", thread='the "big" one'))

    assert line == '#7  I run EKS.  (2026-11-02, thread "the "big" one")'


def test_a_memory_of_the_past_says_until_when() -> None:
    """A superseded fact names the day it ended and what stands in its place."""
    line = memory_line(_memory(valid_until=datetime(2026, 12, 1, tzinfo=UTC), superseded_by_number=9, thread=""))

    assert line == "#7  I run EKS.  (2026-11-02, until 2026-12-01, now #9)"


def test_a_long_text_is_cut_in_a_list() -> None:
    """A list stays readable whatever was said."""
    recallable = Recallable(
        key=MemoryKey("m1.1"),
        kind="turn",
        owner=OWNER,
        number=None,
        text="log " * 1_000,
        author="ana",
        said_at=SAID_AT,
        session_id=SESSION,
        thread="main",
    )

    line = recalled_line(recallable)

    assert line.startswith('-  "log log ')
    assert line.endswith('…"  (ana, 2026-11-02, thread "main")')
    assert len(line) < 400


def test_a_digest_is_another_one_for_every_other_plan() -> None:
    """Whoever agrees to a plan agrees to just that; the order of its parts says nothing."""
    plan = _plan(memories=2, messages=2)
    shuffled = replace(plan, memories=plan.memories[::-1], message_ids=plan.message_ids[::-1])
    others = [
        _plan(memories=3, messages=2),
        _plan(memories=2, messages=3),
        replace(plan, everything=True),
        replace(plan, owner=UserId("console:local:bob")),
        replace(plan, reply_ids=(MessageId(9),)),
        replace(plan, chosen_ids=plan.message_ids),
        replace(plan, message_ids=(), reply_ids=plan.message_ids),
    ]

    assert plan_digest(shuffled) == plan_digest(plan)
    assert len({plan_digest(each) for each in [plan, *others]}) == len(others) + 1


def test_a_receipt_counts_what_went() -> None:
    """Singular and plural, and only what there was."""
    assert receipt_line(Receipt(facts=2, messages=1, replies=1)) == "Forgotten: 2 facts, 1 message, 1 reply."
    assert receipt_line(Receipt(episodes=1, replies=3, summaries=2)) == "Forgotten: 1 episode, 3 replies, 2 summaries."
    assert receipt_line(Receipt()) == "Nothing was left to forget."


def test_counts_carry_their_noun() -> None:
    """One is singular, none and many are plural."""
    assert [counted(number, "fact") for number in (0, 1, 2)] == ["0 facts", "1 fact", "2 facts"]
