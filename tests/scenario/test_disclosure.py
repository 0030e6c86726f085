"""The first contact: people are told once what is remembered, whatever fails, ends or comes at the same time."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
import pytest_asyncio

from bots.conversation import Conversation
from bots.delivery import Delivery
from bots.platform import IncomingMessage, Reply
from bots.slack.ways import DISCLOSURE
from memory.model import Person, Place
from tests.fakes.values import TENANT, dm, person, public_channel
from tests.fixtures.core import Core, Shown
from tests.fixtures.slack import SlackMachine

pytestmark = pytest.mark.timeout(120)

WORDS = "I remember. Say forget, and I do not."
ANA, BOB = person("ana"), person("bob")


class Deaf(Shown):
    """A place where nothing can be shown."""

    async def finish(self, reply: Reply) -> None:
        raise OSError(f"cannot show {reply.text}")


class Process:
    """One process that tells people of memory.

    Attributes:
        late: What it showed of messages that were accepted before.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self.late: list[Shown] = []
        recall = core.recall
        talk = Conversation(service=recall.service, model=core.model, system="You are Recall.")
        self.delivery = Delivery(
            service=recall.service, conversation=talk, late=lambda _: self._late(), pace=recall.pace, disclosure=WORDS
        )

    def _late(self) -> Shown:
        self.late.append(Shown())
        return self.late[-1]

    async def say(self, author: Person, place: Place, *, shown: Shown | None = None) -> tuple[str, ...]:
        """Say something; return the notices beside the answer."""
        self._core.clock.advance(1)
        shown = shown or Shown()
        number = next(self._core.numbers)
        message = IncomingMessage(
            place=place,
            author=author,
            platform_message_id=f"delivery-{number}",
            text=f"message {number}",
            sent_at=self._core.clock.now(),
        )
        await self.delivery.handle(message, shown)
        await self.delivery.idle()  # an end that the platform did not take is put off behind that
        return shown.replies[0].notices if shown.replies else ()


@pytest_asyncio.fixture
async def start(core: Core) -> AsyncIterator[Callable[[], Process]]:
    """Start processes on one record."""
    async with AsyncExitStack() as stack:

        def make() -> Process:
            process = Process(core)
            stack.push_async_callback(process.delivery.close, grace_s=0)
            return process

        yield make


async def test_the_first_answers_tell_what_is_remembered(start: Callable[[], Process]) -> None:
    """Once in the workspace and once in each person's own talk, over all threads and processes."""
    first, second = start(), start()
    ops = public_channel("ops")
    told = [
        await first.say(ANA, ops),
        await first.say(BOB, ops),
        await second.say(BOB, public_channel("lobby")),
        await second.say(ANA, dm("ana")),
        await first.say(ANA, dm("ana", "another")),
        await first.say(BOB, dm("bob")),
    ]

    assert told == [(WORDS,), (), (), (WORDS,), (), (WORDS,)]


async def test_one_answer_that_is_the_first_in_two_ways_tells_it_once(start: Callable[[], Process]) -> None:
    """The first talk of a workspace may be a direct message."""
    process = start()

    assert await process.say(ANA, dm("ana")) == (WORDS,)
    assert await process.say(ANA, public_channel("ops")) == ()


async def test_a_first_answer_that_is_shown_late_tells_it_then(core: Core, start: Callable[[], Process]) -> None:
    """Another process shows the answer, and what it tells with it; the next answer does not."""
    first = start()
    await first.say(ANA, dm("ana"), shown=Deaf())
    core.clock.advance(timedelta(minutes=5).total_seconds())
    second = start()
    await second.delivery.recover(TENANT)
    await second.delivery.idle()
    after = await second.say(ANA, dm("ana"))

    assert [[reply.notices for reply in shown.replies] for shown in second.late] == [[(WORDS,)]]
    assert after == ()


async def test_slack_tells_its_own_words(slack: SlackMachine) -> None:
    """How to see, pause and erase it, below the first answer and no other."""
    await slack.start(disclosure=DISCLOSURE)
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    threads = []
    for _ in range(2):
        threads.append(slack.team.thread(await ana.says(ops, "@recall hello")))
        await threads[-1].until_answers(1)

    assert [answer.shown for thread in threads for answer in thread.answers] == [
        f"answer 1\n{DISCLOSURE}",
        "answer 2",
    ]
    assert all(word in DISCLOSURE for word in ("/memories", "/memory pause", "/forget"))
    assert slack.server.refusals == []
