"""The memory commands' words: what is understood, and when a question is asked."""

from dataclasses import replace

import pytest

from bots.commands import (
    FORGET_USAGE,
    WIDEN_USAGE,
    needs_question,
    parse_forget,
    parse_widen,
    plan_digest,
)
from memory.errors import InputError
from memory.model import (
    About,
    Everything,
    ForgetPlan,
    ForgetTarget,
    Last,
    MessageId,
    Numbered,
    SessionId,
    ThisThread,
    UserId,
    WidenPlan,
)
from tests.fakes.values import shown_memory

OWNER = UserId("console:local:ana")
SESSION = SessionId("console:local:ana:main")


def _plan(*, memories: int = 0, messages: int = 0) -> ForgetPlan:
    return ForgetPlan(
        owner=OWNER,
        memories=tuple(shown_memory(number) for number in range(memories)),
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


def test_a_digest_of_widening_is_another_one_than_of_forgetting() -> None:
    """A yes to one of them is none to the other, nor to other memories."""
    plan = _plan(memories=2)
    both = WidenPlan(owner=OWNER, memories=plan.memories)
    shuffled, fewer = replace(both, memories=plan.memories[::-1]), replace(both, memories=plan.memories[:1])
    other = replace(both, owner=UserId("console:local:bob"))

    assert plan_digest(shuffled) == plan_digest(both)
    assert len({plan_digest(plan), plan_digest(both), plan_digest(fewer), plan_digest(other)}) == 4


@pytest.mark.parametrize(("argument", "number"), [("7", 7), (" #007 ", 7), ("all", None), ("Everything", None)])
def test_what_to_widen_is_understood(argument: str, number: int | None) -> None:
    """A number, or all."""
    assert parse_widen(argument) == number


@pytest.mark.parametrize("argument", ["", "last", "about EKS", "1 2", "seven"])
def test_anything_else_is_widened_by_no_guess(argument: str) -> None:
    """What others may get to read is named, or it stays as it is."""
    with pytest.raises(InputError, match=WIDEN_USAGE):
        parse_widen(argument)
