"""The fake Slack's Web API, called with the real client: who may do what, how much it takes, and how it fails."""

import asyncio
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack.limits import check_view
from tests.fakes.slack_server import Channel, Person, SlackServer, Team, lifecycle

Json = dict[str, Any]


def client(slack: SlackServer, token: str | None) -> AsyncWebClient:
    """Return a client that repeats nothing."""
    return AsyncWebClient(token, base_url=slack.url, retry_handlers=[], timeout=5)


async def refused(call: Any) -> Json:
    """Return the answer of a call that Slack refuses."""
    with pytest.raises(SlackApiError) as caught:
        await call
    data = caught.value.response.data
    assert isinstance(data, dict)
    return data


async def test_tokens_are_checked(slack: SlackServer, team: Team, web: AsyncWebClient) -> None:
    """Each kind of wrong token has its own error; the right one learns who it is and what it may."""
    answer = await web.auth_test()

    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == (team.team_id, team.bot.user_id, team.bot.bot_id)
    assert set(answer.headers["x-oauth-scopes"].split(",")) == team.state.scopes
    assert (await refused(client(slack, None).auth_test()))["error"] == "not_authed"
    assert (await refused(client(slack, "xoxb-wrong").auth_test()))["error"] == "invalid_auth"
    assert (await refused(client(slack, slack.app_token).auth_test()))["error"] == "not_allowed_token_type"
    assert (await refused(web.apps_connections_open(app_token=team.bot_token)))["error"] == "not_allowed_token_type"
    assert (await refused(web.apps_connections_open(app_token="xapp-wrong")))["error"] == "invalid_auth"
    assert (await refused(web.api_call("no.such")))["error"] == "unknown_method"
    await team.uninstall()
    assert (await refused(web.auth_test()))["error"] == "account_inactive"


async def test_scopes_are_checked(team: Team, ana: Person, general: Channel, web: AsyncWebClient) -> None:
    """A method without its scope says which is needed; the scope to read a conversation is that of its kind."""
    assert (await web.conversations_info(channel=general.channel_id))["channel"]["name"] == "general"

    answer = await refused(web.conversations_info(channel=ana.dm.channel_id))
    team.state.scopes.discard("chat:write")
    posting = await refused(web.chat_postMessage(channel=general.channel_id, text="hello"))

    assert (answer["error"], answer["needed"]) == ("missing_scope", "im:read")
    assert posting["needed"] == "chat:write" and "users:read" in posting["provided"]


async def test_channels_are_guarded(team: Team, ana: Person, general: Channel, web: AsyncWebClient) -> None:
    """The app does not see private channels it is not in, nor writes where it is no member or nobody may."""
    secret = team.channel("secret", ana, kind="private", bot=False)
    public = team.channel("random", ana, bot=False)

    assert (await refused(web.chat_postMessage(channel=secret.channel_id, text="x")))["error"] == "channel_not_found"
    assert (await refused(web.chat_postMessage(channel=public.channel_id, text="x")))["error"] == "not_in_channel"
    await lifecycle.archive(general, ana.user)
    assert (await refused(web.chat_postMessage(channel=general.channel_id, text="x")))["error"] == "is_archived"
    listed = await web.users_conversations(types="public_channel,private_channel")
    assert [each["id"] for each in listed["channels"]] == [general.channel_id]


def section(text: str) -> Json:
    """Return a section."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(**more: Any) -> Json:
    """Return a row with one button."""
    element = {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "ok"}, **more}
    return {"type": "actions", "elements": [element]}


def label(chars: int) -> Json:
    """Return a plain text of so many characters."""
    return {"type": "plain_text", "text": "x" * chars}


@pytest.mark.parametrize(
    ("most", "over", "error"),
    [
        ([section("x" * 3000)], [section("x" * 3001)], "invalid_blocks"),
        ([section("x")] * 50, [section("x")] * 51, "invalid_blocks"),
        ([{"type": "markdown", "text": "x" * 12_000}], [{"type": "markdown", "text": "x" * 12_001}], "invalid_blocks"),
        (
            [{"type": "markdown", "text": "x" * 6_600}] * 2,
            [{"type": "markdown", "text": "x" * 6_601}] * 2,
            "msg_blocks_too_long",
        ),
        ([button(text=label(75))], [button(text=label(76))], "invalid_blocks"),
        ([button(value="x" * 2000)], [button(value="x" * 2001)], "invalid_blocks"),
        ([button(action_id="x" * 255)], [button(action_id="x" * 256)], "invalid_blocks"),
        ([button()], [button(text={"type": "mrkdwn", "text": "ok"})], "invalid_blocks"),
        ([{"type": "header", "text": label(150)}], [{"type": "header", "text": label(151)}], "invalid_blocks"),
        ([section("x")], [section("")], "invalid_blocks"),
        ([section("x") | {"block_id": "b"}], [section("x") | {"block_id": "b"}] * 2, "invalid_blocks"),
        ([section("x")], [{"type": "accordion"}], "invalid_blocks"),
    ],
)
async def test_blocks_have_limits(
    general: Channel, web: AsyncWebClient, most: list[Json], over: list[Json], error: str
) -> None:
    """The most that Slack takes is taken, and one more is refused with Slack's word for it."""
    await web.chat_postMessage(channel=general.channel_id, text="fallback", blocks=most)

    answer = await refused(web.chat_postMessage(channel=general.channel_id, text="fallback", blocks=over))

    assert answer["error"] == error
    assert len(general.messages) == 1


def test_views_have_limits() -> None:
    """Titles, metadata and the number of blocks are bounded, and a modal with inputs needs a submit button."""
    modal = {"type": "modal", "title": label(24), "private_metadata": "x" * 3000, "blocks": [section("x")] * 100}
    asking = {"type": "input", "label": label(5), "element": {"type": "plain_text_input", "action_id": "a"}}

    assert not check_view(modal)
    assert check_view(modal | {"title": label(25)})
    assert check_view(modal | {"private_metadata": "x" * 3001})
    assert check_view(modal | {"blocks": [section("x")] * 101})
    assert check_view(modal | {"blocks": [asking]})
    assert not check_view(modal | {"blocks": [asking], "submit": label(6)})
    assert check_view({"type": "home", "blocks": [{"type": "markdown", "text": "x"}]})


async def test_texts_have_limits(general: Channel, web: AsyncWebClient) -> None:
    """A post is cut at 40,000 characters; an edit is refused above 4,000 bytes."""
    posted = await web.chat_postMessage(channel=general.channel_id, text="x" * 40_001)
    ts = posted["ts"]
    await web.chat_update(channel=general.channel_id, ts=ts, text="x" * 4_000)

    longer = await refused(web.chat_update(channel=general.channel_id, ts=ts, text="é" * 2_001))

    assert len(posted["message"]["text"]) == 40_000
    assert longer["error"] == "msg_too_long"


async def test_an_edit_keeps_what_it_leaves_out(general: Channel, web: AsyncWebClient) -> None:
    """Blocks stay, and hide a new text, until an empty list takes them away."""
    posted = await web.chat_postMessage(channel=general.channel_id, text="fallback", blocks=[section("old")])
    message = general.find(posted["ts"])
    await web.chat_update(channel=general.channel_id, ts=message.ts, text="new")
    kept = message.shown
    await web.chat_update(channel=general.channel_id, ts=message.ts, text="new", blocks=[])

    assert (kept, message.shown) == ("old", "new")


async def start(web: AsyncWebClient, channel: Channel, thread_ts: str, **more: Any) -> str:
    """Start a stream and return its time stamp."""
    answer = await web.chat_startStream(channel=channel.channel_id, thread_ts=thread_ts, **more)
    return str(answer["ts"])


async def test_streams_need_a_thread_and_a_recipient(
    team: Team, ana: Person, general: Channel, web: AsyncWebClient
) -> None:
    """A stream is a reply, and in a channel it is for somebody; in a DM it need not say for whom."""
    asked, private = await ana.says(general, "@recall hello"), await ana.says(ana.dm, "hello")
    whom = {"recipient_team_id": team.team_id, "recipient_user_id": ana.user_id}

    assert (await refused(start(web, general, "", **whom)))["error"] == "invalid_arguments"
    assert (await refused(start(web, general, "1.1", **whom)))["error"] == "thread_not_found"
    assert (await refused(start(web, general, asked.ts)))["error"] == "missing_recipient_team_id"
    assert await start(web, ana.dm, private.ts)


async def test_streams_have_limits(team: Team, ana: Person, web: AsyncWebClient) -> None:
    """Neither one append nor the whole message grows beyond its limit, and only the streaming methods touch it."""
    asked = await ana.says(ana.dm, "hello")
    channel = ana.dm.channel_id
    ts = await start(web, ana.dm, asked.ts, markdown_text="x" * 11_999)

    assert (await refused(web.chat_appendStream(channel=channel, ts=ts, markdown_text="xx")))["error"] == "msg_too_long"
    assert (await refused(web.chat_update(channel=channel, ts=ts, text="x")))["error"] == "streaming_state_conflict"
    await web.chat_stopStream(channel=channel, ts=ts, blocks=[section("x")] * 50)
    again = await refused(web.chat_appendStream(channel=channel, ts=ts, markdown_text="x"))

    assert again["error"] == "message_not_in_streaming_state"
    assert len(team.thread(asked).answers[0].blocks) == 51


async def test_a_stream_expires(slack: SlackServer, team: Team, ana: Person, web: AsyncWebClient) -> None:
    """After it expired neither append nor stop works, and an edit completes the message."""
    asked = await ana.says(ana.dm, "hello")
    channel = ana.dm.channel_id
    ts = await start(web, ana.dm, asked.ts, markdown_text="half")
    slack.expire_streams()

    for call in (
        web.chat_appendStream(channel=channel, ts=ts, markdown_text="x"),
        web.chat_stopStream(channel=channel, ts=ts),
    ):
        assert (await refused(call))["error"] == "message_not_in_streaming_state"
    await web.chat_update(channel=channel, ts=ts, text="whole")
    assert [answer.shown for answer in team.thread(asked).answers] == ["whole"]


async def test_a_stream_expires_in_the_middle(slack: SlackServer, ana: Person, web: AsyncWebClient) -> None:
    """A stream that lives for one append takes no second one."""
    slack.world.stream_appends = 1
    asked = await ana.says(ana.dm, "hello")
    ts = await start(web, ana.dm, asked.ts)
    await web.chat_appendStream(channel=ana.dm.channel_id, ts=ts, markdown_text="one")

    answer = await refused(web.chat_appendStream(channel=ana.dm.channel_id, ts=ts, markdown_text="two"))

    assert answer["error"] == "message_not_in_streaming_state"


async def test_mass_mentions_are_seen_across_appends(
    slack: SlackServer, ana: Person, general: Channel, web: AsyncWebClient
) -> None:
    """A mention of everyone is noticed in a text, in blocks, and in pieces of a stream; an escaped one is not."""
    asked = await ana.says(ana.dm, "hello")
    await web.chat_postMessage(channel=general.channel_id, text="&lt;!channel&gt;", blocks=[section("fine")])
    quiet = list(slack.mass_mentions)
    ts = await start(web, ana.dm, asked.ts, markdown_text="<!chan")
    await web.chat_appendStream(channel=ana.dm.channel_id, ts=ts, markdown_text="nel> <!sub")
    await web.chat_appendStream(channel=ana.dm.channel_id, ts=ts, markdown_text="team^S1|ops>")
    await web.chat_postMessage(channel=general.channel_id, text="x", blocks=[section("<!here>")])
    await web.chat_postMessage(channel=general.channel_id, text="<!everyone>", blocks=[section("fine")])

    assert not quiet
    assert [each.mention for each in slack.mass_mentions] == [
        "<!channel>",
        "<!subteam^S1|ops>",
        "<!here>",
        "<!everyone>",
    ]


async def test_faults_strike_before_or_after_the_effect(
    slack: SlackServer, general: Channel, web: AsyncWebClient
) -> None:
    """A lost answer is an error to the client either way, but only one of the two messages was posted."""
    for after in (False, True):
        slack.faults.add("chat.postMessage", "drop", after_effect=after)
        with pytest.raises(aiohttp.ClientError):
            await web.chat_postMessage(channel=general.channel_id, text=f"after: {after}")
    slack.faults.add("chat.postMessage", "status", status=503)
    with pytest.raises(SlackApiError):
        await web.chat_postMessage(channel=general.channel_id, text="never")

    assert [message.text for message in general.messages.values()] == ["after: True"]


async def test_rate_limits_say_when_to_come_back(
    slack: SlackServer, team: Team, general: Channel, web: AsyncWebClient
) -> None:
    """A 429 carries Retry-After, which the SDK's handler obeys; a tier is enforced by the clock it was given."""
    slack.faults.add("chat.postMessage", "ratelimited", retry_after_s=7, times=None)
    with pytest.raises(SlackApiError) as caught:
        await web.chat_postMessage(channel=general.channel_id, text="x")
    slack.faults.clear()
    now = [0.0]
    slack.faults.enforce_rates(lambda: now[0])
    for _ in range(20):
        await web.conversations_list()
    with pytest.raises(SlackApiError) as too_many:
        await web.conversations_list()
    now[0] += 3
    await web.conversations_list()

    assert caught.value.response.headers["Retry-After"] == "7"
    assert too_many.value.response.status_code == 429
    retrying = AsyncWebClient(
        team.bot_token, base_url=slack.url, retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=1)]
    )
    slack.faults.add("auth.test", "ratelimited", retry_after_s=0)
    assert (await retrying.auth_test())["ok"]


async def test_a_held_call_goes_on_when_released(slack: SlackServer, general: Channel, web: AsyncWebClient) -> None:
    """A held post has no effect until it is released."""
    slack.faults.add("chat.postMessage", "hold")
    async with asyncio.TaskGroup() as tasks:
        posting = tasks.create_task(web.chat_postMessage(channel=general.channel_id, text="x"))
        await slack.until_called("chat.postMessage")
        before = dict(general.messages)
        slack.release()
        await posting

    assert not before and len(general.messages) == 1


async def test_files_go_both_ways(team: Team, ana: Person, general: Channel, web: AsyncWebClient) -> None:
    """The app reads a person's file with its token, anyone else gets the login page, and what it uploads is shared."""
    message = await ana.says(general, "@recall look", files=[("app.log", "ERROR boom\n")])
    info = (await web.files_info(file=message.files[0].file_id))["file"]
    async with aiohttp.ClientSession() as http:
        right = await http.get(info["url_private"], headers={"Authorization": f"Bearer {team.bot_token}"})
        wrong = await http.get(info["url_private"], headers={"Authorization": "Bearer xoxb-other"})
        assert await right.read() == b"ERROR boom\n"
        assert wrong.status == 200 and wrong.content_type == "text/html"
    await web.files_upload_v2(
        channel=general.channel_id, thread_ts=message.ts, filename="all.txt", content="long", initial_comment="here"
    )

    (answer,) = team.thread(message).answers
    assert (answer.shown, answer.files[0].content) == ("here", b"long")


async def test_threads_and_history_are_read_in_pages(ana: Person, general: Channel, web: AsyncWebClient) -> None:
    """A thread comes oldest first with its parent, a channel newest first without replies; metadata only on request."""
    first = await ana.says(general, "first")
    await ana.says(general, "reply", thread=first)
    metadata = {"event_type": "recall", "event_payload": {"key": "1"}}
    await web.chat_postMessage(channel=general.channel_id, thread_ts=first.ts, text="answer", metadata=metadata)
    await ana.says(general, "second")

    thread = await web.conversations_replies(channel=general.channel_id, ts=first.ts, include_all_metadata=True)
    page = await web.conversations_history(channel=general.channel_id, limit=1)
    rest = await web.conversations_history(
        channel=general.channel_id, limit=1, cursor=page["response_metadata"]["next_cursor"]
    )

    assert [each["text"] for each in thread["messages"]] == ["first", "reply", "answer"]
    assert thread["messages"][0]["reply_count"] == 2
    assert thread["messages"][2]["metadata"] == metadata
    assert [each["text"] for each in [*page["messages"], *rest["messages"]]] == ["second", "first"]
    assert (await refused(web.conversations_replies(channel=general.channel_id, ts="1.1")))[
        "error"
    ] == "thread_not_found"


async def test_people_and_members_are_listed_in_pages(
    slack: SlackServer, team: Team, ana: Person, general: Channel, web: AsyncWebClient
) -> None:
    """Everybody, in pages of at most a thousand and at times fewer than were asked for, with the right scopes."""
    gus = team.user("gus", guest="single_channel")
    slack.world.page_size = 2
    first = await web.users_list(limit=999)
    rest = await web.users_list(limit=999, cursor=first["response_metadata"]["next_cursor"])
    members = await web.conversations_members(channel=general.channel_id, limit=999)

    assert [each["id"] for each in first["members"]] == [team.bot.user_id, ana.user_id]
    assert [(each["id"], each["is_restricted"]) for each in rest["members"]] == [(gus.user_id, True)]
    assert not rest["response_metadata"]["next_cursor"]
    assert set(members["members"]) == {ana.user_id, team.bot.user_id}
    assert (await refused(web.users_list(limit=1_001)))["error"] == "invalid_limit"
    assert (await refused(web.conversations_members(channel=general.channel_id, limit=0)))["error"] == "invalid_limit"
    team.state.scopes -= {"users:read", "channels:read"}
    assert (await refused(web.users_list(limit=999)))["needed"] == "users:read"
    assert (await refused(web.conversations_members(channel=general.channel_id)))["needed"] == "channels:read"


async def test_workspaces_are_apart(slack: SlackServer, ana: Person, general: Channel) -> None:
    """Ids repeat across workspaces, and each token reaches its own."""
    other = slack.team("globex")
    bob = other.user("bob")
    theirs = other.channel("general", bob)
    message = await bob.says(theirs, "hello")

    answer = await client(slack, other.bot_token).conversations_history(channel=theirs.channel_id)

    assert (bob.user_id, theirs.channel_id) == (ana.user_id, general.channel_id)
    assert [each["ts"] for each in answer["messages"]] == [message.ts]
    assert not general.messages


async def test_a_permalink_leads_to_the_message(ana: Person, general: Channel, web: AsyncWebClient) -> None:
    """A reply's link names its thread."""
    first = await ana.says(general, "first")
    reply = await ana.says(general, "reply", thread=first)

    link = (await web.chat_getPermalink(channel=general.channel_id, message_ts=reply.ts))["permalink"]

    assert link.startswith(f"https://acme.slack.com/archives/{general.channel_id}/p{reply.ts.replace('.', '')}")
    assert f"thread_ts={first.ts}" in link
