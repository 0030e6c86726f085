"""Which words in a message are commands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.verbs import Spoken, spoken


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
