"""What operators can count of what people do in Slack: kinds and numbers, and nobody's name."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bots.slack.press import FEEDBACK
from tests.fakes.model import remembers
from tests.fakes.slack_server import Channel, Message, Person
from tests.fixtures.slack import SlackMachine, SlackProcess

pytestmark = pytest.mark.timeout(120)


def counted(process: SlackProcess, family: str) -> dict[str, float]:
    """Return the counts of a family that are above 0, by its last label."""
    return {
        list(sample.labels.values())[-1]: sample.value
        for found in text_string_to_metric_families(process.metrics.page().decode())
        for sample in found.samples
        if sample.name == f"{family}_total" and sample.value
    }


async def says_of(person: Person, answer: Message, verdict: str) -> None:
    """Press a feedback button and wait for the thanks."""
    button = answer.buttons[FEEDBACK]
    value = button["positive_button" if verdict == "good" else "negative_button"]["value"]
    await person.presses(answer, FEEDBACK, value, expect=1)


async def an_answer(slack: SlackMachine, person: Person, ops: Channel) -> Message:
    """Ask something."""
    thread = slack.team.thread(await person.says(ops, "@recall please keep that my shell is fish"))
    (answer,) = await thread.until_answers(1)
    return answer


async def test_feedback_is_counted_once_for_each_reader_who_gives_it(slack: SlackMachine) -> None:
    """Anybody who reads the answer may; the same verdict twice is one, a change of mind is another."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    answer = await an_answer(slack, ana, ops)
    for person, verdict in ((ana, "good"), (ana, "good"), (bob, "good"), (bob, "bad")):
        await says_of(person, answer, verdict)

    assert counted(process, "recall_feedback") == {"good": 2, "bad": 1}


async def test_what_is_stored_and_forgotten_is_counted(slack: SlackMachine) -> None:
    """Each new fact once, however it was asked for; and no id and no word of anybody is on the page."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    process.model.replies = [remembers("my shell is fish"), "Noted."]
    answer = await an_answer(slack, ana, ops)
    for _ in range(2):  # the second time it is known
        slack.clock.advance(1)
        await ana.slash("/remember", "I like tabs.", ops)
    await ana.presses(answer, "recall_forget:1", expect=1)

    assert counted(process, "recall_facts_written") == {"remembered": 2}
    assert counted(process, "recall_forgets") == {"number": 1}
    page = process.metrics.page().decode()
    assert not any(name in page for name in (ana.user_id, ops.channel_id, slack.team.team_id, "fish", "tabs"))
