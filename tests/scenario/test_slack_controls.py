"""What people do with their memories in Slack, asserted by what they see."""

import asyncio
import json
from collections.abc import Sequence
from functools import partial

import pytest
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from structlog.testing import capture_logs

from bots import commands, press
from bots.desk import desk, outcome
from bots.desk.buttons import GONE, Buttons
from bots.desk.desk import open_desk
from bots.desk.feedback import Feedback
from bots.metrics import Metrics
from bots.slack import controls, exports
from bots.slack.answering import Answering
from bots.slack.channels import Channels
from bots.slack.controls import Controls
from bots.slack.exports import Exports
from bots.slack.guests import Guests
from bots.slack.surroundings import SlackSurroundings
from bots.slack.ways import WAYS
from bots.slack.web import SlackWeb
from bots.slack.workspace import identify
from memory.bootstrap import compose
from memory.errors import StoreUnavailableError
from memory.model import ExtractionReply, FactOperation, Memory, SessionId, UserId
from memory.personal import PersonalMemory
from memory.settings import MemorySettings
from memory.tasks import TaskTracker
from tests.fakes.model import ScriptedModel, remembers
from tests.fakes.slack import events
from tests.fakes.slack.channel import First
from tests.fakes.slack_server import Channel, Message, Person, Seen
from tests.fixtures.slack import SlackMachine, SlackProcess

pytestmark = pytest.mark.timeout(120)


async def remember(person: Person, *texts: str) -> None:
    """Store sentences of a person, in their DM."""
    for text in texts:
        assert "Remembered" in (await person.slash("/remember", text)).text


async def listed(person: Person, words: str = "") -> str:
    """Return what a person's list shows."""
    return (await person.slash("/memories", words)).text


async def pressed(person: Person, seen: Seen, action_id: str) -> str:
    """Press a button of an answer that only a person sees; return what the answer shows then."""
    (message,) = seen.messages
    before = len(message.versions)
    await person.presses(message, action_id)
    await person.world.changes.until(lambda: len(message.versions) > before, within_s=10)
    return message.shown


async def presses_for(thief: Person, owner: Person, channel: Channel, message: Message, action_id: str) -> Seen:
    """Let somebody press a button that only its owner's client shows, as no client of Slack would."""
    world = thief.world
    interaction = world.interaction(thief.team, thief.user, channel_id=channel.channel_id)
    payload = events.message_pressed(
        world.place(thief.team),
        thief.user,
        world.contact(interaction, path="actions"),
        message=message,
        element=message.buttons[action_id],
        value=None,
        channel_name=channel.command_name,
        ts=world.counter.ts(),
    )
    assert message.ephemeral_to == owner.user_id
    seen = await thief._send("interactive", payload, interaction, channel)
    return await seen.until(1)


async def only_seen_by(person: Person, channel: Channel) -> list[str]:
    """Return what only one person sees in a channel."""
    return [message.shown for message in person.ephemerals(channel)]


async def nothing_failed(_session: SessionId, _message: str, _asker: UserId) -> bool:
    """Have nothing to answer again."""
    return False


def _has_ephemerals(person: Person, count: int) -> bool:
    return len(person.ephemerals(person.dm)) == count


async def test_memories_are_remembered_listed_and_forgotten_by_command(slack: SlackMachine) -> None:
    """Each answer is seen by who typed the command, and by nobody else."""
    await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    stored = await ana.slash("/remember", "I deploy with ArgoCD.", ops)
    found = await ana.slash("/memories", "argocd", ops)
    others = await bob.slash("/memories", "", ops)
    gone = await ana.slash("/forget", "#1", ops)
    empty = await ana.slash("/memories", "", ops)

    assert "I deploy with ArgoCD." in stored.text
    assert "#1  I deploy with ArgoCD." in found.text
    assert "Nothing is remembered of you." in others.text
    assert "Forgotten: 1 fact." in gone.text
    assert WAYS.platform_copy in gone.text
    assert "Nothing is remembered of you." in empty.text
    assert bob.sees(ops) == bob.ephemerals(ops)
    assert slack.server.refusals == []


async def test_what_is_typed_is_stored_as_it_was_typed(slack: SlackMachine) -> None:
    """Slack escapes it on the way; nothing in it is live when it is shown."""
    await slack.start()
    ana = slack.team.user("ana")
    typed = "I alert <!channel> if a < b && *c* > d, says @ana"
    stored = await ana.slash("/remember", typed)

    assert f"#1  {typed}" in stored.text
    assert slack.server.world.mass_mentions == []


async def test_a_secret_is_taken_out_of_what_is_remembered(slack: SlackMachine) -> None:
    """And the person is told."""
    await slack.start()
    ana = slack.team.user("ana")
    seen = await ana.slash("/remember", "our key is AKIAIOSFODNN7EXAMPLE")

    assert "AKIAIOSFODNN7EXAMPLE" not in seen.text + await listed(ana)
    assert "Please rotate it." in seen.text


async def test_a_long_list_is_turned_page_by_page_in_its_place(slack: SlackMachine) -> None:
    """Ten a page, newest first; a line that is forgotten leaves the same page; the buttons end where the list does."""
    await slack.start()
    ana = slack.team.user("ana")
    await remember(ana, *(f"Service {number:02} is mine." for number in range(1, 24)))
    seen = await ana.slash("/memories")
    (message,) = seen.messages
    first = message.shown
    assert "recall_page:newer" not in message.buttons
    second = await pressed(ana, seen, "recall_page:older")
    forgot = await pressed(ana, seen, "recall_forget:10")
    last = await pressed(ana, seen, "recall_page:older")
    assert "recall_page:older" not in message.buttons
    back = await pressed(ana, seen, "recall_page:newer")

    assert "1 to 10 of 23" in first
    assert [f"Service {number:02}" in first for number in (23, 14, 13)] == [True, True, False]
    assert "11 to 20 of 23" in second
    assert "Forgotten: 1 fact." in forgot
    assert "11 to 20 of 22" in forgot
    assert "Service 10" not in forgot
    assert "21 to 22 of 22" in last
    assert "11 to 20 of 22" in back
    assert len(seen.messages) == 1
    assert slack.server.refusals == []


async def test_forgetting_several_asks_and_any_process_takes_the_answer(slack: SlackMachine) -> None:
    """The process that asked has ended when the person presses."""
    asking = await slack.start()
    ana = slack.team.user("ana")
    await remember(ana, "I like ArgoCD.", "ArgoCD is at argo.test.", "I like tabs.")
    seen = await ana.slash("/forget", "about argocd")
    assert "Forget 2 memories?" in seen.text
    assert "Type yes" not in seen.text
    await asking.stop()
    await slack.start()
    receipt = await pressed(ana, seen, "recall_agree")

    assert "Forgotten: 2 facts." in receipt
    assert "1 memory" in await listed(ana)
    assert "I like tabs." in await listed(ana)
    assert slack.server.refusals == []


async def test_what_has_changed_since_the_question_is_asked_again(slack: SlackMachine) -> None:
    """Nothing goes that the person has not seen."""
    await slack.start()
    ana = slack.team.user("ana")
    await remember(ana, "I like ArgoCD.", "ArgoCD is at argo.test.")
    seen = await ana.slash("/forget", "everything")
    await remember(ana, "My pin is in the safe.")
    again = await pressed(ana, seen, "recall_agree")
    kept = await listed(ana)
    receipt = await pressed(ana, seen, "recall_agree")

    assert "It has changed since I asked." in again
    assert "My pin is in the safe." in again
    assert "3 memories" in kept
    assert "Forgotten: 3 facts." in receipt


async def test_pressing_twice_forgets_once(slack: SlackMachine) -> None:
    """The second press finds that it is done."""
    process = await slack.start()
    ana = slack.team.user("ana")
    await remember(ana, "I like ArgoCD.", "I like tabs.")
    seen = await ana.slash("/forget", "everything")
    (message,) = seen.messages
    buttons = message.blocks
    await pressed(ana, seen, "recall_agree")
    message.blocks = buttons
    again = await pressed(ana, seen, "recall_agree")
    await process.platform.idle()

    assert again == GONE
    assert "Nothing is remembered of you." in await listed(ana)


async def test_keep_keeps(slack: SlackMachine) -> None:
    """And says so in place of the question."""
    await slack.start()
    ana = slack.team.user("ana")
    await remember(ana, "I like ArgoCD.", "I like tabs.")
    seen = await ana.slash("/forget", "everything")
    answer = await pressed(ana, seen, "recall_keep")

    assert answer == "Nothing was changed."
    assert "2 memories" in await listed(ana)


async def test_a_button_is_for_whom_it_was_made(slack: SlackMachine) -> None:
    """Somebody else's press changes nothing and shows nothing."""
    await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    await remember(ana, "I like ArgoCD.", "I like tabs.")
    await remember(bob, "I like vim.", "I like emacs.")
    question = await ana.slash("/forget", "everything", ops)
    theft = await presses_for(bob, ana, ops, question.messages[0], "recall_agree")
    lines = await ana.slash("/memories", "", ops)
    other = await presses_for(bob, ana, ops, lines.messages[0], "recall_forget:1")

    assert [theft.text, other.text] == [outcome.NOT_YOURS] * 2
    assert "2 memories" in await listed(ana)
    assert "2 memories" in await listed(bob)


async def test_commands_are_understood_in_a_thread_and_not_kept(slack: SlackMachine) -> None:
    """A mention does what slash commands cannot do there, in that thread only, and once, whatever comes twice."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    thread = slack.team.thread(await ana.says(ops, "@recall my vault is in cellar-17"))
    await thread.until_answers(1)
    orders: list[First] = ["message", "app_mention"]
    for number, first in enumerate(orders, start=1):
        asked = await ana.says(ops, "@recall forget this thread", thread=thread, first=first)
        for delivery in slack.server.deliveries_of(asked):
            await slack.server.socket.redeliver(delivery)
        await slack.server.resend(asked, times=3, new_ids=True)
        await slack.server.socket.until_acked()
        await process.platform.idle()
        assert len(ana.ephemerals(ops)) == number
    question = ana.ephemerals(ops)[-1]
    await ana.presses(question, "recall_agree")
    await ana.world.changes.until(lambda: "Forgotten" in question.shown, within_s=10)
    await bob.says(ops, "@recall where is it?", thread=thread)
    await thread.until_answers(2)

    assert "the text of 1 message" in question.versions[0]
    assert question.thread_ts == thread.ts
    assert bob.ephemerals(ops) == []
    assert [message.text for message in process.model.asked[-1].history] == []
    assert slack.server.refusals == []


@pytest.mark.parametrize("words", ["@recall why does api-7f9c restart?", "@recall forget about it, what now?"])
async def test_what_is_no_command_is_answered(slack: SlackMachine, words: str) -> None:
    """Words that begin like one are for the assistant."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    thread = slack.team.thread(await ana.says(ops, words))
    await thread.until_answers(1)

    assert len(process.model.asked) == 1
    assert ana.ephemerals(ops) == []


async def test_two_processes_answer_a_command_once(slack: SlackMachine) -> None:
    """The two events of a mention go to either of them."""
    processes = [await slack.start(), await slack.start()]
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    orders: list[First] = ["message", "app_mention"]
    for first in orders * 4:
        await ana.says(ops, "@recall memories", first=first)
    await slack.server.socket.until_acked()
    for process in processes:
        await process.platform.idle()

    assert [text for text in await only_seen_by(ana, ops) if "Nothing is remembered" not in text] == []
    assert len(await only_seen_by(ana, ops)) == 8
    assert [process.model.asked for process in processes] == [[], []]


async def test_a_dm_thread_takes_commands_without_a_mention(slack: SlackMachine) -> None:
    """Slash commands do not work in its threads either."""
    process = await slack.start()
    ana = slack.team.user("ana")
    thread = slack.team.thread(await ana.says(ana.dm, "hello"))
    await thread.until_answers(1)
    for number, words in enumerate(("remember: I deploy on Fridays", "memories"), start=1):
        await ana.says(ana.dm, words, thread=thread)
        shown = partial(_has_ephemerals, ana, number)
        await ana.world.changes.until(shown, within_s=10)

    assert all("I deploy on Fridays" in text for text in await only_seen_by(ana, ana.dm))
    assert {message.thread_ts for message in ana.ephemerals(ana.dm)} == {thread.ts}
    assert len(process.model.asked) == 1


async def _an_answer_with_memory(
    slack: SlackMachine, process: SlackProcess, person: Person, channel: Channel
) -> Message:
    """Return an answer that was given something the person said in another thread of the channel."""
    mention = "" if channel.kind == "im" else "@recall "
    first = slack.team.thread(await person.says(channel, f"{mention}My staging cluster is called blue-heron-42"))
    await first.until_answers(1)
    await process.learn("ana's staging cluster is called blue-heron-42")
    again = slack.team.thread(await person.says(channel, f"{mention}What is my staging cluster called?"))
    (answer,) = await again.until_answers(1)
    assert "recall_why" in answer.buttons
    return answer


async def test_the_footer_shows_what_an_answer_was_given(slack: SlackMachine) -> None:
    """With date and source; the person's own can be forgotten from there; the answer itself stays as it is."""
    process = await slack.start()
    ana = slack.team.user("ana")
    answer = await _an_answer_with_memory(slack, process, ana, ana.dm)
    shown = answer.shown
    seen = await ana.presses(answer, "recall_why", expect=1)
    (message,) = seen.messages
    first = message.shown
    receipt = await pressed(ana, seen, "recall_forget:1")

    assert "#1  ana's staging cluster is called blue-heron-42" in first
    assert "/archives/" in first
    assert message.thread_ts == answer.thread_ts
    assert "Forgotten: 1 fact" in receipt
    assert "blue-heron" not in await listed(ana)
    assert answer.shown == shown or "blue-heron" not in shown
    assert slack.server.refusals == []


async def test_a_reader_of_an_answer_sees_only_what_they_may(slack: SlackMachine) -> None:
    """A fact about the asker is hers; what was said in the channel is everyone's, but nobody else's to forget."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    answer = await _an_answer_with_memory(slack, process, ana, ops)
    hers = await ana.presses(answer, "recall_why", expect=1)
    his = await bob.presses(answer, "recall_why", expect=1)

    assert "#1  ana's staging cluster is called blue-heron-42" in hers.text
    assert "#1" not in his.text
    assert not any(action.startswith("recall_forget") for action in his.messages[0].buttons)


async def test_shortcuts_remember_forget_and_explain(slack: SlackMachine) -> None:
    """On one's own message, and on an answer; never on somebody else's."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    remember_this, forget_this, why_this = controls.SHORTCUTS
    answer = await _an_answer_with_memory(slack, process, ana, ops)
    said = await ana.says(ops, "I deploy with ArgoCD.")
    refused = [
        await bob.shortcut(remember_this, said),
        await bob.shortcut(forget_this, said),
        await bob.shortcut(why_this, said),
        await ana.shortcut(forget_this, answer),
        await ana.shortcut(remember_this, answer),
    ]
    kept = await ana.shortcut(remember_this, said)
    explained = await ana.shortcut(why_this, answer)
    asked = next(each for each in slack.team.thread(answer).messages if each.ts == answer.thread_ts)
    question = await ana.shortcut(forget_this, asked)
    preview = question.text
    receipt = await pressed(ana, question, "recall_agree")
    unknown = await ana.shortcut(forget_this, said)

    assert [seen.text for seen in refused] == [
        desk.NOT_SAID_BY_YOU,
        desk.FORGET_NOT_YOURS,
        desk.WHY_MINE_ONLY,
        desk.FORGET_MINE,
        desk.NOT_SAID_BY_YOU,
    ]
    assert "I deploy with ArgoCD." in kept.text
    assert said.ts.replace(".", "") in await listed(ana, "argocd")
    assert "blue-heron-42" in explained.text
    assert "the text of 1 message" in preview
    assert "Forgotten" in receipt
    assert unknown.text == "Nothing of yours is kept from this message."
    assert slack.server.refusals == []


async def test_what_the_model_keeps_can_be_undone_by_whose_it_is(slack: SlackMachine) -> None:
    """The button stands in the answer, for all to see; it forgets that very memory, once, for one person."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    await remember(ana, "I like tabs.")
    process.model.replies = [remembers("my shell is fish"), "Noted."]
    thread = slack.team.thread(await ana.says(ops, "@recall please keep that my shell is fish"))
    (answer,) = await thread.until_answers(1)
    thief = await bob.presses(answer, "recall_forget:2", expect=1)
    before = await listed(ana)
    first = await ana.presses(answer, "recall_forget:2", expect=1)
    second = await ana.presses(answer, "recall_forget:2", expect=1)

    assert "I'll remember that: my shell is fish" in answer.shown
    assert thief.text == outcome.NOT_YOURS
    assert "my shell is fish" in before
    assert "Forgotten: 1 fact" in first.text
    assert "#2" in second.text and "Forgotten" not in second.text
    assert "my shell is fish" not in await listed(ana) and "I like tabs." in await listed(ana)
    assert slack.server.refusals == []


@pytest.mark.parametrize("change", ["edited", "deleted"])
async def test_what_was_remembered_from_a_message_goes_with_it(slack: SlackMachine, change: str) -> None:
    """A message to Recall is in its record; the memory that was made of it by hand does not outlive it."""
    await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    asked = await ana.says(ops, "@recall I deploy with ArgoCD.")
    await slack.team.thread(asked).until_answers(1)
    kept = await ana.shortcut(controls.SHORTCUTS[0], asked)
    before = await listed(ana)
    await (ana.edits(asked, "@recall I deploy with Flux.") if change == "edited" else ana.deletes(asked))
    await slack.server.socket.until_acked()

    assert "Remembered" in kept.text and "recall_forget:1" in kept.messages[0].buttons
    assert "I deploy with ArgoCD." in before
    assert "ArgoCD" not in await listed(ana)


async def test_the_last_answer_of_a_thread_is_explained_by_mention(slack: SlackMachine) -> None:
    """Only to who asks; where no answer was given, that is said."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    answer = await _an_answer_with_memory(slack, process, ana, ops)
    thread = slack.team.thread(answer)
    await ana.says(ops, "@recall why", thread=thread)
    await bob.says(ops, "@recall why")
    await ana.world.changes.until(lambda: bool(ana.ephemerals(ops) and bob.ephemerals(ops)), within_s=10)

    assert "blue-heron-42" in (await only_seen_by(ana, ops))[0]
    assert await only_seen_by(bob, ops) == [desk.NO_ANSWER]
    assert len(thread.answers) == 1


async def test_an_export_comes_as_a_file_to_the_persons_own_dm(slack: SlackMachine) -> None:
    """Nobody else sees it, wherever it was asked for."""
    await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    await remember(ana, "I quote code with ```.")
    seen = await ana.slash("/memory", "export", ops)
    usage = await ana.slash("/memory", "help", ops)
    (sent,) = ana.sees(ana.dm)[-1:]

    assert seen.text == WAYS.exported
    assert usage.text == WAYS.memory_usage
    data = json.loads(sent.files[0].content)
    assert [fact["text"] for fact in data["facts"]] == ["I quote code with ```."]
    assert [each.shown for each in slack.team.thread(sent).messages] == [exports.INTRODUCTION]
    assert slack.server.refusals == []


async def test_an_export_may_take_longer_than_a_call(slack: SlackMachine) -> None:
    """A large file over a slow line is not given up after the seconds that a call may take."""
    ana, web = slack.team.user("ana"), SlackWeb(slack.team.bot_token, api_url=slack.server.url, timeout_s=0.5)
    slack.server.faults.add("files.upload", "hold")
    sending = asyncio.create_task(Exports(web).send(ana.user_id, '{"facts": []}'))
    await slack.server.until(lambda: bool(slack.team.state.uploads))
    await asyncio.wait([sending], timeout=1)  # longer than a call may take
    slack.server.release()
    await sending
    await web.close()

    assert ana.sees(ana.dm)[-1].files[0].content == b'{"facts": []}'


async def test_a_receipt_is_not_lost_to_a_rate_limit(slack: SlackMachine) -> None:
    """What was done cannot be done again to be told of it."""
    await slack.start()
    ana = slack.team.user("ana")
    await remember(ana, "I like ArgoCD.")
    limited = slack.server.faults.add("response_url", "ratelimited", times=2)
    seen = await ana.slash("/forget", "#1")

    assert "Forgot" in seen.text and limited.hit == 2


async def test_an_export_comes_as_messages_where_files_may_not_be_sent(slack: SlackMachine) -> None:
    """It is the same JSON."""
    await slack.start()
    ana = slack.team.user("ana")
    await remember(ana, "I quote code with ```.")
    slack.team.state.scopes.discard("files:write")
    seen = await ana.slash("/memory", "export")
    sent = [message.shown for message in ana.sees(ana.dm) if message.ephemeral_to is None]

    assert seen.text == WAYS.exported
    text = sent[-1].partition("```json\n")[2].partition("\n```")[0]
    assert json.loads(text)["facts"][0]["text"] == "I quote code with ```."


async def test_the_home_tab_shows_searches_and_forgets(slack: SlackMachine) -> None:
    """By kind, with a question where several go; a press in it changes the tab, and nobody else's."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    await remember(ana, "I like ArgoCD.", "I like tabs.")
    thread = slack.team.thread(await ana.says(ana.dm, "My vault is in cellar-17"))
    await thread.until_answers(1)
    await process.learn("ana's vault is in cellar-17")
    await bob.opens_home()
    await bob.until_home_shows("Nothing is remembered of you.")
    await ana.opens_home()
    home = await ana.until_home_shows("#3  ana's vault is in cellar-17")
    await ana.presses(home, "recall_search", "argocd")
    await ana.world.changes.until(lambda: "#3" not in home.shown, within_s=10)
    searched = home.shown
    await ana.presses(home, "recall_forget:1")
    await ana.until_home_shows("Forgotten: 1 fact.")
    await ana.presses(home, "recall_search", "")
    await ana.until_home_shows("#3")
    await ana.presses(home, "recall_forget:3")
    await ana.until_home_shows("Forgotten: 1 fact, 1 message, 1 reply.")
    await ana.presses(home, "recall_export")
    await ana.until_home_shows(WAYS.exported)

    assert "#1  I like ArgoCD." in searched
    assert "#2  I like tabs." in home.shown
    assert "#3" not in home.shown
    assert bob.home is not None and "Nothing is remembered of you." in bob.home.shown
    assert slack.server.refusals == []


async def test_memories_are_widened_and_narrowed_in_the_home_tab(slack: SlackMachine) -> None:
    """One at once, all of them after a question; what was said in a DM is recalled in a channel then, and not after."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    await remember(ana, "I deploy with the frobnicator.", "I like tabs.")
    await ana.opens_home()
    home = await ana.until_home_shows("Kept: 2 memories.")
    asked = "@recall what do I deploy with, the frobnicator?"

    async def recalled() -> bool:
        count = len(process.model.asked)
        await slack.team.thread(await ana.says(ops, asked)).until_answers(1)
        return any("frobnicator." in item.memory.text for item in process.model.asked[count].recalled)

    before = await recalled()
    await ana.presses(home, "recall_widen:1")
    await ana.until_home_shows("#1 can now be used anywhere in this workspace")
    widened = await recalled()
    await ana.presses(home, "recall_narrow:1")
    await ana.until_home_shows("#1 is again only for those who could read where you said it.")
    narrowed = await recalled()
    await ana.presses(home, "recall_widen:all")
    await ana.until_home_shows("Let 2 memories be used anywhere in this workspace")
    await ana.presses(home, "recall_widen")
    await ana.until_home_shows("2 memories can now be used anywhere in this workspace.")
    everything = home.shown
    await ana.presses(home, "recall_narrow:all")
    await ana.until_home_shows("2 memories are again only")

    assert (before, widened, narrowed) == (False, True, False)
    assert everything.count("usable anywhere") == 2
    assert "In the last 30 days: 3 questions, 3 answers, 0 tokens." in home.shown
    assert slack.server.refusals == []


async def test_memories_are_widened_by_command(slack: SlackMachine) -> None:
    """One at once; all of them, and nonsense, are asked back."""
    await slack.start()
    ana = slack.team.user("ana")
    await remember(ana, "I like tabs.")
    one = await ana.slash("/memory", "widen #1")
    taken_back = await ana.slash("/memory", "narrow all")
    question = await ana.slash("/memory", "widen all")
    asked = question.text
    agreed = await pressed(ana, question, "recall_widen")
    unknown = await ana.slash("/memory", "widen #7")
    nonsense = await ana.slash("/memory", "widen")

    assert "#1 can now be used anywhere" in one.text
    assert "1 memory is again only" in taken_back.text
    assert "Let 1 memory be used anywhere" in asked and "1 memory can now be used anywhere" in agreed
    assert (unknown.text, nonsense.text) == ("You have no memory #7.", commands.WIDEN_USAGE)


async def test_a_question_in_the_home_tab_goes_back_to_it(slack: SlackMachine) -> None:
    """A fact takes its history along, so it is asked for."""
    process = await slack.start()
    ana = slack.team.user("ana")
    thread = slack.team.thread(await ana.says(ana.dm, "my shell is bash"))
    await thread.until_answers(1)
    await process.learn("ana's shell is bash")
    await ana.says(ana.dm, "my shell is zsh now", thread=thread)
    await thread.until_answers(2)
    update = FactOperation(operation="update", label=1, subject="A", text="ana's shell is zsh", messages=[1])
    process.model.extractions = [ExtractionReply(facts=[update])]
    await process.recall.sweep()
    await ana.opens_home()
    home = await ana.until_home_shows("ana's shell is zsh")
    await ana.presses(home, "recall_forget:2")
    await ana.until_home_shows("Forget 2 memories")
    await ana.presses(home, "recall_keep")
    await ana.until_home_shows("Nothing was changed.")
    kept = home.shown
    await ana.presses(home, "recall_forget:2")
    await ana.until_home_shows("Forget 2 memories")
    await ana.presses(home, "recall_agree")
    await ana.until_home_shows("Forgotten: 2 facts")

    assert "#2  ana's shell is zsh" in kept
    assert "Nothing is remembered of you." in home.shown
    assert slack.server.refusals == []


async def test_commands_are_answered_while_many_turns_run(slack: SlackMachine) -> None:
    """Fifty people wait for the model; the list comes at once."""
    process = await slack.start()
    ana = slack.team.user("ana")
    process.model.gate.clear()
    crowd = [slack.team.user(f"person{number}") for number in range(50)]
    ops = slack.team.channel("ops", ana, *crowd)
    for person in crowd:
        await person.says(ops, "@recall is prod up?")
    await process.model.waiting.wait()
    seen = await ana.slash("/memories", "", ops, within_s=3)
    process.model.gate.set()
    await process.platform.idle()

    assert "Nothing is remembered of you." in seen.text
    assert seen.error is None


async def test_where_outsiders_may_read_nothing_that_is_said_is_remembered(slack: SlackMachine) -> None:
    """A person's own memories can be seen, stored and forgotten from there; only they see them."""
    await slack.start()
    ana = slack.team.user("ana")
    shared = slack.team.channel("partners", ana, shared_with="T0OTHER")
    await remember(ana, "I like tabs.")
    refused = await ana.shortcut(controls.SHORTCUTS[0], await ana.says(shared, "I like spaces."))
    typed = await ana.slash("/remember", "I like lines.", shared)
    seen = await ana.slash("/memories", "", shared)

    assert refused.text == desk.NO_PLACE
    assert WAYS.seen_by_nobody in typed.text
    assert ["I like" in seen.text, "tabs" in seen.text, "lines" in seen.text, "spaces" in seen.text] == [
        True,
        True,
        True,
        False,
    ]


async def test_what_is_typed_for_recall_alone_is_used_in_direct_messages_alone(slack: SlackMachine) -> None:
    """A slash command in a public channel is seen by nobody else, so no answer there may repeat it."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana, slack.team.user("bob"))
    await ana.slash("/remember", "I am leaving on 2027-01-31", ops)
    for place, recalled in ((ops, []), (ana.dm, ["I am leaving on 2027-01-31"])):
        await slack.team.thread(await ana.says(place, "@recall when am I leaving?")).until_answers(1)
        facts = [each for each in process.model.asked[-1].recalled if each.memory.kind == "fact"]
        assert [each.memory.text for each in facts] == recalled


@pytest.mark.parametrize(
    ("command", "text", "words"),
    [
        ("/forget", "", desk.FORGET_USAGE),
        ("/forget", "this thread", WAYS.no_thread),
        ("/forget", "#7", "You have no memory #7."),
        ("/forget", "about " + "x" * 400, press.TOO_LONG),
        ("/memories", "zanzibar", "No memory of yours has: zanzibar"),
        ("/remember", "  ", "Say what to remember"),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_line(
    slack: SlackMachine, command: str, text: str, words: str
) -> None:
    """Empty, too long, or nothing there."""
    await slack.start()
    seen = await slack.team.user("ana").slash(command, text)

    assert words in seen.text
    assert "\n" not in seen.text


async def test_feedback_is_thanked_for(slack: SlackMachine) -> None:
    """Only who gave it sees that."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    thread = slack.team.thread(await ana.says(ops, "@recall is prod up?"))
    (answer,) = await thread.until_answers(1)
    chosen = answer.buttons["recall_feedback"]["negative_button"]["value"]
    seen = await ana.presses(answer, "recall_feedback", chosen, expect=1)
    await process.platform.idle()

    assert seen.text == "Thank you."
    assert [each.shown for each in thread.answers] == ["answer 1"]
    assert slack.server.refusals == []


async def test_a_lost_answer_costs_only_itself(slack: SlackMachine) -> None:
    """Slack does not take one answer; the next command works, and what was done is done."""
    process = await slack.start()
    ana = slack.team.user("ana")
    await remember(ana, "I like tabs.")
    slack.server.faults.add("response_url", "status", status=500)
    await ana.slash("/forget", "#1", expect=0)
    await process.platform.idle()

    assert "Nothing is remembered of you." in await listed(ana)


class FailingMemory(PersonalMemory):
    """Cannot list anybody's memories."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def memories(self, owner: UserId, words: str = "", *, history: bool = False) -> Sequence[Memory]:  # noqa: ARG002
        raise self._error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StoreUnavailableError("sql", "list at 10.0.0.7"), outcome.UNREACHABLE),
        (KeyError("10.0.0.7"), outcome.BROKEN),
    ],
    ids=["record away", "bug"],
)
async def test_a_failure_is_told_in_fixed_words_with_the_id_of_its_log_line(
    slack: SlackMachine, error: Exception, words: str
) -> None:
    """Acknowledged all the same; nothing of the error itself is shown."""
    recall, _ = compose(MemorySettings(), slack.stores, ScriptedModel())
    web, tasks, ana = SlackWeb(slack.team.bot_token, api_url=slack.server.url), TaskTracker(), slack.team.user("ana")
    channels = Channels(web, slack.clock, Guests(web, slack.clock, tasks))
    memories = open_desk(
        personal=FailingMemory(error),
        service=recall.service,
        surroundings=SlackSurroundings(channels),
        ways=WAYS,
    )
    app = AsyncApp(client=web.client, process_before_response=True, request_verification_enabled=False)
    listening = Controls(
        workspace=await identify(web),
        desk=memories,
        buttons=Buttons(desk=memories, retry=nothing_failed, feedback=Feedback(Metrics().platform("slack"))),
        answering=Answering(web, Exports(web), tasks),
    )
    listening.register(app)
    interaction = ana.world.interaction(ana.team, ana.user, channel_id=ana.dm.channel_id)
    payload = events.slash_command(
        ana.world.place(ana.team),
        ana.user,
        ana.world.contact(interaction, path="commands"),
        command="/memories",
        text="",
        channel_id=ana.dm.channel_id,
        channel_name=ana.dm.command_name,
    )
    with capture_logs() as lines:
        response = await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=payload))
        await tasks.idle()
    await web.close()
    (answer,) = interaction.posts

    assert response.status == 200
    assert answer.shown == f"{words}\nError id: {lines[0]['correlation_id']}"
