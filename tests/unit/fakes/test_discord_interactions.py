"""Answers to commands, buttons and modals in the fake Discord: one in three seconds, more in fifteen minutes."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from tests.fakes.discord_server import Channel, DiscordRefusesError, DiscordServer, Guild, Interaction, Person, Seen
from tests.fixtures.bare_discord import Answer, BareApp, Rest

STOP = {"type": 2, "style": 4, "label": "Stop", "custom_id": "stop"}
FIELD = {"type": 4, "style": 1, "label": "Which?", "custom_id": "which", "min_length": 2, "max_length": 5}
ASK: dict[str, Any] = {"title": "Forget", "custom_id": "ask", "components": [{"type": 1, "components": [FIELD]}]}
EPHEMERAL = 64


class Hand:
    """The app, answering by hand."""

    def __init__(self, server: DiscordServer, rest: Rest) -> None:
        self.server = server
        self.rest = rest

    async def begins(self, doing: Coroutine[Any, Any, Seen]) -> "asyncio.Task[Seen]":
        """Let a person do something, and wait until the app is told; return what they will see."""
        before = len(self.server.world.interactions)
        seeing = asyncio.create_task(doing)
        await self.server.until(lambda: len(self.server.world.interactions) > before)
        return seeing

    async def open(self, person: Person, channel: Channel) -> "asyncio.Task[Seen]":
        """Let a person use the command; return what they will see."""
        return await self.begins(person.slash("/memory", channel, expect=0))

    async def answer(self, kind: int, number: int = -1, **data: Any) -> Answer:
        """Give an interaction, the newest unless told, its answer."""
        newest = self._newest(number)
        path = f"/interactions/{newest.interaction_id}/{newest.token}/callback"
        return await self.rest("POST", path, {"type": kind, "data": data}, with_response=1)

    async def follow(self, method: str, where: str = "", number: int = -1, **body: Any) -> Answer:
        """Call the webhook of an interaction."""
        newest = self._newest(number)
        path = f"/webhooks/{self.server.world.app.app_id}/{newest.token}{where}"
        return await self.rest(method, path, body or None)

    def _newest(self, number: int) -> Interaction:
        return list(self.server.world.interactions.values())[number]


@pytest.fixture
async def hand(discord_server: DiscordServer, rest: Rest, lobby: Channel, dana: Person) -> Hand:
    """An app that has one command and answers when a test says so."""
    del lobby, dana
    body = [{"name": "memory", "description": "Memory"}]
    await rest("PUT", f"/applications/{discord_server.world.app.app_id}/commands", body)
    return Hand(discord_server, rest)


async def test_an_interaction_takes_one_answer(hand: Hand, dana: Person, lobby: Channel, guild: Guild) -> None:
    """The second is refused, and only its person sees an ephemeral one, which is in no history."""
    seeing = await hand.open(dana, lobby)
    first = await hand.answer(4, content="secret", flags=EPHEMERAL)
    second = await hand.answer(4, content="again")
    seen = await seeing

    assert first.body["interaction"]["response_message_ephemeral"] and first.body["resource"]["message"]["flags"] == 64
    assert (second.status, second.code) == (400, 40060)
    assert seen.text == "secret" and seen.is_private and seen.error is None
    assert [each.shown for each in dana.sees(lobby)] == ["secret"] and not guild.user("bob").sees(lobby)
    path = f"/channels/{lobby.channel_id}/messages"
    assert (await hand.rest("GET", path)).body == []
    assert (await hand.rest("PATCH", f"{path}/{seen.messages[0].message_id}", {"content": "x"})).code == 10008


async def test_an_answer_that_comes_too_late_is_refused(hand: Hand, dana: Person, lobby: Channel) -> None:
    """Her client has said by then that the application did not respond."""
    dana.patience_s = 0.01
    seen = await (await hand.open(dana, lobby))
    late = await hand.answer(4, content="sorry")

    assert seen.error == "The application did not respond" and not seen.messages
    assert (late.status, late.code) == (404, 10062)


async def test_a_clock_that_passes_three_seconds_counts_too(hand: Hand, dana: Person, lobby: Channel) -> None:
    """The rule holds by the time of the fake as well."""
    seeing = await hand.open(dana, lobby)
    hand.server.world.counter.pass_time(3.1)
    late = await hand.answer(4, content="sorry")
    seeing.cancel()

    assert late.code == 10062


async def test_a_thinking_answer_is_ended_by_the_first_follow_up(hand: Hand, dana: Person, lobby: Channel) -> None:
    """It takes the place and the visibility of the thinking; those after it choose their own."""
    seeing = await hand.open(dana, lobby)
    await hand.answer(5, flags=EPHEMERAL)
    thinking = (await seeing).messages[0].loading
    first = await hand.follow("POST", content="one", flags=0)
    second = await hand.follow("POST", content="two")
    original = await hand.follow("GET", "/messages/@original")
    await hand.follow("PATCH", "/messages/@original", content="ONE")
    await hand.follow("DELETE", f"/messages/{second.body['id']}")

    assert thinking and first.body["flags"] == 64 and second.body["flags"] == 0
    assert original.body["id"] == first.body["id"]
    assert [each.shown for each in dana.ephemerals(lobby)] == ["ONE"]
    assert lobby.messages == []


async def test_the_token_lives_for_fifteen_minutes(hand: Hand, dana: Person, lobby: Channel) -> None:
    """Nothing follows an unanswered interaction, nor one that is too old."""
    seeing = await hand.open(dana, lobby)
    early = await hand.follow("POST", content="x")
    await hand.answer(5)
    await seeing
    hand.server.world.counter.pass_time(15 * 60 + 1)
    late = await hand.follow("PATCH", "/messages/@original", content="x")

    assert (early.code, late.status, late.code) == (10015, 401, 50027)


async def test_a_button_updates_its_message(hand: Hand, dana: Person, lobby: Channel) -> None:
    """The press carries the message; an update changes it in place, and by itself ends no thinking."""
    body = {"content": "working", "components": [{"type": 1, "components": [STOP]}]}
    await hand.rest("POST", f"/channels/{lobby.channel_id}/messages", body)
    (message,) = lobby.answers
    pressing = await hand.begins(dana.presses(message, "Stop"))
    answer = await hand.answer(7, content="stopped", components=[])
    await pressing

    assert answer.body["resource"]["message"]["id"] == message.message_id
    assert message.shown == "stopped" and not message.buttons and lobby.messages == [message]
    with pytest.raises(DiscordRefusesError):
        await dana.presses(message, "Stop")


async def test_what_is_not_hers_to_see_cannot_be_pressed(
    hand: Hand, dana: Person, lobby: Channel, guild: Guild
) -> None:
    """Others press nothing in an ephemeral answer, and a command needs a channel one sees."""
    seeing = await hand.open(dana, lobby)
    await hand.answer(4, content="?", flags=EPHEMERAL, components=[{"type": 1, "components": [STOP]}])
    seen = await seeing
    bob = guild.user("bob")
    with pytest.raises(DiscordRefusesError):
        await bob.presses(seen.messages[0], "Stop")
    with pytest.raises(DiscordRefusesError):
        await bob.slash("/memory", guild.channel("secret", dana, private=True))


async def test_a_modal_is_filled_in_and_submitted(hand: Hand, dana: Person, lobby: Channel) -> None:
    """A value beyond its bounds never leaves the client; what is submitted is answered like anything else."""
    seeing = await hand.open(dana, lobby)
    await hand.answer(9, **ASK)
    modal = (await seeing).modal
    assert modal is not None and modal.shown == "Forget\nWhich?"
    for wrong in ({"Which?": "x"}, {"Which?": "too long"}, {}, {"Other": "x"}):
        with pytest.raises(DiscordRefusesError):
            await dana.submits(modal, wrong)
    submitting = await hand.begins(dana.submits(modal, {"Which?": "#7"}, expect=1))
    nested = await hand.answer(9, **ASK)
    await hand.answer(4, content="forgotten")
    seen = await submitting

    assert nested.code == 50035 and seen.text == "forgotten"
    assert seen.interaction.data["components"][0]["components"][0]["value"] == "#7"


async def test_an_answer_of_the_wrong_kind_or_size_is_refused(hand: Hand, dana: Person, lobby: Channel) -> None:
    """A command has no message to update and suggests nothing; a refused answer may be given again."""
    seeing = await hand.open(dana, lobby)
    codes = [
        (await hand.answer(6)).code,
        (await hand.answer(8, choices=[])).code,
        (await hand.answer(4, content="x" * 2001)).code,
        (await hand.answer(4)).code,
        (await hand.answer(9, **ASK | {"title": "x" * 46})).code,
    ]
    good = await hand.answer(4, content="x", flags=EPHEMERAL)

    assert codes == [50035, 50035, 50035, 50006, 50035] and good.status == 200
    assert (await seeing).text == "x"


async def test_options_suggest_values(hand: Hand, dana: Person, lobby: Channel) -> None:
    """What she has typed goes to the app, and at most twenty-five suggestions come back."""
    option = {"name": "which", "description": "Which", "type": 3, "autocomplete": True, "required": True}
    body = [{"name": "forget", "description": "Forget", "options": [option]}]
    await hand.rest("PUT", f"/applications/{hand.server.world.app.app_id}/commands", body)
    typing = await hand.begins(dana.types_option("/forget", "which", "dn", lobby))
    many = await hand.answer(8, choices=[{"name": "x", "value": "x"}] * 26)
    await hand.answer(8, choices=[{"name": "#7 DNS", "value": "7"}])
    seen = await typing

    assert many.code == 50035 and seen.choices == {"#7 DNS": "7"}
    assert seen.interaction.data["options"] == [{"name": "which", "type": 3, "value": "dn", "focused": True}]


async def test_interactions_carry_where_they_began(dana: Person, lobby: Channel, bare: BareApp) -> None:
    """The member with roles and permissions in a guild, the user alone in a direct message; threads too."""
    thread = await dana.starts_thread(lobby, "prod")
    for place in (lobby, thread, dana.dm):
        await dana.slash("/memories", place)
    heard = bare.heard["interaction"]

    assert [each.channel_id for each in heard] == [int(each.channel_id) for each in (lobby, thread, dana.dm)]
    assert [each.guild is not None for each in heard] == [True, True, False]
    assert {each.user.id for each in heard} == {int(dana.user_id)}
    assert heard[0].permissions.send_messages and heard[0].app_permissions.create_public_threads
    assert heard[2].context.dm_channel and heard[0].context.guild


async def test_an_answer_everyone_sees_is_a_message(hand: Hand, dana: Person, lobby: Channel) -> None:
    """It stands in the channel, names its command, and by default pings nobody but the people it names."""
    seeing = await hand.open(dana, lobby)
    await hand.answer(4, content=f"@everyone {dana.mention}")
    await seeing
    (message,) = (await hand.rest("GET", f"/channels/{lobby.channel_id}/messages")).body

    assert message["type"] == 20 and message["interaction_metadata"]["user"]["id"] == dana.user_id
    assert [user["id"] for user in message["mentions"]] == [dana.user_id] and not message["mention_everyone"]
