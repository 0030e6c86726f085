"""One call of the Web API: its arguments however they were sent, who calls, and what a method may look up."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.fakes.slack.channel import Channel
from tests.fakes.slack.limits import METADATA_BYTES, check_blocks
from tests.fakes.slack.model import ApiError, Message, User
from tests.fakes.slack.world import TeamState, World

Json = dict[str, Any]

_NESTED = ("blocks", "attachments", "metadata", "view", "files", "prompts", "chunks", "loading_messages")
READ_SCOPES = {"public": "channels:read", "private": "groups:read", "im": "im:read", "mpim": "mpim:read"}
HISTORY_SCOPES = {
    "public": "channels:history", "private": "groups:history", "im": "im:history", "mpim": "mpim:history",
}  # fmt: skip


async def read_args(request: web.Request) -> Json:
    """Return a request's arguments, from the query, a form and a JSON body; nested JSON is parsed."""
    args: Json = dict(request.query)
    if request.content_type == "application/json":
        text = await request.text()
        args |= json.loads(text) if text.strip() else {}
    elif request.can_read_body:
        args |= dict(await request.post())
    for name in _NESTED:
        if isinstance(args.get(name), str) and args[name]:
            try:
                args[name] = json.loads(args[name])
            except ValueError:
                raise ApiError("invalid_arguments", detail=f"{name} is not JSON") from None
    return args


@dataclass(eq=False)
class Call:
    """An authenticated call."""

    world: World
    team: TeamState
    channels: Mapping[str, Channel]
    open_dm: Callable[[Sequence[User]], Channel]
    method: str
    args: Json

    def need(self, name: str) -> str:
        """Return an argument that must be there."""
        value = self.args.get(name)
        if value is None or value == "":
            raise ApiError("invalid_arguments", detail=f"missing required field: {name}")
        return str(value)

    def flag(self, name: str) -> bool:
        """Return a yes or no."""
        return self.args.get(name) in {True, "1", "true"}

    def number(self, name: str, default: int) -> int:
        """Return a whole number."""
        value = self.args.get(name)
        return default if value in {None, ""} else int(str(value))

    def items(self, name: str) -> list[Any]:
        """Return a list, an empty one if it was left out."""
        value = self.args.get(name)
        if value is None or value == "":
            return []
        if not isinstance(value, list):
            raise ApiError("invalid_arguments", detail=f"{name} must be an array")
        return value

    def needs_scope(self, *scopes: str) -> None:
        """Refuse the call unless the token has one of the scopes."""
        if scopes and not self.team.scopes.intersection(scopes):
            raise ApiError("missing_scope", needed=",".join(scopes), provided=",".join(sorted(self.team.scopes)))

    def channel(self, name: str = "channel", *, scopes: Mapping[str, str] | None = None) -> Channel:
        """Return the conversation an argument names, by id, by `#name` or by its person's id."""
        wanted = self.need(name)
        channel = self.channels.get(wanted)
        if channel is None and wanted in self.team.users:
            channel = self.open_dm([self.team.users[wanted]])
        if channel is None:
            same = [each for each in self.channels.values() if each.name == wanted.removeprefix("#")]
            channel = same[0] if same and wanted.startswith("#") else None
        hidden = channel is not None and channel.kind != "public" and not channel.has_bot
        if channel is None or channel.deleted or hidden:
            raise ApiError("channel_not_found")
        if scopes is not None:
            self.needs_scope(scopes[channel.kind])
        return channel

    def open_channel(self, name: str = "channel") -> Channel:
        """Return a conversation the app may write to."""
        channel = self.channel(name)
        if channel.archived:
            raise ApiError("is_archived")
        if not channel.has_bot:
            raise ApiError("not_in_channel")
        return channel

    def user(self, name: str = "user") -> User:
        """Return the user an argument names."""
        user = self.team.users.get(self.need(name))
        if user is None:
            raise ApiError("user_not_found")
        return user

    def own_message(self, channel: Channel, *, refusal: str) -> Message:
        """Return the app's own message that `ts` names."""
        message = channel.find(self.need("ts"))
        if message.author is not self.team.bot:
            raise ApiError(refusal)
        return message

    def thread_ts(self, channel: Channel) -> str | None:
        """Return the thread to write in."""
        thread_ts = self.args.get("thread_ts")
        if not thread_ts:
            return None
        parent = channel.messages.get(str(thread_ts))
        if parent is None:
            raise ApiError("thread_not_found")
        if parent.in_thread:
            raise ApiError("cannot_reply_to_message")
        return str(thread_ts)

    def blocks(self) -> list[Json]:
        """Return the blocks, checked."""
        blocks = self.items("blocks")
        problems = check_blocks(blocks, "message")
        if problems:
            raise ApiError("invalid_blocks", errors=problems, response_metadata={"messages": problems})
        return blocks

    def metadata(self) -> Json | None:
        """Return the message metadata, checked."""
        metadata = self.args.get("metadata")
        if not metadata:
            return None
        if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
            raise ApiError("invalid_metadata_format")
        if not isinstance(metadata.get("event_payload"), dict):
            raise ApiError("invalid_metadata_format")
        if len(json.dumps(metadata).encode()) > METADATA_BYTES:
            raise ApiError("metadata_too_large")
        return metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method of the Web API.

    Attributes:
        run: Takes the call, returns the answer without `ok`.
        scopes: One of these is needed; none if empty.
        tier: Its rate: 1 to 4, 0 for posts (per channel), None without a limit.
    """

    run: Callable[[Call], Awaitable[Json]]
    scopes: tuple[str, ...] = ()
    tier: int | None = 3
