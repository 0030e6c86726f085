"""One call of the REST API: its parameters and body however they were sent, and what a route may look up."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from tests.fakes.discord.errors import ApiError, invalid
from tests.fakes.discord.model import Message, User
from tests.fakes.discord.places import Channel, GuildState
from tests.fakes.discord.world import World

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that came with a call; `key` is what the body's attachments call it."""

    key: str
    name: str
    content: bytes


async def read_body(request: web.Request) -> tuple[Any, list[Upload]]:
    """Return a request's JSON, None without one, and its files.

    Raises:
        ApiError: It is no JSON.
    """
    if request.content_type.startswith("multipart/"):
        return await _read_multipart(request)
    text = await request.text()
    return (_parsed(text) if text.strip() else None), []


async def _read_multipart(request: web.Request) -> tuple[Any, list[Upload]]:
    body: Any = None
    uploads: list[Upload] = []
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader):
            raise ApiError(50035)
        content = bytes(await part.read(decode=True))
        name = part.name or ""
        if name == "payload_json":
            body = _parsed(content.decode())
        else:
            key = name.partition("[")[2].rstrip("]")
            uploads.append(Upload(key=key, name=part.filename or "unknown", content=content))
    return body, uploads


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise ApiError(50109) from None


@dataclass(eq=False)
class Call:
    """A call whose token is good, or whose route needs none."""

    world: World
    params: dict[str, str]
    query: dict[str, str]
    body: Any
    uploads: Sequence[Upload] = field(default_factory=tuple)

    @property
    def json(self) -> Json:
        """The body, which must be an object."""
        if self.body is None:
            return {}
        if not isinstance(self.body, dict):
            raise invalid(("_", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType"))
        return self.body

    @property
    def bot(self) -> User:
        """Who calls."""
        return self.world.bot

    def number(self, name: str, default: int, *, least: int = 1, most: int = 100) -> int:
        """Return a whole number of the query, within its bounds."""
        text = self.query.get(name, str(default))
        if not text.isdecimal() or not least <= int(text) <= most:
            code = "NUMBER_TYPE_MAX" if text.isdecimal() and int(text) > most else "NUMBER_TYPE_MIN"
            raise invalid((name, code, f"int value should be between {least} and {most}."))
        return int(text)

    def channel(self, *needed: str) -> Channel:
        """Return the channel of the path, which the app must see and have the needed permissions in."""
        channel = self.world.channel(self.params["channel_id"])
        if channel is None:
            raise ApiError(10003)
        self.needs(channel, *needed)
        return channel

    def needs(self, channel: Channel, *needed: str) -> None:
        """Refuse the call unless the app sees a channel and has these permissions in it."""
        if not channel.allows(self.bot.user_id, "view_channel"):
            raise ApiError(50001)
        if not channel.allows(self.bot.user_id, *needed):
            raise ApiError(50013)

    def message(self, channel: Channel) -> Message:
        """Return the message of the path, which everyone sees."""
        message = channel.find(self.params["message_id"])
        if message is None:
            raise ApiError(10008)
        return message

    def guild(self) -> GuildState:
        """Return the guild of the path, which has the app."""
        guild = self.world.guilds.get(self.params["guild_id"])
        if guild is None or not guild.has_bot:
            raise ApiError(10004)
        return guild


Run = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route of the REST API.

    Attributes:
        run: Takes the call, returns the answer's JSON; None is an empty one, 204.
        bucket: The name of its rate limit; routes that share one share the limit.
        limit: How many calls its bucket takes in a window, per channel, guild or webhook.
        needs_token: It is for the app alone; the others carry their token in the path.
    """

    run: Run
    bucket: str
    limit: int = 50
    needs_token: bool = True
