"""What an event of Slack means to Recall: said to it, edited, deleted, or not for it.

Pure: payload in, value out. It knows no store, asks Slack nothing, and does not know which threads Recall is part of.
Whatever the payload, nothing here raises: what cannot be understood is overheard.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bots.slack.ids import SlackThread
from bots.slack.mrkdwn import attachment_texts, decode_text, mappings
from bots.slack.payload import inner, stamp, string

Reason = Literal["other_event", "malformed", "bot", "own", "system", "unchanged"]
"""Why something is not for Recall; few enough to be a metric's label."""

_SAID = frozenset({None, "", "file_share", "thread_broadcast", "me_message"})
_SLACKBOT = "USLACKBOT"
_GONE = frozenset({"tombstone", "hidden_by_limit"})
_MENTION = re.compile(r"<@(?P<user>[A-Z0-9]+)(?:\|[^<>]*)?>")
_ADDRESS = r"<(?:@[A-Z0-9]+|!subteam\^[A-Z0-9]+|!here|!channel|!everyone)(?:\|[^<>]*)?>"
# "hey @bob, ...", "cc @bob" and "@bob @eve" speak to somebody; "what did @bob say?" speaks of him.
_TO_SOMEBODY = re.compile(
    rf"\s*(?:(?:hey|hi|hello|ok|okay|thanks|thank you|thx|yes|no|cc|fyi|ping)[\s,:]+)?{_ADDRESS}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BotIdentity:
    """Who Recall is in one workspace."""

    user_id: str
    bot_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedFile:
    """A file in a message.

    Attributes:
        filetype: Slack's own word for what it is, such as "yaml" or "binary".
        size: In bytes, as Slack says.
        url: Where the bot's token fetches it; "" where it is not Slack that keeps it, or Slack does not say yet.
    """

    file_id: str
    name: str
    mimetype: str
    filetype: str
    size: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Somebody said something. Whether to answer: `is_mention or is_dm or (part of it and not addressed_to_other)`.

    Attributes:
        text: As people read it, without mentions of Recall; others are `@name`, or `@U1` where the wire has no name.
        mentions: Ids of the other people it mentions, in order.
        attached: What attachments show: messages that were forwarded. Others' words, never the speaker's own.
        user_team: Where the speaker is at home, when the event says so.
        edited_ts: When it got this text; None for its first.
        is_copy: The same message comes as another event too, the mention of Recall in it, maybe to another process.
    """

    channel: str
    user: str
    ts: str
    thread: SlackThread
    text: str
    mentions: tuple[str, ...]
    attached: str
    files: tuple[SharedFile, ...]
    is_mention: bool
    is_dm: bool
    addressed_to_other: bool
    user_team: str | None
    edited_ts: str | None
    is_copy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """Somebody changed the words or files of their message `ts`.

    Attributes:
        edited_ts: When; of two edits that come out of order, the later one counts.
    """

    channel: str
    user: str
    ts: str
    thread: SlackThread
    text: str
    mentions: tuple[str, ...]
    attached: str
    files: tuple[SharedFile, ...]
    edited_ts: str
    user_team: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """A message of a person, or a post of Recall, is gone.

    Attributes:
        user: Whose it was, when the event says so.
        deleted_ts: When.
    """

    channel: str
    ts: str
    thread: SlackThread
    user: str | None
    deleted_ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overheard:
    """Nothing that was said to Recall."""

    reason: Reason
    channel: str | None = None


Inbound = Said | Edited | Deleted | Overheard


def read_event(event: Mapping[str, Any], *, team: str, bot: BotIdentity) -> Inbound:
    """Return what an event means; `message` and `app_mention` of one message mean the same.

    Args:
        event: The `event` of an `event_callback`.
        team: The workspace it came from; the enterprise where it carries none.
        bot: Who Recall is there.
    """
    kind, channel = string(event, "type"), string(event, "channel")
    if kind not in {"message", "app_mention"}:
        return Overheard(reason="other_event", channel=channel)
    if channel is None:
        return Overheard(reason="malformed")
    match event.get("subtype"):
        case "message_changed":
            return _changed(event, channel, team, bot)
        case "message_deleted":
            gone = inner(event, "previous_message")
            ts = stamp(event, "deleted_ts") or stamp(gone, "ts")
            return _deleted(gone, ts, channel, team, bot, at=stamp(event, "event_ts"))
        case _:
            return _said(event, channel, team, bot)


def _said(event: Mapping[str, Any], channel: str, team: str, bot: BotIdentity) -> Said | Overheard:
    author = not_from_a_person(event, bot)
    if author is not None:
        return Overheard(reason=author, channel=channel)
    if not _is_among(event.get("subtype"), _SAID) or event.get("hidden") is True:
        return Overheard(reason="system", channel=channel)
    user, ts = string(event, "user"), stamp(event, "ts")
    if user is None or ts is None:
        return Overheard(reason="malformed", channel=channel)
    raw = string(event, "text") or ""
    mentioned = [match["user"] for match in _MENTION.finditer(raw)]
    is_mention = event.get("type") == "app_mention" or bot.user_id in mentioned
    return Said(
        channel=channel,
        user=user,
        ts=ts,
        thread=_thread(event, channel, team, ts),
        text=decode_text(raw, own=bot.user_id),
        mentions=_others(raw, bot),
        attached="\n".join(attachment_texts(event)),
        files=_files(event),
        is_mention=is_mention,
        is_dm=_is_dm(event, channel),
        addressed_to_other=not is_mention and _TO_SOMEBODY.match(raw) is not None,
        user_team=_home(event),
        edited_ts=stamp(inner(event, "edited"), "ts"),
        is_copy=is_mention and event.get("type") == "message" and not _is_dm(event, channel),
    )


def _changed(event: Mapping[str, Any], channel: str, team: str, bot: BotIdentity) -> Edited | Deleted | Overheard:
    now, before = inner(event, "message"), inner(event, "previous_message")
    ts = stamp(now, "ts") or stamp(before, "ts")
    if now.get("subtype") == "tombstone":
        # A deleted message that has replies: Slack edits it, as Slackbot, instead of deleting it.
        return _deleted({**now, **before}, ts, channel, team, bot, at=stamp(event, "event_ts"))
    author = not_from_a_person(now, bot)
    if author is not None:
        return Overheard(reason=author, channel=channel)
    user = string(now, "user")
    if ts is None or user is None:
        return Overheard(reason="malformed", channel=channel)
    if not _is_among(now.get("subtype"), _SAID):
        return Overheard(reason="system", channel=channel)
    if before and _content(now) == _content(before):
        return Overheard(reason="unchanged", channel=channel)
    raw = string(now, "text") or ""
    return Edited(
        channel=channel,
        user=user,
        ts=ts,
        thread=_thread(now, channel, team, ts),
        text=decode_text(raw, own=bot.user_id),
        mentions=_others(raw, bot),
        attached="\n".join(attachment_texts(now)),
        files=_files(now),
        edited_ts=_edited_at(event, now, before) or ts,
        user_team=_home(now),
    )


def _edited_at(event: Mapping[str, Any], now: Mapping[str, Any], before: Mapping[str, Any]) -> str | None:
    """Return when a message changed: one that only loses a file still says when its words were edited last."""
    happened = stamp(event, "event_ts") or stamp(event, "ts")
    is_new_text = not before or now.get("text") != before.get("text")
    return (is_new_text and stamp(inner(now, "edited"), "ts")) or happened


def _deleted(
    gone: Mapping[str, Any], ts: str | None, channel: str, team: str, bot: BotIdentity, *, at: str | None
) -> Deleted | Overheard:
    if ts is None:
        return Overheard(reason="malformed", channel=channel)
    author = not_from_a_person(gone, bot)
    user = string(gone, "user")
    if author == "bot" and user != _SLACKBOT:
        return Overheard(reason=author, channel=channel)
    thread = _thread(gone, channel, team, ts)
    whose = None if user == _SLACKBOT or author == "own" else user
    return Deleted(channel=channel, ts=ts, thread=thread, user=whose, deleted_ts=at or ts)


def not_from_a_person(message: Mapping[str, Any], bot: BotIdentity) -> Literal["own", "bot"] | None:
    """Return who else speaks: bots never begin a turn, and Recall hears its own posts and edits again."""
    if message.get("user") == bot.user_id or message.get("bot_id") == bot.bot_id:
        return "own"
    is_bot = message.get("bot_id") or message.get("bot_profile") or message.get("subtype") == "bot_message"
    return "bot" if is_bot or message.get("user") == _SLACKBOT else None


def _content(message: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    """Return what an edit would change; an unfurled link changes neither words nor files."""
    return string(message, "text") or "", frozenset(file.file_id for file in _files(message))


def _others(raw: str, bot: BotIdentity) -> tuple[str, ...]:
    users = (match["user"] for match in _MENTION.finditer(raw))
    return tuple(dict.fromkeys(user for user in users if user != bot.user_id))


def _thread(message: Mapping[str, Any], channel: str, team: str, ts: str) -> SlackThread:
    """Return a message's thread: its own where it begins one, also in a DM."""
    return SlackThread(team, channel, stamp(message, "thread_ts") or ts)


def _is_dm(event: Mapping[str, Any], channel: str) -> bool:
    kind = string(event, "channel_type")
    return kind == "im" if kind is not None else channel.startswith("D")


def _home(message: Mapping[str, Any]) -> str | None:
    return string(message, "user_team") or string(message, "source_team") or string(message, "team")


def _files(message: Mapping[str, Any]) -> tuple[SharedFile, ...]:
    return tuple(_file(file) for file in mappings(message.get("files")) if not _is_among(file.get("mode"), _GONE))


def _file(file: Mapping[str, Any]) -> SharedFile:
    size = file.get("size")
    kept_by_slack = file.get("is_external") is not True
    url = string(file, "url_private_download") or string(file, "url_private")
    return SharedFile(
        file_id=string(file, "id") or "",
        name=string(file, "name") or string(file, "title") or "",
        mimetype=string(file, "mimetype") or "",
        filetype=string(file, "filetype") or "",
        size=size if isinstance(size, int) else 0,
        url=(url or "") if kept_by_slack else "",
    )


def _is_among(value: object, known: frozenset[Any]) -> bool:
    return (value is None or isinstance(value, str)) and value in known
