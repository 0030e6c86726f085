"""Values as the Web API and the events spell them. Pure."""

import re
from typing import Any

from tests.fakes.slack.model import File, Message, User, View, unescaped

Json = dict[str, Any]

_FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_INLINE = re.compile(r"<@(?P<user>[UW]\w+)(?:\|[^>]*)?>|<#(?P<channel>C\w+)(?:\|[^>]*)?>|<!(?P<range>\w+)>")


def user_json(user: User, *, team_id: str, scopes: set[str]) -> Json:
    """Return a user as `users.info` of a workspace does; the address needs its own scope."""
    profile: Json = {"real_name": user.name.title(), "display_name": user.name, "team": user.team_id}
    if user.email and "users:read.email" in scopes:
        profile["email"] = user.email
    return {
        "id": user.user_id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "real_name": user.name.title(),
        "tz": user.tz,
        "profile": profile,
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_restricted": user.is_restricted or user.is_ultra_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "is_stranger": user.team_id != team_id,
        "updated": 1_700_000_000,
    }


def file_json(file: File) -> Json:
    """Return a file, with the URL its content is fetched from."""
    url = f"{file.base_url}/files-pri/{file.team_id}-{file.file_id}/{file.name}"
    return {
        "id": file.file_id,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": file.mimetype,
        "filetype": file.filetype,
        "pretty_type": file.filetype.title(),
        "user": file.user_id,
        "user_team": file.team_id,
        "mode": "snippet" if file.mimetype.startswith("text/") else "hosted",
        "size": len(file.content),
        "is_external": False,
        "is_public": False,
        "file_access": "visible",
        "url_private": url,
        "url_private_download": url.replace(f"/{file.name}", f"/download/{file.name}"),
        "permalink": f"{file.base_url}/files/{file.user_id}/{file.file_id}/{file.name}",
    }


def message_json(message: Message, *, replies: list[Message] | None = None, metadata: bool = False) -> Json:
    """Return a message as the Web API shows it; `replies` makes it the parent of a thread."""
    author = message.author
    result: Json = {"type": "message", "user": author.user_id, "ts": message.ts, "text": message.text}
    result["team"] = author.team_id
    if author.is_bot:
        result |= {"bot_id": author.bot_id, "app_id": author.app_id}
        result["bot_profile"] = {"id": author.bot_id, "name": author.name, "app_id": author.app_id}
        result["bot_profile"]["team_id"] = author.team_id
    else:
        result["client_msg_id"] = f"00000000-0000-4000-8000-{message.ts.replace('.', '')[-12:]}"
    optional: Json = {"subtype": message.subtype, "thread_ts": message.thread_ts, "username": message.username}
    optional |= {"blocks": message.blocks, "attachments": message.attachments}
    optional |= {"files": [file_json(file) for file in message.files]}
    optional |= {"metadata": message.metadata if metadata else None}
    optional |= {"reactions": _reactions(message)}
    if message.subtype == "bot_message":
        del result["user"]
    if message.stream is not None:
        optional["streaming_state"] = "in_progress" if message.streaming else "completed"
    if message.edited_ts:
        optional["edited"] = {"user": message.edited_by, "ts": message.edited_ts}
    if replies:
        result |= {"thread_ts": message.ts, "reply_count": len(replies), "latest_reply": replies[-1].ts}
        result["reply_users"] = sorted({reply.author.user_id for reply in replies})
    return result | {key: value for key, value in optional.items() if value}


def _reactions(message: Message) -> list[Json]:
    names = dict.fromkeys(name for name, _user in message.reactions)
    users = {name: [user for each, user in message.reactions if each == name] for name in names}
    return [{"name": name, "users": users[name], "count": len(users[name])} for name in names]


def forwarded_json(message: Message) -> Json:
    """Return the attachment that a message becomes when somebody shares it."""
    return {
        "is_msg_unfurl": True,
        "is_share": True,
        "author_id": message.author.user_id,
        "author_name": message.author.name,
        "channel_id": message.channel_id,
        "ts": message.ts,
        "text": message.text,
        "fallback": f"{message.author.name}: {message.text}",
        "message_blocks": [{"team": message.author.team_id, "message": {"blocks": message.blocks}}],
    }


def view_json(view: View) -> Json:
    """Return a view, with the state of its inputs."""
    kept = {"callback_id": "", "private_metadata": "", "title": None, "submit": None, "close": None} | view.body
    return kept | {
        "id": view.view_id,
        "team_id": view.team_id,
        "app_id": view.app_id,
        "app_installed_team_id": view.team_id,
        "bot_id": view.bot_id,
        "hash": view.view_hash,
        "root_view_id": view.root_view_id or view.view_id,
        "previous_view_id": view.previous_view_id,
        "external_id": view.body.get("external_id", ""),
        "clear_on_close": view.body.get("clear_on_close", False),
        "notify_on_close": view.body.get("notify_on_close", False),
        "state": {"values": view.values},
    }


def rich_text(text: str, block_id: str) -> list[Json]:
    """Return the block the client makes of what a person typed: quotes and code apart from their own words."""
    found: list[Json] = []
    end = 0
    for fence in _FENCE.finditer(text):
        found += _paragraphs(text[end : fence.start()])
        found.append({"type": "rich_text_preformatted", "elements": _inline(fence[1])})
        end = fence.end()
    found += _paragraphs(text[end:])
    return [{"type": "rich_text", "block_id": block_id, "elements": found}]


def _paragraphs(text: str) -> list[Json]:
    result: list[Json] = []
    for line in text.strip("\n").splitlines():
        quoted = line.startswith("&gt;")
        kind = "rich_text_quote" if quoted else "rich_text_section"
        inner = _inline(line.removeprefix("&gt;").removeprefix(" ") if quoted else line)
        if result and result[-1]["type"] == kind:
            result[-1]["elements"] += [{"type": "text", "text": "\n"}, *inner]
        else:
            result.append({"type": kind, "elements": inner})
    return result


def _inline(text: str) -> list[Json]:
    result: list[Json] = []
    end = 0
    for match in _INLINE.finditer(text):
        result += _words(text[end : match.start()])
        if match["user"]:
            result.append({"type": "user", "user_id": match["user"]})
        elif match["channel"]:
            result.append({"type": "channel", "channel_id": match["channel"]})
        else:
            result.append({"type": "broadcast", "range": match["range"]})
        end = match.end()
    return result + _words(text[end:])


def _words(text: str) -> list[Json]:
    return [{"type": "text", "text": unescaped(text)}] if text else []
