"""What people do with their memories in Discord, asserted by what they see."""

import asyncio
import json
import re

import pytest
from structlog.testing import capture_logs

from bots.commands import CHANGED
from bots.conversation import STOPPED
from bots.delivery.stops import STOP, stop_word
from bots.desk import desk, outcome
from bots.desk.pausing import ALREADY_PAUSED, PAUSED
from bots.discord import ids
from bots.discord.answering import NOT_TOLD, TOLD
from bots.discord.controls import UNKNOWN
from bots.discord.ids import DiscordThread
from bots.discord.rest import PAGE
from bots.discord.ways import DIRECT, DISCLOSURE, SERVER
from memory.errors import ProviderRefusedError
from memory.personal import Pauses
from tests.fakes.discord_server import Channel, DiscordRefusesError, Message, Person, Seen
from tests.fakes.model import remembers
from tests.fixtures.discord import DiscordMachine, DiscordProcess

pytestmark = pytest.mark.timeout(120)

SYNC = "PUT /applications/{application_id}/commands"


def read(text: str) -> str:
    """Return what a person reads of a text in which markup is escaped."""
    return re.sub(r"\\([\\*_~`|>#\[\]<@-])", r"\1", text)


async def remember(person: Person, channel: Channel, *texts: str) -> None:
    """Store sentences of a person."""
    for text in texts:
        assert "Remembered" in (await person.slash("/remember", channel, text=text)).text


async def listed(person: Person, channel: Channel, words: str | None = None) -> str:
    """Return what a person's list shows."""
    seen = await (person.slash("/memories", channel, words=words) if words else person.slash("/memories", channel))
    return read(seen.text)


async def pressed(person: Person, seen: Seen | Message, label: str) -> str:
    """Press a button of an answer; return what the answer shows then."""
    message = seen if isinstance(seen, Message) else seen.messages[0]
    before = len(message.versions)
    await person.presses(message, label)
    await person.world.changes.until(lambda: len(message.versions) > before, within_s=10)
    return read(message.shown)


async def answered(discord: DiscordMachine, person: Person, channel: Channel, text: str) -> tuple[Channel, Message]:
    """Ask in a channel; return the thread and its first answer."""
    thread = await channel.until_thread(await person.says(channel, f"@recall {text}"))
    await thread.until_answers(1)
    await discord.processes[-1].platform.idle()
    return thread, thread.answers[0]


async def started(discord: DiscordMachine) -> DiscordProcess:
    """Return a process that has told Discord which commands there are."""
    process = await discord.start()
    await process.platform.idle()
    return process


async def restarted(discord: DiscordMachine, process: DiscordProcess) -> DiscordProcess:
    """Return another process in place of one that ended."""
    await process.stop()
    return await started(discord)


async def replied(person: Person, channel: Channel, to: Message) -> Message:
    """Wait for the reply to a message; return it."""

    def found() -> list[Message]:
        return [
            each for each in channel.messages if each.reference and each.reference.get("message_id") == to.message_id
        ]

    await person.world.changes.until(lambda: bool(found()), within_s=10)
    return found()[0]


async def test_memories_are_remembered_listed_and_forgotten_by_command(discord: DiscordMachine) -> None:
    """Each answer is seen by who gave the command, and by nobody else."""
    await started(discord)
    ana, bob, ops = discord.guild.user("ana"), discord.guild.user("bob"), discord.guild.channel("ops")
    stored = await ana.slash("/remember", ops, text="I deploy with ArgoCD.")
    found = await ana.slash("/memories", ops, words="argocd")
    others = await bob.slash("/memories", ops)
    gone = await ana.slash("/forget", ops, what="#1")
    empty = await ana.slash("/memories", ops)

    assert "I deploy with ArgoCD." in read(stored.text)
    assert "#1  I deploy with ArgoCD." in read(found.text)
    assert "Nothing is remembered of you." in others.text
    assert "Forgotten: 1 fact." in gone.text
    assert read(SERVER.platform_copy) in read(gone.text)
    assert "Nothing is remembered of you." in empty.text
    assert all(seen.is_private for seen in (stored, found, others, gone, empty))
    assert bob.sees(ops) == bob.ephemerals(ops)
    assert discord.server.refusals == []


async def test_what_is_typed_is_not_live_when_it_is_shown(discord: DiscordMachine) -> None:
    """It is stored as it was typed."""
    await started(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    typed = "I alert @everyone if a < b && **c** > d, see [docs](https://x.test)"
    stored = await ana.slash("/remember", ops, text=typed)

    assert f"#1  {typed}" in read(stored.text)
    assert "\\[docs\\]" in stored.text
    assert discord.server.pings == []


async def test_each_server_and_direct_messages_have_lists_of_their_own(discord: DiscordMachine) -> None:
    """Forgetting everything in one leaves the others."""
    await started(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    other = discord.server.guild("other")
    other.user("ana")
    elsewhere = other.channel("ops")
    await remember(ana, ops, "I like tabs.")
    await remember(ana, elsewhere, "I like spaces.")
    await remember(ana, ana.dm, "I like neither.")
    seen = await ana.slash("/forget", ops, what="everything")
    if "Forget" in seen.messages[0].buttons:
        await pressed(ana, seen, "Forget")

    assert "Nothing is remembered of you." in await listed(ana, ops)
    assert "I like spaces." in await listed(ana, elsewhere)
    assert "I like neither." in await listed(ana, ana.dm)


async def test_a_long_list_is_turned_page_by_page_in_its_place_after_a_restart(discord: DiscordMachine) -> None:
    """A line that is forgotten leaves the same page; the search stays; the buttons end where the list does."""
    process = await started(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    await remember(ana, ops, *(f"Service {number:02} is mine." for number in range(1, 20)))
    seen = await ana.slash("/memories", ops, words="service mine")
    (message,) = seen.messages
    first = read(message.shown)
    assert "Newer" not in message.buttons
    process = await restarted(discord, process)
    second = await pressed(ana, seen, "Older")
    forgot = await pressed(ana, seen, "Forget #10")
    last = await pressed(ana, seen, "Older")
    assert "Older" not in message.buttons

    assert "1 to 8 of 19 memories" in first
    assert "9 to 16 of 19" in second
    assert '"service mine"' in second
    assert "Forgotten: 1 fact." in forgot
    assert "9 to 16 of 18" in forgot
    assert "17 to 18 of 18" in last
    assert len(seen.messages) == 1
    assert discord.server.refusals == []


async def test_forgetting_several_asks_and_any_process_takes_the_answer(discord: DiscordMachine) -> None:
    """The process that asked has ended when the person presses."""
    process = await started(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    await remember(ana, ops, "I like ArgoCD.", "ArgoCD is at argo.test.", "I like tabs.")
    seen = await ana.slash("/forget", ops, what="about argocd")
    asked = read(seen.text)
    await restarted(discord, process)
    receipt = await pressed(ana, seen, "Forget")

    assert "Forget 2 memories?" in asked
    assert "Forgotten: 2 facts." in receipt
    assert "I like tabs." in await listed(ana, ops)
    assert "ArgoCD" not in await listed(ana, ops)
    assert discord.server.refusals == []


async def test_what_has_changed_since_the_question_is_asked_again(discord: DiscordMachine) -> None:
    """Nothing goes that the person has not seen; Keep leaves it all."""
    await started(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    await remember(ana, ops, "I like ArgoCD.", "ArgoCD is at argo.test.")
    seen = await ana.slash("/forget", ops, what="everything")
    await remember(ana, ops, "My pin is in the safe.")
    again = await pressed(ana, seen, "Forget")
    kept = await pressed(ana, seen, "Keep")

    assert CHANGED in again
    assert "My pin is in the safe." in again
    assert "Nothing was changed." in kept
    assert "3 memories" in await listed(ana, ops)


async def test_undo_why_and_feedback_work_after_a_restart(discord: DiscordMachine) -> None:
    """Answers are for who pressed alone; what somebody else stored cannot be undone."""
    process = await started(discord)
    ana, bob, ops = discord.guild.user("ana"), discord.guild.user("bob"), discord.guild.channel("ops")
    first, _ = await answered(discord, ana, ops, "my staging cluster is called blue-heron-42")
    await process.learn("ana's staging cluster is called blue-heron-42")
    _, answer = await answered(discord, ana, ops, "what is my staging cluster called?")
    process = await restarted(discord, process)
    why = await ana.presses(answer, next(label for label in answer.buttons if label.startswith("Used")), expect=1)
    thanks = await bob.presses(answer, "Good answer", expect=1)
    shown = read(why.text)
    forgot = await pressed(ana, why, next(label for label in why.messages[0].buttons if label.startswith("Forget")))

    assert "ana's staging cluster is called blue-heron-42" in shown
    assert why.is_private and thanks.is_private
    assert "Thank you." in thanks.text
    assert "Forgotten" in forgot or "Forget " in forgot
    assert discord.server.refusals == []
    assert first.answers[0].shown == "answer 1"


async def test_what_the_model_stored_can_be_taken_back_by_its_owner_alone(discord: DiscordMachine) -> None:
    """After a restart too."""
    process = await started(discord)
    ana, bob, ops = discord.guild.user("ana"), discord.guild.user("bob"), discord.guild.channel("ops")
    process.model.replies = [remembers("I deploy with ArgoCD")]
    _, answer = await answered(discord, ana, ops, "keep in mind that I deploy with ArgoCD.")
    label = next(each for each in answer.buttons if each.startswith("Undo"))
    await restarted(discord, process)
    theirs = await bob.presses(answer, label, expect=1)
    before = await listed(ana, ops)
    own = await ana.presses(answer, label, expect=1)

    assert outcome.NOT_YOURS in read(theirs.text)
    assert "ArgoCD" in before
    assert "Forgotten: 1 fact" in read(own.text)


async def test_a_stopped_answer_ends_for_its_asker_only(discord: DiscordMachine) -> None:
    """What was made of it stays; nobody else may stop it."""
    process = await started(discord)
    ana, bob, ops = discord.guild.user("ana"), discord.guild.user("bob"), discord.guild.channel("ops")
    process.model.gate.clear()
    thread = await ops.until_thread(await ana.says(ops, "@recall why does api-7f9c restart?"))
    await discord.server.world.changes.until(
        lambda: any("Stop" in each.buttons for each in thread.messages), within_s=10
    )
    (shown,) = [each for each in thread.messages if "Stop" in each.buttons]
    refused = await bob.presses(shown, "Stop", expect=1)
    assert "Stop" in shown.buttons
    await ana.presses(shown, "Stop")
    await thread.until_answers(1)

    assert outcome.NOT_YOURS in read(refused.text)
    assert "Stop" not in shown.buttons
    assert discord.server.refusals == []


async def test_an_old_stop_button_stops_nobody_elses_answer(discord: DiscordMachine) -> None:
    """It is there still although its answer has ended, and the next one of the thread is for somebody else."""
    process = await started(discord)
    ana, bob, ops = discord.guild.user("ana"), discord.guild.user("bob"), discord.guild.channel("ops")
    process.model.gate.clear()
    thread = await ops.until_thread(await ana.says(ops, "@recall why does api-7f9c restart?"))
    await discord.server.world.changes.until(
        lambda: any("Stop" in each.buttons for each in thread.messages), within_s=10
    )
    (first,) = [each for each in thread.messages if "Stop" in each.buttons]
    before = list(first.components)
    process.model.gate.set()
    await thread.until_answers(1)
    await process.platform.idle()
    process.model.gate.clear()
    process.model.waiting.clear()
    await bob.says(thread, "@recall and what about api-8?")
    await process.model.waiting.wait()
    first.components, after = before, first.components
    await ana.presses(first, "Stop")
    first.components = after
    process.model.gate.set()
    await thread.until_answers(2)

    assert not any(STOPPED in read(each.shown) for each in thread.answers)
    assert discord.server.refusals == []


async def test_an_answer_ends_that_was_stopped_through_another_process(discord: DiscordMachine) -> None:
    """The process that makes it hears of it."""
    making = await started(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    making.model.gate.clear()
    asked = await ana.says(ops, "@recall why does api-7f9c restart?")
    thread = await ops.until_thread(asked)
    await making.model.waiting.wait()
    other = await started(discord)
    session = ids.session_id(DiscordThread(discord.guild.guild_id, ops.channel_id, asked.message_id))
    await other.recall.signals.send(STOP, stop_word(session, message=asked.message_id))
    await thread.until_answers(1)

    assert not any("Stop" in message.buttons for message in thread.messages)


async def test_only_a_thread_that_is_there_is_paused_by_what_is_said(discord: DiscordMachine) -> None:
    """A command in a channel itself would pause the conversation that it begins, and nothing of what follows."""
    process = await started(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    for verb in ("pause", "resume"):
        refused = await replied(ana, ops, await ana.says(ops, f"@recall {verb} this thread"))
        assert read(refused.shown) == SERVER.no_thread_to_pause
    thread, _ = await answered(discord, ana, ops, "hello")
    told = await replied(ana, thread, await ana.says(thread, "@recall pause this thread"))

    assert PAUSED in read(told.shown)
    assert await process.recall.personal.pauses(ids.user_id(discord.guild.guild_id, ana.user_id), None) == Pauses(
        person=False, thread=False
    )


async def test_everybody_is_told_of_a_pause_before_who_asked_is(discord: DiscordMachine) -> None:
    """Or that person knows that the others were not told."""
    await started(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    thread, _ = await answered(discord, ana, ops, "hello")
    discord.server.faults.add("POST */messages", "status", status=403)
    untold = await ana.slash("/memory pause", thread, what="this thread")
    again = await ana.slash("/memory pause", thread, what="this thread")
    told = await ana.slash("/memory resume", thread, what="this thread")

    assert [read(each.text) for each in (untold, again, told)] == [NOT_TOLD, ALREADY_PAUSED, TOLD]
    assert [PAUSED in each.shown for each in thread.answers if "memory in this thread" in each.shown] == [False]


async def test_direct_messages_have_no_threads_to_pause(discord: DiscordMachine) -> None:
    """There they are all one, and nobody else is told of anything."""
    await started(discord)
    ana = discord.guild.user("ana")
    settings = await ana.slash("/memory settings", ana.dm)
    refused = await ana.slash("/memory pause", ana.dm, what="this thread")

    assert "In this thread" not in read(settings.text) and "In a thread" not in read(settings.text)
    assert not any("thread" in label for label in settings.messages[0].buttons)
    assert read(refused.text) == DIRECT.no_thread_to_pause


async def test_a_command_of_an_older_version_is_answered(discord: DiscordMachine) -> None:
    """Clients go on showing it for a while."""
    await started(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    known = discord.server.world.commands[""]
    known.append({**next(each for each in known if each["name"] == "memories"), "name": "older"})
    seen = await ana.slash("/older", ops)

    assert seen.text == UNKNOWN
    assert seen.is_private


async def test_a_failed_answer_is_tried_again_after_a_restart(discord: DiscordMachine) -> None:
    """By its asker, in its place."""
    process = await started(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    process.model.replies = [ProviderRefusedError("model", "no")]
    thread, failure = await answered(discord, ana, ops, "why does api-7f9c restart?")
    assert "Try again" in failure.buttons
    await restarted(discord, process)
    await ana.presses(failure, "Try again")
    await discord.server.world.changes.until(lambda: "answer 1" in thread.answers[0].shown, within_s=10)

    assert len(thread.answers) == 1
    assert [each for each in ana.ephemerals(thread) if not each.deleted] == []


async def test_message_menus_remember_forget_and_explain(discord: DiscordMachine) -> None:
    """One's own messages, and Recall's answers; of others' nothing is taken."""
    process = await started(discord)
    ana, bob, ops = discord.guild.user("ana"), discord.guild.user("bob"), discord.guild.channel("ops")
    said = await ana.says(ops, "We deploy at noon.")
    kept = await ana.menu("Remember this", said)
    others = await bob.menu("Remember this", said)
    await answered(discord, ana, ops, "my staging cluster is called blue-heron-42")
    await process.learn("ana's staging cluster is called blue-heron-42")
    asked = await ana.says(ops, "@recall what is my staging cluster called?")
    thread = await ops.until_thread(asked)
    await thread.until_answers(1)
    await process.platform.idle()
    why = await ana.menu("Why did you say that?", thread.answers[0])
    not_mine = await ana.menu("Why did you say that?", said)
    question = await ana.menu("Forget this", asked)
    preview = read(question.text)
    await restarted(discord, process)
    receipt = await pressed(ana, question, "Forget")

    assert "We deploy at noon." in read(kept.text)
    assert desk.NOT_SAID_BY_YOU in read(others.text)
    assert "blue-heron-42" in read(why.text)
    assert desk.WHY_MINE_ONLY in read(not_mine.text)
    assert "the text of 1 message" in preview
    assert "Forgotten" in receipt


async def test_what_is_typed_suggests_ones_own_memories(discord: DiscordMachine) -> None:
    """By number and by words; of nobody else."""
    await started(discord)
    ana, bob, ops = discord.guild.user("ana"), discord.guild.user("bob"), discord.guild.channel("ops")
    await remember(ana, ops, "I deploy with ArgoCD.", "I like tabs.")
    anything = await ana.types_option("/forget", "what", "", ops)
    by_number = await ana.types_option("/forget", "what", "#2", ops)
    by_words = await ana.types_option("/memory widen", "what", "argo", ops)
    others = await bob.types_option("/forget", "what", "", ops)

    assert anything.choices == {
        "last": "last",
        "everything": "everything",
        "#2  I like tabs.": "#2",
        "#1  I deploy with ArgoCD.": "#1",
    }
    assert by_number.choices == {"#2  I like tabs.": "#2"}
    assert by_words.choices == {"#1  I deploy with ArgoCD.": "#1"}
    assert list(others.choices) == ["last", "everything"]


async def test_settings_pause_and_export(discord: DiscordMachine) -> None:
    """Pausing a thread is told to everybody there; the rest to who asked."""
    await started(discord)
    ana, bob, ops = discord.guild.user("ana"), discord.guild.user("bob"), discord.guild.channel("ops")
    thread, _ = await answered(discord, ana, ops, "hello")
    paused = await ana.slash("/memory pause", thread, what="this thread")
    told = [each for each in bob.sees(thread) if "paused my memory in this thread" in each.shown]
    nowhere = await ana.slash("/memory pause", ops, what="this thread")
    settings = await ana.slash("/memory settings", thread)
    own = await pressed(ana, settings, "Pause memory")
    exported = await ana.slash("/memory export", ops)
    beside = await ana.presses(settings.messages[0], "Send me all that is kept of me", expect=1)

    assert TOLD in read(paused.text)
    assert len(told) == 1 and told[0].shown.startswith(ana.mention)
    assert SERVER.no_thread_to_pause in read(nowhere.text)
    assert "In this thread: memory is paused." in read(settings.text) or "Memory is paused for you" in own
    assert "Memory is paused for you" in own
    (file,) = [file for message in exported.messages for file in message.files]
    assert isinstance(json.loads(file.content), dict)
    assert any(message.files for message in beside.messages)
    assert exported.is_private and beside.is_private
    assert discord.server.pings == []
    assert discord.server.refusals == []


async def test_commands_said_in_direct_messages_are_answered_there(discord: DiscordMachine) -> None:
    """By replies, whose buttons work; nothing of it goes to the model."""
    process = await started(discord)
    ana = discord.guild.user("ana")
    kept = await replied(ana, ana.dm, await ana.says(ana.dm, "remember: I deploy with ArgoCD."))
    shown = await replied(ana, ana.dm, await ana.says(ana.dm, "memories"))
    question = await replied(ana, ana.dm, await ana.says(ana.dm, "forget last"))
    receipt = await pressed(ana, question, "Forget")
    await process.platform.idle()

    assert "Remembered: #1  I deploy with ArgoCD." in read(kept.shown)
    assert "#1  I deploy with ArgoCD." in read(shown.shown)
    assert "Forgotten: 1 fact" in receipt
    assert process.model.asked == []
    assert discord.server.refusals == []


async def test_commands_said_in_a_server_show_nothing_private(discord: DiscordMachine) -> None:
    """What changes something is done and told; what shows memories is pointed to where only one sees it."""
    process = await started(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    kept = await replied(ana, ops, await ana.says(ops, "@recall remember: I deploy with ArgoCD."))
    shown = await replied(ana, ops, await ana.says(ops, "@recall memories"))
    forget = await replied(ana, ops, await ana.says(ops, "@recall forget #1"))
    await process.platform.idle()

    assert "Remembered: #1  I deploy with ArgoCD." in read(kept.shown)
    assert read(shown.shown) == "Only you should see that: /memories"
    assert read(forget.shown) == "Only you should see that: /forget #1"
    assert "ArgoCD" in await listed(ana, ops)
    assert process.model.asked == []
    assert ops.threads == []


async def test_a_command_that_was_answered_is_not_done_again(discord: DiscordMachine) -> None:
    """When the channel is read back after a restart."""
    process = await started(discord)
    ana = discord.guild.user("ana")
    await ana.says(ana.dm, "hello")
    await ana.dm.until_answers(1)
    await process.platform.idle()
    await replied(ana, ana.dm, await ana.says(ana.dm, "remember: I deploy with ArgoCD."))
    process = await restarted(discord, process)
    await asyncio.wait_for(process.platform.idle(), 20)
    before = len(ana.dm.messages)
    await ana.says(ana.dm, "are you there?")
    await ana.dm.until_answers(len(ana.dm.answers) + 1)

    assert len(ana.dm.messages) == before + 2


@pytest.mark.parametrize("shift", [0, 1])
async def test_a_command_whose_answer_is_on_the_next_page_is_not_done_again(
    discord: DiscordMachine, shift: int
) -> None:
    """When a thread is read back in which others talked so much that Discord tells it in pages."""
    process = await started(discord)
    ana, bob, ops = discord.guild.user("ana"), discord.guild.user("bob"), discord.guild.channel("ops")
    thread, _ = await answered(discord, ana, ops, "hello")
    for number in range(PAGE - 6 + shift):
        await bob.says(thread, f"among us {number}")
    for number in range(4):  # a command and its answer, in turn: a page ends between some two of them
        await replied(ana, thread, await ana.says(thread, f"@recall remember: I like {number}."))
    process = await restarted(discord, process)
    await ana.says(thread, "@recall are you there?")
    await thread.until_answers(len(thread.answers) + 1)
    await asyncio.wait_for(process.platform.idle(), 20)
    told = [
        call.body["nonce"] for call in discord.server.calls_of("POST */messages") if call.body["nonce"][-2:] == "-c"
    ]

    assert len(thread.messages) > PAGE
    assert len(told) == len(set(told)) == 4


async def test_discord_is_told_of_commands_only_when_they_change(discord: DiscordMachine) -> None:
    """A restart tells nothing; commands that somebody else had told before are put right."""
    process = await started(discord)
    await process.platform.idle()
    first = len(discord.server.calls_of(SYNC))
    process = await restarted(discord, process)
    await process.platform.idle()
    second = len(discord.server.calls_of(SYNC))
    await process.recall.values.keep(f"discord commands {discord.server.world.app.app_id}", "others")
    process = await restarted(discord, process)
    await process.platform.idle()
    third = len(discord.server.calls_of(SYNC))

    assert (first, second, third) == (1, 1, 2)


async def test_commands_that_are_not_told_stop_nothing(discord: DiscordMachine) -> None:
    """They are told at the next start."""
    discord.server.faults.add("PUT /applications/*", "status", status=403)
    process = await started(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    await answered(discord, ana, ops, "hello")
    with pytest.raises(DiscordRefusesError):
        await ana.slash("/memories", ops)
    process = await restarted(discord, process)
    await process.platform.idle()

    assert "Nothing is remembered of you." in await listed(ana, ops)


async def test_one_of_two_processes_answers(discord: DiscordMachine) -> None:
    """Both hear of what people command and press."""
    await started(discord)
    await started(discord)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    await remember(ana, ops, "I like tabs.")
    seen = await ana.slash("/memories", ops)
    forgot = await pressed(ana, seen, "Forget #1")

    assert "Forgotten: 1 fact." in forgot
    assert discord.server.refusals == []


async def test_the_first_answer_says_what_is_remembered(discord: DiscordMachine) -> None:
    """Once in a server, and once in somebody's direct messages."""
    await discord.start(disclosure=DISCLOSURE)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    _, first = await answered(discord, ana, ops, "hello")
    _, second = await answered(discord, ana, ops, "hello again")

    assert DISCLOSURE.split(";")[0] in read(first.shown)
    assert DISCLOSURE.split(";")[0] not in read(second.shown)


async def test_nothing_from_direct_messages_can_be_used_by_strangers(discord: DiscordMachine) -> None:
    """All direct messages with Recall are alike to memory, so there is nobody in particular to share them with."""
    await started(discord)
    ana = discord.guild.user("ana")
    await remember(ana, ana.dm, "Prod is called zanzibar.")
    told = read((await ana.slash("/memory widen", ana.dm, what="#1")).text)
    shown = (await ana.slash("/memories", ana.dm)).messages[0]

    assert told == "What I know from our direct messages is used there alone."
    assert [label for label in shown.buttons if "anywhere" in label] == []


async def test_a_command_that_another_process_acted_on_is_said_to_operators(discord: DiscordMachine) -> None:
    """It has a record of its own: nothing else tells of it."""
    await started(discord)
    ana = discord.guild.user("ana")
    discord.server.faults.add("POST /interactions/*", "error", code=40060)
    with capture_logs() as lines:
        typing = asyncio.create_task(ana.slash("/memories", ana.dm))
        async with asyncio.timeout(20):
            while not any(line["event"] == "acted_on_elsewhere" for line in lines):
                await asyncio.sleep(0.01)
        typing.cancel()
        await asyncio.wait([typing])

    assert [line["log_level"] for line in lines if line["event"] == "acted_on_elsewhere"] == ["warning"]
