"""The fake gateway against the real discord.py: sessions begin, break, are resumed, and hear what they may."""

import discord
import pytest

from tests.fakes.discord_server import Channel, DiscordServer, Guild, Person, lifecycle
from tests.fixtures.bare_discord import BareApp, bare_app, pointed_at


def contents(app: BareApp) -> list[str]:
    """Return the texts of the messages that were heard."""
    return [message.content for message in app.heard["message"]]


async def test_a_dropped_connection_is_resumed(
    discord_server: DiscordServer, dana: Person, lobby: Channel, bare: BareApp
) -> None:
    """What was said meanwhile comes with the resume, once and in order, and no session is begun for it."""
    bot = discord_server.bot.mention
    discord_server.gateway.refusing = True
    discord_server.gateway.drop()
    await discord_server.until(lambda: not discord_server.gateway.connections)
    for number in range(3):
        await dana.says(lobby, f"@recall {number}")
    discord_server.gateway.refusing = False
    await bare.until_heard("shard_resumed")
    await dana.says(lobby, "@recall 3")
    await bare.until_heard("message", 4)

    assert contents(bare) == [f"{bot} {number}" for number in range(4)]
    assert len(discord_server.gateway.identifies) == 1
    assert discord_server.gateway.sessions[0].resumes == 1


async def test_a_client_told_to_reconnect_resumes(discord_server: DiscordServer, bare: BareApp) -> None:
    """Op 7 and a resumable op 9 cost no session."""
    discord_server.gateway.reconnect()
    await bare.until_heard("shard_resumed")
    discord_server.gateway.invalidate(resumable=True)
    await bare.until_heard("shard_resumed", 2)

    assert discord_server.gateway.remaining == 999


async def test_a_forgotten_session_is_begun_anew(
    discord_server: DiscordServer, dana: Person, lobby: Channel, bare: BareApp
) -> None:
    """What was said before the new session is not heard: it must be read back."""
    discord_server.gateway.forget()
    await dana.says(lobby, "@recall lost")
    discord_server.gateway.drop()
    await discord_server.until(lambda: len(discord_server.gateway.identifies) == 2)
    await discord_server.gateway.until_connected()
    await dana.says(lobby, "@recall heard")
    await bare.until_heard("message")

    assert contents(bare) == [f"{discord_server.bot.mention} heard"]
    assert "shard_resumed" not in bare.heard


async def test_a_wrong_token_ends_the_client(discord_server: DiscordServer, bare: BareApp) -> None:
    """A reset token closes with 4004, which discord.py does not try again."""
    discord_server.reset_token()
    await discord_server.until(bare.is_closed)
    with pointed_at(discord_server):
        async with BareApp(discord_server, discord.Intents.none()) as other:
            with pytest.raises(discord.LoginFailure):
                await other.login("wrong")

    assert discord_server.gateway.identifies[-1].refused == 4004


async def test_an_intent_that_is_off_ends_the_client(discord_server: DiscordServer) -> None:
    """A privileged intent must be switched on in the portal."""
    wanted = discord.Intents(guilds=True, messages=True, message_content=True)
    with pointed_at(discord_server):
        async with BareApp(discord_server, wanted) as app:
            with pytest.raises(discord.PrivilegedIntentsRequired):
                await app.start(discord_server.token)

    assert discord_server.gateway.identifies[0].refused == 4014


async def test_sessions_are_counted_and_the_one_too_many_costs_the_token(discord_server: DiscordServer) -> None:
    """The budget is seen before, and gone after."""
    discord_server.gateway.remaining = 1
    async with bare_app(discord_server) as app:
        limit = (await app.http.get_bot_gateway())[2]
    with pointed_at(discord_server):
        async with BareApp(discord_server, discord.Intents.none()) as late:
            with pytest.raises(discord.ConnectionClosed):
                await late.start(discord_server.token)

    assert limit["remaining"] == 0
    assert [each.refused for each in discord_server.gateway.identifies] == [None, 4004]


async def test_without_the_content_intent_only_what_is_for_the_app_is_read(
    guild: Guild, dana: Person, lobby: Channel, bare: BareApp
) -> None:
    """Mentions, replies that ping, direct messages and the app's own carry their text; the rest is blank."""
    own = await bare.get_partial_messageable(int(lobby.channel_id)).send("own")
    answered = lobby.messages[0]
    await dana.says(lobby, "to nobody", files=[("a.log", "x")])
    await dana.says(lobby, "a reply", reply_to=answered)
    await dana.says(lobby, "a quiet reply", reply_to=answered, ping=False)
    await dana.says(dana.dm, "in private")
    await guild.webhook().says(lobby, embeds=[{"title": "Alert"}])
    await bare.until_heard("message", 6)
    read = [message async for message in own.channel.history(limit=10)]

    assert contents(bare) == ["own", "", "a reply", "", "in private", ""]
    assert not bare.heard["message"][1].attachments and not bare.heard["message"][5].embeds
    assert bare.heard["message"][3].reference.message_id == own.id
    assert [message.content for message in reversed(read)] == ["own", "", "a reply", "", ""]


async def test_with_the_content_intent_everything_is_read(
    discord_server: DiscordServer, guild: Guild, dana: Person, lobby: Channel
) -> None:
    """Texts, files and other bots' embeds arrive."""
    discord_server.switch_on("message_content")
    intents = discord.Intents(guilds=True, messages=True, message_content=True)
    async with bare_app(discord_server, intents=intents) as app:
        await dana.says(lobby, "to nobody", files=[("a.log", "line")])
        await guild.other_bot().says(lobby, embeds=[{"title": "Alert", "description": "prod"}])
        first, alert = await app.until_heard("message", 2)
        content = await first.attachments[0].read()

    assert first.content == "to nobody" and content == b"line" and first.author.name == "dana"
    assert alert.embeds[0].title == "Alert" and alert.author.bot


async def test_only_wanted_events_are_sent(discord_server: DiscordServer, dana: Person, lobby: Channel) -> None:
    """Without the intents for messages nothing of them arrives; interactions always do."""
    async with bare_app(discord_server, intents=discord.Intents(guilds=True)):
        await dana.says(lobby, "@recall hello")
        await dana.says(dana.dm, "hello")
        session = discord_server.gateway.sessions[0]

    assert session.heard("MESSAGE_CREATE") == []
    assert [guild["id"] for guild in session.heard("GUILD_CREATE")] == [lobby.guild.guild_id if lobby.guild else ""]


async def test_every_process_hears_and_an_event_may_come_twice(
    discord_server: DiscordServer, dana: Person, lobby: Channel, bare: BareApp
) -> None:
    """Two sessions of the same shard get each event, and so does one twice when it is repeated."""
    async with bare_app(discord_server) as other:
        said = await dana.says(lobby, "@recall hello")
        await other.until_heard("message")
        discord_server.resend(said)
        await other.until_heard("message", 2)
        await bare.until_heard("message", 2)

    assert len({message.id for message in [*bare.heard["message"], *other.heard["message"]]}) == 1


async def test_shards_share_the_guilds() -> None:
    """A guild's events go to its shard alone, direct messages to the first."""
    async with DiscordServer(shards=2) as server:
        acme, umbrella = server.guild("acme", shard=0), server.guild("umbrella", shard=1)
        ana = acme.user("ana")
        umbrella.user("ana")
        rooms = [each.channel("general") for each in (acme, umbrella)]
        server.gateway.max_concurrency = 2
        async with bare_app(server) as app:
            for room in (*rooms, ana.dm):
                await ana.says(room, "@recall hello")
            await app.until_heard("message", 3)
            first, second = sorted(server.gateway.sessions, key=lambda session: session.shard)

    assert (first.shard, second.shard) == ((0, 2), (1, 2))
    assert [each.get("guild_id") for each in first.heard("MESSAGE_CREATE")] == [acme.guild_id, None]
    assert [each["guild_id"] for each in second.heard("MESSAGE_CREATE")] == [umbrella.guild_id]


async def test_an_unacknowledged_heartbeat_makes_the_client_reconnect(discord_server: DiscordServer) -> None:
    """A connection that is dead while TCP lives is given up for another, and resumed."""
    discord_server.gateway.heartbeat_ms = 50
    async with bare_app(discord_server, heartbeat_timeout=0.2) as app:
        discord_server.gateway.stop_acking()
        await app.until_heard("shard_resumed")

    assert len(discord_server.gateway.identifies) == 1


async def test_identifies_too_close_together_are_refused(discord_server: DiscordServer) -> None:
    """The second session of a bucket within the window gets op 9 and must wait."""
    discord_server.gateway.enforce_concurrency(60)
    async with bare_app(discord_server):
        with pointed_at(discord_server):
            async with BareApp(discord_server, discord.Intents.none()) as other:
                await other.login(discord_server.token)
                socket = await other.http.ws_connect(discord_server.gateway_url)
                hello = await socket.receive_json()
                await socket.send_json({"op": 2, "d": {"token": discord_server.token, "intents": 1}})
                refused = await socket.receive_json()
                await socket.close()

    assert hello["op"] == 10 and refused == {"op": 9, "d": False, "s": None}


async def test_guilds_come_and_go(
    discord_server: DiscordServer, guild: Guild, dana: Person, lobby: Channel, bare: BareApp
) -> None:
    """An outage is told apart from a removal, and a removed guild is silent and refuses."""
    world, state = discord_server.world, guild.state
    lifecycle.begin_outage(world, state)
    await dana.says(lobby, "@recall unheard")
    await bare.until_heard("guild_unavailable")
    lifecycle.end_outage(world, state)
    await bare.until_heard("guild_available", 2)
    lifecycle.remove_app(world, state)
    await bare.until_heard("guild_remove")
    with pytest.raises(discord.NotFound):
        await bare.get_partial_messageable(int(lobby.channel_id)).send("hello")
    lifecycle.add_app(world, state)
    await bare.until_heard("guild_join")

    assert contents(bare) == []
