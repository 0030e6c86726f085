"""What the fake Discord takes as a message, and how it refuses the rest."""

import io
from typing import Any

import aiohttp
import pytest

from tests.fakes.clock import FrozenClock
from tests.fakes.discord_server import Channel, DiscordServer, Guild, Person, lifecycle
from tests.fixtures.bare_discord import Answer, Rest

BUTTON = {"type": 2, "style": 1, "label": "Stop", "custom_id": "stop"}


def row(*elements: dict[str, Any]) -> dict[str, Any]:
    """Return an action row."""
    return {"type": 1, "components": list(elements)}


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"content": "x" * 2001}, "content", "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"description": "x" * 4097}]}, "embeds.0.description", "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"title": "x" * 257}]}, "embeds.0.title", "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"footer": {"text": "x" * 2049}}]}, "embeds.0.footer.text", "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"fields": [{"name": "n", "value": "v"}] * 26}]}, "embeds.0.fields", "BASE_TYPE_BAD_LENGTH"),
    ({"embeds": [{"fields": [{"name": "", "value": "v"}]}]}, "embeds.0.fields.0.name", "BASE_TYPE_REQUIRED"),
    ({"embeds": [{"fields": [{"name": "n", "value": "v" * 1025}]}]}, "embeds.0.fields.0.value", "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"description": "x" * 3001}] * 2}, "embeds", "MAX_EMBED_SIZE_EXCEEDED"),
    ({"embeds": [{"title": "x"}] * 11}, "embeds", "BASE_TYPE_BAD_LENGTH"),
    ({"components": [row(BUTTON)] * 6}, "components", "BASE_TYPE_BAD_LENGTH"),
    ({"components": [row(*[BUTTON] * 6)]}, "components.0.components", "BASE_TYPE_BAD_LENGTH"),
    ({"components": [row(BUTTON, BUTTON)]}, "components", "COMPONENT_CUSTOM_ID_DUPLICATED"),
    ({"components": [row(BUTTON | {"label": "x" * 81})]}, "components.0.components.0.label", "BASE_TYPE_MAX_LENGTH"),
    (
        {"components": [row(BUTTON | {"custom_id": "x" * 101})]},
        "components.0.components.0.custom_id",
        "BASE_TYPE_BAD_LENGTH",
    ),
    ({"components": [BUTTON]}, "components.0.type", "UNION_TYPE_CHOICES"),
    ({"content": "x", "nonce": "n" * 26}, "nonce", "BASE_TYPE_MAX_LENGTH"),
    (
        {"content": "x", "message_reference": {"message_id": "1"}},
        "message_reference",
        "MESSAGE_REFERENCE_UNKNOWN_MESSAGE",
    ),
]


@pytest.mark.parametrize(("body", "path", "code"), REFUSED)
async def test_a_message_beyond_a_limit_is_refused(
    body: dict[str, Any], path: str, code: str, lobby: Channel, rest: Rest
) -> None:
    """The refusal names the place and the rule, and nothing is posted."""
    answer = await rest("POST", f"/channels/{lobby.channel_id}/messages", body)

    assert (answer.status, answer.code) == (400, 50035)
    assert code in answer.errors(path)
    assert lobby.messages == []


async def test_a_message_at_its_limits_is_taken(lobby: Channel, rest: Rest) -> None:
    """Characters are code points, and white space around a text does not count."""
    body = {
        "content": "  " + "🦊" * 2000 + "\n",
        "embeds": [{"description": "x" * 4096}, {"description": "x" * 1904}],
        "components": [row(*[BUTTON | {"custom_id": f"{line}.{place}"} for place in range(5)]) for line in range(5)],
    }
    answer = await rest("POST", f"/channels/{lobby.channel_id}/messages", body)

    assert answer.status == 200
    assert lobby.messages[0].content == "🦊" * 2000
    assert len(lobby.messages[0].elements) == 25


async def test_an_empty_message_is_refused(lobby: Channel, rest: Rest) -> None:
    """White space alone is empty."""
    assert (await rest("POST", f"/channels/{lobby.channel_id}/messages", {"content": " \n "})).code == 50006


async def _post(rest: Rest, channel: Channel, **body: Any) -> Answer:
    return await rest("POST", f"/channels/{channel.channel_id}/messages", {"content": "hello", **body})


async def test_an_enforced_nonce_makes_one_message(lobby: Channel, rest: Rest, discord_server: DiscordServer) -> None:
    """The second post of a nonce is answered with the first message, until some minutes have passed."""
    first = await _post(rest, lobby, nonce="n1", enforce_nonce=True)
    again = await _post(rest, lobby, nonce="n1", enforce_nonce=True, content="other")
    discord_server.world.counter.pass_time(301)
    later = await _post(rest, lobby, nonce="n1", enforce_nonce=True)
    loose = await _post(rest, lobby, nonce="n1")

    assert first.body["id"] == again.body["id"] and again.body["content"] == "hello" == loose.body["content"]
    assert len({first.body["id"], later.body["id"], loose.body["id"]}) == 3 == len(lobby.messages)


async def test_only_what_is_allowed_pings(
    guild: Guild, dana: Person, lobby: Channel, rest: Rest, discord_server: DiscordServer
) -> None:
    """A test sees whom the app's posts ping: nobody with no mentions allowed, by default everyone who is named."""
    oncall = guild.role("oncall", mentionable=True)
    text = f"{dana.mention} <@&{oncall.role_id}> @everyone"
    none = await _post(rest, lobby, content=text, allowed_mentions={"parse": []})
    asked = await dana.says(lobby, "hello")
    reference = {"message_reference": {"message_id": asked.message_id}}
    quiet = await _post(rest, lobby, **reference, allowed_mentions={"parse": [], "replied_user": False})
    assert not discord_server.pings
    loud = await _post(rest, lobby, **reference, content=text)

    assert none.body["mentions"] == [] == quiet.body["mentions"] and not none.body["mention_everyone"]
    assert [user["id"] for user in loud.body["mentions"]] == [dana.user_id]
    assert loud.body["mention_roles"] == [oncall.role_id] and loud.body["mention_everyone"]
    assert [message.message_id for message in discord_server.pings] == [loud.body["id"]]


async def test_only_own_messages_are_edited(dana: Person, lobby: Channel, rest: Rest) -> None:
    """Somebody else's message is refused, an unknown one too, and an edit to nothing."""
    theirs = await dana.says(lobby, "mine")
    own = (await _post(rest, lobby)).body
    path = f"/channels/{lobby.channel_id}/messages/"

    assert (await rest("PATCH", path + theirs.message_id, {"content": "x"})).code == 50005
    assert (await rest("PATCH", path + "1", {"content": "x"})).code == 10008
    assert (await rest("PATCH", path + own["id"], {"content": ""})).code == 50006
    assert (await rest("PATCH", path + own["id"], {"content": "x" * 2001})).errors("content") == [
        "BASE_TYPE_MAX_LENGTH"
    ]
    edited = (await rest("PATCH", path + own["id"], {"content": "bye", "components": [row(BUTTON)]})).body
    assert edited["content"] == "bye" and edited["edited_timestamp"] is not None
    assert lobby.answers[0].buttons["Stop"]["custom_id"] == "stop" and lobby.answers[0].working


async def test_an_old_message_takes_few_edits(lobby: Channel, rest: Rest, discord_server: DiscordServer) -> None:
    """A message older than an hour is edited as often as the test says, and then no more."""
    discord_server.world.old_edits = 1
    path = f"/channels/{lobby.channel_id}/messages/{(await _post(rest, lobby)).body['id']}"
    discord_server.world.counter.pass_time(3_601)
    statuses = [(await rest("PATCH", path, {"content": text})).status for text in "ab"]

    assert statuses == [200, 429]
    assert discord_server.refusals[-1].code == 30046


async def test_messages_are_read_around_an_id(dana: Person, lobby: Channel, rest: Rest) -> None:
    """Newest first always; `after` gives those nearest to the id, and no more than a hundred are given."""
    said = [(await dana.says(lobby, str(number))).message_id for number in range(10)]

    async def contents(**query: str | int) -> list[int]:
        answer = await rest("GET", f"/channels/{lobby.channel_id}/messages", **query)
        return [said.index(each["id"]) for each in answer.body]

    assert await contents(limit=3) == [9, 8, 7]
    assert await contents(limit=2, before=said[5]) == [4, 3]
    assert await contents(limit=2, after=said[5]) == [7, 6]
    assert await contents(limit=3, around=said[5]) == [6, 5, 4]
    assert await contents(after=said[9]) == []
    assert (await rest("GET", f"/channels/{lobby.channel_id}/messages", limit=101)).code == 50035
    assert (await rest("GET", f"/channels/{lobby.channel_id}/messages/1")).code == 10008


async def test_files_go_up_and_come_down(
    dana: Person, lobby: Channel, discord_server: DiscordServer, rest: Rest
) -> None:
    """An uploaded file has a signed link that runs out after a day; a forged one never worked."""
    body = {"content": "see", "attachments": [{"id": 0, "filename": "out.log", "description": "the log"}]}
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", aiohttp.payload.JsonPayload(body))
    form.add_field("files[0]", b"line", filename="out.log")
    async with aiohttp.ClientSession(headers={"Authorization": f"Bot {discord_server.token}"}) as session:
        async with session.post(f"{discord_server.api_url}/channels/{lobby.channel_id}/messages", data=form) as answer:
            url = (await answer.json())["attachments"][0]["url"]
        async with session.get(url) as answer:
            assert await answer.read() == b"line"
        async with session.get(url.replace("hm=", "hm=0")) as answer:
            assert answer.status == 404
        discord_server.world.counter.pass_time(24 * 3600 + 1)
        async with session.get(url) as answer:
            assert answer.status == 404
        fresh = await rest("GET", f"/channels/{lobby.channel_id}/messages/{lobby.messages[0].message_id}")
        async with session.get(fresh.body["attachments"][0]["url"]) as answer:
            assert await answer.read() == b"line"

    assert discord_server.calls[0].files == ("out.log",)
    assert lobby.messages[0].files[0].description == "the log" and dana.sees(lobby)[0].shown == "see\nout.log"


async def test_a_file_too_large_is_refused(lobby: Channel, discord_server: DiscordServer) -> None:
    """More than ten MiB are not taken."""
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("files[0]", io.BytesIO(b"x" * (10 * 1024 * 1024 + 1)), filename="out.log")
    headers = {"Authorization": f"Bot {discord_server.token}"}
    url = f"{discord_server.api_url}/channels/{lobby.channel_id}/messages"
    async with aiohttp.ClientSession(headers=headers) as session, session.post(url, data=form) as answer:
        assert answer.status == 413 and (await answer.json())["code"] == 40005


async def test_reactions_and_typing_are_seen(
    dana: Person, lobby: Channel, rest: Rest, discord_server: DiscordServer
) -> None:
    """Typing ends after ten seconds or with a message; a reaction can be taken back."""
    said = await dana.says(lobby, "hello")
    path = f"/channels/{lobby.channel_id}"
    reaction = f"{path}/messages/{said.message_id}/reactions/%F0%9F%91%80/@me"
    assert (await rest("PUT", reaction)).status == 204
    assert said.reactions == [("👀", discord_server.bot.user_id)]
    await rest("DELETE", reaction)
    await rest("POST", f"{path}/typing")
    typing = [lobby.bot_is_typing]
    discord_server.world.counter.pass_time(10)
    typing.append(lobby.bot_is_typing)
    await rest("POST", f"{path}/typing")
    await _post(rest, lobby)

    assert typing == [True, False] and not lobby.bot_is_typing
    assert said.reactions == []


async def test_a_wrong_token_and_an_unknown_route_are_refused(discord_server: DiscordServer, rest: Rest) -> None:
    """Both are seen by a test that looks at the refusals."""
    lost = await rest("GET", "/no/such/route")
    rest.token = "wrong"
    wrong = await rest("GET", "/users/@me")

    assert (lost.status, wrong.status) == (404, 401)
    assert [refusal.path for refusal in discord_server.refusals] == ["/no/such/route", "/users/@me"]
    assert discord_server.invalid_requests == 1
    assert wrong.headers["Content-Type"] == "application/json" and "Via" in wrong.headers


async def test_a_direct_message_needs_an_open_door(dana: Person, rest: Rest) -> None:
    """The app opens a conversation by the person's id; one who takes no messages is not reached."""
    opened = await rest("POST", "/users/@me/channels", {"recipient_id": dana.user_id})
    path = f"/channels/{opened.body['id']}/messages"
    first = await rest("POST", path, {"content": "hi"})
    dana.user.dms_closed = True

    assert first.status == 200 and dana.dm.answers[0].content == "hi"
    assert (await rest("POST", path, {"content": "hi"})).code == 50007
    assert (await rest("POST", "/users/@me/channels", {"recipient_id": "1"})).code == 50035


async def test_times_are_those_of_the_clock_it_is_given(clock: FrozenClock) -> None:
    """Ids and time stamps follow the clock, and ids still differ when it stands still."""
    async with DiscordServer(now=lambda: clock.now().timestamp()) as server:
        guild = server.guild()
        channel, ana = guild.channel("general"), guild.user("ana")
        first = await ana.says(channel, "one")
        second = await ana.says(channel, "two")
        lifecycle.rename(server.world, channel, "lobby")

    assert int(first.message_id) < int(second.message_id)
    assert int(first.message_id) >> 22 == int(clock.now().timestamp() * 1000) - 1_420_070_400_000
    assert channel.name == "lobby"
