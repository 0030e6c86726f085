"""Envelopes of events and interactions, as Slack spells them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.fakes.slack.blocks import pressed
from tests.fakes.slack.model import Message, User, View
from tests.fakes.slack.wire import message_json, view_json

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something happens: which app, in which workspace."""

    app_id: str
    team_id: str
    team_domain: str
    bot_user_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How the app may answer an interaction."""

    trigger_id: str
    response_url: str


def event_callback(place: Place, event: Json, *, event_id: str, event_time: int, ext_shared: bool) -> Json:
    """Return the body that carries an event."""
    authorization: Json = {"enterprise_id": None, "team_id": place.team_id, "user_id": place.bot_user_id}
    authorization |= {"is_bot": True, "is_enterprise_install": False}
    return {
        "token": "verification-token",
        "team_id": place.team_id,
        "context_team_id": place.team_id,
        "context_enterprise_id": None,
        "api_app_id": place.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": event_time,
        "authorizations": [authorization],
        "is_ext_shared_channel": ext_shared,
        "event_context": f"4-{event_id}",
    }


def message_event(message: Message, *, channel_type: str, home_team_id: str, root: Message | None) -> Json:
    """Return the event of a new message."""
    event = message_json(message) | {"channel": message.channel_id, "event_ts": message.ts}
    event |= {"channel_type": channel_type}
    if message.in_thread and root is not None:
        event["parent_user_id"] = root.author.user_id
    if message.files and not message.author.is_bot:
        event |= {"subtype": "file_share", "upload": False}
    if message.author.team_id != home_team_id:
        event |= {"user_team": message.author.team_id, "source_team": message.author.team_id}
    return event


def mention_event(message: Message, *, home_team_id: str) -> Json:
    """Return the `app_mention` that goes beside the message event."""
    kept = ("user", "ts", "client_msg_id", "text", "team", "thread_ts", "blocks", "files", "bot_id", "edited")
    event = {key: value for key, value in message_json(message).items() if key in kept}
    if message.author.team_id != home_team_id:
        event |= {"user_team": message.author.team_id, "source_team": message.author.team_id}
    return {"type": "app_mention", **event, "channel": message.channel_id, "event_ts": message.ts}


def changed_event(message: Message, before: Json, *, channel_type: str, ts: str) -> Json:
    """Return the event of an edit."""
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": message_json(message),
        "previous_message": before,
        "channel": message.channel_id,
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
        "channel_type": channel_type,
    }


def deleted_event(message: Message, *, channel_type: str, ts: str) -> Json:
    """Return the event of a deletion."""
    return {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": message_json(message),
        "channel": message.channel_id,
        "hidden": True,
        "deleted_ts": message.ts,
        "ts": ts,
        "event_ts": ts,
        "channel_type": channel_type,
    }


def session_stopped_event(
    user: User, *, channel_id: str, thread_ts: str, streams: Sequence[str], ts: str
) -> Json:  # docs.slack.dev/reference/events/agent_session_stopped
    """Return the event of the native Stop button."""
    event = {"type": "agent_session_stopped", "channel": channel_id, "thread_ts": thread_ts, "user": user.user_id}
    return {**event, "streaming_message_ts": list(streams), "event_ts": ts}


def viewing(team_id: str, channel_id: str | None) -> Json:
    """Return the entities a person is looking at, as the agent surface tells."""
    if channel_id is None:
        return {}
    return {"entities": [{"type": "slack#/types/channel_id", "value": channel_id, "team_id": team_id}]}


def slash_command(
    place: Place, user: User, contact: Contact, *, command: str, text: str, channel_id: str, channel_name: str
) -> Json:
    """Return the payload of a slash command."""
    return {
        "token": "verification-token",
        "team_id": place.team_id,
        "team_domain": place.team_domain,
        "channel_id": channel_id,
        "channel_name": channel_name,
        "user_id": user.user_id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": place.app_id,
        "is_enterprise_install": "false",
        "response_url": contact.response_url,
        "trigger_id": contact.trigger_id,
    }


def _interaction(kind: str, place: Place, user: User, trigger_id: str) -> Json:
    return {
        "type": kind,
        "user": {"id": user.user_id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": place.app_id,
        "token": "verification-token",
        "trigger_id": trigger_id,
        "team": {"id": place.team_id, "domain": place.team_domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def message_action(
    place: Place, user: User, contact: Contact, *, callback_id: str, message: Message, channel_name: str
) -> Json:
    """Return the payload of a message shortcut."""
    return _interaction("message_action", place, user, contact.trigger_id) | {
        "callback_id": callback_id,
        "message_ts": message.ts,
        "action_ts": message.ts,
        "channel": {"id": message.channel_id, "name": channel_name},
        "message": message_json(message),
        "response_url": contact.response_url,
    }


def message_pressed(
    place: Place,
    user: User,
    contact: Contact,
    *,
    message: Message,
    element: Json,
    value: str | None,
    channel_name: str,
    ts: str,
) -> Json:
    """Return the payload of something pressed in a message; that of an ephemeral one does not carry the message."""
    container: Json = {"type": "message", "message_ts": message.ts, "channel_id": message.channel_id}
    container |= {"is_ephemeral": message.ephemeral_to is not None}
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = _interaction("block_actions", place, user, contact.trigger_id) | {
        "container": container,
        "channel": {"id": message.channel_id, "name": channel_name},
        "state": {"values": {}},
        "response_url": contact.response_url,
        "actions": [pressed(element, value, ts)],
    }
    return payload if message.ephemeral_to else payload | {"message": message_json(message)}


def view_pressed(
    place: Place, user: User, trigger_id: str, *, view: View, element: Json, value: str | None, ts: str
) -> Json:
    """Return the payload of something pressed in a Home tab or a modal, which has no response URL."""
    shown = view_json(view)
    return _interaction("block_actions", place, user, trigger_id) | {
        "container": {"type": "view", "view_id": view.view_id},
        "view": shown,
        "state": shown["state"],
        "actions": [pressed(element, value, ts)],
    }


def view_submission(place: Place, user: User, trigger_id: str, *, view: View) -> Json:
    """Return the payload of a modal's submit button."""
    return _interaction("view_submission", place, user, trigger_id) | {"view": view_json(view), "response_urls": []}


def view_closed(place: Place, user: User, *, view: View) -> Json:
    """Return the payload of a modal that was closed."""
    payload = _interaction("view_closed", place, user, "") | {"view": view_json(view), "is_cleared": False}
    del payload["trigger_id"]
    return payload
