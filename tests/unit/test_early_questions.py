"""Questions that are embedded before they are asked."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from memory.early_questions import EarlyQuestions
from memory.errors import ProviderUnavailableError
from memory.model.recall import Vector
from memory.tasks import TaskTracker
from tests.fakes.embedder import HashingEmbedder


class GatedEmbedder(HashingEmbedder):
    """Embeds a question when the gate opens; fails as often as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.asked: list[str] = []
        self.failures = 0
        self.loaded = True

    @property
    def is_ready(self) -> bool:
        return self.loaded

    async def embed_query(self, text: str) -> Vector:
        self.asked.append(text)
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise ProviderUnavailableError("hashing", "out of order")
        return await super().embed_query(text)


@pytest.fixture
def embedder() -> GatedEmbedder:
    """Return an embedder whose gate is shut."""
    return GatedEmbedder()


@pytest.fixture
def tasks() -> TaskTracker:
    """Return the tracker of what was begun."""
    return TaskTracker()


@pytest.fixture
def questions(embedder: GatedEmbedder, tasks: TaskTracker) -> EarlyQuestions:
    """Return the questions under test."""
    return EarlyQuestions(embedder, tasks)


def is_same(one: Sequence[float] | Vector, other: Sequence[float] | Vector) -> bool:
    """Return whether two vectors are equal."""
    return bool(np.array_equal(np.asarray(one), np.asarray(other)))


async def test_a_question_that_was_begun_is_embedded_once(
    questions: EarlyQuestions, embedder: GatedEmbedder, tasks: TaskTracker
) -> None:
    """Begun twice, asked once: the model works once, and the answer is that of the question."""
    questions.begin("why is api-7 down?")
    questions.begin("why is api-7 down?")
    embedder.gate.set()

    vector = await questions.embed_query("why is api-7 down?")

    await tasks.idle()
    assert embedder.asked == ["why is api-7 down?"]
    assert is_same(vector, await HashingEmbedder().embed_query("why is api-7 down?"))


async def test_a_vector_is_given_out_once_and_not_kept(questions: EarlyQuestions, embedder: GatedEmbedder) -> None:
    """Whoever asks again is answered anew, since nothing of a question stays."""
    embedder.gate.set()
    questions.begin("q")

    await questions.embed_query("q")
    await questions.embed_query("q")

    assert embedder.asked == ["q", "q"]


async def test_other_questions_are_embedded_when_they_are_asked(
    questions: EarlyQuestions, embedder: GatedEmbedder
) -> None:
    """What was begun is no answer to another question."""
    embedder.gate.set()
    questions.begin("the pods of web")

    vector = await questions.embed_query("the nodes of batch")

    assert is_same(vector, await HashingEmbedder().embed_query("the nodes of batch"))


async def test_a_failed_beginning_is_tried_again_by_who_asks(
    questions: EarlyQuestions, embedder: GatedEmbedder, tasks: TaskTracker
) -> None:
    """The first failure is nobody's; the second is told to who asks."""
    embedder.gate.set()
    embedder.failures = 2
    questions.begin("q")
    await tasks.idle()

    with pytest.raises(ProviderUnavailableError):
        await questions.embed_query("q")

    assert embedder.asked == ["q", "q"]


async def test_who_asks_can_be_cancelled_while_the_model_works(
    questions: EarlyQuestions, embedder: GatedEmbedder, tasks: TaskTracker
) -> None:
    """The work ends in peace, and the next one who asks is answered."""
    questions.begin("q")
    asking = asyncio.ensure_future(questions.embed_query("q"))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    embedder.gate.set()
    await tasks.idle()

    assert is_same(await questions.embed_query("q"), await HashingEmbedder().embed_query("q"))


async def test_nothing_is_begun_while_the_model_is_loading(questions: EarlyQuestions, embedder: GatedEmbedder) -> None:
    """A first export takes long; what piles up meanwhile would only hold up those who ask."""
    embedder.loaded = False

    questions.begin("q")

    await asyncio.sleep(0)
    assert embedder.asked == []


async def test_the_oldest_of_too_many_questions_make_room(
    questions: EarlyQuestions, embedder: GatedEmbedder, tasks: TaskTracker
) -> None:
    """A flood of messages costs a bounded number of vectors; the one pushed out is embedded anew."""
    embedder.gate.set()
    for number in range(257):
        questions.begin(f"q{number}")
    await tasks.idle()

    await questions.embed_query("q256")
    await questions.embed_query("q0")

    assert embedder.asked.count("q256") == 1
    assert embedder.asked.count("q0") == 2
