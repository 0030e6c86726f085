"""The manifest that a workspace installs, against what the code listens to."""

from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from bots.cli import app
from bots.slack.checks import BROKEN_WITHOUT
from bots.slack.controls import SHORTCUTS
from bots.slack.lifecycle import END_EVENTS, REMOVED_CHANNEL_EVENTS
from bots.slack.reader_events import READER_EVENTS
from tests.fixtures.slack import MANIFEST

_MESSAGES = {"message.channels", "message.groups", "message.im", "message.mpim"}
_OURS = {"agent_session_stopped", "app_home_opened", "app_mention", "team_join", "user_change"}


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """Return the manifest."""
    parsed: dict[str, Any] = yaml.safe_load(MANIFEST.read_text())
    return parsed


def test_the_events_are_those_that_the_code_follows(manifest: dict[str, Any]) -> None:
    """Neither more nor less."""
    asked = set(manifest["settings"]["event_subscriptions"]["bot_events"])

    invited = {event for event in READER_EVENTS if event.startswith("shared_channel_invite")}
    assert asked == _MESSAGES | _OURS | (READER_EVENTS - invited) | REMOVED_CHANNEL_EVENTS | END_EVENTS


def test_the_scopes_are_those_that_doctor_explains(manifest: dict[str, Any]) -> None:
    """`recall doctor` says of each what breaks without it, and asks for no other."""
    assert manifest["oauth_config"]["scopes"]["bot"] == list(BROKEN_WITHOUT)


def test_the_shortcuts_are_those_of_the_code(manifest: dict[str, Any]) -> None:
    """By their callback ids."""
    assert {each["callback_id"] for each in manifest["features"]["shortcuts"]} == set(SHORTCUTS)


def test_the_texts_are_within_the_limits_of_slack(manifest: dict[str, Any]) -> None:
    """A long description of 175 to 4,000 characters, a description of at most 140."""
    shown = manifest["display_information"]
    assert 175 <= len(shown["long_description"]) <= 4_000
    assert len(shown["description"]) <= 140
    assert len(manifest["features"]["agent_view"]["agent_description"]) <= 300


def test_the_command_prints_the_very_file() -> None:
    """`recall manifest slack`, comments included, ready to be piped to the clipboard."""
    assert CliRunner().invoke(app, ["manifest", "slack"]).output == MANIFEST.read_text(encoding="utf-8")
