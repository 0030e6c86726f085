"""Pausing in Slack, asserted by what people see of it."""

import pytest

from bots.desk import pausing
from bots.slack import ids
from bots.slack.ways import WAYS
from memory.working import PAUSED, THREAD_PAUSED
from tests.contract.record import Record
from tests.fakes.slack.channel import First
from tests.fakes.slack_server import Thread
from tests.fixtures.slack import SlackMachine

pytestmark = pytest.mark.timeout(120)


async def left_of(slack: SlackMachine, words: str) -> list[str]:
    """Return which tables hold words."""
    return await Record(slack.stores.database, slack.clock).holding(words)


def announced(thread: Thread, words: str) -> list[str]:
    """Return what everybody in a thread was told of a pause."""
    return [answer.shown for answer in thread.answers if words in answer.shown]


async def test_a_person_pauses_and_resumes_by_command(slack: SlackMachine) -> None:
    """Only they see it; the answer says so once; nothing they said is left once it has been answered."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    paused = await ana.slash("/memory", "pause", ops)
    thread = slack.team.thread(await ana.says(ops, "@recall my vault is in xyzzy-1"))
    (first,) = await thread.until_answers(1)
    await ana.says(ops, "and its key in xyzzy-2", thread=thread)
    _, second = await thread.until_answers(2)
    await process.platform.idle()
    refused = await ana.slash("/remember", "I deploy on Fridays.", ops)
    resumed = await ana.slash("/memory", "resume", ops)
    stored = await ana.slash("/remember", "I deploy on Mondays.", ops)

    assert paused.text.startswith("Memory is paused for you")
    assert PAUSED in first.shown
    assert PAUSED not in second.shown
    assert process.model.asked[1].history == ()
    assert await left_of(slack, "xyzzy") == []
    assert "/memory resume ends the pause." in refused.text
    assert resumed.text == "Memory is on for you. What you said while it was paused is not kept."
    assert "I deploy on Mondays." in stored.text
    assert await left_of(slack, "Fridays") == []
    assert bob.ephemerals(ops) == []
    assert slack.server.refusals == []


@pytest.mark.parametrize("first", ["message", "app_mention"])
async def test_a_thread_is_paused_for_everybody_to_see(slack: SlackMachine, first: First) -> None:
    """Anybody there pauses it and anybody resumes it; who did is mentioned, nobody else; nothing of it is left."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    thread = slack.team.thread(await ana.says(ops, "@recall we use argo-17"))
    await thread.until_answers(1)
    await bob.says(ops, "@recall pause this thread", thread=thread, first=first)
    await thread.until_shows(pausing.PAUSED)
    await ana.says(ops, "the vault is in xyzzy-1", thread=thread)
    *_, answer = await thread.until_answers(3)
    await ana.says(ops, "@recall resume this thread", thread=thread, first=first)
    await thread.until_shows(pausing.RESUMED)
    await bob.says(ops, "what is plugh-1?", thread=thread)
    await thread.until_answers(5)
    await process.platform.idle()

    (paused,), (resumed,) = announced(thread, pausing.PAUSED), announced(thread, pausing.RESUMED)
    assert paused.startswith(f"<@{bob.user_id}> {pausing.PAUSED}")
    assert resumed.startswith(f"<@{ana.user_id}> {pausing.RESUMED}")
    assert paused.count("<@") == resumed.count("<@") == 1
    assert THREAD_PAUSED in answer.shown
    assert [message.text for message in process.model.asked[-1].history] == ["ana: we use argo-17", "answer 1"]
    assert (await left_of(slack, "xyzzy"), await left_of(slack, "plugh-1") == []) == ([], False)
    assert slack.server.refusals == []
    assert slack.server.world.mass_mentions == []


async def test_nothing_is_stored_by_hand_in_a_paused_thread(slack: SlackMachine) -> None:
    """Whoever asks; elsewhere they can."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    thread = slack.team.thread(await ana.says(ops, "@recall pause this thread"))
    await thread.until_shows(pausing.PAUSED)
    await ana.says(ops, "@recall remember: I deploy on Fridays", thread=thread)
    await slack.server.socket.until_acked()
    await process.platform.idle()
    elsewhere = await ana.slash("/remember", "I deploy on Mondays.", ops)

    (refused,) = [message.shown for message in ana.ephemerals(ops)][:1]
    assert refused.startswith("Memory is paused in this thread: nothing was stored.")
    assert refused.endswith("@Recall resume this thread ends the pause.")
    assert await left_of(slack, "Fridays") == []
    assert "I deploy on Mondays." in elsewhere.text


async def test_what_is_said_right_after_a_pause_is_not_kept(slack: SlackMachine) -> None:
    """Also when it comes in before anybody has read that the thread is paused."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    thread = slack.team.thread(await ana.says(ops, "@recall hello"))
    await thread.until_answers(1)
    for number in range(3):
        await ana.says(ops, "@recall pause this thread", thread=thread)
        await ana.says(ops, f"the vault is in xyzzy-{number}", thread=thread)
        await thread.until(lambda shown: len(announced(shown, pausing.PAUSED)) > number)  # noqa: B023 (used at once)
        await process.platform.idle()
        assert await left_of(slack, "xyzzy") == []
        await ana.says(ops, "@recall resume this thread", thread=thread)
        await thread.until(lambda shown: len(announced(shown, pausing.RESUMED)) > number)  # noqa: B023 (used at once)
        await process.platform.idle()


async def test_pausing_a_thread_of_others_does_not_make_recall_join_it(slack: SlackMachine) -> None:
    """It was told to stay out of it."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    thread = slack.team.thread(await ana.says(ops, "lunch?"))
    await bob.says(ops, "@recall pause this thread", thread=thread)
    await thread.until_shows(pausing.PAUSED)
    await ana.says(ops, "pizza?", thread=thread)
    await slack.server.socket.until_acked()
    await process.platform.idle()

    assert process.model.asked == []


async def test_settings_say_what_is_paused_here_and_for_me(slack: SlackMachine) -> None:
    """A slash command knows no thread; a mention in one does."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    thread = slack.team.thread(await ana.says(ops, "@recall pause this thread"))
    await thread.until_shows(pausing.PAUSED)
    typed = await ana.slash("/memory", "settings", ops)
    await ana.slash("/memory", "pause", ops)
    for words in ("@recall memory settings", "@recall resume"):
        await ana.says(ops, words, thread=thread)
        await slack.server.socket.until_acked()
        await process.platform.idle()
    here, resumed = [message.shown for message in ana.ephemerals(ops)][-2:]

    assert "For you: memory is on. /memory pause pauses it." in typed.text
    assert "In a thread, for everybody there: @Recall pause this thread pauses it." in typed.text
    assert "For you: memory is paused. /memory resume ends it." in here
    assert "In this thread: memory is paused. @Recall resume this thread ends it." in here
    assert "Memory is full:" in here
    assert "In this thread it is still paused" in resumed


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("", WAYS.memory_usage),
        ("Paws now", f"There is no /memory paws.\n{WAYS.memory_usage}"),
        ("pause this thread", WAYS.no_thread_to_pause),
        ("resume thread", WAYS.no_thread_to_pause),
    ],
)
async def test_what_the_command_cannot_do_is_explained(slack: SlackMachine, typed: str, answer: str) -> None:
    """Nothing is paused by it."""
    process = await slack.start()
    ana = slack.team.user("ana")
    seen = await ana.slash("/memory", typed)

    assert seen.text == answer
    assert not (await process.recall.personal.pauses(ids.user_id(slack.team.team_id, ana.user_id), None)).person


async def test_guests_cannot_pause_a_thread(slack: SlackMachine) -> None:
    """They are answered by nobody there, and change nothing."""
    process = await slack.start()
    ana, guest = slack.team.user("ana"), slack.team.user("gil", guest="multi_channel")
    ops = slack.team.channel("ops", ana, guest)
    thread = slack.team.thread(await guest.says(ops, "@recall pause this thread"))
    await slack.server.socket.until_acked()
    await process.platform.idle()

    assert thread.answers == []
    assert await Record(slack.stores.database, slack.clock).rows("threads") == 0


async def test_a_person_pauses_and_resumes_in_the_home_tab(slack: SlackMachine) -> None:
    """The switch shows where it stands, whoever turned it where; it is theirs alone."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    await ana.opens_home()
    home = await ana.until_home_shows("Memory is on for you.")
    await ana.presses(home, "recall_pause")
    await ana.until_home_shows("Memory is paused for you: I keep nothing of what you say.")
    await slack.team.thread(await ana.says(ops, "@recall my vault is in xyzzy-1")).until_answers(1)
    await process.platform.idle()
    left = await left_of(slack, "xyzzy-1")
    await ana.slash("/memory", "resume")
    await ana.opens_home()
    await ana.until_home_shows("Memory is on for you.")
    await bob.opens_home()
    his = await bob.until_home_shows("Memory is on for you.")

    assert left == []
    assert "recall_pause" in home.buttons and "recall_pause" in his.buttons
    assert slack.server.refusals == []


async def test_settings_have_the_same_switches(slack: SlackMachine) -> None:
    """For the person in place, with the new state; for the thread it is said to everybody there, by who pressed it."""
    await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    typed = await ana.slash("/memory", "settings", ops)
    (message,) = typed.messages
    await ana.presses(message, "recall_pause")
    await slack.server.until(lambda: "recall_resume" in message.buttons)
    paused = message.shown
    await ana.presses(message, "recall_resume")
    await slack.server.until(lambda: "recall_pause" in message.buttons)
    thread = slack.team.thread(await ana.says(ops, "@recall we use argo-17"))
    await thread.until_answers(1)
    await ana.says(ops, "@recall settings", thread=thread)
    await slack.server.until(lambda: any("In this thread" in each.shown for each in ana.ephemerals(ops)))
    (here,) = [each for each in ana.ephemerals(ops) if "In this thread" in each.shown]
    await ana.presses(here, "recall_pause:thread")
    await thread.until(lambda shown: pausing.PAUSED in shown.text)

    assert "For you: memory is paused." in paused
    assert "In the last 30 days: 0 questions" in paused
    assert announced(thread, pausing.PAUSED)
    assert slack.server.refusals == []
