"""Memories as sheets: pages, kinds, reasons, questions, and what their buttons stand for."""

from dataclasses import replace

import pytest

from bots.commands import CommandResult
from bots.desk.desk import target_of
from bots.desk.home import home_sheet, settings_sheet
from bots.desk.lists import line, memory_list, question, reasons, remembered
from bots.desk.sheets import Home, Offer, Words
from bots.press import MOST_WORDS, Action, Button, Press
from bots.slack.ways import WAYS
from memory.errors import InputError
from memory.model import (
    About,
    Audience,
    ForgetPlan,
    Last,
    MessageId,
    Numbered,
    SessionId,
    ThisMessage,
    ThisThread,
    Usage,
    WidenPlan,
    episode_key,
    fact_key,
)
from memory.personal import Pauses
from tests.fakes.values import person, recallable, shown_memory

OWNER = person("ana").user_id
THREAD = SessionId("test:acme:ops:1")
HERE = Press(action="page", user=OWNER)


def _home(*kinds: str, page: int | None = None, usage: Usage | None = None) -> Home:
    found = CommandResult(
        text="Nothing.", memories=tuple(shown_memory(number, kind=kind) for number, kind in enumerate(kinds))
    )
    return home_sheet(found, replace(HERE, page=page), ways=WAYS, usage=usage or Usage(), paused=False)


def _forgetting(count: int) -> CommandResult:
    plan = ForgetPlan(
        owner=OWNER,
        memories=tuple(shown_memory(number) for number in range(count)),
        message_ids=(MessageId(4),),
        reply_ids=(),
        session_ids=(),
    )
    return CommandResult(text="Forget them?", question=plan)


def _presses(buttons: tuple[Button, ...]) -> dict[str, Press]:
    return {button.label: button.press for button in buttons}


@pytest.mark.parametrize(
    ("count", "page", "words", "heading", "turned"),
    [
        (1, 0, "", "1 memory, newest first. Only you see this.", {}),
        (10, 0, "eks", '10 memories with "eks", newest first. Only you see this.', {}),
        (23, 0, "", "1 to 10 of 23 memories, newest first. Only you see this.", {"Older": 1}),
        (23, 1, "a", '11 to 20 of 23 memories with "a", newest first. Only you see this.', {"Newer": 0, "Older": 2}),
        (11, 7, "", "11 to 11 of 11 memories, newest first. Only you see this.", {"Newer": 0}),
    ],
)
def test_a_list_is_shown_page_by_page(count: int, page: int, words: str, heading: str, turned: dict[str, int]) -> None:
    """A page that is gone, since what was on it has been forgotten meanwhile, is the last one."""
    ask = replace(HERE, page=page, words=words)
    sheet = memory_list([shown_memory(each) for each in range(count)], ask, ways=WAYS, note="Done.")
    shown = {button.label: button.press.page for button in sheet.turn}

    assert (sheet.heading, shown, sheet.note) == (heading, turned, "Done.")
    assert all(button.press.action == "page" and button.press.words == words for button in sheet.turn)


def test_a_line_says_where_a_memory_comes_from() -> None:
    """Day, link and thread; and of a fact that is history until when, of one that was widened that it was."""
    now = line(shown_memory(7, link="https://x.test"), HERE, ways=WAYS).origin
    past = line(replace(shown_memory(7, widened=True), valid_until=shown_memory().said_at), HERE, ways=WAYS).origin

    assert (now.day, now.link, now.thread, now.until, now.reach) == (
        "2026-11-02",
        "https://x.test",
        'thread "main"',
        "",
        "",
    )
    assert (past.until, past.reach) == ("until 2026-11-02", "")
    assert line(shown_memory(7, widened=True, thread=""), HERE, ways=WAYS).origin.reach == "usable anywhere"


@pytest.mark.parametrize(
    ("audience", "widened", "kind", "offered"),
    [
        ("private:test:acme:ana", False, "fact", "widen"),
        ("channel:test:acme:ops", False, "fact", "widen"),
        ("workspace:test:acme", False, "fact", None),
        ("workspace:test:acme", True, "fact", "narrow"),
        ("private:test:acme:ana", False, "episode", None),
    ],
)
def test_what_can_be_widened_is_offered(audience: str, widened: bool, kind: str, offered: Action | None) -> None:
    """A fact that not everyone could read; what was widened can be taken back; a conversation is not theirs alone."""
    key = fact_key(1) if kind == "fact" else episode_key(1)
    shown = line(replace(shown_memory(1), key=key, audience=Audience(audience), widened=widened), HERE, ways=WAYS)

    assert shown.forget is not None and shown.forget.press == replace(HERE, action="forget", what="#1")
    assert (None if shown.reach is None else shown.reach.press.action) == offered


def test_the_overview_groups_memories_by_kind() -> None:
    """What a person is and prefers first; a kind of a later version counts as other; newest first within each."""
    groups = _home("episode", "preference", "unheard-of", "other", "preference").groups

    assert [(group.kind, [each.number for each in group.lines]) for group in groups] == [
        ("What you prefer", [1, 4]),
        ("Other", [3]),
        ("Conversations", [0]),
        ("Other", [2]),
    ]
    assert all(each.forget is not None and each.forget.press.home for group in groups for each in group.lines)


def test_the_overview_turns_its_pages() -> None:
    """It says which memories are shown; on one page it need not."""
    assert _home(*["other"] * 20).span == "" and _home(*["other"] * 20).turn == ()
    assert _home(*["other"] * 45, page=9).span == "41 to 45 of 45 memories"
    assert [button.label for button in _home(*["other"] * 45, page=1).turn] == ["Newer", "Older"]


def test_the_overview_shows_usage() -> None:
    """What was asked lately, and what is kept by kind in the order of the list; words when there are no memories."""
    usage = Usage(questions=12, answers=1, tokens=45_310, kept={"episode": 1, "preference": 3})
    sheet = _home(usage=usage)

    assert (sheet.groups, sheet.empty) == ((), "Nothing.")
    assert sheet.usage == (
        "In the last 30 days: 12 questions, 1 answer, 45,310 tokens.\n"
        "Kept: 4 memories (What you prefer: 3, Conversations: 1)."
    )


def test_the_switches_say_what_pressing_them_does() -> None:
    """For the person, and in a thread for everybody there; outside of a thread there is one."""
    pauses = Pauses(person=True, thread=False)
    inside = settings_sheet("On.", replace(HERE, thread=THREAD), ways=WAYS, usage=Usage(), pauses=pauses)
    outside = settings_sheet("On.", HERE, ways=WAYS, usage=Usage(), pauses=pauses, note="Done.")

    assert _presses(inside.buttons)["Resume memory"] == Press(action="resume", user=OWNER)
    assert _presses(inside.buttons)["Pause this thread"] == Press(action="pause", user=OWNER, thread=THREAD)
    assert "Pause this thread" not in _presses(outside.buttons) and outside.note == "Done."


def test_a_question_can_be_answered_for_just_that_plan() -> None:
    """Forget carries the plan's digest, Keep nothing but the person; without a question there is no button."""
    ask = Press(action="forget", user=OWNER, what="all")
    first, other = question(_forgetting(2), ask), question(_forgetting(3), ask)
    assert isinstance(first, Offer) and isinstance(other, Offer)
    agree, keep = first.buttons

    assert (agree.press.action, agree.press.what, agree.is_grave) == ("agree", "all", True)
    assert keep.press == Press(action="keep", user=OWNER)
    assert agree.press.digest not in {"", other.buttons[0].press.digest}
    assert question(CommandResult(text="Forgotten."), ask) == Words("Forgotten.")


def test_a_question_on_widening_all_widens() -> None:
    """Where it is asked stays known."""
    plan = WidenPlan(owner=OWNER, memories=(shown_memory(1), shown_memory(2)))
    asked = question(CommandResult(text="Let 2?", question=plan), replace(HERE, what="all", home=True))
    assert isinstance(asked, Offer)
    agree, keep = (button.press for button in asked.buttons)

    assert (agree.action, agree.what, agree.home, bool(agree.digest)) == ("widen", "all", True, True)
    assert (keep.action, keep.what, keep.home) == ("keep", "", True)


def test_what_was_remembered_can_be_taken_back() -> None:
    """And, where a platform offers that, what nobody else saw be used anywhere."""
    stored = CommandResult(text="Remembered.", memories=(shown_memory(7),))
    public = replace(stored, memories=(replace(shown_memory(8), audience=Audience("workspace:test:acme")),))
    plain = remembered(stored, OWNER, note="Nobody saw.")
    offered = remembered(stored, OWNER, use_private="Use it here")

    assert plain.text == "Remembered.\nNobody saw."
    assert _presses(plain.buttons) == {"Undo": Press(action="forget", user=OWNER, what="#7")}
    assert _presses(offered.buttons)["Use it here"] == Press(action="widen", user=OWNER, what="#7")
    assert list(_presses(remembered(public, OWNER, use_private="Use it here").buttons)) == ["Undo"]


def test_reasons_can_be_forgotten_when_they_are_ones_own() -> None:
    """Those of others have no number and name who said it; what is too much is counted."""
    given = [recallable(None), *(recallable(number) for number in range(1, 20))]
    sheet = reasons(given, Press(action="forget", user=OWNER, why="1.2", thread=THREAD), ways=WAYS)
    others, own = sheet.lines[:2]

    assert (others.shown, others.origin.by, others.forget) == ("“I run EKS.”", "bob", None)
    assert (own.shown, own.origin.by) == ("#1  I run EKS.", "")
    assert own.forget is not None and (own.forget.press.what, own.forget.press.why) == ("#1", "1.2")
    assert (len(sheet.lines), sheet.more) == (15, "… and 5 more.")
    assert sheet.keep.press == Press(action="keep", user=OWNER)


def test_what_does_not_fit_into_a_button_is_refused() -> None:
    """Before anything is shown."""
    with pytest.raises(InputError, match="too long"):
        Press(action="forget", what="x" * (MOST_WORDS + 1))


@pytest.mark.parametrize(
    ("press", "target"),
    [
        (Press(action="forget", what="#7"), Numbered(number=7)),
        (Press(action="forget", what="last", thread=THREAD), Last()),
        (Press(action="forget", what="this thread", thread=THREAD), ThisThread(session_id=THREAD)),
        (
            Press(action="agree", message="1.3", thread=THREAD),
            ThisMessage(session_id=THREAD, platform_message_id="1.3"),
        ),
        (Press(action="agree", what="about argo cd"), About(words="argo cd")),
    ],
)
def test_a_button_names_what_to_forget(press: Press, target: object) -> None:
    """As the command would."""
    assert target_of(press) == target
