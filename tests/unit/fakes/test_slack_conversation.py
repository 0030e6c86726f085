"""The fake Slack as people see it: what they write reaches the app, and what the app writes is in the thread."""

from typing import Any
from urllib.request import Request, urlopen

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bots.slack.checks import BROKEN_WITHOUT
from tests.fakes.slack.prompt import serve
from tests.fakes.slack_server import Channel, Person, SlackRefusesError, SlackServer, Team, lifecycle
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


async def test_a_slash_command_is_answered_only_to_her(
    slack: SlackServer, team: Team, ana: Person, general: Channel, app: App
) -> None:
    """She sees the acknowledgement's text and what is posted to the response URL, five times; nobody else does."""
    bob = team.user("bob")
    app.answer = lambda _payload: {"text": "one moment"}
    seen = await ana.slash("/memories", "of @bob", general)
    (payload,) = [each.payload for each in app.requests]
    answers = [await AsyncWebhookClient(payload["response_url"]).send(text=f"{number}") for number in range(6)]

    assert payload["text"] == f"of <@{bob.user_id}|bob>"
    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert [message.shown for message in seen.messages] == ["one moment", "0", "1", "2", "3", "4"]
    assert [message.shown for message in ana.sees(general)] == [message.shown for message in seen.messages]
    assert not bob.sees(general)
    assert not slack.refusals


async def test_an_unheard_command_fails_before_her_eyes(ana: Person, general: Channel) -> None:
    """Without the app there is an error."""
    assert (await ana.slash("/memories", "", general)).error == "dispatch_failed"


BUTTONS: list[dict[str, Any]] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "Forget it?"}},
    {
        "type": "actions",
        "block_id": "ask",
        "elements": [
            {"type": "button", "action_id": "yes", "value": "7", "text": {"type": "plain_text", "text": "Yes"}},
        ],
    },
    {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "rate",
                "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "good"},
                "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "bad"},
            }
        ],
    },
]


async def test_buttons_are_pressed_by_who_sees_them(team: Team, ana: Person, general: Channel, app: App) -> None:
    """A press carries the message, its thread and the value; what one does not see cannot be pressed."""
    bob = team.user("bob")
    await lifecycle.join(general, bob.user)
    asked = await ana.says(general, "forget it")
    await app.web.chat_postMessage(channel=general.channel_id, thread_ts=asked.ts, text="?", blocks=BUTTONS)
    await app.web.chat_postEphemeral(channel=general.channel_id, user=ana.user_id, text="?", blocks=BUTTONS)
    (shown,), (only_hers,) = team.thread(asked).answers, ana.ephemerals(general)
    await bob.presses(shown, "yes")
    await ana.presses(shown, "rate", "bad")
    await ana.presses(only_hers, "yes")
    pressed, rated, ephemeral = [each.payload for each in app.requests if each.type == "interactive"]

    with pytest.raises(SlackRefusesError):
        await bob.presses(only_hers, "yes")
    with pytest.raises(SlackRefusesError):
        await bob.presses(shown, "no")
    assert pressed["user"]["id"] == bob.user_id and pressed["actions"][0]["value"] == "7"
    assert pressed["container"]["thread_ts"] == asked.ts and pressed["message"]["ts"] == shown.ts
    assert rated["actions"][0]["value"] == "bad"
    assert "message" not in ephemeral and ephemeral["container"]["is_ephemeral"]
    await AsyncWebhookClient(ephemeral["response_url"]).send(text="Gone.", replace_original=True)
    assert only_hers.shown == "Gone."
    await AsyncWebhookClient(ephemeral["response_url"]).send(delete_original=True)
    assert not ana.ephemerals(general)


async def test_a_modal_opens_is_filled_and_submitted(ana: Person, general: Channel, app: App) -> None:
    """A shortcut's trigger opens one modal, which says what is wrong with a field until it is right."""
    modal = {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Remember"},
        "submit": {"type": "plain_text", "text": "Keep"},
        "blocks": [
            {
                "type": "input",
                "block_id": "words",
                "label": {"type": "plain_text", "text": "What?"},
                "element": {"type": "plain_text_input", "action_id": "text", "initial_value": "prod is EKS"},
            }
        ],
    }
    message = await ana.says(general, "prod is EKS")
    await ana.shortcut("remember_this", message, expect=0)
    trigger_id = app.requests[-1].payload["trigger_id"]
    await app.web.views_open(trigger_id=trigger_id, view=modal)
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await app.web.views_open(trigger_id=trigger_id, view=modal)
    (view,) = ana.modals
    app.answer = lambda _payload: {"response_action": "errors", "errors": {"words": "too short"}}
    wrong = await ana.submits(view, {"text": "x"})
    app.answer = lambda _payload: None
    await ana.submits(view, {"text": "prod is EKS 1.31"})

    assert wrong.field_errors == {"words": "too short"}
    assert not ana.modals
    assert app.requests[-1].payload["view"]["state"]["values"]["words"]["text"]["value"] == "prod is EKS 1.31"


async def test_the_home_tab_is_published_and_pressed(ana: Person, app: App) -> None:
    """Opening it tells the app which tab; a press in it carries the view and no response URL."""
    await ana.opens_home()
    await ana.opens_messages()
    await app.web.views_publish(user_id=ana.user_id, view={"type": "home", "blocks": BUTTONS[:2]})
    home = await ana.until_home_shows("Forget it?")
    await ana.presses(home, "yes")

    assert [event["tab"] for event in app.events] == ["home", "messages"]
    payload = app.requests[-1].payload
    assert payload["container"] == {"type": "view", "view_id": home.view_id}
    assert "response_url" not in payload


async def test_the_stop_button_is_there_while_the_agent_works(team: Team, ana: Person, app: App) -> None:
    """Pressed, it ends the streams and tells the app which; the status is the app's to change."""
    asked = await ana.says(ana.dm, "hello")
    thread = team.thread(asked)
    with pytest.raises(SlackRefusesError):
        await ana.stops(thread)
    await app.web.agents_sessions_setStatus(channel_id=ana.dm.channel_id, thread_ts=asked.ts, status="processing")
    started = await app.web.chat_startStream(channel=ana.dm.channel_id, thread_ts=asked.ts, markdown_text="Well")
    await ana.stops(thread)
    with pytest.raises(SlackApiError, match="stopped_by_user"):
        await app.web.chat_appendStream(channel=ana.dm.channel_id, ts=started["ts"], markdown_text="x")

    event = app.events[-1]
    assert (event["type"], event["streaming_message_ts"]) == ("agent_session_stopped", [started["ts"]])
    assert thread.session_status == "processing"


async def test_status_and_prompts_are_shown(team: Team, ana: Person, app: App) -> None:
    """The status stands under the thread until the app says something; prompts are in the Messages tab."""
    asked = await ana.says(ana.dm, "hello")
    channel = ana.dm.channel_id
    await app.web.assistant_threads_setStatus(channel_id=channel, thread_ts=asked.ts, status="is thinking")
    prompts = [{"title": "Incidents", "message": "What happened?"}]
    await app.web.assistant_threads_setSuggestedPrompts(channel_id=channel, prompts=prompts)
    thread = team.thread(asked)
    during = thread.status
    await app.web.chat_postMessage(channel=channel, thread_ts=asked.ts, text="hi")

    assert (during, thread.status) == ("is thinking", "")
    assert team.state.prompts[channel, ""] == prompts


async def test_edits_and_deletions_reach_the_app(slack: SlackServer, ana: Person, general: Channel, app: App) -> None:
    """An edit carries both texts, a deletion the message, and the deleted parent of a thread becomes a tombstone."""
    single, parent = await ana.says(general, "one"), await ana.says(general, "two")
    await ana.says(general, "reply", thread=parent)
    await ana.edits(single, "ONE")
    await ana.deletes(single)
    await ana.deletes(parent)
    await slack.socket.until_acked()

    edited, deleted, buried = app.events[3:]
    assert (edited["previous_message"]["text"], edited["message"]["text"]) == ("one", "ONE")
    assert edited["message"]["edited"]["user"] == ana.user_id
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", single.ts)
    assert (buried["subtype"], buried["message"]["subtype"]) == ("message_changed", "tombstone")


async def test_channels_and_accounts_change(
    slack: SlackServer, team: Team, ana: Person, general: Channel, app: App
) -> None:
    """What happens to a channel or an account is told as Slack tells it."""
    bob = team.user("bob")
    await lifecycle.join(general, bob.user)
    await lifecycle.make_private(general, ana.user)
    await lifecycle.share(general, "T0PARTNER")
    outsider = team.user("olga", home_team_id="T0PARTNER")
    await lifecycle.join(general, outsider.user)
    await outsider.says(general, "hello")
    await lifecycle.archive(general, ana.user)
    await team.deactivate(bob)
    await team.revoke_tokens()
    await slack.socket.until_acked()

    assert [event.get("subtype", event["type"]) for event in app.events] == [
        "member_joined_channel",
        "channel_join",
        "channel_convert_to_private",
        "channel_shared",
        "member_joined_channel",
        "group_join",
        "message",
        "group_archive",
        "user_change",
        "tokens_revoked",
    ]
    assert app.events[2]["channel_type"] == "group"
    assert app.events[6]["user_team"] == "T0PARTNER"
    assert [each.payload["is_ext_shared_channel"] for each in app.requests][5:8] == [True] * 3


async def test_only_what_the_manifest_asks_for_arrives(
    slack: SlackServer, team: Team, ana: Person, general: Channel, app: App
) -> None:
    """Events, commands, shortcuts and scopes beyond the manifest do not exist."""
    slack.install(
        {
            "features": {"slash_commands": [{"command": "/memories"}]},
            "oauth_config": {"scopes": {"bot": ["app_mentions:read", "channels:history"]}},
            "settings": {"event_subscriptions": {"bot_events": ["app_mention"]}},
        }
    )
    message = await ana.says(general, "@recall hello")
    await slack.socket.until_acked()

    assert [event["type"] for event in app.events] == ["app_mention"]
    assert team.state.scopes == {"app_mentions:read", "channels:history"}
    with pytest.raises(SlackRefusesError):
        await ana.slash("/forget", "", general)
    with pytest.raises(SlackRefusesError):
        await ana.shortcut("remember_this", message)


async def test_an_alert_is_readable_in_its_attachments(team: Team, general: Channel) -> None:
    """Another bot's post has no text of its own, and people read it all the same."""
    alert = await team.bot_posts(
        team.other_bot("alertmanager"),
        general,
        attachments=[{"title": "KubePodCrashLooping", "text": "api-7d9 in prod"}],
    )

    assert alert.text == ""
    assert alert.shown == "KubePodCrashLooping\napi-7d9 in prod"


async def test_waiting_says_what_there_is_instead(team: Team, ana: Person, general: Channel) -> None:
    """A wait that fails shows the thread."""
    asked = await ana.says(general, "anybody?")

    with pytest.raises(AssertionError, match=r"anybody\?"):
        await team.thread(asked).until_answers(within_s=0)


async def test_the_prompt_plays_people() -> None:
    """Lines typed by hand are messages, commands and views, and mistakes are told."""
    lines = iter(["ana #general @recall hello\n", "bob #general > me too\n", "show #general\n", "ana #nope x\n", ""])
    shown: list[str] = []

    await serve(0, lambda: next(lines), shown.append)

    assert "SLACK_API_URL=http://127.0.0.1:" in shown[0]
    assert any(line.endswith("ana: @recall hello") for line in shown)
    assert any(line.startswith("    ") and line.endswith("bob: me too") for line in shown)
    assert shown[-1] == "! there is no #nope"


async def test_the_prompt_s_app_is_installed_from_the_manifest() -> None:
    """What is tried by hand has the scopes that Recall has, and no others."""
    shown: list[str] = []
    granted: set[str] = set()

    def ask_for_scopes() -> str:
        url, token = (part.partition("=")[2] for part in shown[0].split()[:2])
        asked = Request(f"{url}auth.test", method="POST", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
        with urlopen(asked, timeout=10) as answer:  # noqa: S310  # the fake, on this machine
            granted.update(answer.headers["x-oauth-scopes"].split(","))
        return ""

    await serve(0, ask_for_scopes, shown.append)

    assert granted == set(BROKEN_WITHOUT)
