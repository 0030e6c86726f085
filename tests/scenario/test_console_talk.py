"""A person at the console: what they type and what they read, on embedded stores and the offline model."""

import json
import stat
from pathlib import Path

import pytest

from bots.console.session import ALREADY, AS_BEFORE, KEPT, STOPPED
from bots.conversation import CUT_OFF, UNAVAILABLE
from bots.pausing import USAGE
from memory.errors import ProviderUnavailableError
from memory.model import ExtractionReply, FactOperation, MemoryMode, TextDelta
from memory.working import PAUSED, THREAD_PAUSED
from tests.fakes.model import ScriptedModel
from tests.fixtures.console import ConsoleRunner

STAGING = "My staging cluster is kind-staging."


async def test_a_fact_is_recalled_in_a_new_thread(console: ConsoleRunner) -> None:
    """What was said in one thread is known in another, after a sweep and a restart."""
    learned = await console.talk(STAGING, "/sweep", "/memories")
    recalled = await console.talk("Which staging cluster do I use?", "/why", thread="second")

    assert learned[-2] == "Read 1 thread: 1 fact added."
    assert learned[-1].startswith(f"#1  {STAGING}  (")
    assert "kind-staging" in recalled[0]
    assert recalled[-1].startswith("The last answer was given:\n#1  ")


async def test_another_person_does_not_see_it(console: ConsoleRunner) -> None:
    """Memories are their owner's: another user recalls and lists nothing."""
    await console.talk(STAGING, "/sweep")
    other = await console.talk("Which staging cluster do I use?", "/why", "/memories", "/threads", user="bob")

    assert "kind-staging" not in "\n".join(other)
    assert other[-3:-1] == ["The last answer used no memory.", "Nothing is remembered of you."]


async def test_one_memory_is_forgotten_at_once(console: ConsoleRunner) -> None:
    """A number needs no question; a `yes` out of habit is not sent to the model."""
    shown = await console.talk("/remember I deploy with ArgoCD.", "/forget #1", "yes", "/memories", "/forget 1")

    assert shown[0].startswith("Remembered: #1  I deploy with ArgoCD.  (")
    assert shown[1:] == [
        "Forgotten: 1 fact.",
        ALREADY,
        "Nothing is remembered of you.",
        "You have no memory #1.",
    ]


async def test_several_memories_are_forgotten_after_a_yes(console: ConsoleRunner) -> None:
    """The preview lists what would go, and `yes` on the next line, piped too, carries it out."""
    shown = await console.talk(
        "/remember I deploy with ArgoCD.", "/remember I deploy on Mondays.", "/forget about deploy", "yes", "/memories"
    )

    preview = shown[2].splitlines()
    assert [line[:4] for line in preview[:2]] == ["#2  ", "#1  "]
    assert preview[2] == "Forget 2 memories? Type yes to go on; anything else leaves them as they are."
    assert shown[3:] == ["Forgotten: 2 facts.", "Nothing is remembered of you."]


async def test_anything_but_yes_keeps_them_and_is_done_itself(console: ConsoleRunner) -> None:
    """Another line cancels the question, says so, and then counts as what it is; so does the end."""
    shown = await console.talk(
        "/remember I deploy with ArgoCD.", "/remember I deploy on Mondays.", "/forget all", "/memories", "/forget all"
    )

    assert shown[3] == KEPT
    assert len(shown[4].splitlines()) == 2
    assert shown[6] == KEPT


async def test_memory_is_paused_and_resumed(console: ConsoleRunner) -> None:
    """For oneself and for a thread; each message is answered, and of what was said meanwhile nothing is left."""
    shown = await console.talk(
        "/pause",
        STAGING,
        "/remember I deploy with ArgoCD.",
        "/settings",
        "/resume",
        "/pause this thread",
        STAGING,
        "/remember I deploy with ArgoCD.",
        "/resume thread",
        "/settings",
        "/pause everything",
        "/sweep",
        "/threads",
        "/memories",
        "/export",
    )
    text = "\n\n".join(shown)

    assert shown[0].endswith("/resume ends the pause.")
    assert text.count(PAUSED) == text.count(THREAD_PAUSED) == 1
    assert "Memory is paused for you: nothing was stored. /resume ends the pause." in shown
    assert "Memory is paused in this thread: nothing was stored. /resume this thread ends the pause." in shown
    settings = [block.splitlines()[:2] for block in shown if block.startswith("For you:")]
    assert settings == [
        ["For you: memory is paused. /resume ends it.", "In this thread: memory is on. /pause this thread pauses it."],
        ["For you: memory is on. /pause pauses it.", "In this thread: memory is on. /pause this thread pauses it."],
    ]
    assert USAGE in shown
    assert shown[-4:-1] == [
        "Nothing new to learn.",
        "There is no thread of yours yet.",
        "Nothing is remembered of you.",
    ]
    assert json.loads(shown[-1])["messages"] == []


async def test_one_memory_is_widened_and_taken_back_at_once(console: ConsoleRunner) -> None:
    """Its line says that it can be used anywhere for as long as it can."""
    shown = await console.talk(
        "/remember I deploy with ArgoCD.", "/widen #1", "/memories", "/narrow 1", "/memories", "/narrow all", "/widen 2"
    )

    said, line = shown[1].splitlines()
    assert said == "#1 can now be used anywhere in this workspace where you ask."
    assert (line, shown[2]) == (shown[2], line)
    assert line.endswith(", usable anywhere)")
    assert shown[3].startswith("#1 is again only for those who could read where you said it.\n#1  I deploy")
    assert "anywhere" not in shown[4]
    assert shown[5:] == ["No memory of yours was usable anywhere.", "You have no memory #2."]


async def test_all_memories_are_widened_after_a_yes(console: ConsoleRunner) -> None:
    """The preview lists them; anything but a yes leaves all as it was."""
    shown = await console.talk(
        *("/remember I deploy with ArgoCD.", "/remember I deploy on Mondays."),
        *("/widen all", "no", "/widen all", "yes", "/widen all", "/narrow all"),
    )

    preview = shown[2].splitlines()
    assert [line[:4] for line in preview[:2]] == ["#2  ", "#1  "]
    assert preview[2] == (
        "Let 2 memories be used anywhere in this workspace where you ask? "
        "Type yes to go on; anything else leaves them as they are."
    )
    assert shown[3] == AS_BEFORE
    assert shown[5:] == [
        "2 memories can now be used anywhere in this workspace.",
        "No memory of yours is for you alone. To widen another one, give its number.",
        "2 memories are again only for those who could read where you said it.",
    ]


async def test_forgetting_reaches_the_last_answer(console: ConsoleRunner) -> None:
    """`/why` does not show again what was forgotten since."""
    shown = await console.talk(
        STAGING, "/sweep", "/new other", "Which staging cluster do I use?", "/why", "/forget everything", "yes", "/why"
    )

    assert "kind-staging" in shown[4]
    assert shown[-1] == "The last answer used no memory."


async def test_threads_are_kept_apart_and_listed(console: ConsoleRunner) -> None:
    """`/new` and `/thread` change the thread; each keeps its own history; `/threads` names both."""
    model = ScriptedModel()
    shown = await console.talk(
        "in main", "/new night shift", "in night", "/thread main", "again", "/threads", model=model
    )

    assert shown[1] == "Thread: night shift"
    assert [message.text for message in model.asked[2].history] == ["in main", "answer 1"]
    assert model.asked[1].history == ()
    assert [line.split("  ")[0] for line in shown[-1].splitlines()] == ["main", "night shift"]


async def test_a_thread_that_is_new_is_said_to_be(console: ConsoleRunner) -> None:
    """Whoever mistypes a name would wait there for what was said elsewhere."""
    shown = await console.talk("in main", "/thread mian", "/thread main", model=ScriptedModel())

    assert shown[1] == "Thread: mian (a new one)"
    assert "Thread: main" in shown


async def test_history_outlives_the_process(console: ConsoleRunner) -> None:
    """A second run in the same thread goes on where the first one ended."""
    await console.talk("The deploy of api-7 failed.", model=ScriptedModel())
    model = ScriptedModel()
    await console.talk("What failed?", model=model)

    assert [message.text for message in model.asked[0].history] == ["The deploy of api-7 failed.", "answer 1"]


@pytest.mark.parametrize(
    ("mode", "learned", "recalled"),
    [("buffer", False, False), ("summary", False, False), ("full", True, True)],
)
async def test_the_memory_setting_decides_what_is_learned(
    console: ConsoleRunner, mode: MemoryMode, *, learned: bool, recalled: bool
) -> None:
    """Only full memory learns facts and recalls them in another thread."""
    model = ScriptedModel(
        extractions=[
            ExtractionReply(facts=[FactOperation(operation="add", subject="A", text=STAGING, messages=[1])]),
        ]
    )
    shown = await console.with_settings(mode=mode).talk(
        STAGING, "/sweep", "/new other", "Which staging cluster do I use?", model=model
    )

    assert ("1 fact added" in shown[1]) == learned
    assert (f"RECALL_MEMORY is {mode}" in shown[1]) != learned
    assert ("kind-staging" in model.asked[-1].memory_block) == recalled


async def test_an_answer_can_be_stopped(console: ConsoleRunner) -> None:
    """Ctrl-C ends the running answer, keeps the message, and the next line is answered."""
    model = ScriptedModel()
    model.gate.clear()
    async with console.open(model=model) as open_console:
        open_console.type("first")
        await model.waiting.wait()
        open_console.platform.interrupt()
        await open_console.output.shows(STOPPED)
        model.gate.set()
        open_console.type("second")
        shown = await open_console.end()

    assert shown == [STOPPED, "answer 2"]
    assert [message.text for message in model.asked[1].history] == ["first"]


async def test_being_told_to_stop_lets_the_answer_finish(console: ConsoleRunner) -> None:
    """SIGTERM takes no further line, and the one that runs is answered."""
    model = ScriptedModel()
    model.gate.clear()
    async with console.open(model=model) as open_console:
        open_console.type("first", "never read")
        await model.waiting.wait()
        open_console.platform.stop()
        model.gate.set()
        shown = await open_console.end()

    assert shown == ["answer 1"]
    assert len(model.asked) == 1


@pytest.mark.parametrize("is_recovered", [True, False])
async def test_a_model_that_never_answers_does_not_keep_the_console_from_ending(
    console: ConsoleRunner, *, is_recovered: bool
) -> None:
    """After the grace the message is handed over, be it a line or one that a crash left; the next start answers it."""
    model = ScriptedModel()
    model.gate.clear()
    if is_recovered:
        await console.accept_only("is prod up?")
    async with console.open(model=model, grace_s=0) as open_console:
        if not is_recovered:
            open_console.type("is prod up?")
        await model.waiting.wait()
        open_console.platform.stop()
        await open_console.end()

    assert await console.talk(model=ScriptedModel()) == ["> is prod up?\nanswer 1"]


async def test_a_failing_model_is_told_in_fixed_words(console: ConsoleRunner) -> None:
    """Down, or cut off mid-answer: fixed words, the next turn works, the message is in its history."""
    down = ProviderUnavailableError("scripted", "down")
    model = ScriptedModel(replies=[down, [TextDelta(text="Half an "), down], "whole"])

    shown = await console.talk("one", "two", "three", model=model)

    assert shown == [UNAVAILABLE, f"Half an \n{CUT_OFF}", "whole"]
    assert [message.text for message in model.asked[2].history] == ["one", "two"]


async def test_what_a_crash_left_unanswered_is_answered_at_the_next_start(console: ConsoleRunner) -> None:
    """A message that was accepted and not answered gets its answer when the console starts again."""
    await console.accept_only("left behind")

    shown = await console.talk("/threads", model=ScriptedModel())

    assert "> left behind\nanswer 1" in shown


async def test_export_goes_to_a_new_file_for_the_owner_alone(console: ConsoleRunner, tmp_path: Path) -> None:
    """The file holds what is kept, only its owner may read it, and no file is overwritten."""
    target = tmp_path / "mine.json"
    shown = await console.talk(STAGING, f"/export {target}", f"/export {target}", "/export", model=ScriptedModel())

    assert shown[1] == f"Written to {target}."
    assert shown[2] == f"{target} is there already; name another file."
    assert STAGING in target.read_text()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert json.loads(target.read_text()).keys() == json.loads(shown[3]).keys()
