"""What people do with their memories where a platform has its own ways, asserted by the sheets they are shown."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import pytest

from bots.desk.asking import Asker, Chosen, Surroundings, Utterance
from bots.desk.buttons import GONE, NOTHING_TO_TRY, TOO_OLD, Buttons, NotYoursError
from bots.desk.desk import FORGET_MINE, NO_ANSWER, NO_PLACE, NOT_HERE, WHY_MINE_ONLY, MemoryDesk, open_desk
from bots.desk.feedback import THANKS, Feedback
from bots.desk.outcome import BROKEN, NOT_YOURS, UNREACHABLE, Outcome, outcome_if_reached, outcome_of
from bots.desk.pausing import PAUSED
from bots.desk.sheets import Announcement, Export, Home, MemoryList, Offer, Reasons, Sheet, Words
from bots.desk.ways import Ways
from bots.metrics import Metrics
from bots.pausing import HowToPause
from bots.platform import PlatformUnavailableError
from bots.press import Press
from bots.verbs import Spoken
from memory.errors import InputError, StoreUnavailableError
from memory.model import ChannelId, Person, Place, SessionId, UserId
from tests.fakes.values import TENANT, dm, person, public_channel
from tests.fixtures.core import Core

pytestmark = pytest.mark.timeout(120)

ANA, BOB = person("ana"), person("bob")
OPS = public_channel("ops")
WAYS = Ways(
    how_to_pause=HowToPause(),
    platform_copy="Delete the messages yourself.",
    tenant="this server",
    no_thread="There is no thread here to forget.",
    no_thread_to_pause="There is no thread here to pause.",
    memory_usage="/memory can do a lot.",
    seen_by_nobody="Nobody saw you type it.",
    exported="Here it is.",
    unavailable="The platform is silent.",
    use_all="Use all",
    use_private="Use it anywhere in this server",
    page_size=5,
)
IN_OPS = Asker(user_id=ANA.user_id, tenant_id=TENANT, session_id=OPS.session_id, name="Ana")
OUTSIDE = replace(IN_OPS, session_id=None)


@dataclass
class People(Surroundings):
    """A platform with a few places.

    Attributes:
        places: Those whose readers are known.
        error: What is raised in place of an answer.
    """

    places: dict[SessionId, Place] = field(default_factory=lambda: {OPS.session_id: OPS})
    error: Exception | None = None

    async def place(self, who: Asker, session_id: SessionId) -> Place | None:  # noqa: ARG002 (everybody is a member)
        if self.error is not None:
            raise self.error
        return self.places.get(session_id)

    async def own_place(self, who: Asker) -> Place | None:
        return dm("ana") if who.user_id == ANA.user_id else None

    async def person(self, who: Asker) -> Person:
        return Person(user_id=who.user_id, name=who.name)

    async def channels_of(self, who: Asker) -> Collection[ChannelId]:  # noqa: ARG002 (nobody is in any)
        return ()


@dataclass
class Stage:
    """A desk with its buttons.

    Attributes:
        retried: Messages that were to be answered again.
        left: Whether there is anything to answer again.
    """

    core: Core
    people: People
    desk: MemoryDesk
    metrics: Metrics
    retried: list[tuple[SessionId, str, UserId]] = field(default_factory=list)
    left: bool = True

    @property
    def buttons(self) -> Buttons:
        """The buttons of the desk."""
        feedback = Feedback(self.metrics.platform("slack"))
        return Buttons(desk=self.desk, retry=self._retry, feedback=feedback)

    async def _retry(self, session_id: SessionId, message: str, user_id: UserId) -> bool:
        self.retried.append((session_id, message, user_id))
        return self.left

    async def press(self, sheet: Sheet | None, label: str, *, who: Asker = IN_OPS) -> Sheet | None:
        """Press a button of a sheet, as it is labelled."""
        return await self.buttons.pressed(who, press_of(sheet, label))


@pytest.fixture
def stage(core: Core) -> Stage:
    """A desk on the whole core."""
    people, metrics = People(), Metrics()
    desk = open_desk(
        personal=core.recall.personal,
        service=core.recall.service,
        surroundings=people,
        ways=WAYS,
        metrics=metrics,
    )
    return Stage(core, people, desk, metrics)


def press_of(sheet: Sheet | None, label: str) -> Press:
    """Return what a button of a sheet stands for; the first that is labelled so."""
    match sheet:
        case Offer():
            buttons = list(sheet.buttons)
        case MemoryList():
            buttons = [line.forget for line in sheet.lines if line.forget] + list(sheet.turn)
        case Reasons():
            buttons = [line.forget for line in sheet.lines if line.forget] + [sheet.keep]
        case Home():
            lines = [line for group in sheet.groups for line in group.lines]
            buttons = [line.reach for line in lines if line.reach] + [sheet.switch, *sheet.turn, *sheet.buttons]
        case _:
            buttons = []
    return next(button.press for button in buttons if button.label == label)


async def test_what_nobody_saw_is_private_until_its_owner_lets_it_be_used(stage: Stage) -> None:
    """The receipt offers that at once, and can be taken back as well."""
    receipt = await stage.desk.remember(IN_OPS, "I deploy with ArgoCD.")
    assert isinstance(receipt, Offer)
    widened = await stage.press(receipt, "Use it anywhere in this server")
    twice = await stage.press(receipt, "Use it anywhere in this server")
    gone = await stage.press(receipt, "Undo")

    assert receipt.text.endswith(f"\n{WAYS.seen_by_nobody}")
    assert isinstance(widened, Words) and "#1 can now be used anywhere in this server where you ask." in widened.text
    assert isinstance(twice, Words) and "anywhere" in twice.text
    assert gone == Words("Forgotten: 1 fact. Delete the messages yourself.")


async def test_what_is_said_in_a_message_is_for_who_reads_along(stage: Stage) -> None:
    """It is linked to that message, and there is nothing to widen in a public channel."""
    said = Utterance(message="m1", link="https://x.test/m1", said_at=stage.core.clock.now())
    receipt = await stage.desk.remember(replace(IN_OPS, said=said), "I deploy with ArgoCD.")
    listed = await stage.desk.memories(IN_OPS, "")
    assert isinstance(receipt, Offer) and isinstance(listed, MemoryList)

    assert [button.label for button in receipt.buttons] == ["Undo"]
    assert listed.lines[0].origin.link == "https://x.test/m1"


@pytest.mark.parametrize("who", [OUTSIDE, replace(IN_OPS, session_id=SessionId("test:acme:unknown:1"))])
async def test_nothing_is_stored_where_nobody_knows_who_reads(stage: Stage, who: Asker) -> None:
    """Neither from a message, nor of who is no full member."""
    mine = Chosen(message="m1", author=ANA.user_id, text="I deploy with ArgoCD.")
    with pytest.raises(InputError, match=NO_PLACE):
        await stage.desk.remember_message(who, mine)
    with pytest.raises(InputError, match=NO_PLACE):
        await stage.desk.remember(replace(who, user_id=BOB.user_id), "I deploy with ArgoCD.")


async def test_a_command_that_knows_its_thread_can_mean_it(stage: Stage) -> None:
    """Forgetting and pausing it; outside of a thread the platform says what to do."""
    await stage.core.say("we run zanzibar", place=OPS, author=ANA)
    forgotten = await stage.desk.forget(IN_OPS, "this thread")
    paused = await stage.desk.memory(IN_OPS, "pause this thread")
    settings = await stage.desk.memory(IN_OPS, "settings")

    assert isinstance(forgotten, Words) and "Forgotten: 1 message" in forgotten.text
    assert isinstance(paused, Announcement) and paused.by == ANA.user_id and paused.text.startswith(PAUSED)
    assert press_of(settings, "Resume this thread").thread == OPS.session_id
    with pytest.raises(InputError, match=WAYS.no_thread):
        await stage.desk.forget(OUTSIDE, "this thread")
    with pytest.raises(InputError, match=WAYS.no_thread_to_pause):
        await stage.desk.memory(OUTSIDE, "resume thread")


async def test_a_thread_is_paused_by_button_from_wherever_its_settings_are_shown(stage: Stage) -> None:
    """The button names the thread; a switch of one's own shows the settings again."""
    settings = await stage.desk.spoken(IN_OPS, Spoken("settings"))
    announced = await stage.press(settings, "Pause this thread", who=OUTSIDE)
    own = await stage.press(settings, "Pause memory", who=OUTSIDE)

    assert isinstance(announced, Announcement) and announced.text.startswith(PAUSED)
    assert isinstance(own, Offer) and own.note.startswith("Memory is paused for you")


async def test_lists_are_as_long_as_the_platform_wants(stage: Stage) -> None:
    """A page is turned, and a line forgotten, in the place of the page."""
    for number in range(7):
        await stage.desk.remember(IN_OPS, f"Service {number} is mine.")
    first = await stage.desk.memories(IN_OPS, "service")
    second = await stage.press(first, "Older")
    after = await stage.press(second, "Forget")

    assert isinstance(first, MemoryList) and [line.number for line in first.lines] == [7, 6, 5, 4, 3]
    assert isinstance(second, MemoryList) and [line.number for line in second.lines] == [2, 1]
    assert isinstance(after, MemoryList) and [line.number for line in after.lines] == [1]
    assert after.note.startswith("Forgotten: 1 fact.") and "6 to 6 of 6" in after.heading


async def test_a_question_is_answered_once(stage: Stage) -> None:
    """What is gone by then is said to be; keeping changes nothing."""
    for text in ("I like tea.", "I like coffee."):
        await stage.desk.remember(IN_OPS, text)
    asked = await stage.desk.forget(IN_OPS, "everything")
    kept = await stage.press(asked, "Keep")
    done = await stage.press(asked, "Forget")
    again = await stage.press(asked, "Forget")

    assert kept == Words("Nothing was changed.")
    assert isinstance(done, Words) and "Forgotten: 2 facts." in done.text
    assert again == Words(GONE)


async def test_all_can_be_widened_in_the_overview_and_taken_back(stage: Stage) -> None:
    """It is asked first; the overview follows."""
    await stage.desk.remember(IN_OPS, "I like tea.")
    home = await stage.desk.home(IN_OPS)
    asked = await stage.press(home, "Use all")
    widened = await stage.press(asked, "Use anywhere")
    narrowed = await stage.press(widened, "Take that back")

    assert isinstance(widened, Home) and widened.note == "1 memory can now be used anywhere in this server."
    assert isinstance(narrowed, Home) and narrowed.note.startswith("1 memory is again only")
    assert await stage.press(narrowed, "Use anywhere here") != narrowed


async def test_an_export_is_handed_over_with_what_is_shown_then(stage: Stage) -> None:
    """By command a line, by button what the button stood in."""
    await stage.desk.remember(IN_OPS, "I like tea.")
    typed = await stage.desk.memory(IN_OPS, "export")
    home = await stage.press(await stage.desk.home(IN_OPS), "Send me all that is kept of me")

    assert isinstance(typed, Export) and "I like tea." in typed.data and typed.then == Words(WAYS.exported)
    assert isinstance(home, Export) and isinstance(home.then, Home) and home.then.note == WAYS.exported


async def test_why_is_told_to_who_may_see_it_here(stage: Stage) -> None:
    """Of the last answer, of one that is named, and of one that was chosen; a memory is forgotten right there."""
    said = Utterance(message="m1", link=None, said_at=stage.core.clock.now())
    await stage.desk.remember(replace(IN_OPS, said=said), "I run zanzibar.")
    await stage.core.say("what is zanzibar?", place=OPS, author=ANA, delivery="m2")
    last = await stage.desk.spoken(IN_OPS, Spoken("why"))
    chosen = await stage.desk.why_message(IN_OPS, Chosen(message="p9", author=None, is_ours=True, answers="m2"))
    pressed = await stage.buttons.pressed(IN_OPS, Press(action="why", message="m2"))
    after = await stage.press(chosen, "Forget", who=OUTSIDE)

    assert isinstance(last, Reasons) and [line.text for line in last.lines] == ["I run zanzibar."]
    assert chosen == pressed
    assert isinstance(after, Words) and after.text.startswith("Forgotten: 1 fact")
    with pytest.raises(InputError, match=NO_ANSWER):
        await stage.desk.why(OUTSIDE, "m2")
    with pytest.raises(InputError, match=NO_ANSWER):
        await stage.desk.why(IN_OPS, "m7")
    stage.people.places = {}
    with pytest.raises(InputError, match=NOT_HERE):
        await stage.desk.why(IN_OPS, "m2")


async def test_a_message_of_recall_is_no_memory_and_anybody_elses_no_answer(stage: Stage) -> None:
    """Each is told why."""
    with pytest.raises(InputError, match="my own message"):
        await stage.desk.forget_message(IN_OPS, Chosen(message="p9", author=None, is_ours=True))
    with pytest.raises(InputError, match=WHY_MINE_ONLY):
        await stage.desk.why_message(IN_OPS, Chosen(message="m9", author=BOB.user_id))
    assert FORGET_MINE.startswith("That is my own message.")


async def test_a_button_is_for_whom_it_was_made(stage: Stage) -> None:
    """Nobody else presses it; what nobody knows any more is too old."""
    receipt = await stage.desk.remember(IN_OPS, "I like tea.")
    with pytest.raises(NotYoursError):
        await stage.press(receipt, "Undo", who=replace(IN_OPS, user_id=BOB.user_id))
    with pytest.raises(InputError, match=TOO_OLD):
        await stage.buttons.pressed(IN_OPS, None)


async def test_a_failed_turn_is_tried_again_where_it_was_asked(stage: Stage) -> None:
    """The answer shows by itself; when nothing is left to answer, that is said."""
    retry = Press(action="retry", user=ANA.user_id, message="m1")
    assert await stage.buttons.pressed(IN_OPS, retry) is None
    assert await stage.buttons.pressed(OUTSIDE, retry) == Words(NOTHING_TO_TRY)
    stage.left = False
    assert await stage.buttons.pressed(IN_OPS, retry) == Words(NOTHING_TO_TRY)
    assert stage.retried == [(OPS.session_id, "m1", ANA.user_id)] * 2


async def test_feedback_counts_once_a_person_and_a_change_of_mind(stage: Stage) -> None:
    """Anybody who reads the answer may give it."""
    buttons, bob = stage.buttons, replace(IN_OPS, user_id=BOB.user_id)
    good, bad = Press(action="good", message="m1"), Press(action="bad", message="m1")
    for who, press in ((IN_OPS, good), (IN_OPS, good), (bob, good), (bob, bad)):
        assert await buttons.pressed(who, press) == Words(THANKS)
    page = stage.metrics.page().decode()

    assert 'recall_feedback_total{platform="slack",verdict="good"} 2.0' in page
    assert 'recall_feedback_total{platform="slack",verdict="bad"} 1.0' in page


@pytest.mark.parametrize(
    ("error", "words", "is_beside"),
    [
        (StoreUnavailableError("sql", "list at 10.0.0.7"), UNREACHABLE, True),
        (PlatformUnavailableError("10.0.0.7"), WAYS.unavailable, True),
        (KeyError("10.0.0.7"), BROKEN, True),
    ],
)
async def test_a_failure_is_told_in_fixed_words(error: Exception, words: str, is_beside: bool) -> None:
    """With the id of its log line; what was pressed stays."""
    outcome = await outcome_of(_raise(error), name="test", ways=WAYS)

    assert isinstance(outcome.sheet, Words)
    assert outcome.sheet.text.splitlines()[0] == words and "Error id: " in outcome.sheet.text
    assert outcome.is_beside is is_beside


async def test_what_people_did_wrong_is_told_as_it_is() -> None:
    """In the place of what they pressed, unless it was made for somebody else."""
    assert await outcome_of(_raise(InputError("No.")), name="test", ways=WAYS) == Outcome(Words("No."))
    assert await outcome_of(_raise(NotYoursError()), name="test", ways=WAYS) == Outcome(
        Words(NOT_YOURS), is_beside=True
    )


@pytest.mark.parametrize("error", [StoreUnavailableError("sql", "away"), PlatformUnavailableError("away")])
async def test_who_asks_again_is_told_that_nothing_was_reached(error: Exception) -> None:
    """It is theirs to say so."""
    with pytest.raises(type(error)):
        await outcome_if_reached(_raise(error), name="test")


async def test_a_platform_that_gives_no_answer_is_no_reason_to_guess(stage: Stage) -> None:
    """Nothing is stored."""
    stage.people.error = PlatformUnavailableError("away")
    with pytest.raises(PlatformUnavailableError):
        await stage.desk.remember_message(IN_OPS, Chosen(message="m1", author=ANA.user_id, text="I like tea."))
    assert await stage.desk.memories(IN_OPS, "") == Words("Nothing is remembered of you.")


async def _raise(error: Exception) -> Sheet | None:
    raise error
