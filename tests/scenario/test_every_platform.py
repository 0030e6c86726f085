"""What holds on every platform alike, written once: someone who knows Recall on one of them knows it on the others."""

import shutil
from pathlib import Path

import pytest

from bots.conversation import UNAVAILABLE
from memory.errors import ProviderUnavailableError
from tests.fixtures.stages import Stage

pytestmark = pytest.mark.timeout(120)

FACT = "ana's staging cluster is called blue-heron-42"
NOTHING = "Nothing is remembered of you."
KEY = "AKIAIOSFODNN7EXAMPLE"


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> Path:
    """Give one engine: each platform's own scenarios run on both."""
    return Path(shutil.copyfile(sqlite_template, tmp_path / "recall.db"))


def told(stage: Stage) -> str:
    """Return all that the model was given with the last message."""
    return repr(stage.asked[-1])


async def test_an_answer_knows_what_was_said_before_in_its_thread(stage: Stage) -> None:
    """Also after a restart."""
    stage.model.replies = ["Look at the memory limit."]
    shown = await stage.says("ana", "why does api-7f9c restart?")
    await stage.restart()
    await stage.says("ana", "and since when?")

    assert "Look at the memory limit." in shown
    assert [message.text.split(": ")[-1] for message in stage.asked[-1].history] == [
        "why does api-7f9c restart?",
        "Look at the memory limit.",
    ]


async def test_another_thread_starts_afresh(stage: Stage) -> None:
    """What was said in one thread is no history of another."""
    await stage.says("ana", "why does api-7f9c restart?", thread="one")
    await stage.says("ana", "what is the time?", thread="two")

    assert stage.asked[-1].history == ()


async def test_what_was_learned_is_recalled_for_its_person_alone(stage: Stage) -> None:
    """A fact from an idle thread is known in a new one after a restart; to another person it is not."""
    await stage.says("ana", "my staging cluster is called blue-heron-42", thread="monday")
    await stage.learns(FACT)
    await stage.restart()
    await stage.says("ana", "what is my staging cluster called?", thread="tuesday")
    facts = [item.memory.text for item in stage.asked[-1].recalled if item.memory.kind == "fact"]
    await stage.says("bob", "what is my staging cluster called?", thread="wednesday")
    others = [item.memory.text for item in stage.asked[-1].recalled if item.memory.kind == "fact"]

    assert facts == [FACT]
    assert others == []
    assert FACT in await stage.lists("ana")
    assert NOTHING in await stage.lists("bob")


async def test_what_is_forgotten_is_gone(stage: Stage) -> None:
    """From the list, from what the model is given, and after a restart; others keep theirs."""
    await stage.remembers("bob", "I deploy with ArgoCD.")
    await stage.remembers("ana", "My shell is fish.")
    await stage.says("ana", "my staging cluster is called blue-heron-42", thread="monday")
    await stage.learns(FACT)
    receipt = await stage.forgets("ana", "everything", agreeing=True)
    await stage.restart()
    await stage.says("ana", "what is my staging cluster called?", thread="tuesday")
    new_thread = told(stage)
    await stage.says("ana", "what did I tell you?", thread="monday")

    assert "Forgotten: " in receipt
    assert "blue-heron-42" not in new_thread + told(stage)
    assert FACT not in await stage.lists("ana")
    assert "I deploy with ArgoCD." in await stage.lists("bob")


async def test_memories_have_numbers_that_stay(stage: Stage) -> None:
    """One is forgotten by its number, and the next one keeps its own."""
    for sentence in ("I deploy with ArgoCD.", "My shell is fish.", "I am on call on Mondays."):
        assert sentence in await stage.remembers("ana", sentence)
    receipt = await stage.forgets("ana", "#2")
    found = await stage.lists("ana", "mondays")

    assert "Forgotten: 1 fact." in receipt
    assert "#3  I am on call on Mondays." in found
    assert "ArgoCD" not in found
    assert "My shell is fish." not in await stage.lists("ana")


async def test_secrets_go_no_further(stage: Stage) -> None:
    """The model does not see one, and its owner is told what was removed."""
    shown = await stage.says("ana", f"is {KEY} still valid?")

    assert KEY not in told(stage)
    assert "Rotate it." in shown


async def test_a_model_that_fails_ends_in_words(stage: Stage) -> None:
    """The message stays in the thread, and is not answered by itself later."""
    stage.model.replies = [ProviderUnavailableError("scripted", "down")]
    failed = await stage.says("ana", "why does api-7f9c restart?")
    await stage.restart()
    await stage.says("ana", "are you there?")

    assert UNAVAILABLE in failed
    assert [request.message.text.split(": ")[-1] for request in stage.asked] == [
        "why does api-7f9c restart?",
        "are you there?",
    ]
    assert "why does api-7f9c restart?" in repr(stage.asked[-1].history)


async def test_nothing_is_kept_while_memory_is_paused(stage: Stage) -> None:
    """It is answered, but later answers do not know of it."""
    assert "Memory is paused for you" in await stage.pauses("ana")
    shown = await stage.says("ana", "my staging cluster is called blue-heron-42", thread="monday")
    await stage.says("ana", "what is my staging cluster called?", thread="monday")

    assert "answer 1" in shown
    assert "blue-heron-42" not in told(stage)
    assert NOTHING in await stage.lists("ana")
