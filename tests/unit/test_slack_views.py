"""Memories as Slack's blocks, what their buttons carry, and what people's words and payloads mean."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.commands import CommandResult
from bots.slack import asked, press, views
from bots.slack.asked import Asked
from bots.slack.home import TITLE, home_tab, settings_view
from bots.slack.press import MOST_WORDS, Press, decoded, encoded
from bots.verbs import Spoken, spoken
from memory.audience import private_to
from memory.errors import InputError
from memory.model import (
    About,
    Audience,
    ForgetPlan,
    Last,
    Memory,
    MemoryKey,
    MessageId,
    Numbered,
    Recallable,
    SessionId,
    ThisMessage,
    ThisThread,
    Usage,
    UserId,
    WidenPlan,
    episode_key,
    fact_key,
)
from memory.personal import Pauses
from tests.fakes.slack.limits import check_blocks, mass_mentions, pinging_texts, total_chars

OWNER = UserId("slack:T1:U1")
SAID_AT = datetime(2026, 11, 2, 23, 59, tzinfo=UTC)
LIVE = "<!channel> & <@U2> *bold* https://x.test"
MOST_CHARS = 13_200


def _memory(number: int = 7, text: str = "I run EKS.", **more: object) -> Memory:
    values: dict[str, object] = {
        "key": MemoryKey(f"f{number}"),
        "number": number,
        "subject": "person",
        "kind": "other",
        "text": text,
        "audience": private_to(OWNER),
        "said_at": SAID_AT,
        "session_id": SessionId("slack:T1:D1:1.2"),
        "thread": "main",
    }
    return Memory(**(values | more))  # type: ignore[arg-type]  # the defaults above, and what a test changes


def _recalled(number: int | None, text: str = "I run EKS.") -> Recallable:
    return Recallable(
        key=MemoryKey("m1.1"),
        kind="turn",
        owner=OWNER,
        number=number,
        text=text,
        author=LIVE,
        said_at=SAID_AT,
        session_id=SessionId("slack:T1:D1:1.2"),
        thread=LIVE,
        link="https://acme.slack.test/archives/C1/p1",
    )


def _question(memories: int = 2) -> CommandResult:
    plan = ForgetPlan(
        owner=OWNER,
        memories=tuple(_memory(number) for number in range(memories)),
        message_ids=(MessageId(4),),
        reply_ids=(),
        session_ids=(),
    )
    return CommandResult(text="Forget 2 memories?", question=plan)


_ALL_KINDS = ("profile", "preference", "environment", "procedure", "decision", "other", "episode")


def _widening() -> CommandResult:
    return CommandResult(text="Let 2 memories?", question=WidenPlan(owner=OWNER, memories=(_memory(1), _memory(2))))


def _buttons(view: views.View) -> list[dict[str, Any]]:
    found = [block.get("accessory") for block in view.blocks]
    found += [element for block in view.blocks if block["type"] == "actions" for element in block["elements"]]
    return [button for button in found if button]


LONGEST = "<&>" * 1_000 + "🚀" * 2_000

VIEWS = {
    "list": views.memory_list(
        [_memory(each, LONGEST, thread=LIVE * 9) for each in range(99)], Press(user="U1", page=3)
    ),
    "searched": views.memory_list([_memory(text=LIVE)], Press(user="U1", words=LIVE, page=0), note=LONGEST),
    "reasons": views.reasons([_recalled(each, LONGEST) for each in range(40)], Press(user="U1", why="1.2"), note="!"),
    "others": views.reasons([_recalled(None, LIVE)], Press(user="U1", why="1.2")),
    "question": views.question(_question(), Press(user="U1", what="about " + "é" * 200)),
    "remembered": views.remembered(CommandResult(text=LIVE, memories=(_memory(),)), "U1"),
    "home": home_tab(
        [_memory(each, LONGEST, thread=LIVE * 9, kind=("other", "decision")[each % 2]) for each in range(99)],
        Press(user="U1", words=LIVE, page=3),
        usage=Usage(questions=10**6, answers=10**6, tokens=10**12, kept=dict.fromkeys((*_ALL_KINDS, LIVE), 10**6)),
        note=LONGEST,
    ),
    "home of all kinds": home_tab(
        [_memory(each, LONGEST, kind=_ALL_KINDS[each % 7], widened=each % 2 == 1) for each in range(99)],
        Press(user="U1", page=2),
        usage=Usage(),
        paused=True,
        note=LONGEST,
    ),
    "settings": settings_view(
        LIVE, Press(user="U1", thread="1.2"), usage=Usage(), pauses=Pauses(person=True, thread=False), note=LIVE
    ),
    "widen all": views.question(_widening(), Press(user="U1", what="all", home=True)),
    "long words": views.words("line\n" * 9_000),
    "one long line": views.words(LONGEST * 5),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_every_view_is_within_slacks_limits_and_pings_nobody(view: views.View) -> None:
    """Whatever the memories say."""
    blocks = list(view.blocks)
    is_home = view.text == TITLE
    action_ids = [button["action_id"] for button in _buttons(view)]

    assert check_blocks(blocks, "home" if is_home else "message") == []
    assert is_home or total_chars(blocks) <= MOST_CHARS
    assert len(view.text.encode()) <= 3_000
    said = [block for block in blocks if block["type"] != "input"]  # what stands in a field pings nobody
    assert [each for text in pinging_texts([*said, view.text]) for each in mass_mentions(text)] == []
    assert len(action_ids) == len(set(action_ids))
    assert all(decoded(button["value"]) is not None for button in _buttons(view))


def test_a_line_has_number_text_date_and_source() -> None:
    """Each with its own Forget; a link that is none of ours is left out."""
    link = "https://acme.slack.test/archives/C1/p1?thread_ts=1.2&cid=C1"
    memories = [_memory(7, link=link), _memory(8, link="javascript:alert(1)|x")]
    view = views.memory_list(memories, Press(user="U1", page=0))
    texts = [block["text"]["text"] for block in view.blocks if block["type"] == "section"]
    abouts = [block["elements"][0]["text"] for block in view.blocks if block["type"] == "context"]

    assert texts == ["#7  I run EKS.", "#8  I run EKS."]
    assert abouts == [
        "2 memories, newest first. Only you see this.",
        f'2026-11-02 · <{link}|source> · thread "main"',
        '2026-11-02 · thread "main"',
    ]
    assert [decoded(button["value"]) for button in _buttons(view)] == [
        Press(user="U1", what="#7", page=0),
        Press(user="U1", what="#8", page=0),
    ]


def test_a_page_that_is_gone_is_the_last_one() -> None:
    """What was on it has been forgotten meanwhile."""
    view = views.memory_list([_memory(each) for each in range(11)], Press(user="U1", page=7))

    assert "11 to 11 of 11" in view.blocks[0]["elements"][0]["text"]


def test_the_home_tab_groups_memories_by_kind() -> None:
    """What a person is and prefers first; a kind of a later version counts as other; newest first within each."""
    kinds = ["episode", "preference", "unheard-of", "other", "preference"]
    tab = home_tab([_memory(number, kind=kind) for number, kind in enumerate(kinds)], Press(user="U1"), usage=Usage())
    shown = [block["text"]["text"] for block in tab.blocks if block["type"] in {"header", "section"}]

    assert shown == [
        TITLE,
        "Memory is on for you.",
        "What you prefer",
        "#1  I run EKS.",
        "#4  I run EKS.",
        "Other",
        "#3  I run EKS.",
        "Conversations",
        "#0  I run EKS.",
        "Other",
        "#2  I run EKS.",
        "In the last 30 days: 0 questions, 0 answers, 0 tokens.\nKept: nothing yet.",
    ]


def test_the_home_tab_shows_usage() -> None:
    """What was asked lately, and what is kept by kind in the order of the list."""
    usage = Usage(questions=12, answers=1, tokens=45_310, kept={"episode": 1, "preference": 3})
    tab = home_tab([], Press(user="U1"), usage=usage, empty="Nothing.")
    shown = [block["text"]["text"] for block in tab.blocks if block["type"] == "section"]

    assert shown == [
        "Memory is on for you.",
        "Nothing.",
        "In the last 30 days: 12 questions, 1 answer, 45,310 tokens.\nKept: What you prefer: 3, Conversations: 1.",
    ]


@pytest.mark.parametrize(
    ("audience", "widened", "kind", "offered"),
    [
        (Audience("private:slack:T1:U1"), False, "fact", "recall_widen:1"),
        (Audience("channel:slack:T1:C1"), False, "fact", "recall_widen:1"),
        (Audience("workspace:slack:T1"), False, "fact", None),
        (Audience("workspace:slack:T1"), True, "fact", "recall_narrow:1"),
        (Audience("private:slack:T1:U1"), False, "episode", None),
    ],
)
def test_the_home_tab_offers_to_widen_what_can_be_widened(
    audience: Audience, widened: bool, kind: str, offered: str | None
) -> None:
    """A fact that not everyone could read; what was widened can be taken back; a conversation is not theirs alone."""
    key = fact_key(1) if kind == "fact" else episode_key(1)
    memory = replace(_memory(1), key=key, audience=audience, widened=widened)
    tab = home_tab([memory], Press(user="U1"), usage=Usage())
    found = {button["action_id"] for button in _buttons(tab)} - {
        "recall_widen:all",
        "recall_narrow:all",
        "recall_pause",
    }

    assert found == {"recall_forget:1", "recall_export", offered} - {None}


def test_the_switches_say_what_pressing_them_does() -> None:
    """For the person, and in a thread for everybody there; outside of a thread there is one."""
    pauses = Pauses(person=True, thread=False)
    here = settings_view("State.", Press(user="U1", thread="1.2"), usage=Usage(), pauses=pauses)
    outside = settings_view("State.", Press(user="U1"), usage=Usage(), pauses=pauses, note="Done.")
    found = {button["action_id"]: decoded(button["value"]) for button in _buttons(here)}

    assert found["recall_resume"] == Press(user="U1")
    assert found["recall_pause:thread"] == Press(user="U1", thread="1.2")
    assert "recall_pause:thread" not in {button["action_id"] for button in _buttons(outside)}
    assert outside.blocks[0]["text"]["text"] == "Done."


def test_a_question_can_be_answered_for_just_that_plan() -> None:
    """Forget carries the plan's digest, Keep nothing but the person; without a question there is no button."""
    first, other = (
        views.question(_question(2), Press(user="U1", what="all")),
        views.question(_question(3), Press(user="U1", what="all")),
    )
    agree, keep = (decoded(button["value"]) for button in _buttons(first))
    changed = decoded(_buttons(other)[0]["value"])

    assert agree is not None and changed is not None
    assert (agree.user, agree.what, keep) == ("U1", "all", Press(user="U1"))
    assert agree.digest not in {"", changed.digest}
    assert _buttons(views.question(CommandResult(text="Forgotten."), Press(user="U1"))) == []


def test_memories_of_others_cannot_be_forgotten() -> None:
    """They have no number; who said it is named, and nothing in the name is live."""
    view = VIEWS["others"]

    assert [button["action_id"] for button in _buttons(view)] == ["recall_keep"]
    assert "&lt;!channel&gt;" in view.blocks[2]["elements"][0]["text"]


@given(words=st.text(max_size=MOST_WORDS), page=st.none() | st.integers(0, 99), thread=st.text(max_size=30))
def test_a_button_means_what_it_was_made_for(words: str, page: int | None, thread: str) -> None:
    """And its value holds nothing that Slack escapes."""
    made = Press(user="U1", what=words, words=words[:9], page=page, thread=thread, digest="d" * 24, why="1.2")
    value = encoded(made)

    assert decoded(value) == made
    assert not set(value) & set("<>&")


@pytest.mark.parametrize("value", [None, 7, "", "x", "[]", "{}", '{"user":"U1","other":1}', "null"])
def test_what_is_no_button_of_ours_is_none(value: object) -> None:
    """Of another app, or of another version."""
    assert decoded(value) is None


def test_what_does_not_fit_into_a_button_is_refused() -> None:
    """Before anything is shown."""
    with pytest.raises(InputError, match="too long"):
        Press(user="U1", what="x" * (MOST_WORDS + 1))


@pytest.mark.parametrize(
    ("made", "target"),
    [
        (Press(user="U1", what="#7"), Numbered(number=7)),
        (Press(user="U1", what="last", thread="1.2"), Last()),
        (Press(user="U1", what="this thread", thread="1.2"), ThisThread(session_id=SessionId("slack:T1:C1:1.2"))),
        (
            Press(user="U1", message="1.3", thread="1.2"),
            ThisMessage(session_id=SessionId("slack:T1:C1:1.2"), platform_message_id="1.3"),
        ),
        (Press(user="U1", what="about argo cd"), About(words="argo cd")),
    ],
)
def test_a_button_names_what_to_forget(made: press.Press, target: object) -> None:
    """In the channel it is pressed in."""
    assert made.target(team="T1", channel="C1") == target


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("forget this thread", Spoken("forget", "this thread")),
        (" Please forget  #7. ", Spoken("forget", "#7")),
        ("forget 7, 8", Spoken("forget", "7, 8")),
        ("forget about the staging cluster", Spoken("forget", "about the staging cluster")),
        ("FORGET EVERYTHING!", Spoken("forget", "EVERYTHING")),
        ("forget about v1.2 . !\n.", Spoken("forget", "about v1.2")),
        ("forget about ...", None),
        ("remember: I deploy\non Fridays", Spoken("remember", "I deploy\non Fridays")),
        ("memories", Spoken("memories")),
        ("memories argocd", Spoken("memories", "argocd")),
        ("memories about argo cd", Spoken("memories", "argo cd")),
        ("why", Spoken("why")),
        ("Why did you say that?", Spoken("why")),
        ("memory export", Spoken("export")),
        ("pause", Spoken("pause")),
        ("Pause memory.", Spoken("pause")),
        ("please pause my memory", Spoken("pause")),
        ("memory pause", Spoken("pause")),
        ("resume", Spoken("resume")),
        ("Resume my memory!", Spoken("resume")),
        ("pause this thread", Spoken("pause_thread")),
        ("Please pause  thread.", Spoken("pause_thread")),
        ("resume this thread", Spoken("resume_thread")),
        ("settings", Spoken("settings")),
        ("memory settings", Spoken("settings")),
        ("forget it", None),
        ("forget about it", None),
        ("forget about that, what is next?", None),
        ("forget the last question", None),
        ("remember to restart nginx", None),
        ("remember:", None),
        ("why does api-7f9c restart?", None),
        ("why?", None),
        ("memories of what broke on Monday?", None),
        ("export the dashboard", None),
        ("pause the rollout", None),
        ("pause?", None),
        ("pause this thread until Monday", None),
        ("resume the deploy in this thread", None),
        ("pause memory pressure alerts", None),
        ("settings of nginx", None),
        ("", None),
    ],
)
def test_words_after_a_mention_are_commands_or_not(text: str, command: Spoken | None) -> None:
    """What may as well be a question is one."""
    assert spoken(text, is_addressed=True) == command


@pytest.mark.parametrize("text", ["why", "memories argocd", "export", "pause", "resume this thread", "settings"])
def test_fewer_words_are_commands_where_nobody_is_mentioned(text: str) -> None:
    """In a DM a single "why" asks the assistant."""
    assert spoken(text, is_addressed=False) is None
    assert spoken("forget last", is_addressed=False) == Spoken("forget", "last")


@pytest.mark.parametrize(
    ("start", "filling"),
    [
        ("forget about x", "."),
        ("forget about x", " ."),
        ("forget 1", ", 1"),
        ("forget", " "),
        ("please", " "),
        ("memories", " a"),
        ("why", "."),
        ("export", " "),
        ("pause", " "),
        ("please memory", " "),
        ("settings", "."),
        ("remember", " "),
    ],
)
@pytest.mark.parametrize("characters", [900, 2_000_000])
def test_a_command_that_is_none_after_all_is_read_once(start: str, filling: str, characters: int) -> None:
    """However long a message is, and whatever it begins like, reading it takes no time to speak of."""
    text = start + filling * (characters // len(filling)) + "?"

    assert spoken(text, is_addressed=True) is None


def test_a_long_thing_to_remember_is_a_command() -> None:
    """It is the memory's to say what is too long."""
    assert spoken("remember: " + "x" * 5_000, is_addressed=False) == Spoken("remember", "x" * 5_000)


@given(text=st.text(max_size=300), addressed=st.booleans())
def test_any_text_can_be_asked_about(text: str, addressed: bool) -> None:
    """It is a command or it is not."""
    found = spoken(text, is_addressed=addressed)

    assert found is None or found.argument == found.argument.strip()


@pytest.mark.parametrize(
    ("body", "who"),
    [
        (
            {"user": {"id": "U1"}, "team": {"id": "T2"}, "container": {"channel_id": "C1", "is_ephemeral": True}},
            Asked(team="T2", user="U1", channel="C1", replaces=True),
        ),
        (
            {
                "user": {"id": "U1"},
                "team": None,
                "channel": {"id": "C1"},
                "message": {"ts": "1.3", "thread_ts": "1.2"},
                "response_url": "https://hooks.test",
            },
            Asked(team="T1", user="U1", channel="C1", thread_ts="1.2", response_url="https://hooks.test"),
        ),
        (
            {"user": {"id": "U1"}, "channel": {"id": "C1"}, "message": {"ts": "1.3"}},
            Asked(team="T1", user="U1", channel="C1", thread_ts="1.3"),
        ),
        ({"user": {"id": "U1"}, "container": {"type": "view"}}, Asked(team="T1", user="U1", channel="")),
        ({"user": None}, None),
        ({}, None),
    ],
)
def test_an_interaction_says_who_and_where(body: dict[str, Any], who: Asked | None) -> None:
    """A message that begins a thread is its own thread; only what one person sees is replaced."""
    assert asked.of_interaction(body, team="T1") == who


def test_a_slash_command_has_no_thread() -> None:
    """Slack does not say in which one it was typed."""
    body = {"user_id": "U1", "team_id": "T2", "channel_id": "C1", "response_url": "https://hooks.test"}
    who = asked.of_command(body, team="T1")

    assert who == Asked(team="T2", user="U1", channel="C1", response_url="https://hooks.test")
    assert who.session_id is None
    assert asked.of_command({}, team="T1") is None
