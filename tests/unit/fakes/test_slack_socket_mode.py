"""The fake Slack's Socket Mode, with the real client at the other end."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack_server import Channel, Person, SlackServer
from tests.unit.fakes.conftest import App


async def test_an_unacknowledged_event_comes_again_as_a_retry(
    slack: SlackServer, ana: Person, general: Channel, app: App
) -> None:
    """The same event id comes again, with the attempt and the reason; the last one may be acknowledged."""
    app.deaf = True
    message = await ana.says(general, "hello")
    await slack.until(lambda: len(app.requests) == 1)
    app.deaf = False
    await slack.resend(message, times=2)
    await slack.socket.until_acked()

    assert [each.retry_attempt for each in app.requests] == [0, 1, 2]
    assert app.requests[2].retry_reason == "timeout"
    assert len({each.payload["event_id"] for each in app.requests}) == 1
    assert [each.acked for each in slack.deliveries_of(message)] == [False, True, True]


async def test_one_message_comes_under_many_event_ids(
    slack: SlackServer, ana: Person, general: Channel, app: App
) -> None:
    """Eleven resends with new ids look like new events of the same message."""
    message = await ana.says(general, "hello")
    await slack.resend(message, times=11, new_ids=True)
    await slack.socket.until_acked()

    assert len({each.payload["event_id"] for each in app.requests}) == 12
    assert {each.retry_attempt for each in app.requests} == {0}
    assert {event["ts"] for event in app.events} == {message.ts}


async def test_an_event_comes_again_by_itself(slack: SlackServer, ana: Person, general: Channel, app: App) -> None:
    """Asked to, Slack repeats what is not acknowledged on its own schedule."""
    app.deaf = True
    slack.socket.redeliver_by_itself([0.0, 0.0])
    await ana.says(general, "hello")
    await slack.until(lambda: len(app.requests) == 3)

    assert [each.retry_attempt for each in app.requests] == [0, 1, 2]


async def test_what_nobody_took_waits_for_a_connection(
    slack: SlackServer, ana: Person, general: Channel, web: AsyncWebClient
) -> None:
    """An event without a connection is sent to the next one."""
    message = await ana.says(general, "hello")
    client = SocketModeClient(slack.app_token, web_client=web)
    app = App(client, web)
    client.socket_mode_request_listeners.append(app.take)
    await client.connect()  # type: ignore[no-untyped-call]  # the SDK leaves these two untyped
    await slack.socket.until_acked()
    await client.close()  # type: ignore[no-untyped-call]

    assert [event["ts"] for event in app.events] == [message.ts]


async def test_each_event_goes_to_one_of_several_connections(
    slack: SlackServer, ana: Person, general: Channel, app: App, web: AsyncWebClient
) -> None:
    """Two connections share the events; what one had not acknowledged when it went goes to the other."""
    second = SocketModeClient(slack.app_token, web_client=web)
    other = App(second, web, deaf=True)
    second.socket_mode_request_listeners.append(other.take)
    await second.connect()  # type: ignore[no-untyped-call]
    await slack.socket.until_connected(2)
    sent = [await ana.says(general, f"message {number}") for number in range(20)]
    await slack.until(lambda: len(app.requests) + len(other.requests) == 20)
    shared = bool(app.requests and other.requests)
    await second.close()  # type: ignore[no-untyped-call]
    await slack.socket.until_acked()

    assert shared
    assert sorted(event["ts"] for event in app.events) == [message.ts for message in sent]


async def test_the_client_follows_a_refresh_and_survives_a_cut(
    slack: SlackServer, ana: Person, general: Channel, app: App
) -> None:
    """After a disconnect message and after a cut connection the app is back and hears."""
    await slack.socket.disconnect()
    await slack.until(lambda: slack.socket.connected == 2 and len(slack.socket.connections) == 1)
    await ana.says(general, "are you there?")
    await slack.socket.until_acked()
    slack.socket.drop()
    await slack.until(lambda: slack.socket.connected == 3 and len(slack.socket.connections) == 1)
    await ana.says(general, "still?")
    await slack.socket.until_acked()

    assert len(app.events) == 2


async def test_a_dead_connection_is_silent_and_then_replaced(
    slack: SlackServer, ana: Person, general: Channel, app: App
) -> None:
    """A connection that answers no ping and carries nothing is given up by the client; then Slack is heard again."""
    slack.socket.go_dead()
    await ana.says(general, "lost?")
    await slack.until(lambda: slack.socket.connected >= 2)
    heard = list(app.events)
    slack.socket.revive()
    slack.socket.drop()
    await slack.socket.until_acked()

    assert not heard
    assert [event["text"] for event in app.events] == ["lost?"]


async def test_a_deaf_connection_still_answers_pings(
    slack: SlackServer, ana: Person, general: Channel, app: App
) -> None:
    """With pongs the client believes it is connected, and hears nothing."""
    slack.socket.go_dead(pongs=True)
    await ana.says(general, "lost")
    (connection,) = slack.socket.connections
    wanted = connection.pings + 5
    await slack.until(lambda: connection.pings >= wanted)

    assert await app.client.is_connected()
    assert not app.events
    assert slack.socket.connected == 1


async def test_an_eleventh_connection_is_told_to_go(slack: SlackServer, web: AsyncWebClient) -> None:
    """An app has ten connections at most, and a ticket opens one of them once."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        hellos = []
        for _ in range(11):
            url = (await web.apps_connections_open(app_token=slack.app_token))["url"]
            socket = await stack.enter_async_context(http.ws_connect(url))
            hellos.append(await socket.receive_json())
        again = await http.get(url.replace("ws", "http", 1))

    assert [each["type"] for each in hellos] == ["hello"] * 10 + ["disconnect"]
    assert hellos[-1]["reason"] == "too_many_websockets"
    assert again.status == 401


async def test_nothing_is_left_when_the_server_ends() -> None:
    """A dead connection, a held call and a planned redelivery end with the server."""
    before = asyncio.all_tasks()
    async with SlackServer() as slack:
        team = slack.team()
        ana = team.user("ana")
        web = AsyncWebClient(team.bot_token, base_url=slack.url, retry_handlers=[])
        client = SocketModeClient(slack.app_token, web_client=web, ping_interval=0.2)
        await client.connect()  # type: ignore[no-untyped-call]
        await slack.socket.until_connected()
        slack.socket.redeliver_by_itself([600.0])
        slack.socket.go_dead()
        await ana.says(ana.dm, "hello")
        slack.faults.add("auth.test", "hold")
        held = asyncio.ensure_future(web.auth_test())
        await slack.until_called("auth.test")
    await asyncio.wait([held])
    await client.close()  # type: ignore[no-untyped-call]
    while asyncio.all_tasks() != before:
        await asyncio.sleep(0)

    assert not slack.socket.connections
