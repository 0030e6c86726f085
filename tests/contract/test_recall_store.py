"""What every recall store does: own memories, search by words, fetching, and the audience law in each of them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from memory.audience import Scope, is_visible, members_of, private_to, scope_for
from memory.lexical import terms
from memory.model import (
    Audience,
    ChannelId,
    MemoryKey,
    Message,
    Numbered,
    Person,
    Place,
    SessionId,
    Subject,
    TenantId,
    ThisThread,
    UserId,
    VectorRef,
    episode_key,
    fact_key,
    turn_key,
)
from memory.model.work import Outcome
from memory.stores.sql.database import Database
from memory.stores.sql.recall import SqlRecallStore
from tests.contract.record import (
    ANNA,
    BOB,
    DORA,
    EVE,
    NOBODYS,
    TENANT,
    Record,
    episode_of,
    fact_from,
    private_thread,
    public_thread,
)
from tests.contract.record import remembered as remembered_in_dm
from tests.fakes.clock import FrozenClock

DM_OF_ANNA = scope_for(private_thread(), ANNA.user_id)
IN_PUBLIC = scope_for(public_thread(), ANNA.user_id)


@pytest.fixture
def store(database: Database) -> SqlRecallStore:
    """The store under test."""
    return SqlRecallStore(database)


async def keys_of(store: SqlRecallStore, scope: Scope) -> set[MemoryKey]:
    """Return the keys of the reader's own memories."""
    return {ref.key for ref in (await store.search(scope, (), limit=0, own_turns=100)).own}


async def found_by(store: SqlRecallStore, scope: Scope, words: str, *, limit: int = 50) -> list[MemoryKey]:
    """Return what a search finds, sorted."""
    return sorted(hit.key for hit in (await store.search(scope, terms(words), limit=limit, own_turns=0)).lexical.hits)


def turn(message: Message) -> MemoryKey:
    """Return the key of a message as it was first said."""
    return turn_key(message.message_id, 1)


async def test_own_keys_are_the_readers_living_memories(record: Record, store: SqlRecallStore) -> None:
    """Facts, episodes that the reader was in, and turns; others' turns and superseded facts are absent."""
    first = await record.talk("prod is EKS")
    await record.learn(Outcome(added=(fact_from("Prod is EKS 1.29.", first),), episode=episode_of(first)))
    later = await record.talk("prod is EKS 1.30 now")
    await record.learn(Outcome(updated=((1, fact_from("Prod is EKS 1.30.", later)),)))
    await record.talk("mine too", person=BOB)

    assert await keys_of(store, IN_PUBLIC) == {fact_key(2), episode_key(1), turn(first), turn(later)}
    assert {ref.owner for ref in (await store.search(IN_PUBLIC, (), limit=0, own_turns=9)).own} == {ANNA.user_id}


async def test_own_keys_give_the_newest_turns_up_to_the_limit(record: Record, store: SqlRecallStore) -> None:
    """Older turns are left to the search by words."""
    said = [await record.talk(f"turn {number}") for number in range(4)]

    assert (await store.search(IN_PUBLIC, (), limit=0, own_turns=2)).own == tuple(
        VectorRef(owner=ANNA.user_id, key=turn(message)) for message in reversed(said[2:])
    )
    assert (await store.search(IN_PUBLIC, (), limit=0, own_turns=0)).own == ()


async def test_unanswered_message_is_not_recalled(record: Record, store: SqlRecallStore) -> None:
    """The question itself is not among the memories that answer it."""
    message = await record.say("where is prod?")

    assert await keys_of(store, IN_PUBLIC) == set()
    assert await store.fetch(IN_PUBLIC, [turn(message)]) == []


async def test_fetch_gives_a_fact_with_all_that_is_shown_of_it(record: Record, store: SqlRecallStore) -> None:
    """Text, number, author, date, thread, sources and link."""
    first = await record.talk("prod is EKS")
    second = await record.talk("yes, EKS")
    await record.learn(Outcome(added=(fact_from("Prod is EKS.", first, second, subject="team"),)))
    (memory,) = await store.fetch(IN_PUBLIC, [fact_key(1)])

    assert (memory.kind, memory.owner, memory.number, memory.text) == ("fact", ANNA.user_id, 1, "Prod is EKS.")
    assert (memory.author, memory.said_at, memory.session_id) == ("Anna", first.sent_at, first.session_id)
    assert (memory.thread, memory.sources) == ("prod is EKS", (first.message_id, second.message_id))
    assert memory.link == "https://chat.test/p1"


async def test_fetch_gives_a_number_only_to_the_memorys_owner(record: Record, store: SqlRecallStore) -> None:
    """A number is typed to forget one's own memory; under another's, the reader would forget something else."""
    said = await record.talk("prod is EKS")
    await record.learn(Outcome(added=(fact_from("Prod is EKS.", said, subject="team"),)))
    (for_bob,) = await store.fetch(scope_for(public_thread(), BOB.user_id), [fact_key(1)])
    (for_anna,) = await store.fetch(IN_PUBLIC, [fact_key(1)])

    assert (for_bob.owner, for_bob.number, for_anna.number) == (ANNA.user_id, None, 1)


async def test_fetch_gives_a_remembered_fact_without_message(
    record: Record, store: SqlRecallStore, clock: FrozenClock
) -> None:
    """A fact of `/remember` has no message, and may be older than its thread's first."""
    await record.facts.add(remembered_in_dm("I use k9s.", clock))
    (memory,) = await store.fetch(DM_OF_ANNA, [fact_key(1)])

    assert (memory.text, memory.sources, memory.thread) == ("I use k9s.", (), "")


async def test_fetch_gives_a_turn_as_it_was_said(record: Record, store: SqlRecallStore) -> None:
    """A turn is its own source and has no number."""
    message = await record.talk("  prod is\nEKS\n")
    (memory,) = await store.fetch(IN_PUBLIC, [turn(message)])

    assert (memory.kind, memory.text, memory.number) == ("turn", "  prod is\nEKS\n", None)
    assert (memory.author, memory.sources) == ("Anna", (message.message_id,))


async def test_fetch_gives_an_episode_with_its_people(record: Record, store: SqlRecallStore) -> None:
    """Title, story and outcome are its text; each of its people has a number of their own."""
    first = await record.talk("rollout failed")
    second = await record.talk("fixed", person=BOB)
    await record.learn(Outcome(episode=episode_of(first, second)))
    (memory,) = await store.fetch(IN_PUBLIC, [episode_key(1)])

    assert (memory.kind, memory.text) == ("episode", "Rollout of EKS 1.30\nThey upgraded it.\nIt worked.")
    assert (memory.number, set(memory.author.split(", "))) == (1, {"Anna", "Bob"})
    assert memory.sources == (first.message_id, second.message_id)


async def test_fetch_of_nothing_unknown_and_mixed_keys(record: Record, store: SqlRecallStore) -> None:
    """Unknown keys are absent; kinds can be asked for together."""
    message = await record.talk("prod is EKS")
    await record.learn(Outcome(added=(fact_from("Prod is EKS.", message),), episode=episode_of(message)))
    alive = {fact_key(1), episode_key(1), turn(message)}

    assert await store.fetch(IN_PUBLIC, []) == []
    assert await store.fetch(IN_PUBLIC, [fact_key(99), turn_key(message.message_id, 2)]) == []
    assert {memory.key for memory in await store.fetch(IN_PUBLIC, [*alive, fact_key(7)])} == alive


async def test_forgotten_memory_is_nowhere_at_once(record: Record, store: SqlRecallStore) -> None:
    """Neither listed, nor searched, nor fetched, whatever an index still holds."""
    message = await record.talk("the vault is in Basel")
    await record.learn(Outcome(added=(fact_from("The vault is in Basel.", message),)))
    plan = await record.erasure.plan(ANNA.user_id, Numbered(number=1))
    await record.erasure.erase(plan, actor=ANNA.user_id)

    assert await keys_of(store, IN_PUBLIC) == set()
    assert await found_by(store, IN_PUBLIC, "vault Basel") == []
    assert await store.fetch(IN_PUBLIC, [fact_key(1), turn(message)]) == []


async def test_edited_turn_is_found_by_its_new_words_only(record: Record, store: SqlRecallStore) -> None:
    """A key stands for one version of a message."""
    message = await record.talk("prod is GKE")
    await record.edit(message.session_id, "p1", "prod is EKS")

    assert await found_by(store, IN_PUBLIC, "GKE") == []
    assert await found_by(store, IN_PUBLIC, "EKS") == [turn_key(message.message_id, 2)]
    assert await store.fetch(IN_PUBLIC, [turn(message)]) == []


async def test_search_finds_exact_and_stemmed_words_of_any_language(record: Record, store: SqlRecallStore) -> None:
    """Pod names, versions and ids are words, and no engine's parser takes them apart or drops them."""
    texts = ["restart api-7f9c.prod", "Größe der Datenbank", "база данных упала", "數據庫 掛了", "the deploys failed"]
    said = [await record.talk(text) for text in texts]
    asked = ["api-7f9c.prod", "größe", "данных", "數據庫", "deployed"]

    for words, message in zip(asked, said, strict=True):
        result = (await store.search(IN_PUBLIC, terms(words)[:1], limit=5, own_turns=0)).lexical
        assert [hit.key for hit in result.hits] == [turn(message)]
        assert result.hits[0].terms == tuple(terms(message.text))


async def test_search_counts_entries_for_each_asked_term(record: Record, store: SqlRecallStore) -> None:
    """BM25 needs to know in how many entries each term occurs, and how many there are."""
    for text in ("deploy api", "deploy web", "deploy deploy worker"):
        await record.talk(text)
    result = (await store.search(IN_PUBLIC, ["deploy", "web", "zebra"], limit=5, own_turns=0)).lexical

    assert result.document_frequency == {"deploy": 3, "web": 1, "zebra": 0}
    assert result.documents == 3


async def test_search_prefers_the_rarer_words(record: Record, store: SqlRecallStore) -> None:
    """With room for one hit it is the one that shares the rare word, however new the others are."""
    rare = await record.talk("deploy of zeppelin")
    for number in range(5):
        await record.talk(f"deploy number {number}")

    assert await found_by(store, IN_PUBLIC, "deploy zeppelin", limit=1) == [turn(rare)]
    assert len(await found_by(store, IN_PUBLIC, "deploy zeppelin", limit=50)) == 6


@pytest.mark.parametrize(
    "words",
    ['"', "'", "a' | 'b", 'x" OR "y', "labels : a", "NEAR(a b)", "-*^(){}[]\\", "\x00", "🚀"],
)
async def test_search_takes_any_characters(store: SqlRecallStore, record: Record, words: str) -> None:
    """Nothing that a person types is syntax to the engine, even past our own tokenizer."""
    await record.talk("deploy api")

    assert (await store.search(IN_PUBLIC, [words.replace("\x00", "")], limit=5, own_turns=0)).lexical.hits == ()
    assert await found_by(store, IN_PUBLIC, words, limit=0) == []


async def test_search_with_hundreds_of_terms_answers(store: SqlRecallStore, record: Record) -> None:
    """A pasted log is searched by its most telling words."""
    message = await record.talk("unmistakeablecomponentname crashed")
    words = [f"w{number}" for number in range(3_000)]

    hits = (await store.search(IN_PUBLIC, [*words, "unmistakeablecomponentnam"], limit=5, own_turns=0)).lexical.hits
    assert [hit.key for hit in hits] == [turn(message)]


async def test_label_written_as_a_word_opens_nothing(record: Record, store: SqlRecallStore) -> None:
    """Labels and words are apart: neither asking for a label nor writing one shows a foreign entry."""
    async with record.database.read() as connection:
        await record.talk("my secret plan", place=private_thread())
        labels = await connection.exec_driver_sql("SELECT labels FROM lexicon")
        written = labels.scalar_one()
    words = written if isinstance(written, str) else " ".join(written)
    await record.talk(f"hello {words}", person=BOB, place=private_thread(BOB))
    bobs = scope_for(private_thread(BOB), BOB.user_id)

    assert len(await found_by(store, bobs, words)) == 1
    assert await found_by(store, DM_OF_ANNA, words) == []


async def test_nothing_is_shared_where_only_the_reader_spoke_in_private(record: Record, store: SqlRecallStore) -> None:
    """The index of all owners need not be asked in a DM of somebody who is alone."""
    await record.talk("mine", place=private_thread())

    assert (await store.search(DM_OF_ANNA, (), limit=0, own_turns=0)).has_shared is False
    await record.talk("ours", person=BOB, place=public_thread())
    assert (await store.search(DM_OF_ANNA, (), limit=0, own_turns=0)).has_shared is True


async def test_empty_scope_shows_nothing(record: Record, store: SqlRecallStore) -> None:
    """Unknown readers see no memory at all."""
    message = await record.talk("prod is EKS")
    await record.learn(Outcome(added=(fact_from("Prod is EKS.", message, subject="team"),)))
    nothing = Scope.nothing(tenant_id=TENANT, reader=ANNA.user_id)

    assert await keys_of(store, nothing) == set()
    assert await found_by(store, nothing, "prod") == []
    assert await store.fetch(nothing, [fact_key(1), turn(message)]) == []
    assert (await store.search(nothing, (), limit=0, own_turns=0)).has_shared is False


@dataclass(frozen=True)
class Stored:
    """A memory of the law's test, and what the law needs to know of it."""

    key: MemoryKey
    tenant_id: TenantId
    audience: Audience
    people: tuple[UserId, ...]
    about_owner: bool = False

    def is_visible(self, scope: Scope) -> bool:
        """Whether the law shows it: an episode belongs to each of its people."""
        return any(
            is_visible(
                scope,
                tenant_id=self.tenant_id,
                audience=self.audience,
                owner=owner,
                about_owner=self.about_owner,
            )
            for owner in self.people
        )


ELSEWHERE = TenantId("test:T2")
CARL = Person(user_id=UserId("test:T2:carl"), name="Carl")
EVERYBODY = ((BOB, TENANT), (ANNA, TENANT), (CARL, ELSEWHERE), (DORA, NOBODYS), (EVE, NOBODYS))
OTHERS = {TENANT: BOB, ELSEWHERE: CARL, NOBODYS: EVE}
"""Of each tenant somebody whose memories others are not to see."""


def channel(name: str, tenant_id: TenantId) -> ChannelId:
    """Return a private channel of a tenant."""
    return ChannelId(f"{tenant_id}:{name}")


def places_of(person: Person, tenant_id: TenantId) -> Sequence[Place]:
    """Return one thread of each audience that a person may speak to."""
    channels = [members_of(channel(name, tenant_id)) for name in ("ops", "finance")]
    audiences = [private_to(person.user_id), *channels, Audience(f"workspace:{tenant_id}")]
    return [
        Place(
            session_id=SessionId(f"{tenant_id}|{audience}:{person.name}"),
            channel_id=ChannelId(f"{tenant_id}|{audience}"),
            tenant_id=tenant_id,
            audience=audience,
            shared=not audience.startswith("private"),
        )
        for audience in audiences
    ]


async def store_everything(record: Record) -> list[Stored]:
    """Store a turn, a fact about its owner, a team fact and an episode for every person and audience."""
    stored = []
    numbers = itertools.count(1)
    for person, tenant_id in EVERYBODY:
        for place in places_of(person, tenant_id):
            message = await record.talk("zebra crossing", person=person, place=place)
            owners = (person.user_id,)
            stored.append(Stored(turn(message), tenant_id, place.audience, owners))
            subjects: tuple[Subject, ...] = ("person", "team")
            for subject in subjects:
                new = fact_from(f"zebra {subject}", message, subject=subject, audience=place.audience)
                fact = await record.facts.add(replace(new, tenant_id=tenant_id))
                about = subject == "person"
                stored.append(Stored(fact_key(fact.fact_id), tenant_id, place.audience, owners, about_owner=about))
            (claim,) = await record.claim()
            batch = await record.extraction.load(claim, limit=9)
            people = (ANNA, BOB) if person is ANNA else (person,)
            episode = replace(
                episode_of(message, words="zebra story", audience=place.audience), tenant_id=tenant_id, people=people
            )
            await record.extraction.commit(claim, batch, Outcome(episode=episode), shown=())
            of_episode = tuple(each.user_id for each in people)
            stored.append(Stored(episode_key(next(numbers)), tenant_id, place.audience, of_episode))
    return stored


def scopes() -> list[Scope]:
    """Return every scope that places and memberships of the test give, and some that no place gives."""
    found: list[Scope] = []
    for person, tenant_id in EVERYBODY:
        found.extend(
            scope_for(place, person.user_id, member_of=[channel(name, tenant_id) for name in names])
            for place in places_of(person, tenant_id)
            for names in ((), ("ops",), ("ops", "finance"))
        )
        found.extend(scope_for(replace(each, outsiders=True), person.user_id) for each in places_of(person, tenant_id))
        other = OTHERS[tenant_id]
        widened = frozenset(place.audience for place in places_of(other, tenant_id)[::2])
        found.append(Scope(tenant_id=tenant_id, reader=person.user_id, audiences=widened, own_audiences=frozenset()))
        found.append(Scope(tenant_id=tenant_id, reader=person.user_id, audiences=frozenset(), own_audiences=widened))
    return found


async def test_the_audience_law_holds_in_every_query(record: Record, store: SqlRecallStore) -> None:
    """For every memory and every scope: what the law shows is listed, found and fetched; nothing else is."""
    stored = await store_everything(record)
    everything = [memory.key for memory in stored]
    for scope in scopes():
        shown = {memory.key for memory in stored if memory.is_visible(scope)}
        own = {memory.key for memory in stored if memory.is_visible(scope) and scope.reader in memory.people}

        assert {memory.key for memory in await store.fetch(scope, everything)} == shown
        assert set(await found_by(store, scope, "zebra", limit=200)) == shown
        assert await keys_of(store, scope) == own


async def test_narrowed_thread_of_another_persons_words_is_gone_after_they_forget(
    record: Record, store: SqlRecallStore
) -> None:
    """One person's forget leaves the other's turns of the same thread standing."""
    hers = await record.talk("vault in Basel")
    his = await record.talk("vault in Zurich", person=BOB)
    plan = await record.erasure.plan(ANNA.user_id, ThisThread(session_id=hers.session_id))
    await record.erasure.erase(plan, actor=ANNA.user_id)

    assert await found_by(store, IN_PUBLIC, "vault") == [turn(his)]
