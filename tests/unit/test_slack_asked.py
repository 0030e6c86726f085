"""Who asks, and what they point at, as Slack's payloads say."""

from dataclasses import replace
from typing import Any

import pytest

from bots.desk.asking import Chosen
from bots.slack import asked
from bots.slack.asked import Asked
from bots.slack.posts import EVENT_TYPE
from memory.model import UserId

URL = "https://acme.slack.test"


@pytest.mark.parametrize(
    ("body", "who"),
    [
        (
            {"user": {"id": "U1"}, "team": {"id": "T2"}, "container": {"channel_id": "C1", "is_ephemeral": True}},
            Asked(team="T2", user="U1", channel="C1", replaces=True),
        ),
        (
            {
                "user": {"id": "U1"},
                "team": None,
                "channel": {"id": "C1"},
                "message": {"ts": "1.3", "thread_ts": "1.2"},
                "response_url": "https://hooks.test",
            },
            Asked(team="T1", user="U1", channel="C1", thread_ts="1.2", response_url="https://hooks.test"),
        ),
        (
            {"user": {"id": "U1"}, "channel": {"id": "C1"}, "message": {"ts": "1.3"}},
            Asked(team="T1", user="U1", channel="C1", thread_ts="1.3"),
        ),
        ({"user": {"id": "U1"}, "container": {"type": "view"}}, Asked(team="T1", user="U1", channel="")),
        ({"user": None}, None),
        ({}, None),
    ],
)
def test_an_interaction_says_who_and_where(body: dict[str, Any], who: Asked | None) -> None:
    """A message that begins a thread is its own thread; only what one person sees is replaced."""
    assert asked.of_interaction(body, team="T1") == who


def test_a_slash_command_has_no_thread() -> None:
    """Slack does not say in which one it was typed."""
    body = {"user_id": "U1", "team_id": "T2", "channel_id": "C1", "response_url": "https://hooks.test"}
    who = asked.of_command(body, team="T1")

    assert who == Asked(team="T2", user="U1", channel="C1", response_url="https://hooks.test")
    assert who.asker.session_id is None
    assert asked.of_command({}, team="T1") is None


@pytest.mark.parametrize(
    ("message", "chosen"),
    [
        (
            {"ts": "1.3", "user": "U1", "text": "I &lt;3 EKS"},
            Chosen(message="1.3", author=UserId("slack:T1:U1"), text="I <3 EKS"),
        ),
        ({"ts": "1.3", "user": "B7"}, Chosen(message="1.3", author=UserId("slack:T1:B7"), is_ours=True)),
        (
            {"ts": "1.3", "user": "B7", "metadata": {"event_type": EVENT_TYPE, "event_payload": {"message_id": "1.2"}}},
            Chosen(message="1.3", author=UserId("slack:T1:B7"), is_ours=True, answers="1.2"),
        ),
        (
            {"ts": "1.3", "user": "B7", "metadata": {"event_type": "other", "event_payload": {"message_id": "1.2"}}},
            Chosen(message="1.3", author=UserId("slack:T1:B7"), is_ours=True),
        ),
        ({"ts": "1.3", "metadata": {"event_type": EVENT_TYPE}}, Chosen(message="1.3", author=None)),
    ],
)
def test_a_chosen_message_says_whose_it_is(message: dict[str, Any], chosen: Chosen) -> None:
    """And of a post of Recall which message it answers, where it says so; with a link."""
    who = Asked(team="T1", user="U1", channel="C1", thread_ts="1.2")
    found = asked.chosen(message, who, bot_user="B7", url=URL)

    assert found.link == f"{URL}/archives/C1/p13?thread_ts=1.2&cid=C1"
    assert found == replace(chosen, link=found.link)
