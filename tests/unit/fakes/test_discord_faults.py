"""What goes wrong with the fake Discord on demand, and what its rate limits say."""

import asyncio

import aiohttp
import discord
import pytest

from tests.fakes.discord_server import Channel, DiscordServer, Person
from tests.fixtures.bare_discord import BareApp, Rest

POST = "POST */messages"


async def test_a_call_is_told_to_wait_and_then_works(
    discord_server: DiscordServer, lobby: Channel, bare: BareApp
) -> None:
    """discord.py waits as long as it is told, on its own and on all routes, and posts once."""
    discord_server.faults.add(POST, "ratelimited", times=2, retry_after_s=0.01)
    discord_server.faults.add(POST, "ratelimited", retry_after_s=0.01, scope="global")
    await bare.get_partial_messageable(int(lobby.channel_id)).send("hello")

    assert [each.content for each in lobby.messages] == ["hello"]
    assert len(discord_server.calls_of(POST)) == 4
    assert discord_server.invalid_requests == 3


async def test_what_a_429_says(discord_server: DiscordServer, lobby: Channel, rest: Rest) -> None:
    """Its body and headers are Discord's: seconds as a fraction, the scope, and a proxy's trace."""
    discord_server.faults.add(POST, "ratelimited", retry_after_s=1.5, scope="shared")
    answer = await rest("POST", f"/channels/{lobby.channel_id}/messages", {"content": "x"})

    assert (answer.status, answer.body["retry_after"], answer.body["global"]) == (429, 1.5, False)
    assert answer.headers["X-RateLimit-Scope"] == "shared" and answer.headers["Retry-After"] == "2"
    assert discord_server.invalid_requests == 0


async def test_buckets_count_when_a_test_says_so(
    discord_server: DiscordServer, dana: Person, lobby: Channel, rest: Rest
) -> None:
    """Five posts a window and channel; another channel, and edits, have buckets of their own."""
    now = [0.0]
    discord_server.faults.enforce_rates(lambda: now[0])

    async def posts(channel: Channel) -> list[int]:
        path = f"/channels/{channel.channel_id}/messages"
        return [(await rest("POST", path, {"content": "x"})).status for _ in range(6)]

    first, other = await posts(lobby), await posts(dana.dm)
    path = f"/channels/{lobby.channel_id}/messages/{lobby.messages[0].message_id}"
    edited = await rest("PATCH", path, {"content": "y"})
    now[0] = 5.0
    again = await rest("POST", f"/channels/{lobby.channel_id}/messages", {"content": "x"})

    assert first == other == [200] * 5 + [429]
    assert edited.status == 200 and edited.headers["X-RateLimit-Remaining"] == "4"
    assert again.status == 200 and again.headers["X-RateLimit-Reset-After"] == "5.000"


async def test_all_calls_together_are_limited(discord_server: DiscordServer, rest: Rest, lobby: Channel) -> None:
    """Fifty a second over all routes; what answers interactions does not count among them."""
    discord_server.faults.enforce_rates(lambda: 0.0)
    paths = [f"/channels/{lobby.channel_id}", "/users/@me"]
    answers = [await rest("GET", paths[number % 2]) for number in range(51)]
    free = await rest("GET", "/webhooks/1/x/messages/@original")

    assert [answer.status for answer in answers] == [200] * 50 + [429]
    assert answers[-1].body["global"] and answers[-1].headers["X-RateLimit-Global"] == "true"
    assert free.status == 404


async def test_an_answer_is_lost_after_it_took_effect(
    discord_server: DiscordServer, lobby: Channel, bare: BareApp
) -> None:
    """The connection closes, and the message stands; with its nonce the repeat finds it."""
    discord_server.faults.add(POST, "drop", after_effect=True)
    channel = bare.get_partial_messageable(int(lobby.channel_id))
    with pytest.raises(aiohttp.ClientError):
        await channel.send("hello", nonce="n1")
    again = await channel.send("hello", nonce="n1")

    assert [each.message_id for each in lobby.messages] == [str(again.id)]


async def test_errors_are_answered_as_ordered(discord_server: DiscordServer, lobby: Channel, rest: Rest) -> None:
    """A status, a code of Discord's, only for calls that match, until it is cleared."""
    path = f"/channels/{lobby.channel_id}/messages"
    discord_server.faults.add(POST, "status", status=502)
    discord_server.faults.add(f"POST {path}", "error", code=50013, times=None, only=lambda body: "b" in body["content"])
    statuses = [(await rest("POST", path, {"content": text})).status for text in ("a", "a", "b", "b")]
    discord_server.faults.clear()
    statuses.append((await rest("POST", path, {"content": "b"})).status)

    assert statuses == [502, 200, 403, 403, 200]
    assert not discord_server.refusals


async def test_a_call_is_held_until_it_is_released(discord_server: DiscordServer, lobby: Channel, rest: Rest) -> None:
    """Held before or after its effect."""
    path = f"/channels/{lobby.channel_id}/messages"
    discord_server.faults.add(POST, "hold")
    discord_server.faults.add(POST, "hold", after_effect=True)
    async with asyncio.TaskGroup() as calls:
        calls.create_task(rest("POST", path, {"content": "before"}))
        await discord_server.until_called(POST)
        calls.create_task(rest("POST", path, {"content": "after"}))
        await discord_server.until(lambda: bool(lobby.messages))
        held = [message.content for message in lobby.messages]
        discord_server.release()

    assert held == ["after"] and [message.content for message in lobby.messages] == ["after", "before"]


async def test_the_content_network_fails_too(discord_server: DiscordServer, dana: Person, bare: BareApp) -> None:
    """A file that is not there for a moment is an error for discord.py, and there again."""
    discord_server.faults.add("GET /attachments/*", "status", status=500)
    await dana.says(dana.dm, files=[("a.log", "line")])
    (heard,) = await bare.until_heard("message")
    with pytest.raises(discord.HTTPException):
        await heard.attachments[0].read()

    assert await heard.attachments[0].read() == b"line"
