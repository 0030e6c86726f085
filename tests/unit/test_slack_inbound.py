"""What events of Slack mean, in payloads as Slack sends them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bots.slack.ids import SlackThread
from bots.slack.inbound import (
    BotIdentity,
    Deleted,
    Edited,
    Inbound,
    Overheard,
    Said,
    read_event,
)
from bots.slack.reader_events import changed_channel, joined_or_left, says_narrower

Json = dict[str, Any]

# A busy machine makes up nested JSON slowly; how fast is not what is tested.
UNHURRIED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

BOT = BotIdentity(user_id="U0RECALL", bot_id="B0RECALL")
TS, ROOT = "1764000002.000100", "1764000001.000100"


def said_event(text: str = "hello", **more: Any) -> Json:
    """Return a `message` event of a public channel."""
    event: Json = {
        "user": "U0ANA",
        "type": "message",
        "ts": TS,
        "client_msg_id": "6a1f0c4e-2f7f-4f8e-9d57-3d3f1a9f0001",
        "text": text,
        "team": "T1",
        "blocks": [{"type": "rich_text", "block_id": "b1", "elements": []}],
        "channel": "C0GENERAL",
        "event_ts": TS,
        "channel_type": "channel",
    }
    return event | more


def changed_event(before: str, now: str, **more: Any) -> Json:
    """Return the `message_changed` event of somebody's edit."""
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": message(now, edited={"user": "U0ANA", "ts": "1764000009.000000"}) | more,
        "previous_message": message(before),
        "channel": "C0GENERAL",
        "hidden": True,
        "ts": "1764000009.000200",
        "event_ts": "1764000009.000200",
        "channel_type": "channel",
    }


def deleted_event(previous: Json | None) -> Json:
    """Return a `message_deleted` event."""
    event: Json = {
        "type": "message",
        "subtype": "message_deleted",
        "channel": "C0GENERAL",
        "hidden": True,
        "deleted_ts": TS,
        "ts": "1764000009.000200",
        "event_ts": "1764000009.000200",
        "channel_type": "channel",
    }
    return event if previous is None else event | {"previous_message": previous}


def message(text: str, **more: Any) -> Json:
    """Return a message as it stands inside of other events."""
    return {"user": "U0ANA", "type": "message", "ts": TS, "text": text, "team": "T1"} | more


def read(event: Mapping[str, Any]) -> Inbound:
    """Return what an event of workspace T1 means."""
    return read_event(event, team="T1", bot=BOT)


def said(event: Mapping[str, Any]) -> Said:
    """Return what was said."""
    result = read(event)
    assert isinstance(result, Said), result
    return result


def test_a_message_is_said_in_its_own_thread() -> None:
    """A message that begins a thread has its own time stamp as the thread's."""
    assert said(said_event("a &lt; b &amp; c?")) == Said(
        channel="C0GENERAL",
        user="U0ANA",
        ts=TS,
        thread=SlackThread("T1", "C0GENERAL", TS),
        text="a < b & c?",
        mentions=(),
        attached="",
        files=(),
        is_mention=False,
        is_dm=False,
        addressed_to_other=False,
        user_team="T1",
        edited_ts=None,
        is_copy=False,
    )


def test_message_and_app_mention_mean_the_same() -> None:
    """The two events of one mention give equal values, so that either may come first; one is known for the copy."""
    event = said_event("<@U0RECALL> why is <@U0BOB> paged?", thread_ts=ROOT)
    kept = ("user", "ts", "client_msg_id", "text", "team", "thread_ts", "blocks", "channel", "event_ts")
    mention = {"type": "app_mention"} | {key: event[key] for key in kept}

    heard = said(event)

    assert replace(heard, is_copy=False) == said(mention)
    assert (heard.is_mention, heard.is_copy) == (True, True)
    assert heard.thread == SlackThread("T1", "C0GENERAL", ROOT)
    assert (heard.text, heard.mentions) == ("why is @U0BOB paged?", ("U0BOB",))


@pytest.mark.parametrize(
    ("subtype", "more"),
    [
        (None, {}),
        ("file_share", {"files": []}),
        ("me_message", {}),
        ("thread_broadcast", {"thread_ts": ROOT, "root": {"text": "root", "ts": ROOT}}),
    ],
)
def test_some_subtypes_are_said(subtype: str | None, more: Json) -> None:
    """Files, `/me` and replies also sent to the channel are people's words."""
    heard = said(said_event("roll back?", **({"subtype": subtype} if subtype else {}), **more))

    assert heard.text == "roll back?"
    assert heard.thread.thread_ts == more.get("thread_ts", TS)


@pytest.mark.parametrize(
    "subtype",
    ["channel_join", "channel_topic", "group_join", "pinned_item", "reminder_add", "message_replied", "huddle_thread",
     "assistant_app_thread", "channel_convert_to_private", "ekm_access_denied", "something_new", 7, ["file_share"]],
)  # fmt: skip
def test_other_subtypes_are_slacks_own_words(subtype: object) -> None:
    """What Slack writes itself, and what it may write one day, is not answered."""
    assert read(said_event("<@U0RECALL> has joined", subtype=subtype)) == Overheard(
        reason="system", channel="C0GENERAL"
    )


@pytest.mark.parametrize(
    "more",
    [
        {"bot_id": "B0ALERT"},
        {"bot_id": "B0ALERT", "subtype": "bot_message", "user": None},
        {"bot_profile": {"id": "B0ALERT"}},
        {"user": "USLACKBOT"},
    ],
)
@pytest.mark.parametrize("kind", ["message", "app_mention"])
def test_bots_are_never_answered(kind: str, more: Json) -> None:
    """A bot that mentions Recall begins no turn, in either event."""
    assert read(said_event("<@U0RECALL> hi", type=kind, **more)) == Overheard(reason="bot", channel="C0GENERAL")


@pytest.mark.parametrize("more", [{"user": "U0RECALL"}, {"user": "U0RECALL", "bot_id": "B0RECALL"}])
def test_own_posts_and_edits_are_not_heard_again(more: Json) -> None:
    """Every post and every `chat.update` comes back as an event."""
    own = Overheard(reason="own", channel="C0GENERAL")

    assert read(said_event("one", **more)) == own
    assert read(changed_event("one", "two", **more)) == own


def test_an_own_post_that_is_gone_is_a_deletion() -> None:
    """An admin may delete an answer; nobody says who."""
    gone = read(deleted_event(message("one", user="U0RECALL", bot_id="B0RECALL")))
    assert isinstance(gone, Deleted) and (gone.ts, gone.user) == (TS, None)


@pytest.mark.parametrize(
    ("more", "is_dm"),
    [
        ({"channel": "D0ANA", "channel_type": "im"}, True),
        ({"channel": "D0ANA", "channel_type": "im", "thread_ts": TS}, True),
        ({"channel": "D0ANA", "channel_type": None}, True),
        ({"channel": "G0GROUP", "channel_type": "mpim"}, False),
        ({"channel": "C0OPS", "channel_type": "group"}, False),
        ({"channel": "C0OPS", "channel_type": None}, False),
    ],
)
def test_only_a_dm_is_a_dm(more: Json, *, is_dm: bool) -> None:
    """A group DM is a shared place; a DM's first message may name itself as its thread."""
    heard = said(said_event(**more))

    assert heard.is_dm == is_dm
    assert heard.thread.thread_ts == TS


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("<@U0BOB> can you look?", True),
        ("  <@U0BOB|bob>, can you look?", True),
        ("hey <@U0BOB>", True),
        ("cc <@U0BOB> <@U0EVE>", True),
        ("<!subteam^S0OPS> please look", True),
        ("<!subteam^S0OPS|@ops> please look", True),
        ("<!here> who is on call?", True),
        ("<@U0BOB> or <@U0RECALL>?", False),
        ("<@U0RECALL> tell <@U0BOB>", False),
        ("what did <@U0BOB> say?", False),
        ("they <@U0BOB> look", False),
        ("<https://example.org> is down", False),
        ("and then?", False),
        ("", False),
    ],
)
def test_what_is_addressed_to_somebody_else(text: str, *, other: bool) -> None:
    """A follow-up that begins by speaking to others, and not to Recall, is theirs."""
    assert said(said_event(text, thread_ts=ROOT)).addressed_to_other == other


def test_files_are_named() -> None:
    """A file has its address only where Slack keeps it; a removed file is none."""
    heard = said(
        said_event(
            "",
            subtype="file_share",
            upload=False,
            files=[
                {
                    "id": "F0LOG", "name": "pod.log", "title": "Pod", "mimetype": "text/plain", "filetype": "log",
                    "mode": "snippet", "size": 12, "is_external": False, "file_access": "visible",
                    "url_private": "https://files.slack.com/files-pri/T1-F0LOG/pod.log",
                    "url_private_download": "https://files.slack.com/files-pri/T1-F0LOG/download/pod.log",
                },
                {"id": "F0DOC", "name": "plan", "mode": "external", "is_external": True, "url_private": "https://x.org"},
                {"id": "F0NEW", "mode": "hosted", "file_access": "check_file_info"},
                {"id": "F0OLD", "mode": "tombstone"},
                "F0ODD",
            ],
        )
    )  # fmt: skip

    log, document, new = heard.files
    assert (log.file_id, log.name, log.mimetype, log.size) == ("F0LOG", "pod.log", "text/plain", 12)
    assert log.url == "https://files.slack.com/files-pri/T1-F0LOG/download/pod.log"
    assert [document.url, new.url, new.name, new.size] == ["", "", "", 0]


def test_a_forwarded_message_is_attached() -> None:
    """Others' words that somebody passes on stand apart from their own."""
    forwarded = {
        "is_msg_unfurl": True,
        "is_share": True,
        "author_name": "bob",
        "text": "prod is down",
        "fallback": "[November 24th, 2025 4:00 PM] bob: prod is down",
    }
    heard = said(said_event("seen this?", attachments=[forwarded]))

    assert (heard.text, heard.attached) == ("seen this?", "bob\nprod is down")


def test_somebody_from_elsewhere_says_so() -> None:
    """In Slack Connect an event names where its author is at home."""
    heard = said(said_event(team="T9", user_team="T9", source_team="T9"))

    assert heard.user_team == "T9"
    assert heard.thread.team == "T1"


def test_an_edit_has_the_new_words() -> None:
    """It names the message as it was first sent, in its thread, and when it was edited."""
    edited = read(changed_event("prod is EKS 1.30", "<@U0RECALL> prod is EKS 1.31", thread_ts=ROOT))

    assert edited == Edited(
        channel="C0GENERAL",
        user="U0ANA",
        ts=TS,
        thread=SlackThread("T1", "C0GENERAL", ROOT),
        text="prod is EKS 1.31",
        mentions=(),
        attached="",
        files=(),
        edited_ts="1764000009.000000",
        user_team="T1",
    )


def test_an_unfurled_link_is_no_edit() -> None:
    """Slack adds what a link shows by an edit that changes no word; taking a file away does change something."""
    unfurled = changed_event(
        "see <https://example.org>", "see <https://example.org>", attachments=[{"text": "Example"}]
    )
    with_file = changed_event("log", "log")
    with_file["previous_message"]["files"] = [{"id": "F0LOG", "mode": "hosted"}]
    with_file["message"]["files"] = [{"id": "F0LOG", "mode": "tombstone"}]

    assert read(unfurled) == Overheard(reason="unchanged", channel="C0GENERAL")
    assert isinstance(read(with_file), Edited)


def test_a_file_goes_later_than_the_words_were_edited() -> None:
    """Slack leaves the time of the last edit as it is; the change must not pass for an old one."""
    edited = changed_event("log", "log!")
    gone = changed_event("log!", "log!")
    gone["previous_message"]["files"] = [{"id": "F0LOG", "mode": "hosted"}]
    first, then = read(edited), read(gone)

    assert isinstance(first, Edited) and isinstance(then, Edited)
    assert first.edited_ts == edited["message"]["edited"]["ts"]
    assert then.edited_ts == gone["event_ts"] > first.edited_ts


def test_a_bots_edit_is_overheard() -> None:
    """An alert that updates itself is nobody's words."""
    assert read(changed_event("firing", "resolved", bot_id="B0ALERT")) == Overheard(reason="bot", channel="C0GENERAL")


@pytest.mark.parametrize("previous", [message("secret", thread_ts=ROOT), message("secret"), None])
def test_a_deletion_names_the_message(previous: Json | None) -> None:
    """It is the message's stamp that counts, not the event's; an event without the message still deletes."""
    assert read(deleted_event(previous)) == Deleted(
        channel="C0GENERAL",
        ts=TS,
        thread=SlackThread("T1", "C0GENERAL", (previous or {}).get("thread_ts", TS)),
        user="U0ANA" if previous else None,
        deleted_ts="1764000009.000200",
    )


def test_a_tombstone_is_a_deletion() -> None:
    """A deleted message with replies comes as Slackbot's edit of it."""
    event = changed_event("secret", "This message was deleted.", subtype="tombstone", user="USLACKBOT", hidden=True)
    without_previous = {key: event[key] for key in event if key != "previous_message"}

    thread = SlackThread("T1", "C0GENERAL", TS)
    gone = Deleted(channel="C0GENERAL", ts=TS, thread=thread, user="U0ANA", deleted_ts="1764000009.000200")
    assert read(event) == gone
    assert isinstance(read(without_previous), Deleted)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({}, "other_event"),
        ({"type": "reaction_added", "item": {"channel": "C0GENERAL"}}, "other_event"),
        ({"type": ["message"]}, "other_event"),
        ({"type": "message"}, "malformed"),
        ({"type": "message", "channel": {"id": "C0GENERAL"}}, "malformed"),
        (said_event(user=None), "malformed"),
        (said_event(ts=None), "malformed"),
        (said_event(ts="now"), "malformed"),
        (said_event(ts="9" * 40 + ".1"), "malformed"),
        ({"type": "message", "subtype": "message_changed", "channel": "C0GENERAL"}, "malformed"),
        ({"type": "message", "subtype": "message_deleted", "channel": "C0GENERAL"}, "malformed"),
    ],
)
def test_what_cannot_be_understood_is_overheard(event: Json, reason: str) -> None:
    """An event of another type or shape says nothing to Recall."""
    result = read(event)

    assert isinstance(result, Overheard)
    assert result.reason == reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@UNHURRIED
@given(st.dictionaries(st.sampled_from(sorted(said_event(thread_ts=ROOT, subtype="", files=[], attachments=[]))), JSON))
def test_a_message_with_anything_in_it_is_read(odd: Json) -> None:
    """Whatever stands in a message's fields, also inside of an edit or a deletion, reading it does not fail."""
    event = said_event(type="message") | odd
    changed = changed_event("a", "b") | {"message": message("b") | odd, "previous_message": odd}

    assert isinstance(read(event | {"type": "message"}), Said | Edited | Deleted | Overheard)
    assert isinstance(read(changed), Said | Edited | Deleted | Overheard)
    assert isinstance(read(deleted_event(odd)), Deleted | Overheard)
    assert changed_channel(event) is None or isinstance(changed_channel(event), str)
    assert isinstance(says_narrower(event), bool)
    assert joined_or_left(event) is None


@pytest.mark.parametrize(
    ("event", "channel"),
    [
        ({"type": "channel_shared", "connected_team_id": "T9", "channel": "C0GENERAL"}, "C0GENERAL"),
        ({"type": "channel_unshared", "channel": "C0GENERAL"}, "C0GENERAL"),
        ({"type": "member_joined_channel", "user": "U0GUS", "channel": "C0GENERAL", "channel_type": "C"}, "C0GENERAL"),
        ({"type": "shared_channel_invite_accepted", "channel": {"id": "C0GENERAL"}}, "C0GENERAL"),
        (said_event(subtype="channel_convert_to_private"), "C0GENERAL"),
        (said_event(subtype="channel_topic"), None),
        (said_event(), None),
        ({"type": ["channel_shared"]}, None),
    ],
)
def test_events_that_change_who_can_read_a_channel(event: Json, channel: str | None) -> None:
    """Sharing, members, archiving and becoming private name their channel; words do not."""
    assert changed_channel(event) == channel


@pytest.mark.parametrize(
    ("event", "is_said"),
    [
        ({"type": "channel_shared", "channel": "C0GENERAL"}, True),
        ({"type": "shared_channel_invite_received", "channel": {"id": "C0GENERAL"}}, True),
        (said_event(subtype="channel_convert_to_private"), True),
        (said_event(subtype="channel_convert_to_public"), False),
        ({"type": "channel_unshared", "channel": "C0GENERAL"}, False),
        ({"type": "channel_convert_to_private", "channel": "C0GENERAL"}, False),
        ({"type": ["channel_shared"]}, False),
    ],
)
def test_an_event_that_itself_says_that_fewer_read(event: Json, is_said: bool) -> None:
    """Sharing with others, and becoming private."""
    assert says_narrower(event) == is_said


def test_who_came_and_went() -> None:
    """Of all other events nobody did."""
    assert joined_or_left({"type": "member_joined_channel", "user": "U0GUS", "channel": "C0GENERAL"}) == "U0GUS"
    assert joined_or_left({"type": "member_left_channel", "user": "U0GUS", "channel": "C0GENERAL"}) == "U0GUS"
    assert joined_or_left({"type": "channel_archive", "user": "U0GUS", "channel": "C0GENERAL"}) is None
    assert joined_or_left({"type": "member_joined_channel", "user": ["U0GUS"]}) is None
