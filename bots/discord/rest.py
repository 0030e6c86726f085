"""Discord's REST API as the rest of `bots.discord` calls it: a timeout on every call, errors of ours.

The library waits for rate limits and repeats what a 429 or a failing server refused. A post whose answer was lost may
be there all the same: it is made again with the same nonce, for which Discord returns the first one, for minutes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import aiohttp
import discord

from bots.discord.errors import DiscordRefusedError, DiscordUnavailableError
from bots.network import why_unanswered

T = TypeVar("T")

TIMEOUT_S = 15.0
PATIENT_S = 60.0
"""For one call that waits for rate limits, all its attempts together."""
PAUSES_S = (0.5, 2.0, 8.0)
"""Between attempts at what is insisted on."""
PAGE = 100
"""The most messages that Discord gives at once."""

_CHUNK_BYTES = 65_536
_ARCHIVED_AFTER_MIN: Final = 4_320
_OK, _NOT_FOUND, _TOO_MANY = 200, 404, 429
_HAS_THREAD, _TOO_OLD = 160004, 30046
_NEVER_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)

Wait = Callable[[float], Awaitable[object]]
AnyChannel = discord.abc.GuildChannel | discord.Thread | discord.abc.PrivateChannel


class DiscordRest:
    """What Recall asks of Discord, for one bot.

    Args:
        client: The library's, logged in.
        wait: Waits so many seconds.
    """

    def __init__(self, client: discord.Client, *, wait: Wait = asyncio.sleep) -> None:
        self._client = client
        self._wait = wait

    @property
    def own_id(self) -> str:
        """Recall's user."""
        return str(self._client.user.id) if self._client.user is not None else ""

    async def post(
        self,
        channel: str,
        content: str,
        *,
        nonce: str,
        view: discord.ui.View | None = None,
        embed: discord.Embed | None = None,
        file: discord.File | None = None,
        reply_to: str | None = None,
        within_s: float = PATIENT_S,
    ) -> discord.Message:
        """Post a message, without previews of links, and return it; for some minutes, the first one of that nonce.

        Args:
            channel: A channel, a thread or direct messages.
            content: Its text.
            nonce: At most 25 characters.
            view: The buttons below.
            embed: Shown below the text; Discord shows either that or previews of none.
            file: Sent along; good for one call.
            reply_to: A message there to which it is a reply; if that is gone, it is none.
            within_s: The longest wait, rate limits included.
        """
        where = self._messageable(channel)
        given = {"view": view, "embed": embed, "file": file}
        more: dict[str, Any] = {name: each for name, each in given.items() if each is not None}
        if reply_to is not None:
            more["reference"] = discord.MessageReference(
                message_id=int(reply_to), channel_id=int(channel), fail_if_not_exists=False
            )
        return await self._call(
            "post", lambda: where.send(content, nonce=nonce, suppress_embeds=embed is None, **more), within_s=within_s
        )

    async def edit(
        self, channel: str, message: str, content: str, *, view: discord.ui.View | None, within_s: float = PATIENT_S
    ) -> None:
        """Replace the text and the buttons of a message of ours."""
        post = self._messageable(channel).get_partial_message(int(message))
        await self._call("edit", lambda: post.edit(content=content, view=view), within_s=within_s)

    async def delete(self, channel: str, message: str) -> None:
        """Delete a message of ours."""
        post = self._messageable(channel).get_partial_message(int(message))
        await self._call("delete", post.delete, within_s=PATIENT_S)

    async def type_in(self, channel: str) -> None:
        """Show for ten seconds that somebody writes."""
        await self._call("typing", lambda: self._client.http.send_typing(int(channel)), within_s=TIMEOUT_S)

    async def after(
        self, channel: str, message: str, *, guild: str = "", limit: int = PAGE
    ) -> Sequence[discord.Message]:
        """Return up to `limit` messages after one, oldest first, as they are read in a server if it is one."""
        guild_id = int(guild) if guild.isdigit() else None  # else the library knows nothing of mentioned roles
        where = self._client.get_partial_messageable(int(channel), guild_id=guild_id)

        async def read() -> list[discord.Message]:
            return [each async for each in where.history(limit=limit, after=_at(message), oldest_first=True)]

        return await self._call("history", read, within_s=PATIENT_S)

    async def message(self, channel: str, message: str) -> discord.Message:
        """Return a message as it is now."""
        where = self._messageable(channel)
        return await self._call("message", lambda: where.fetch_message(int(message)), within_s=TIMEOUT_S)

    async def channel(self, channel: str) -> AnyChannel:
        """Return a channel or a thread."""
        return await self._call("channel", lambda: self._client.fetch_channel(int(channel)), within_s=TIMEOUT_S)

    async def guild(self, guild: str) -> discord.Guild:
        """Return a server that Recall is in."""
        return await self._call(
            "guild", lambda: self._client.fetch_guild(int(guild), with_counts=False), within_s=TIMEOUT_S
        )

    async def open_thread(self, channel: str, message: str, *, name: str) -> None:
        """Make a thread from a message; one that it has already is as good."""
        start = self._client.http.start_thread_with_message
        try:
            await self._call(
                "open a thread",
                lambda: start(int(channel), int(message), name=name, auto_archive_duration=_ARCHIVED_AFTER_MIN),
                within_s=PATIENT_S,
            )
        except DiscordRefusedError as error:
            if error.code != _HAS_THREAD:
                raise

    async def download(self, url: str, *, most_bytes: int) -> bytes:
        """Return the beginning of a file of a message; its address is good for a day."""

        async def read() -> bytes:
            async with aiohttp.ClientSession() as session, session.get(url) as response:
                if response.status != _OK:
                    raise DiscordRefusedError("download", response.status, 0)
                data = bytearray()
                async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                    data += chunk
                    if len(data) >= most_bytes:
                        break
                return bytes(data[:most_bytes])

        return await self._call("download", read, within_s=TIMEOUT_S)

    async def insist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Make a call that may be repeated until Discord answers; the last failure goes on."""
        for pause_s in PAUSES_S:
            try:
                return await attempt()
            except DiscordUnavailableError as error:
                await self._wait(max(pause_s, error.retry_after_s or 0.0))
        return await attempt()

    def _messageable(self, channel: str) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(int(channel))

    async def _call(self, operation: str, make: Callable[[], Awaitable[T]], *, within_s: float) -> T:
        return await translated(operation, make, within_s=within_s)


async def translated(operation: str, make: Callable[[], Awaitable[T]], *, within_s: float = TIMEOUT_S) -> T:
    """Make a call of the library and return its answer.

    Raises:
        DiscordUnavailableError: No answer in time, or still rate limited.
        DiscordRefusedError: Discord said no.
    """
    try:
        async with asyncio.timeout(within_s):
            return await make()
    except TimeoutError as error:
        raise DiscordUnavailableError(operation, f"within {within_s:g} s") from error
    except discord.RateLimited as error:
        raise DiscordUnavailableError(operation, "rate limited", sent=False, retry_after_s=error.retry_after) from error
    except discord.DiscordServerError as error:
        raise DiscordUnavailableError(operation, f"status {error.status}") from error
    except discord.HTTPException as error:
        if error.status == _TOO_MANY and error.code != _TOO_OLD:
            raise DiscordUnavailableError(operation, "rate limited", sent=False) from error
        raise DiscordRefusedError(operation, error.status, error.code) from error
    except (aiohttp.ClientError, OSError) as error:
        sent = False if isinstance(error, _NEVER_CONNECTED) else None
        raise DiscordUnavailableError(operation, why_unanswered(error), sent=sent) from error
    except RuntimeError as error:  # aiohttp's word for a session that is closed: the process ends
        raise DiscordUnavailableError(operation, "closed", sent=False) from error


def _at(message: str) -> discord.Object:
    return discord.Object(int(message))
