"""A memory from a DM that its owner lets be used elsewhere: who is answered with it, and what is asked and said."""

import pytest

from bots.commands import CHANGED, CommandResult, Commands, plan_digest
from memory.errors import InputError
from memory.model import ExtractionReply, FactOperation, Person, Place, ProposedEpisode
from tests.fakes.values import dm, person, private_channel, public_channel
from tests.fixtures.core import Core

ANA, BEN = person("ana"), person("ben")
_IDLE_S = 1_000
TEAM = "Prod is zanzibar."


async def learn(core: Core, text: str = TEAM, *, subject: str = "team", episode: bool = False) -> None:
    """Let Ana say something in her DM, and learn it from there."""
    await core.say(text, place=dm("ana"), author=ANA)
    operation = FactOperation(operation="add", subject=subject, text=text, messages=[1])
    told = ProposedEpisode(title=text, happened=text, messages=[1]) if episode else None
    core.model.extractions = [ExtractionReply(facts=[operation], episode=told)]
    core.clock.advance(_IDLE_S)
    await core.recall.sweep()


async def recalled(core: Core, place: Place, author: Person, asked: str = "Which one is zanzibar?") -> list[str]:
    """Return the facts that an answer in a place was given."""
    reply = await core.say(asked, place=place, author=author)
    assert reply is not None
    return [item.memory.text for item in reply.used if item.memory.kind == "fact"]


async def _widen(core: Core, argument: str, agreed: str | None = None) -> CommandResult:
    return await Commands(core.recall.personal).widen(ANA.user_id, argument, agreed=agreed)


async def test_a_team_fact_of_a_dm_reaches_others_once_it_is_widened_and_no_longer_when_it_is_taken_back(
    core: Core,
) -> None:
    """The owner is told that others get it too; until then nobody does."""
    await learn(core)
    assert await recalled(core, public_channel("ops"), BEN) == []
    result = await _widen(core, "1")
    assert result.text.splitlines()[0] == "#1 can now be used anywhere in this workspace, also where others ask."
    assert await recalled(core, public_channel("ops", "two"), BEN) == [TEAM]
    assert await recalled(core, private_channel("sec"), BEN) == [TEAM]
    assert await recalled(core, dm("ben"), BEN) == [TEAM]
    await Commands(core.recall.personal).narrow(ANA.user_id, "1")
    assert await recalled(core, public_channel("ops", "three"), BEN) == []
    assert await recalled(core, dm("ana", "two"), ANA) == [TEAM]


async def test_a_widened_fact_about_its_owner_is_for_the_owner_everywhere(core: Core) -> None:
    """In a channel too, but for nobody else there."""
    await learn(core, "I deploy with zanzibar.", subject="A")
    result = await _widen(core, "1")
    assert result.text.splitlines()[0] == "#1 can now be used anywhere in this workspace where you ask."
    asked = "Who deploys with zanzibar?"
    assert await recalled(core, public_channel("ops"), BEN, asked) == []
    assert await recalled(core, public_channel("ops", "two"), ANA, asked) == ["I deploy with zanzibar."]


async def test_an_episode_and_what_is_not_there_are_refused_in_words(core: Core) -> None:
    """An episode tells of several people's words, and a number that is not there is nobody's."""
    await learn(core, episode=True)
    numbers = {one.kind == "episode": one.number for one in await core.recall.personal.memories(ANA.user_id)}
    with pytest.raises(InputError, match="a whole conversation"):
        await _widen(core, str(numbers[True]))
    with pytest.raises(InputError, match="You have no memory #99"):
        await _widen(core, "99")
    with pytest.raises(InputError, match="You have no memory #1"):
        await Commands(core.recall.personal).widen(BEN.user_id, str(numbers[False]))


async def test_history_is_refused_in_words(core: Core) -> None:
    """What is no longer true is used nowhere."""
    await learn(core)
    await core.say("Prod is nairobi.", place=dm("ana"), author=ANA)
    update = FactOperation(operation="update", label=1, subject="team", text="Prod is nairobi.", messages=[1])
    core.model.extractions = [ExtractionReply(facts=[update])]
    core.clock.advance(_IDLE_S)
    await core.recall.sweep()
    with pytest.raises(InputError, match="#1 is history"):
        await _widen(core, "1")


async def test_a_yes_widens_what_was_shown_and_nothing_else(core: Core) -> None:
    """When there is more by then, it is asked anew; the yes to that widens it."""
    await learn(core)
    asked = await _widen(core, "all")
    assert asked.question is not None
    assert asked.text.splitlines()[-1].startswith(
        "Let 1 memory be used anywhere in this workspace where you ask, 1 of them also where others ask?"
    )
    await Commands(core.recall.personal).remember(dm("ana"), ANA, "I deploy with ArgoCD.")
    again = await _widen(core, "all", agreed=plan_digest(asked.question))
    assert again.text.startswith(CHANGED)
    assert again.question is not None
    assert not any(one.widened for one in await core.recall.personal.memories(ANA.user_id))
    done = await _widen(core, "all", agreed=plan_digest(again.question))
    assert done.text == "2 memories can now be used anywhere in this workspace."
    assert all(one.widened for one in await core.recall.personal.memories(ANA.user_id))


async def test_what_was_forgotten_since_the_question_is_not_widened(core: Core) -> None:
    """The plan names it, the record does not have it any more."""
    await learn(core)
    asked = await _widen(core, "all")
    assert asked.question is not None
    commands = Commands(core.recall.personal)
    await commands.forget(ANA.user_id, "1", session_id=None)
    assert (await commands.confirm(asked.question)).text == "Nothing was left to widen."
