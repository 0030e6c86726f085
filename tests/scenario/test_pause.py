"""Whole conversations while paused: each message is answered, by itself, and nothing of it is anywhere after that."""

import random
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from bots.platform import Reply
from memory.errors import InputError, PausedError, ProviderUnavailableError
from memory.forgetting import PlatformChange
from memory.jobs.compact import compact
from memory.jobs.expire import erase_unkept
from memory.model import Person, Place, SessionId, ThisThread, VectorRef, turn_key
from memory.service import SHOWN_LATE
from memory.stores.sql.admin import SqlRecordAdmin
from memory.stores.sql.leases import SqlLeaseStore
from memory.stores.sql.schema import messages, metadata
from memory.working import PAUSED, THREAD_PAUSED
from tests.contract.record import Record
from tests.fakes.model import remembers
from tests.fakes.values import TENANT, changed, dm, inbound, person, public_channel
from tests.fixtures.core import Core, Shown

pytestmark = pytest.mark.timeout(120)

ANA, BOB = person("ana"), person("bob")
OPS = public_channel("ops")


async def say(core: Core, text: str, *, place: Place = OPS, author: Person = ANA) -> Reply:
    """Say something and return the answer."""
    reply = await core.say(text, place=place, author=author)
    assert reply is not None
    return reply


async def left_of(core: Core, words: str) -> list[str]:
    """Return which tables hold words."""
    return await Record(core.stores.database, core.clock).holding(words)


async def test_no_later_answer_knows_of_a_message_and_the_first_one_says_so(core: Core) -> None:
    """What was kept before is history still, what is said while paused never is; the notice returns after a break."""
    await say(core, "we deploy argo-17")
    await core.recall.personal.pause(ANA.user_id, TENANT)
    first = await say(core, "the vault is xyzzy-1")
    second = await say(core, "and the key is xyzzy-2")
    other = await say(core, "hello", author=BOB)
    third = await say(core, "where is it?")

    assert [reply.notices for reply in (first, second, other, third)] == [(PAUSED,), (), (), (PAUSED,)]
    assert [reply.failed for reply in (first, second, third)] == [False] * 3
    asked = core.model.asked
    assert [request.may_remember for request in asked] == [True, False, False, True, False]
    assert [message.text for message in asked[2].history] == ["we deploy argo-17", "answer 1"]
    assert [message.text for message in asked[4].history][2:] == ["bob: hello", "answer 4"]
    assert await left_of(core, "xyzzy") == []
    assert await left_of(core, "argo-17") != []


async def test_a_paused_thread_says_so_to_everybody_in_it(core: Core) -> None:
    """Nobody's words are kept there; elsewhere they are."""
    await core.recall.personal.pause_thread(OPS, by=ANA.user_id)
    replies = [await say(core, "the vault is xyzzy-1", author=author) for author in (ANA, BOB)]
    elsewhere = await say(core, "the vault is plugh-1", place=dm("ana"))
    await core.recall.personal.resume_thread(OPS, by=BOB.user_id)
    after = await say(core, "and now?")

    assert [reply.notices for reply in (*replies, elsewhere, after)] == [(THREAD_PAUSED,), (), (), ()]
    assert core.model.asked[-1].history == ()
    assert await left_of(core, "xyzzy") == []
    assert await left_of(core, "plugh-1") != []


async def test_what_is_remembered_already_is_recalled_while_paused(core: Core) -> None:
    """And "why" has the ids of what an answer used, after its text is gone."""
    await say(core, "our cluster is blue-heron-42", place=dm("ana"))
    await core.recall.sweep()
    await core.recall.personal.pause(ANA.user_id, TENANT)
    reply = await say(core, "which cluster is ours, blue-heron-42?", place=dm("ana", "other"))

    assert [item.memory.text for item in reply.used] == ["our cluster is blue-heron-42"]
    stored = await core.recall.service.newest_reply(dm("ana", "other").session_id)
    assert stored is not None
    assert (stored.text, stored.used) == ("", tuple(item.memory.key for item in reply.used))


async def test_nothing_is_remembered_by_hand_or_by_the_model_while_paused(core: Core) -> None:
    """A command is refused with a reason; a model that calls the tool all the same gets no fact stored."""
    personal = core.recall.personal
    await personal.pause(ANA.user_id, TENANT)
    with pytest.raises(PausedError) as of_person:
        await personal.remember(OPS, ANA, "I deploy on Fridays.")
    core.model.replies = [remembers("I deploy on Fridays"), "Fine."]
    reply = await say(core, "I deploy on Fridays")
    await personal.resume(ANA.user_id, TENANT)
    await personal.pause_thread(OPS, by=BOB.user_id)
    with pytest.raises(PausedError) as of_thread:
        await personal.remember(OPS, ANA, "I deploy on Fridays.")

    assert (of_person.value.in_thread, of_thread.value.in_thread) == (False, True)
    assert isinstance(of_person.value, InputError)
    assert reply.notices == (PAUSED,)
    assert await personal.memories(ANA.user_id) == []
    await personal.remember(dm("ana"), ANA, "I deploy on Mondays.")


async def test_a_pause_is_in_the_audit_log_once(core: Core) -> None:
    """Who, and what; a second pause changes nothing."""
    personal = core.recall.personal
    changed = [await personal.pause(ANA.user_id, TENANT) for _ in range(2)]
    await personal.pause_thread(OPS, by=BOB.user_id)
    await personal.resume_thread(OPS, by=ANA.user_id)
    await personal.resume(ANA.user_id, TENANT)

    assert changed == [True, False]
    assert (await personal.pauses(ANA.user_id, OPS.session_id)).person is False
    async with core.stores.database.read() as connection:
        rows = await connection.exec_driver_sql("SELECT actor_id, action FROM audit_log ORDER BY id")
        assert [tuple(row) for row in rows] == [
            (ANA.user_id, "pause"),
            (BOB.user_id, "pause thread"),
            (ANA.user_id, "resume thread"),
            (ANA.user_id, "resume"),
        ]


async def test_a_message_that_a_dead_process_left_is_answered_once_and_then_erased(core: Core) -> None:
    """Its text is in the record for as long as that takes."""
    await core.recall.personal.pause(ANA.user_id, TENANT)
    message = inbound("the vault is xyzzy-1", place=OPS, author=ANA, delivery="d1", sent_at=core.clock.now())
    taken = await core.recall.service.accept(message)
    assert await core.recall.service.begin(taken.accepted.message_id) is not None
    assert await left_of(core, "xyzzy") == ["messages"]
    core.clock.advance(60)
    await SqlLeaseStore(core.stores.database).release_all()
    after = core.restart()

    assert await after.recover(OPS) == 1
    assert [shown.replies[0].text for shown in after.late] == ["answer 1"]
    assert [shown.replies[0].notices for shown in after.late] == [(PAUSED,)]
    assert await after.recover(OPS) == 0
    assert await left_of(core, "xyzzy") == []


class Broken(Shown):
    """A platform that shows nothing."""

    async def finish(self, reply: Reply) -> None:  # noqa: ARG002 (signature)
        raise ConnectionError


@pytest.mark.parametrize("answer", ["You said xyzzy-1.", ProviderUnavailableError("scripted", "away")])
async def test_an_answer_that_was_not_shown_is_shown_later_and_then_erased(
    core: Core, answer: str | ProviderUnavailableError
) -> None:
    """Or the fixed words, which promise nothing that is not so."""
    await core.recall.personal.pause(ANA.user_id, TENANT)
    core.model.replies = [answer]
    await core.send("the vault is xyzzy-1", place=OPS, author=ANA, shown=Broken())
    assert await left_of(core, "xyzzy") == ["messages"]
    core.clock.advance(180)
    after = core.restart()
    await after.recover(OPS)

    (shown,) = after.late
    failed = isinstance(answer, ProviderUnavailableError)
    assert ("not kept" in shown.replies[0].text) is failed
    assert ("xyzzy-1" in shown.replies[0].text) is not failed
    assert await left_of(core, "xyzzy") == []


async def test_an_answer_that_is_never_shown_is_erased_when_nobody_waits_for_it_any_more(core: Core) -> None:
    """By upkeep, after as long as it would still be shown."""
    admin = SqlRecordAdmin(core.stores.database)
    await core.recall.personal.pause(ANA.user_id, TENANT)
    await core.send("the vault is xyzzy-1", place=OPS, author=ANA, shown=Broken())
    core.clock.advance(SHOWN_LATE.total_seconds() - 60)
    early = await erase_unkept(admin=admin, clock=core.clock)
    core.clock.advance(120)
    late = await erase_unkept(admin=admin, clock=core.clock)

    assert (early, late) == (0, 1)
    assert await left_of(core, "xyzzy") == []
    assert await core.restart().recover(OPS) == 0


async def test_what_was_erased_takes_a_compaction_of_the_record_alone(core: Core) -> None:
    """The index never held anything of it; after a forget its files are made anew as well."""
    admin = SqlRecordAdmin(core.stores.database)

    async def compacted() -> bool:
        core.clock.advance(1)
        return await compact(admin=admin, index=core.index, outbox=core.recall.outbox, clock=core.clock)

    await say(core, "the vault is in basel", author=BOB)
    await core.recall.personal.pause(ANA.user_id, TENANT)
    for number in range(3):
        await say(core, f"the vault is xyzzy-{number}")
    assert [await compacted(), await compacted()] == [True, False]
    assert core.index.compactions == 0
    assert not (await admin.status()).needs_compaction
    await say(core, "the vault is xyzzy-9")
    plan = await core.recall.personal.plan_forget(BOB.user_id, ThisThread(session_id=OPS.session_id))
    await core.recall.personal.forget(plan)
    assert [await compacted(), await compacted()] == [True, False]
    assert core.index.compactions == 1


@dataclass
class Talk:
    """A conversation by dice, in which every message, answer, summary and fact repeats words that name it.

    Attributes:
        kept: Words that were said while nothing was paused for them.
        unkept: Words that were said, or put in place of others, while something was.
    """

    core: Core
    dice: random.Random
    kept: set[str] = field(default_factory=set)
    unkept: set[str] = field(default_factory=set)
    names: list[tuple[Person, Place, str, str]] = field(default_factory=list)
    paused: set[str] = field(default_factory=set)
    count: int = 0

    def __post_init__(self) -> None:
        """Let the model give back all that it is given."""
        self.core.model.summary = lambda request: " ".join([request.old_summary, *(m.text for m in request.leaving)])

    def new_words(self, author: Person, place: Place) -> str:
        """Return a word that nothing else has, noted as kept or not."""
        self.count += 1
        words = f"canary{self.count}x"
        is_paused = not self.paused.isdisjoint({author.user_id, place.session_id})
        (self.unkept if is_paused else self.kept).add(words)
        return words

    async def step(self) -> None:
        """Do something."""
        author, place = self.dice.choice((ANA, BOB)), self.dice.choice((OPS, public_channel("dev")))
        doing = self.dice.choice((self.say,) * 6 + (self.edit, self.delete, self.pause, self.pause, self.sweep))
        await doing(author, place)

    async def say(self, author: Person, place: Place) -> None:
        words, name = self.new_words(author, place), f"delivery-{self.count}"
        way = self.dice.choice(("answered", "answered", "tool", "failed", "unshown"))
        answer = f"You said {words}."
        self.core.model.replies = [answer]
        if way == "tool":
            self.core.model.replies.insert(0, remembers(words))
        elif way == "failed":
            self.core.model.replies = [ProviderUnavailableError("scripted", "away")]
        shown = Broken() if way == "unshown" else Shown()
        self.names.append((author, place, name, words))
        await self.core.send(f"I say {words}", place=place, author=author, delivery=name, shown=shown)
        await self.core.recall.tasks.idle()

    async def edit(self, *_: object) -> None:
        if self.names:
            author, place, name, old = self.dice.choice(self.names)
            words = self.new_words(author, place)
            await self.core.recall.forgetting.message_edited(self.change(author, place, name), f"I say {words}")
            self.kept -= {old, words}  # it changes nothing where there is no text any more

    async def delete(self, *_: object) -> None:
        if self.names:
            author, place, name, old = self.names.pop(self.dice.randrange(len(self.names)))
            await self.core.recall.forgetting.message_deleted(self.change(author, place, name))
            self.kept.discard(old)

    def change(self, author: Person, place: Place, name: str) -> PlatformChange:
        """Return that somebody changes a message of theirs now."""
        self.core.clock.advance(1)
        return changed(place, name, by=author, at=self.core.clock.now())

    async def pause(self, author: Person, place: Place) -> None:
        personal = self.core.recall.personal
        of_thread = self.dice.random() < 0.4
        what = place.session_id if of_thread else author.user_id
        resumes = what in self.paused
        (self.paused.discard if resumes else self.paused.add)(what)
        if of_thread:
            await (personal.resume_thread if resumes else personal.pause_thread)(place, by=author.user_id)
        else:
            await (personal.resume if resumes else personal.pause)(author.user_id, TENANT)

    async def sweep(self, *_: object) -> None:
        await self.core.recall.sweep()

    def asked_for(self) -> str:
        """Return all that any model was ever given, but for the messages that it was to answer."""
        model = self.core.model
        given = [part for each in model.asked for part in (each.summary, each.memory_block, str(each.history))]
        given += [request.prompt for request in model.summarized]
        given += [request.prompt for request in model.extracted]
        return "\n".join(given)

    def among(self, text: str) -> set[str]:
        """Return the words that a text has and that were not to be kept."""
        return {words for words in self.unkept if words in text}


async def all_of(core: Core) -> str:
    """Return all that is in the record, the hot copies and the exports."""
    found = [str(await core.recall.personal.export(who.user_id)) for who in (ANA, BOB)]
    found += [str(await core.cache.load(SessionId(f"{TENANT}:{name}:main"))) for name in ("ops", "dev")]
    async with core.stores.database.read() as connection:
        for table in metadata.sorted_tables:
            found += [str(row) for row in await connection.execute(select(table))]
        found += [str(row) for row in await connection.exec_driver_sql("SELECT key, terms FROM lexicon")]
    return "\n".join(found)


async def refs_of_unkept(core: Core) -> list[VectorRef]:
    """Return under what names the index would know what was not to be kept."""
    async with core.stores.database.read() as connection:
        rows = await connection.execute(select(messages).where(~messages.c.kept, messages.c.author_id.is_not(None)))
        return [
            VectorRef(owner=row.author_id, key=turn_key(row.id, version))
            for row in rows
            for version in range(1, row.version + 1)
        ]


@pytest.mark.parametrize("seed", range(4))
async def test_no_word_of_it_is_anywhere_after_any_conversation(core: Core, seed: int) -> None:
    """Said, edited, deleted, failed, unshown or remembered by the model, by two people in two threads, in any order."""
    talk = Talk(core, random.Random(seed))  # noqa: S311 (a script, not a secret)
    for _ in range(40):
        await talk.step()
    core.clock.advance(180)
    if seed % 2:
        await core.restart().recover(OPS)
    core.clock.advance(SHOWN_LATE.total_seconds())
    await erase_unkept(admin=SqlRecordAdmin(core.stores.database), clock=core.clock)
    await core.recall.sweep()

    everything = await all_of(core)
    assert talk.unkept
    assert talk.among(everything) == set()
    assert talk.among(talk.asked_for()) == set()
    assert await core.index.vectors(await refs_of_unkept(core)) == {}
    assert {words for words in talk.kept if words not in everything} == set()
    assert await core.index.count() > 0
