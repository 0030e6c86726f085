"""The fake Slack as people see it: what they write reaches the app, and what the app writes is in the thread."""

from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack_server import Channel, Person, SlackServer, Team
from tests.unit.fakes.conftest import App


async def test_a_mention_reaches_the_app_as_two_events(
    slack: SlackServer, team: Team, ana: Person, general: Channel, app: App
) -> None:
    """A mention comes as a message and as an app_mention of the same time stamp, and both are acknowledged."""
    message = await ana.says(general, "@recall is a < b & c?")
    await slack.socket.until_acked()

    assert [event["type"] for event in app.events] == ["message", "app_mention"]
    assert {event["ts"] for event in app.events} == {message.ts}
    assert app.events[0]["text"] == f"<@{team.bot.user_id}> is a &lt; b &amp; c?"
    assert message.shown == f"<@{team.bot.user_id}> is a < b & c?"
    assert slack.socket.slowest_ack_s < 3


async def test_a_stream_ends_as_one_message(team: Team, ana: Person, general: Channel, web: AsyncWebClient) -> None:
    """What was appended and the blocks of the end are one answer in the thread."""
    asked = await ana.says(general, "@recall hello")
    stream = await web.chat_stream(
        channel=general.channel_id,
        thread_ts=asked.ts,
        recipient_team_id=team.team_id,
        recipient_user_id=ana.user_id,
        buffer_size=1,
    )
    await stream.append(markdown_text="Hello ")
    thread = team.thread(asked)
    streaming = str(thread)
    await stream.append(markdown_text="**Ana**")
    await stream.stop(blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": "used 3 memories"}}])

    (answer,) = await thread.until_answers()

    assert "Hello  (streaming)" in streaming
    assert answer.shown == "Hello **Ana**\nused 3 memories"
    assert not answer.edited


async def test_own_messages_and_edits_come_back(
    slack: SlackServer, team: Team, ana: Person, general: Channel, app: App
) -> None:
    """A post echoes as a message and an edit as message_changed, both with the app's bot id."""
    asked = await ana.says(general, "hello")
    posted = await app.web.chat_postMessage(channel=general.channel_id, text="one", thread_ts=asked.ts)
    await app.web.chat_update(channel=general.channel_id, ts=posted["ts"], text="two")
    await slack.socket.until_acked()

    echo, edit = app.events[1:]
    assert echo["bot_id"] == team.bot.bot_id and echo["parent_user_id"] == ana.user_id
    assert edit["subtype"] == "message_changed" and edit["message"]["bot_id"] == team.bot.bot_id
    assert [edit["previous_message"]["text"], edit["message"]["text"]] == ["one", "two"]
    (answer,) = team.thread(asked).answers
    assert answer.edited and answer.versions == ["one"]
