"""Sheets as Slack's blocks, within Slack's limits, in which nothing is live."""

from dataclasses import replace
from typing import Any

import pytest

from bots.commands import CommandResult
from bots.desk.home import home_sheet, settings_sheet
from bots.desk.lists import memory_list, question, reasons, remembered
from bots.desk.sheets import Announcement, Export, Sheet, Words
from bots.press import Press
from bots.slack.press import SEARCH, decoded
from bots.slack.views import HINT, TITLE, View, view
from bots.slack.ways import WAYS
from memory.model import ForgetPlan, MessageId, Recallable, SessionId, Usage, UserId, WidenPlan
from memory.personal import Pauses
from tests.fakes.slack.limits import check_blocks, mass_mentions, pinging_texts, total_chars
from tests.fakes.values import recallable
from tests.fakes.values import shown_memory as memory

OWNER = UserId("slack:T1:U1")
THREAD = SessionId("slack:T1:C1:1.2")
HERE = Press(action="page", user=OWNER)
LIVE = "<!channel> & <@U2> *bold* https://x.test"
LONGEST = "<&>" * 1_000 + "🚀" * 2_000
LINK = "https://acme.slack.test/archives/C1/p1?thread_ts=1.2&cid=C1"
MOST_CHARS = 13_200

_ALL_KINDS = ("profile", "preference", "environment", "procedure", "decision", "other", "episode")
_PAUSED = Pauses(person=True, thread=False)
_MOST = Usage(questions=10**6, answers=10**6, tokens=10**12, kept=dict.fromkeys((*_ALL_KINDS, LIVE), 10**6))


def _given(number: int | None, text: str) -> Recallable:
    return recallable(number, text, author=LIVE, thread=LIVE, link=LINK)


def _found(*, kinds: int, **more: Any) -> CommandResult:
    numbers = range(99)
    found = (memory(each, LONGEST, kind=_ALL_KINDS[each % kinds], **more) for each in numbers)
    return CommandResult(text=LIVE, memories=tuple(found))


_TWO = (memory(1), memory(2))
_FORGET = ForgetPlan(owner=OWNER, memories=_TWO, message_ids=(MessageId(4),), reply_ids=(), session_ids=())
_WIDEN = WidenPlan(owner=OWNER, memories=_TWO)
_WHY = Press(action="forget", user=OWNER, why="1.2", thread=THREAD)

SHEETS: dict[str, Sheet] = {
    "list": memory_list(
        [memory(each, LONGEST, thread=LIVE * 9) for each in range(99)], replace(HERE, page=3), ways=WAYS
    ),
    "searched": memory_list([memory(text=LIVE)], replace(HERE, words=LIVE, page=0), ways=WAYS, note=LONGEST),
    "reasons": reasons([_given(each, LONGEST) for each in range(40)], _WHY, ways=WAYS, note="!"),
    "others": reasons([_given(None, LIVE)], _WHY, ways=WAYS),
    "question": question(CommandResult(text="Forget 2?", question=_FORGET), replace(HERE, what="about " + "é" * 200)),
    "widen all": question(CommandResult(text="Let 2?", question=_WIDEN), replace(HERE, what="all", home=True)),
    "remembered": remembered(CommandResult(text=LIVE, memories=_TWO), OWNER, note=LIVE, use_private="Use it"),
    "home": home_sheet(
        _found(kinds=2, thread=LIVE * 9),
        replace(HERE, words=LIVE, page=3),
        ways=WAYS,
        usage=_MOST,
        paused=False,
        note=LONGEST,
    ),
    "home of all kinds": home_sheet(
        _found(kinds=7, widened=True), replace(HERE, page=2), ways=WAYS, usage=Usage(), paused=True, note=LONGEST
    ),
    "empty home": home_sheet(CommandResult(text=LIVE), HERE, ways=WAYS, usage=Usage(), paused=True),
    "settings": settings_sheet(LIVE, replace(HERE, thread=THREAD), ways=WAYS, usage=Usage(), pauses=_PAUSED, note=LIVE),
    "announcement": Announcement(OWNER, LIVE),
    "long words": Words("line\n" * 9_000),
    "one long line": Words(LONGEST * 5),
    "export": Export("{}", Words(LIVE)),
}


def _buttons(shown: View) -> list[dict[str, Any]]:
    found = [block.get("accessory") for block in shown.blocks]
    found += [element for block in shown.blocks if block["type"] == "actions" for element in block["elements"]]
    return [button for button in found if button]


def _pressed(button: dict[str, Any]) -> Press | None:
    return decoded(button["action_id"], button["value"], team="T1", channel="C1")


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS)
def test_every_sheet_is_within_slacks_limits_and_pings_nobody(sheet: Sheet) -> None:
    """Whatever the memories say."""
    shown = view(sheet)
    blocks = list(shown.blocks)
    is_home = shown.text == TITLE
    action_ids = [button["action_id"] for button in _buttons(shown)]

    assert check_blocks(blocks, "home" if is_home else "message") == []
    assert is_home or total_chars(blocks) <= MOST_CHARS
    assert len(shown.text.encode()) <= 3_000
    said = [block for block in blocks if block["type"] != "input"]  # what stands in a field pings nobody
    assert [each for text in pinging_texts([*said, shown.text]) for each in mass_mentions(text)] == []
    assert len(action_ids) == len(set(action_ids))
    assert all(_pressed(button) is not None for button in _buttons(shown))


def test_a_line_has_number_text_date_and_source() -> None:
    """Each with its own Forget; a link that is none of ours is left out."""
    ask = replace(HERE, page=0)
    shown = view(memory_list([memory(7, link=LINK), memory(8, link="javascript:alert(1)|x")], ask, ways=WAYS))
    texts = [block["text"]["text"] for block in shown.blocks if block["type"] == "section"]
    abouts = [block["elements"][0]["text"] for block in shown.blocks if block["type"] == "context"]

    assert texts == ["#7  I run EKS.", "#8  I run EKS."]
    assert abouts == [
        "2 memories, newest first. Only you see this.",
        f'2026-11-02 · <{LINK}|source> · thread "main"',
        '2026-11-02 · thread "main"',
    ]
    assert [_pressed(button) for button in _buttons(shown)] == [
        replace(ask, action="forget", what="#7"),
        replace(ask, action="forget", what="#8"),
    ]


def test_the_home_tab_is_read_from_top_to_bottom() -> None:
    """What came of what they did, the switch, the search, memories with all that can be done, usage, the rest."""
    found = CommandResult(text="", memories=(memory(1), memory(2, widened=True)))
    tab = view(home_sheet(found, replace(HERE, words="eks"), ways=WAYS, usage=Usage(), paused=True, note="Done."))
    shown = [block["text"]["text"] for block in tab.blocks if block["type"] in {"header", "section"}]
    (field,) = (block["element"] for block in tab.blocks if block["type"] == "input")

    assert shown == [
        TITLE,
        "Done.",
        "Memory is paused for you: I keep nothing of what you say.",
        "Other",
        "#1  I run EKS.",
        "#2  I run EKS.",
        "In the last 30 days: 0 questions, 0 answers, 0 tokens.\nKept: nothing.",
    ]
    assert (field["action_id"], field["initial_value"]) == (SEARCH, "eks")
    assert tab.blocks[1]["elements"][0]["text"] == HINT
    assert [button["action_id"] for button in _buttons(tab)] == [
        "recall_resume",
        "recall_forget:1",
        "recall_widen:1",
        "recall_forget:2",
        "recall_narrow:2",
        "recall_export",
        "recall_widen:all",
        "recall_narrow:all",
    ]


def test_what_came_of_it_stands_above_the_settings() -> None:
    """And below them the buttons that change them."""
    shown = view(SHEETS["settings"])

    assert shown.blocks[0]["text"]["text"] == LIVE
    assert [button["action_id"] for button in _buttons(shown)][:2] == ["recall_resume", "recall_pause:thread"]


def test_memories_of_others_cannot_be_forgotten() -> None:
    """They have no number; who said it is named, and nothing in the name is live."""
    shown = view(SHEETS["others"])

    assert [button["action_id"] for button in _buttons(shown)] == ["recall_keep"]
    assert "&lt;!channel&gt;" in shown.blocks[2]["elements"][0]["text"]


def test_an_announcement_is_for_all_and_mentions_who_did_it() -> None:
    """Nobody else in it is mentioned."""
    shown = view(SHEETS["announcement"])

    assert shown.is_for_all and shown.text.startswith("<@U1> &lt;!channel&gt;")
    assert not view(SHEETS["settings"]).is_for_all


def test_of_an_export_is_shown_what_comes_then() -> None:
    """What it holds is sent elsewhere."""
    assert view(SHEETS["export"]) == view(Words(LIVE))
