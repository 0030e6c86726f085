"""Slack's markup as people read it."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bots.slack.mrkdwn import context_text, decode_text, with_names

Json = dict[str, Any]

# A busy machine makes up nested JSON slowly; how fast is not what is tested.
UNHURRIED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("&lt;!here&gt;", "<!here>"),
        ("ask <@U0BOB> or <@U0EVE|eve>", "ask @U0BOB or @eve"),
        ("in <#C0OPS|ops>, <#C0OPS>, <#C0OPS|>", "in #ops, #C0OPS, #C0OPS"),
        ("<!here> <!channel|channel> <!everyone>", "@here @channel @everyone"),
        ("<!subteam^S0OPS> <!subteam^S0OPS|@ops>", "@S0OPS @ops"),
        ("<!date^1764000000^{date_short}|Nov 24>", "Nov 24"),
        ("<https://example.org/a?b=1&amp;c=2>", "https://example.org/a?b=1&c=2"),
        ("<https://example.org/a|the docs>", "the docs (https://example.org/a)"),
        ("<http://example.org|example.org>", "example.org"),
        ("<http://example.org/|example.org>", "example.org"),
        ("<mailto:a@example.org|a@example.org> <mailto:b@example.org>", "a@example.org b@example.org"),
        ("<https://example.org|a &lt; b>", "a < b (https://example.org)"),
        ("```\nif a &lt; b:\n    pass\n```", "```\nif a < b:\n    pass\n```"),
        ("<|label> <> < a", "label <> < a"),
        ("", ""),
    ],
)
def test_text_is_decoded_once(raw: str, text: str) -> None:
    """Entities, mentions, channels, groups, dates and links read as a person sees them."""
    assert decode_text(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("<@U0RECALL> forget this thread", "forget this thread"),
        ("<@U0RECALL|recall>: deploy", "deploy"),
        ("<@U0RECALL>, deploy", "deploy"),
        ("hey <@U0RECALL> can you", "hey can you"),
        ("thanks <@U0RECALL>!", "thanks!"),
        ("why? <@U0RECALL>", "why?"),
        ("one\n<@U0RECALL>\ntwo", "one\n\ntwo"),
        ("<@U0RECALL>\n```\n  code\n```", "\n```\n  code\n```"),
        ("<@U0RECALL> <@U0RECALL>", ""),
        ("a<@U0RECALL>b <@U0RECALLED>", "a b @U0RECALLED"),
    ],
)
def test_own_mentions_are_left_out(raw: str, text: str) -> None:
    """Wherever Recall is named, the words around it stay as they would without the name."""
    assert decode_text(raw, own="U0RECALL") == text


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_what_people_type_comes_back(typed: str) -> None:
    """Slack escapes three characters of what is typed; decoding gives it back, exactly."""
    wire = typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    assert decode_text(wire) == typed


def test_a_long_message_is_decoded_at_once() -> None:
    """Neither spaces nor brackets by the ten thousand make decoding slow: the test would time out."""
    for piece in (" ", "<", "<@U0RECALL>", "<@", "<@U0RECALL|", "&", "\t<@U0RECALL>, "):
        assert isinstance(decode_text(piece * (40_000 // len(piece)), own="U0RECALL"), str)


def test_people_get_their_names() -> None:
    """Names that are known stand for ids; the rest stays."""
    text = "ask @U0BOB, @U0EVE and ops@U0BOB.org"

    assert with_names(text, {"U0BOB": "bob"}) == "ask @bob, @U0EVE and ops@U0BOB.org"


def test_an_alert_in_attachments_is_read() -> None:
    """Alertmanager's post: nothing in `text`, all in one attachment; its fallback adds nothing."""
    alert: Json = {
        "type": "message",
        "subtype": "bot_message",
        "text": "",
        "bot_id": "B0ALERT",
        "attachments": [
            {
                "id": 1,
                "color": "a30200",
                "fallback": "[FIRING:1] KubePodCrashLooping | <http://alerts.example.org>",
                "title": "[FIRING:1] KubePodCrashLooping (payments prod)",
                "title_link": "http://alerts.example.org/#/alerts",
                "text": "Pod payments/api-7f9 restarts &gt; 5 in <http://runbook.example.org|the runbook>",
                "fields": [
                    {"title": "severity", "value": "critical", "short": True},
                    {"title": "cluster", "value": "eu-west-1", "short": True},
                ],
                "mrkdwn_in": ["fallback", "pretext", "text"],
            }
        ],
    }

    assert context_text(alert).splitlines() == [
        "[FIRING:1] KubePodCrashLooping (payments prod)",
        "http://alerts.example.org/#/alerts",
        "Pod payments/api-7f9 restarts > 5 in the runbook (http://runbook.example.org)",
        "severity: critical",
        "cluster: eu-west-1",
    ]


def test_a_fallback_stands_in_for_nothing() -> None:
    """An attachment that is only a picture is read by its fallback."""
    message = {
        "text": "",
        "attachments": [{"fallback": "CPU of api-7f9: 97 %", "image_url": "https://example.org/1.png"}],
    }

    assert context_text(message) == "CPU of api-7f9: 97 %"


def test_an_alert_in_blocks_is_read() -> None:
    """Datadog-like blocks: header, sections with fields, context, rich text and tables; no buttons."""
    blocks: list[Json] = [
        {"type": "header", "text": {"type": "plain_text", "text": "Triggered: p95 &gt; 2s", "emoji": True}},
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "*service* <https://example.org/api|api>"},
            "fields": [{"type": "mrkdwn", "text": "env: prod"}, {"type": "mrkdwn", "text": "since 09:12"}],
            "accessory": {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "Mute"}},
        },
        {"type": "divider"},
        {
            "type": "context",
            "elements": [
                {"type": "mrkdwn", "text": "by <@U0BOB>"},
                {"type": "image", "image_url": "https://example.org/1.png", "alt_text": "graph of p95"},
            ],
        },
        {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Resolve"}}]},
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "text", "text": "see "},
                        {"type": "link", "url": "https://example.org/run", "text": "runbook"},
                        {"type": "emoji", "name": "fire"},
                        {"type": "user", "user_id": "U0EVE"},
                        {"type": "channel", "channel_id": "C0OPS"},
                        {"type": "broadcast", "range": "here"},
                    ],
                },
                {
                    "type": "rich_text_list",
                    "style": "bullet",
                    "elements": [
                        {"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]},
                        {"type": "rich_text_section", "elements": [{"type": "text", "text": "two"}]},
                    ],
                },
                {"type": "rich_text_quote", "elements": [{"type": "text", "text": "quoted\ntwice"}]},
                {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "OOMKilled"}]},
            ],
        },
        {"type": "markdown", "text": "**done**"},
        {
            "type": "table",
            "rows": [
                [{"type": "raw_text", "text": "pod"}, {"type": "raw_text", "text": "restarts"}],
                [{"type": "raw_text", "text": "api-7f9"}, {"type": "raw_text", "text": "12"}],
            ],
        },
    ]

    assert context_text({"text": "Triggered: p95 &gt; 2s", "blocks": blocks}).splitlines() == [
        "Triggered: p95 > 2s",
        "*service* api (https://example.org/api)",
        "env: prod",
        "since 09:12",
        "by @U0BOB",
        "graph of p95",
        "see runbook (https://example.org/run):fire:@U0EVE#C0OPS@here",
        "- one",
        "- two",
        "> quoted",
        "> twice",
        "OOMKilled",
        "**done**",
        "pod | restarts",
        "api-7f9 | 12",
    ]


def test_blocks_inside_of_attachments_are_read() -> None:
    """Grafana and many more put blocks in a coloured attachment; forwarded messages have theirs deeper still."""
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "Disk 91 %"}}
    forwarded = {"message_blocks": [{"team": "T1", "message": {"blocks": [section]}}], "author_name": "bob"}

    assert context_text({"text": "", "attachments": [{"color": "#f00", "blocks": [section]}]}) == "Disk 91 %"
    assert context_text({"attachments": [forwarded]}) == "bob\nDisk 91 %"


KEYS = ["type", "text", "blocks", "attachments", "elements", "fields", "rows", "title", "message", "message_blocks",
        "user_id", "name", "url", "fallback"]  # fmt: skip
KINDS = ["rich_text", "rich_text_list", "rich_text_section", "rich_text_quote", "table", "section", "user", "link"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(KINDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@UNHURRIED
@given(st.dictionaries(st.sampled_from(KEYS), JSON))
def test_any_post_can_be_read(message: Json) -> None:
    """Whatever a bot posts, reading it gives a text."""
    assert isinstance(context_text(message), str)


def test_lists_in_lists_end() -> None:
    """A post nested deeper than any list goes is cut, not followed."""
    nested: Json = {"type": "rich_text_section", "elements": [{"type": "text", "text": "deep"}]}
    for _ in range(5_000):
        nested = {"type": "rich_text_list", "elements": [nested]}

    assert context_text({"blocks": [{"type": "rich_text", "elements": [nested]}]}) == ""
