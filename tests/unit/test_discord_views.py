"""Sheets as Discord shows them, within its limits."""

from hypothesis import example, given
from hypothesis import strategies as st

from bots.desk.sheets import Announcement, Export, Line, MemoryList, Offer, Origin, Reasons, Words
from bots.discord.answering import embed_of
from bots.discord.buttons import view_of
from bots.discord.render import units
from bots.discord.views import TEXT_CHARS, View, view
from bots.discord.ways import SERVER
from bots.press import Button, Press
from memory.model import UserId
from tests.fakes.discord.limits import check_message

OWNER = UserId("discord:1:7")
LINK = "https://discord.com/channels/1/2/3"
LIVE = "**bold** @everyone <@7> [x](https://evil.test) `code` # head\n> quote"


def line(number: int | None, text: str = "I like tabs.", *, link: str | None = LINK) -> Line:
    """Return a memory with all its buttons."""
    own = number is not None
    press = Press(action="forget", user=OWNER, what=f"#{number}", words="argo cd", page=3)
    return Line(
        number=number,
        text=text,
        origin=Origin(by="" if own else "Bob", day="2026-11-24", link=link, thread=f'thread "{text}"'),
        forget=Button("Forget", press) if own else None,
        reach=Button("Use anywhere here", Press(action="widen", user=OWNER, what=f"#{number}")) if own else None,
    )


def page(count: int, text: str = "I like tabs.") -> MemoryList:
    """Return a page of a list with everything that can stand in one."""
    turn = [Button(label, Press(action="page", user=OWNER, page=at)) for at, label in enumerate(("Newer", "Older"))]
    return MemoryList(
        note="Forgotten: 1 fact.",
        heading=f'1 to {count} of 99 with "{text[:300]}"',
        lines=tuple(line(number, text) for number in range(1, count + 1)),
        turn=tuple(turn),
    )


def taken(shown: View) -> None:
    """Have Discord take what is shown."""
    below = view_of(shown.buttons)
    embed = embed_of(shown).to_dict()
    check_message({"embeds": [embed], "components": below.to_components() if below is not None else []})


@given(text=st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=400))
def test_discord_takes_a_full_page(text: str) -> None:
    """With any words, all buttons, and the longest names."""
    taken(view(page(SERVER.page_size, text)))


@given(text=st.text(alphabet=st.sampled_from("*_-|`~>#[]a😀 "), min_size=1, max_size=600))
@example(text="|-_" * 200)
@example(text="😀" * 400)
def test_every_line_that_has_buttons_is_shown(text: str) -> None:
    """Whatever it is made of, none is cut away while its buttons stay, and no link is cut open."""
    shown = view(page(SERVER.page_size, text))

    taken(shown)
    assert all(f"\\#{number}  " in shown.text for number in range(1, SERVER.page_size + 1))
    assert shown.text.count(f"[source]({LINK})") == SERVER.page_size
    assert units(shown.text) <= TEXT_CHARS


def test_discord_takes_the_longest_of_everything() -> None:
    """Where every character is escaped."""
    for sheet in (
        page(SERVER.page_size, "*" * 4_000),
        Words("*" * 9_000),
        Offer(text="\n".join(["*" * 300] * 20), buttons=(), note="*" * 3_000),
        Announcement(OWNER, "*" * 5_000),
    ):
        taken(view(sheet))


def test_every_line_of_a_page_can_be_forgotten_and_widened() -> None:
    """By buttons that say which one they mean; more buttons than Discord shows there are never."""
    shown = view(page(SERVER.page_size))
    labels = [button.label for button in shown.buttons]

    assert labels[:2] == ["Forget #1", "Forget #2"]
    assert f"Use anywhere here #{SERVER.page_size}" in labels
    assert labels[-2:] == ["Newer", "Older"]
    assert len({button.custom_id for button in shown.buttons}) == len(labels) <= 25
    assert shown.footer == "argo cd"


def test_nothing_that_people_said_is_live() -> None:
    """Markup is shown as it was typed; only links to messages of Discord are links."""
    shown = view(page(1, LIVE)).text

    for live in ("**bold", "<@7>", "[x](https", " `code", "\n# ", "\n> "):
        assert live not in shown
    assert f"[source]({LINK})" in shown
    assert (
        "javascript" not in view(MemoryList(note="", heading="", lines=(line(1, link="javascript:x"),), turn=())).text
    )


def test_a_long_question_keeps_its_last_line() -> None:
    """What is asked stands there."""
    asked = "Forget 20 memories?"
    shown = view(Offer(text="\n".join(["#1  " + "*" * 290] * 20 + [asked]), buttons=()))

    assert shown.text.endswith(asked)
    assert len(shown.text) <= TEXT_CHARS


def test_what_cannot_be_taken_back_is_red() -> None:
    """The other buttons are not."""
    grave = Button("Forget", Press(action="agree", user=OWNER, what="everything", digest="0" * 24), is_grave=True)
    keep = Button("Keep", Press(action="keep", user=OWNER))
    shown = view(Offer(text="Forget 2 memories?", buttons=(grave, keep)))

    assert [(button.label, button.style) for button in shown.buttons] == [("Forget", "danger"), ("Keep", "secondary")]


def test_reasons_show_who_said_what_is_not_the_readers() -> None:
    """Which they cannot forget."""
    keep = Button("Keep", Press(action="keep", user=OWNER))
    sheet = Reasons(
        note="", heading="That answer was given:", lines=(line(7), line(None)), more="… and 2 more.", keep=keep
    )
    shown = view(sheet)

    assert "Bob · 2026" in shown.text
    assert shown.text.endswith("… and 2 more.")
    assert [button.label for button in shown.buttons] == ["Forget #7", "Use anywhere here #7", "Keep"]


def test_an_announcement_names_who_did_it_to_everybody() -> None:
    """And an export shows what stands beside its file."""
    told = view(Announcement(OWNER, "paused my memory in this thread."))

    assert (told.text, told.is_for_all) == ("<@7> paused my memory in this thread.", True)
    assert view(Export("{}", Words("Here."))).text == "Here."
