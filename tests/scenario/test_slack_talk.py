"""Whole conversations in Slack, asserted by what people see in the thread."""

import pytest

from bots.conversation import STOPPED
from bots.slack.prompts import PROMPTS
from bots.slack.views import TITLE
from tests.fakes.slack_server import lifecycle
from tests.fixtures.slack import SlackMachine

pytestmark = pytest.mark.timeout(120)
"""A mistake shows as an answer that never comes."""


async def test_a_mention_is_answered_in_its_thread(slack: SlackMachine) -> None:
    """The channel gets a thread with the answer; nothing stays "thinking"."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    asked = await ana.says(ops, "@recall why does api-7f9c restart?")
    thread = slack.team.thread(asked)
    await thread.until_answers(1)

    assert [answer.shown for answer in thread.answers] == ["answer 1"]
    assert process.model.asked[0].message.text == "why does api-7f9c restart?"
    assert not thread.status
    assert slack.server.refusals == []


async def test_a_follow_up_needs_no_mention_and_knows_the_thread(slack: SlackMachine) -> None:
    """Anybody in the thread is answered there; a message to somebody else is not."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    thread = slack.team.thread(await ana.says(ops, "@recall why does api-7f9c restart?"))
    await thread.until_answers(1)
    await bob.says(ops, "@ana have you looked at its memory?", thread=thread)
    await bob.says(ops, "and since when?", thread=thread)
    await thread.until_answers(2)

    assert [request.message.text for request in process.model.asked] == [
        "why does api-7f9c restart?",
        "bob: and since when?",
    ]
    assert [message.text for message in process.model.asked[1].history] == [
        "ana: why does api-7f9c restart?",
        "answer 1",
    ]


async def test_what_is_not_for_recall_is_left_alone(slack: SlackMachine) -> None:
    """Talk in the channel, threads of others, and other bots are neither answered nor stored."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    root = await ana.says(ops, "lunch?")
    await ana.says(ops, "pizza", thread=slack.team.thread(root))
    await slack.team.bot_posts(slack.team.other_bot("deployer"), ops, "@recall deploy finished")
    await slack.server.socket.until_acked()

    assert process.model.asked == []
    assert await process.recall.service.open_threads(slack.tenant_id) == {}


async def test_a_dm_is_answered_and_a_new_thread_recalls_what_was_learned(slack: SlackMachine) -> None:
    """Once the thread has been idle; and another person, and a channel, get none of it."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    process.model.replies = ["Noted."]
    first = slack.team.thread(await ana.says(ana.dm, "My staging cluster is called blue-heron-42"))
    await first.until_answers(1)
    await process.learn("ana's staging cluster is called blue-heron-42")
    again = slack.team.thread(await ana.says(ana.dm, "What is my staging cluster called?"))
    await again.until_answers(1)
    other = slack.team.thread(await bob.says(bob.dm, "What is the staging cluster called?"))
    await other.until_answers(1)
    channel = slack.team.thread(await ana.says(ops, "@recall what is my staging cluster called?"))
    await channel.until_answers(1)

    recalled = [[item.memory.text for item in request.recalled] for request in process.model.asked[1:]]
    assert any("blue-heron-42" in text for text in recalled[0])
    assert recalled[1:] == [[], []]


async def test_every_delivery_of_a_message_is_answered_once(slack: SlackMachine) -> None:
    """The same event again, both kinds in both orders, and resends under new ids."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    threads = []
    for first in ("message", "app_mention"):
        asked = await ana.says(ops, f"@recall hello {first}", first=first)
        threads.append(slack.team.thread(asked))
        for delivery in slack.server.deliveries_of(asked):
            await slack.server.socket.redeliver(delivery)
            await slack.server.socket.redeliver(delivery)
        await slack.server.resend(asked, times=11, new_ids=True)
    for thread in threads:
        await thread.until_answers(1)
    await slack.server.socket.until_acked()
    await process.platform.idle()

    assert [len(thread.answers) for thread in threads] == [1, 1]
    assert len(process.model.asked) == 2


async def test_a_restart_in_between_keeps_the_thread(slack: SlackMachine) -> None:
    """The next process knows what was said, and goes on without a mention."""
    first = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    thread = slack.team.thread(await ana.says(ops, "@recall api-7f9c restarts"))
    await thread.until_answers(1)
    await first.stop()
    second = await slack.start()
    await ana.says(ops, "since when?", thread=thread)
    await thread.until_answers(2)

    assert [message.text for message in second.model.asked[0].history] == ["api-7f9c restarts", "answer 1"]


async def test_a_shutdown_during_the_answer_hands_it_over(slack: SlackMachine) -> None:
    """The next process answers in the same place; the person sees one answer."""
    first = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    first.model.gate.clear()
    thread = slack.team.thread(await ana.says(ops, "@recall api-7f9c restarts"))
    await first.model.waiting.wait()
    await first.stop()
    await slack.start()
    await thread.until_answers(1)

    assert [answer.shown for answer in thread.answers] == ["answer 1"]
    assert not thread.status


async def test_edits_and_deletions_reach_the_memory(slack: SlackMachine) -> None:
    """What was taken back in Slack is not in the next request."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    asked = await ana.says(ops, "@recall the vault is in cellar-17")
    thread = slack.team.thread(asked)
    await thread.until_answers(1)
    secret = await ana.says(ops, "its key is under the mat", thread=thread)
    await thread.until_answers(2)
    await ana.edits(asked, "@recall the vault is in cellar-18")
    await ana.deletes(secret)
    await slack.server.socket.until_acked()
    await ana.says(ops, "where is it?", thread=thread)
    await thread.until_answers(3)

    said = [message.text for message in process.model.asked[2].history]
    assert "the vault is in cellar-18" in said
    assert not any("cellar-17" in text or "mat" in text for text in said)


async def test_outsiders_are_neither_answered_nor_stored(slack: SlackMachine) -> None:
    """Guests, people of other workspaces, and channels shared with them: fail closed."""
    process = await slack.start()
    ana = slack.team.user("ana")
    guest = slack.team.user("guest", guest="single_channel")
    ops = slack.team.channel("ops", ana, guest)
    shared = slack.team.channel("partners", ana, shared_with="T0OTHER")
    await guest.says(ops, "@recall hello")
    await ana.says(shared, "@recall hello")
    await slack.server.socket.until_acked()
    await process.platform.idle()

    assert process.model.asked == []
    assert await process.recall.service.open_threads(slack.tenant_id) == {}


async def test_the_stop_button_ends_the_answer_in_whichever_process_makes_it(slack: SlackMachine) -> None:
    """The person is told that it stopped, the thread goes on, and nothing stays "processing"."""
    processes = [await slack.start(), await slack.start()]
    for process in processes:
        process.model.gate.clear()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    for number in range(1, 5):  # Slack delivers the stop to either process
        thread = slack.team.thread(await ana.says(ops, f"@recall question {number}"))
        await thread.until(lambda shown: shown.session_status == "processing")
        await ana.stops(thread)
        await thread.until_shows(STOPPED)
        await thread.until(lambda shown: shown.session_status != "processing")

    assert slack.server.refusals == []


async def test_what_was_said_in_a_channel_that_turns_private_stays_there(slack: SlackMachine) -> None:
    """The fact was for everybody; afterwards only the channel recalls it."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops, lobby = slack.team.channel("ops", ana), slack.team.channel("lobby", ana)
    first = slack.team.thread(await ana.says(ops, "@recall I deploy with the frobnicator"))
    await first.until_answers(1)
    await process.learn("ana deploys with the frobnicator")
    asked = "@recall what do I deploy with?"
    before = slack.team.thread(await ana.says(lobby, asked))
    await before.until_answers(1)
    await lifecycle.make_private(ops, ana.user)
    await slack.server.socket.until_acked()
    outside = slack.team.thread(await ana.says(lobby, asked))
    await outside.until_answers(1)
    inside = slack.team.thread(await ana.says(ops, asked))
    await inside.until_answers(1)

    recalled = [
        any("the frobnicator" in item.memory.text for item in request.recalled) for request in process.model.asked
    ]
    assert recalled == [False, True, False, True]


async def test_the_messages_tab_offers_prompts_and_works_without_them(slack: SlackMachine) -> None:
    """At most four, each with words to send; a refusal changes nothing, and the Home tab has none."""
    process = await slack.start()
    ana = slack.team.user("ana")
    offered = slack.server.world.states[slack.team.team_id].prompts
    await ana.opens_home()
    await ana.until_home_shows(TITLE)
    assert offered == {}
    await ana.opens_messages()
    await slack.server.until(lambda: bool(offered))
    [(place, prompts)] = offered.items()
    slack.server.faults.add("assistant.threads.setSuggestedPrompts", "error", error="not_agent_app")
    await ana.opens_messages()
    await slack.server.socket.until_acked()
    await process.platform.idle()
    thread = slack.team.thread(await ana.says(ana.dm, prompts[0]["message"]))
    await thread.until_answers(1)

    assert place == (ana.dm.channel_id, "")
    assert [(each["title"], each["message"]) for each in prompts] == list(PROMPTS)
    assert process.model.asked[0].message.text == PROMPTS[0][1]
