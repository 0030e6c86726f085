"""What people edit and delete in Slack changes in memory too, in whatever order Slack tells of it."""

from bots.slack import ids
from bots.slack.ids import SlackThread
from memory.model import TextDelta
from tests.fakes.model import Pause
from tests.fakes.slack_server import Message
from tests.fixtures.slack import SlackMachine, SlackProcess

_AWS_KEY = "AKIA" + "Z7QX2LMN4PRS6TUV"


async def remembered(slack: SlackMachine, process: SlackProcess, root: Message) -> list[str]:
    """Return a thread as memory has it."""
    thread = SlackThread(slack.team.team_id, root.channel_id, root.ts)
    return [message.text for message in await process.recall.service.history(ids.session_id(thread), limit=10)]


async def test_an_older_edit_that_comes_later_changes_nothing(slack: SlackMachine) -> None:
    """Slack delivers an edit again, or gives two of them to two processes."""
    process = await slack.start()
    ana = slack.team.user("ana")
    said = await ana.says(ana.dm, "my cluster is zero")
    await slack.team.thread(said).until_answers(1)
    await process.platform.idle()
    await ana.edits(said, "my cluster is one")
    older = slack.server.socket.deliveries[-1]
    slack.clock.advance(1)
    await ana.edits(said, "my cluster is two")
    await slack.server.socket.until_acked()
    await slack.server.socket.until_acked(await slack.server.socket.redeliver(older))
    assert await remembered(slack, process, said) == ["my cluster is two", "answer 1"]


async def test_an_edit_does_not_overtake_its_message(slack: SlackMachine) -> None:
    """The message still waits for Slack to say who speaks."""
    process = await slack.start()
    ana = slack.team.user("ana")
    slack.server.faults.add("users.info", "hold")
    said = await ana.says(ana.dm, "old words")
    await slack.server.until_called("users.info")
    slack.clock.advance(1)
    await ana.edits(said, "new words")
    slack.server.release()
    await slack.server.socket.until_acked()
    await slack.team.thread(said).until_answers(1)
    assert await remembered(slack, process, said) == ["new words", "answer 1"]


async def test_a_message_that_was_edited_before_it_could_be_taken_is_taken_as_it_is_now(slack: SlackMachine) -> None:
    """Its first delivery failed; the second one still carries the old words."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    root = await ana.says(ops, "@recall hello")
    await slack.team.thread(root).until_answers(1)
    slack.clock.advance(600)
    for place, thread in ((ana.dm, None), (ops, slack.team.thread(root))):
        slack.server.faults.add("users.info", "status", status=503, times=2)
        said = await ana.says(place, "@recall old words", thread=thread)
        await ana.edits(said, "@recall new words")
        await slack.server.socket.until_acked(slack.server.socket.deliveries[-1])
        slack.clock.advance(60)
        await slack.server.socket.until_acked(*await slack.server.socket.redeliver_unacked())
        await process.platform.idle()
        slack.clock.advance(600)
    assert [request.message.text for request in process.model.asked] == ["hello", "new words", "new words"]


async def test_a_message_that_was_deleted_before_it_could_be_taken_is_not_answered(slack: SlackMachine) -> None:
    """Its author lost patience while Slack, or the record, was away."""
    process = await slack.start()
    ana = slack.team.user("ana")
    slack.server.faults.add("users.info", "status", status=503, times=2)
    said = await ana.says(ana.dm, "my hint is daisy")
    await ana.deletes(said)
    await slack.server.socket.until_acked(slack.server.socket.deliveries[-1])
    slack.clock.advance(60)
    await slack.server.socket.until_acked(*await slack.server.socket.redeliver_unacked())
    await process.platform.idle()
    assert process.model.asked == []
    assert await remembered(slack, process, said) == []


async def test_an_answer_goes_as_soon_as_its_question_is_deleted(slack: SlackMachine) -> None:
    """Whichever process hears of it, and whichever makes the answer; nobody is to read on."""
    processes = [await slack.start(), await slack.start()]
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    for number in range(4):
        for process in processes:
            process.model.replies = [[TextDelta(text="half of it"), Pause(), TextDelta(text=" and more")]]
        said = await ana.says(ops, f"@recall my hint is daisy {number}")
        thread = slack.team.thread(said)
        await thread.until(lambda shown: any("half of it" in each.shown for each in shown.answers))
        await ana.deletes(said)
        await thread.until(lambda shown: not shown.answers and shown.session_status != "processing")
        assert await remembered(slack, processes[0], said) == []
    assert slack.server.refusals == []


async def test_an_answer_ends_in_words_when_its_question_becomes_what_is_not_kept(slack: SlackMachine) -> None:
    """The question stands in Slack still, as the words of a guest, so its author is told what became of the answer."""
    process = await slack.start()
    process.model.replies = [[TextDelta(text="half of it"), Pause(), TextDelta(text=" and more")]]
    gus = slack.team.user("gus")
    said = await gus.says(slack.team.channel("ops", gus), "@recall my hint is daisy")
    thread = slack.team.thread(said)
    await thread.until(lambda shown: any("half of it" in each.shown for each in shown.answers))
    gus.user.is_restricted = True
    await slack.team.user_changes(gus)
    await slack.server.socket.until_acked()
    slack.clock.advance(1)
    await gus.edits(said, "@recall my hint is tulip")
    await thread.until(lambda shown: not any("half of it" in each.shown for each in shown.answers))
    await process.platform.idle()

    assert ["neither shown nor kept" in each.shown for each in thread.answers] == [True]


async def test_a_post_of_recall_that_somebody_deletes_is_forgotten(slack: SlackMachine) -> None:
    """An admin removes an answer; the question stays."""
    process = await slack.start()
    ana = slack.team.user("ana")
    said = await ana.says(ana.dm, "what is the door code?")
    thread = slack.team.thread(said)
    await thread.until_answers(1)
    await process.platform.idle()
    await slack.team.removes(thread.answers[0])
    await slack.server.socket.until_acked()
    assert await remembered(slack, process, said) == ["what is the door code?"]


async def test_an_edit_is_cleaned_and_a_secret_in_it_is_told(slack: SlackMachine) -> None:
    """As with what is said first: nothing invisible, no secret, and the person knows to rotate it."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    said = await ana.says(ops, "@recall hello")
    await slack.team.thread(said).until_answers(1)
    await process.platform.idle()
    slack.clock.advance(1)
    await ana.edits(said, f"@recall run \u202egnp.exe\u202c with {_AWS_KEY}")
    await slack.server.socket.until_acked()
    await process.platform.idle()
    words, _answer = await remembered(slack, process, said)
    assert (words.startswith("run gnp.exe with [redacted"), _AWS_KEY in words) == (True, False)
    (told,) = ana.ephemerals(ops)
    assert "1 x aws access key" in told.shown


async def test_mentioned_people_are_called_by_their_names(slack: SlackMachine) -> None:
    """Also in an edit: an id would tell the model nothing."""
    process = await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    said = await ana.says(ops, "@recall what did @bob say?")
    await slack.team.thread(said).until_answers(1)
    await process.platform.idle()
    slack.clock.advance(1)
    await ana.edits(said, "@recall what did @bob write?")
    await slack.server.socket.until_acked()
    assert process.model.asked[-1].message.text == "what did @bob say?"
    assert (await remembered(slack, process, said))[0] == "what did @bob write?"


async def test_slack_is_asked_nothing_about_an_edit_of_what_recall_does_not_know(slack: SlackMachine) -> None:
    """Most of what is edited in a channel is not for Recall; who is named in it is nobody's business."""
    await slack.start()
    ana, bob = slack.team.user("ana"), slack.team.user("bob")
    ops = slack.team.channel("ops", ana, bob)
    said = await ana.says(ops, "what did @bob say?")
    await slack.server.socket.until_acked()
    slack.clock.advance(120)  # what was known of people and channels is asked for anew
    before = len(slack.server.calls)
    await ana.edits(said, "what did @bob write?")
    await slack.server.socket.until_acked()
    assert [call.method for call in slack.server.calls[before:]] == []


async def test_a_mention_that_says_nothing_is_refused_once(slack: SlackMachine) -> None:
    """Slack tells of it by two events."""
    process = await slack.start()
    ana = slack.team.user("ana")
    ops = slack.team.channel("ops", ana)
    await ana.says(ops, "@recall")
    await slack.server.socket.until_acked()
    await process.platform.idle()
    assert len(ana.ephemerals(ops)) == 1
