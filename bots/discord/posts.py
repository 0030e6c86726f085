"""One reply's messages: each posted once, whatever becomes of a call. Knows no reply and no model.

A repeated post has the nonce of the first attempt, which Discord knows for minutes; after a crash they are found in the
channel's history, by the marks of their buttons.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bots.discord.buttons import marks_of, view_of
from bots.discord.errors import DiscordRefusedError
from bots.discord.render import Post, is_stand_in
from bots.discord.rest import PAGE, PATIENT_S, DiscordRest
from bots.discord.room import Room

_MOST_PAGES = 10


@dataclass(frozen=True, slots=True)
class Found:
    """A post of this reply, as the channel shows it.

    Attributes:
        done: It has its final text.
        failed: That text says that there is no answer; another attempt may have one.
    """

    message: str
    done: bool
    failed: bool


@dataclass(frozen=True, slots=True)
class Mine:
    """What stands in the thread of a reply.

    Attributes:
        parts: Its posts, by part.
        lines: Posts that say why nothing happens yet.
    """

    parts: Mapping[int, Found]
    lines: frozenset[str]


@dataclass(frozen=True, slots=True)
class Made:
    """A post that was made.

    Attributes:
        is_new: It shows what was asked for; False for that of an earlier attempt, which may show something else.
    """

    message: str
    is_new: bool


class ReplyPosts:
    """The posts of the reply to one message.

    Args:
        rest: Discord.
        room: Where.
        message: The message that is answered.
    """

    def __init__(self, rest: DiscordRest, room: Room, *, message: str) -> None:
        self._rest = rest
        self._room = room
        self._message = message
        self._lives: dict[int, int] = {}

    async def post(self, part: int, post: Post, *, patient: bool) -> Made:
        """Post a part; return what came of it.

        Args:
            part: Which.
            post: What it shows.
            patient: The turn is over: every failure is worth another attempt.
        """

        async def attempt() -> Made:
            return await self._make(post, f"{part}-{self._lives.get(part, 0)}", replies=part == 0)

        return await (self._rest.insist(attempt) if patient else attempt())

    async def post_line(self, post: Post) -> str:
        """Post why nothing happens yet; return the message. It never becomes a part."""
        return (await self._make(post, "line", replies=True)).message

    async def _make(self, post: Post, name: str, *, replies: bool) -> Made:
        target = await self._room.find()
        made = await self._rest.post(
            target.channel,
            post.content,
            nonce=f"{self._message}-{name}",
            view=view_of(post.buttons),
            reply_to=target.reply_to if replies else None,
        )
        return Made(str(made.id), is_new=made.content.strip() == post.content.strip())

    def lost(self, part: int) -> None:
        """Know that a part was deleted: the next attempt makes another one."""
        self._lives[part] = self._lives.get(part, 0) + 1

    async def write(self, message: str, post: Post, *, within_s: float = PATIENT_S, patient: bool) -> None:
        """Replace all of a post."""

        async def attempt() -> None:
            target = await self._room.find()
            view = view_of(post.buttons)
            await self._rest.edit(target.channel, message, post.content, view=view, within_s=within_s)

        await (self._rest.insist(attempt) if patient else attempt())

    async def delete(self, message: str, *, patient: bool = True) -> None:
        """Delete a post."""

        async def attempt() -> None:
            await self._rest.delete((await self._room.find()).channel, message)

        await (self._rest.insist(attempt) if patient else attempt())

    async def withdraw(self, message: str) -> None:
        """Delete a first post, unless it shows something of an answer by now."""
        target = await self._room.find()
        now = await self._rest.message(target.channel, message)
        if is_stand_in(now.content):
            await self.delete(message)

    async def is_there(self, message: str) -> bool:
        """Whether a post is still there: Discord knows its nonce for minutes, deleted or not."""
        target = await self._room.find()
        try:
            await self._rest.message(target.channel, message)
        except DiscordRefusedError as error:
            return not error.is_gone
        return True

    async def type(self) -> None:
        """Show that somebody writes."""
        await self._rest.type_in((await self._room.find()).channel)

    async def mine(self) -> Mine:
        """Return those posts of this reply that bear its mark."""
        target = await self._room.find()
        parts: dict[int, Found] = {}
        lines: set[str] = set()
        since = self._message
        for _ in range(_MOST_PAGES):
            page = await self._rest.insist(lambda at=since: self._rest.after(target.channel, at))  # type: ignore[misc]  # binds the loop's value
            for message in page:
                for mark in marks_of(message) if str(message.author.id) == self._rest.own_id else ():
                    if mark.message == self._message and mark.action == "waiting":
                        lines.add(str(message.id))
                    elif mark.message == self._message:
                        parts[mark.part] = Found(str(message.id), done=mark.is_done, failed=mark.is_failed)
            if len(page) < PAGE:
                break
            since = str(page[-1].id)
        return Mine(parts, frozenset(lines))
