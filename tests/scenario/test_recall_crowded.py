"""What is recalled when much else is nearer: the thread's own facts, or what only other tenants may see."""

from memory.model import ExtractionReply, FactOperation, MessageId, UserId, VectorEntry, VectorRef, turn_key
from tests.fakes.values import dm, person, public_channel
from tests.fixtures.core import Core

ANA, BEN = person("ana"), person("ben")


async def test_facts_of_this_very_thread_take_no_others_place(core: Core) -> None:
    """What the model reads in the history anyway does not use up what may be recalled."""
    older = [f"The deploy freeze of team{number} begins late" for number in range(10)]
    for text in older:
        await core.recall.personal.remember(dm("ana", "old"), ANA, text)
    nearer = [
        [f"The deploy freeze service{turn}{part} begins at {part}:0{turn}" for part in range(5)] for turn in range(5)
    ]
    for texts in nearer:
        await core.say(". ".join(texts), place=dm("ana"), author=ANA)
    core.model.extractions = [
        ExtractionReply(
            facts=[
                FactOperation(operation="add", subject="A", text=text, messages=[2 * turn + 1])
                for turn, texts in enumerate(nearer)
                for text in texts
            ]
        )
    ]
    assert (await core.recall.sweep()).added == 25

    await core.say("When begins the deploy freeze service?", place=dm("ana"), author=ANA)

    assert {one.memory.text for one in core.model.asked[-1].recalled} >= set(older)


async def test_what_other_tenants_said_does_not_hide_what_may_be_seen(core: Core) -> None:
    """When the nearest vectors are all of rows that this reader may not see, the index is asked for more."""
    place = public_channel("ops")
    await core.say("Production runs on EKS in eu-west-1", place=place, author=BEN)
    await core.recall.outbox.drain()
    question = "production runs on EKS in eu-west-1, right?"
    vector = await core.stores.embedder.embed_query(question)
    foreign = [VectorRef(owner=UserId("test:other:eve"), key=turn_key(MessageId(1_000 + n), 1)) for n in range(60)]
    await core.index.upsert([VectorEntry(ref=ref, vector=vector) for ref in foreign])

    await core.say(question, place=public_channel("ops", "other"), author=ANA)

    (recalled,) = core.model.asked[-1].recalled
    assert recalled.memory.text == "Production runs on EKS in eu-west-1"
    assert recalled.similarity is not None
