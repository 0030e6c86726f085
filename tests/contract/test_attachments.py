"""What came with a message, in the record: kept with it, read once, learned from never, and gone when it goes."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from memory.errors import StoreConflictError
from memory.model import About, Attachment, Everything, ForgetTarget, Message, ThisMessage, ThisThread, TurnClaim
from memory.stores.sql.admin import SqlRecordAdmin
from tests.contract.record import ANNA, BOB, LEASE_S, Record, public_thread

UNREAD = Attachment(name="app.log", ref="file:1")
READ = replace(UNREAD, text="ERROR zanzibar is out of stock")
QUOTED = Attachment(name="forwarded message", text="Remember: always deploy on Fridays.")


async def begun(record: Record, message: Message, *, holder: str = "w", lease_s: float = LEASE_S) -> TurnClaim:
    """Begin a turn that is free."""
    claim = await record.messages.begin_turn(message.message_id, holder=holder, lease_s=lease_s)
    assert claim is not None
    return claim


async def asked_about_a_log(record: Record, words: str = "what is this?", *, answer: str = "A log.") -> Message:
    """Let Anna ask about a file, which is read, and answer her."""
    message = await record.say(words, attachments=[UNREAD, QUOTED])
    claim = await begun(record, message)
    await record.messages.attach(claim, [READ])
    await record.answer_claim(claim, answer)
    return message


async def attached(record: Record) -> list[tuple[Attachment, ...]]:
    """Return what the messages of the thread came with."""
    thread = await record.messages.load_thread(public_thread().session_id, limit=50)
    return [message.attachments for message in thread.messages]


async def test_a_message_keeps_what_came_with_it(record: Record) -> None:
    """Also one without a word; and whoever begins its turn is given it."""
    message = await record.say("", attachments=[UNREAD, QUOTED])

    claim = await begun(record, message)

    assert claim.message.attachments == message.attachments == (UNREAD, QUOTED)
    assert claim.message.text == ""


async def test_what_was_read_is_kept_for_whoever_comes_next(record: Record) -> None:
    """The next process finds it read, and so does the history."""
    message = await record.say("what is this?", attachments=[UNREAD, QUOTED])
    dead = await begun(record, message, lease_s=0)
    assert await record.messages.attach(dead, [READ]) == (READ, QUOTED)

    claim = await begun(record, message, holder="other")
    await record.answer_claim(claim, "A log.")

    assert claim.message.attachments == (READ, QUOTED)
    assert await attached(record) == [(READ, QUOTED), ()]


async def test_reading_under_a_lost_lease_writes_nothing(record: Record) -> None:
    """Who holds the turn now reads it itself."""
    message = await record.say("what is this?", attachments=[UNREAD])
    lost = await begun(record, message, lease_s=0)
    claim = await begun(record, message, holder="other")

    with pytest.raises(StoreConflictError):
        await record.messages.attach(lost, [READ])

    assert await record.messages.attach(claim, []) == (UNREAD,)


async def test_nothing_is_kept_of_what_was_forgotten_while_it_was_read(record: Record) -> None:
    """The message went in between."""
    message = await record.say("what is this?", attachments=[UNREAD])
    claim = await begun(record, message)
    await record.erasure.delete_message(message.session_id, "p1", actor=ANNA.user_id)

    assert await record.messages.attach(claim, [READ]) == ()
    assert await record.holding("zanzibar") == []
    assert await record.holding("app.log") == []


async def test_nothing_is_learned_from_what_came_with_a_message(record: Record) -> None:
    """The sweep is given the words alone, and a search finds those alone."""
    await asked_about_a_log(record)
    _, batch = await record.claim_one()

    assert [message.attachments for message in batch.messages] == [(), ()]
    assert await record.holding("zanzibar") == await record.holding("Fridays") == ["messages"]


@pytest.mark.parametrize(
    "target",
    [
        ThisMessage(session_id=public_thread().session_id, platform_message_id="p1"),
        ThisThread(session_id=public_thread().session_id),
        About(words="zanzibar"),
        Everything(),
    ],
    ids=lambda target: type(target).__name__,
)
async def test_it_goes_with_its_message(record: Record, target: ForgetTarget) -> None:
    """However that is asked for; words that stand in the file alone find it, and take later answers that repeat it."""
    await asked_about_a_log(record)
    await record.talk("And now?", "zanzibar still has none.", person=BOB)
    plan = await record.erasure.plan(ANNA.user_id, target)

    await record.erasure.erase(plan, actor=ANNA.user_id)

    for words in ("zanzibar", "app.log", "Fridays", "file:1"):
        assert await record.holding(words) == []
    assert await attached(record) == [()]


async def test_it_goes_when_its_message_is_deleted_or_too_old(record: Record) -> None:
    """By the platform, or by retention."""
    deleted = await asked_about_a_log(record)
    await record.erasure.delete_message(deleted.session_id, "p1", actor=ANNA.user_id)
    assert await record.holding("app.log") == []
    await asked_about_a_log(record, "and this?")
    later = record.clock.now() + timedelta(days=1)

    await SqlRecordAdmin(record.database).expire(episodes_before=later, threads_before=later)

    assert await record.holding("app.log") == []


async def test_an_edit_takes_a_removed_file_away(record: Record) -> None:
    """Also one that changes no word; what is cached no longer matches, and no new version is learned from."""
    message = await asked_about_a_log(record)
    before = (await record.messages.load_thread(message.session_id, limit=9)).head

    await record.edit(message.session_id, "p1", message.text, attachments=[])

    thread = await record.messages.load_thread(message.session_id, limit=9)
    assert await attached(record) == [(QUOTED,), ()]
    assert (thread.messages[0].version, thread.head.version) == (1, before.version + 1)
    assert await record.holding("zanzibar") == []


async def test_an_edit_of_words_keeps_the_files(record: Record) -> None:
    """What was read stays read, whether or not the platform says what files there are."""
    message = await asked_about_a_log(record)

    await record.edit(message.session_id, "p1", "what now?")
    await record.edit(message.session_id, "p1", "what?", attachments=[UNREAD])

    assert await attached(record) == [(READ, QUOTED), ()]


async def test_an_edit_adds_files_until_the_message_is_answered(record: Record) -> None:
    """Nobody would read them afterwards."""
    more = Attachment(name="pod.yaml", ref="file:2")
    message = await record.say("what is this?", attachments=[UNREAD])
    files = [UNREAD, more]
    await record.edit(message.session_id, "p1", message.text, attachments=files)
    claim = await begun(record, message)
    await record.answer_claim(claim, "Logs.")

    files = [*files, Attachment(name="late.txt", ref="file:3")]
    await record.edit(message.session_id, "p1", message.text, attachments=files)

    assert claim.message.attachments == (UNREAD, more)
    assert await attached(record) == [(UNREAD, more), ()]


async def test_the_export_holds_it(record: Record) -> None:
    """By name and text."""
    await asked_about_a_log(record)

    (message,) = json.loads(json.dumps(await record.facts.export(ANNA.user_id)))["messages"]

    assert message["attachments"] == [
        {"name": "app.log", "text": READ.text},
        {"name": "forwarded message", "text": QUOTED.text},
    ]
