"""How memories and counts read."""

from datetime import UTC, datetime

from bots.wording import counted, listed, memory_line, recalled_line, receipt_line
from memory.audience import private_to
from memory.model import Memory, MemoryKey, Recallable, Receipt, SessionId, UserId

OWNER = UserId("console:local:ana")
SESSION = SessionId("console:local:ana:main")
SAID_AT = datetime(2026, 11, 2, 23, 59, tzinfo=UTC)


def _memory(text: str = "I run EKS.", **more: object) -> Memory:
    values: dict[str, object] = {
        "key": MemoryKey("f7"),
        "number": 7,
        "subject": "person",
        "kind": "other",
        "text": text,
        "audience": private_to(OWNER),
        "said_at": SAID_AT,
        "session_id": SESSION,
        "thread": "main",
    }
    return Memory(**(values | more))  # type: ignore[arg-type]  # the defaults above, and what a test changes


def test_a_memory_reads_as_one_line() -> None:
    """Its number, its text, the day and the thread; line breaks in the text do not break the list."""
    line = memory_line(_memory(text="I run\n  EKS.", thread='the "big" one'))

    assert line == '#7  I run EKS.  (2026-11-02, thread "the "big" one")'


def test_a_memory_of_the_past_says_until_when() -> None:
    """A superseded fact names the day it ended and what stands in its place."""
    line = memory_line(_memory(valid_until=datetime(2026, 12, 1, tzinfo=UTC), superseded_by_number=9, thread=""))

    assert line == "#7  I run EKS.  (2026-11-02, until 2026-12-01, now #9)"


def test_a_widened_memory_says_so() -> None:
    """Its owner sees where it may turn up; what is history turns up nowhere."""
    past = datetime(2026, 12, 1, tzinfo=UTC)

    assert memory_line(_memory(widened=True, thread="")) == "#7  I run EKS.  (2026-11-02, usable anywhere)"
    assert "anywhere" not in memory_line(_memory(widened=True, valid_until=past))


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


def test_a_receipt_counts_what_went() -> None:
    """Singular and plural, and only what there was."""
    assert receipt_line(Receipt(facts=2, messages=1, replies=1)) == "Forgotten: 2 facts, 1 message, 1 reply."
    assert receipt_line(Receipt(episodes=1, replies=3, summaries=2)) == "Forgotten: 1 episode, 3 replies, 2 summaries."
    assert receipt_line(Receipt()) == "Nothing was left to forget."


def test_counts_carry_their_noun() -> None:
    """One is singular, none and many are plural."""
    assert [counted(number, "fact") for number in (0, 1, 2)] == ["0 facts", "1 fact", "2 facts"]


def test_parts_are_enumerated() -> None:
    """With commas, and an "and" before the last."""
    assert [listed("a"), listed("ab"), listed("abc")] == ["a", "a and b", "a, b and c"]
