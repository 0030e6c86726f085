"""A reply as a person sees it in Discord: a message that grows, others below it, and always the whole answer, once.

The first post carries no answer text, and its id is committed before any does. How a call is repeated and found again
is not known here.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from bots.discord.errors import DiscordRefusedError, DiscordUnavailableError
from bots.discord.posts import ReplyPosts
from bots.discord.render import Answered, Post, parts, so_far, thinking, waiting
from bots.discord.typing_sign import TypingSign
from bots.platform import NotePost, Reply, ReplySink
from memory.errors import StoreConflictError, StoreUnavailableError

_log = structlog.get_logger(__name__)

PACE_S = 1.2
"""Between two edits of a message that grows: Discord takes about five in five seconds, for a whole channel."""
GROW_WITHIN_S = 5.0
"""For one of them; what is not shown then is shown by the next one."""
RETRY_S = 5.0
"""Before the answer is shown growing after all, when that failed."""
_SHOW_WITHIN_S = 110.0
"""The thread's next message waits for it no longer; what is not shown then is tried again later."""
_CLEAR_WITHIN_S = 30.0
"""After it, for taking back what said why nothing happened yet."""


@dataclass(slots=True)
class _Shown:
    """A part of the reply, as far as it is known: its message, what that shows, and what an earlier attempt left."""

    message: str
    post: Post | None = None
    done: bool = False
    failed: bool = False


class DiscordReply(ReplySink):
    """The reply to one message.

    Args:
        posts: Its messages.
        answered: What it answers.
        fresh: Nothing can have been posted for this message before, so no history need be read for it.
        now: A clock that only goes forward, in seconds.
        show_within_s: For all calls of `finish` that show the answer, in seconds.
        clear_within_s: For taking back after it what said why nothing happened yet, in seconds.
    """

    def __init__(
        self,
        posts: ReplyPosts,
        answered: Answered,
        *,
        fresh: bool = False,
        now: Callable[[], float] = time.monotonic,
        show_within_s: float = _SHOW_WITHIN_S,
        clear_within_s: float = _CLEAR_WITHIN_S,
    ) -> None:
        self._posts = posts
        self._answered = answered
        self._typing = TypingSign(posts.type)
        self._now = now
        self._show_within_s = show_within_s
        self._clear_within_s = clear_within_s
        self._note_post: NotePost = _not_begun
        self._is_noted = False
        self._is_fresh = fresh
        self._must_look = not fresh
        self._is_attempt = False  # an answer is made here, not only shown: what failed before is to be replaced
        self._line: str | None = None  # what says why nothing happens yet
        self._left: set[str] = set()  # what is to be deleted, and may be already
        self._is_mute = False  # Discord does not want the first post; tried once more at the end
        self._shown: dict[int, _Shown] = {}
        self._text = ""
        self._next_at = 0.0

    def begin(self, post: str | None, note_post: NotePost) -> None:
        if post is not None:
            self._shown[0] = _Shown(post)
        self._is_noted = post is not None
        self._note_post = note_post

    async def status(self, text: str) -> None:
        """Say why nothing happens yet, in a post that no answer is made of: others' answers may come below it."""
        await self._typing.begin()
        post = waiting(text, self._answered)
        try:
            if self._line is None:
                self._line = await self._posts.post_line(post)
            else:
                await self._posts.write(self._line, post, within_s=GROW_WITHIN_S, patient=False)
        except (DiscordUnavailableError, DiscordRefusedError) as error:
            _log.info("not_shown_yet", reason=str(error))

    async def working(self) -> None:
        self._is_attempt = True
        await self._typing.begin()
        await self._clear_away(within_s=GROW_WITHIN_S, patient=False)
        await self._stand(thinking(self._answered))

    async def append(self, delta: str) -> None:
        """Show the next piece soon; trouble with Discord or the record only delays it, to `finish` at the latest.

        Raises:
            StoreConflictError: Another process answers now.
        """
        self._text += delta
        if self._is_mute or self._now() < self._next_at:
            return
        self._next_at = self._now() + PACE_S
        try:
            await self._grow(so_far(self._text, self._answered))
        except StoreUnavailableError as error:
            self._next_at = self._now() + RETRY_S
            _log.warning("post_not_noted_yet", operation=error.operation)
        except DiscordUnavailableError as error:
            self._next_at = self._now() + max(RETRY_S, error.retry_after_s or 0)
            _log.info("not_shown_yet", reason=str(error))
        except DiscordRefusedError as error:
            self._is_mute = True
            _log.warning("not_shown_yet", reason=str(error))

    async def finish(self, reply: Reply) -> None:
        """Show the whole reply.

        Raises:
            DiscordUnavailableError: It is not, or not wholly, shown; another sink may try again later.
            DiscordRefusedError: Discord does not take it.
        """
        posts = parts(reply, self._answered, partial=self._text)
        try:
            async with asyncio.timeout(self._show_within_s):
                await self._show(posts)
        except TimeoutError as error:
            raise DiscordUnavailableError("show", f"within {self._show_within_s:g} s") from error
        finally:
            await self._typing.end()
            await self._clear_away(within_s=self._clear_within_s, patient=True)

    async def abandon(self) -> None:
        """Take back what shows that somebody is at work: a first post without a word of the answer."""
        await self._typing.end()
        first = self._shown.get(0)
        if first is not None and not self._text:
            await self._posts.withdraw(first.message)
        await self._clear_away(within_s=self._clear_within_s, patient=True)

    async def retract(self) -> None:
        await self._typing.end()
        if self._must_look:
            await self._look()
        for shown in self._shown.values():
            try:
                await self._posts.delete(shown.message)
            except DiscordRefusedError as error:
                if not error.is_gone:
                    raise
        await self._clear_away(within_s=self._clear_within_s, patient=True)

    async def _clear_away(self, *, within_s: float, patient: bool) -> None:
        """Delete what said why nothing happens yet; an answer does not depend on it."""
        if self._line is not None:
            self._left.add(self._line)
            self._line = None
        try:
            async with asyncio.timeout(within_s):
                for message in tuple(self._left):
                    await self._delete_left(message, patient=patient)
        except (TimeoutError, DiscordUnavailableError) as error:
            _log.info("not_taken_back", reason=str(error))

    async def _delete_left(self, message: str, *, patient: bool) -> None:
        try:
            await self._posts.delete(message, patient=patient)
        except DiscordRefusedError as error:
            if not error.is_gone:
                _log.warning("not_taken_back", reason=str(error))
        self._left.discard(message)

    async def _stand(self, post: Post) -> None:
        """Have a first post without a word of the answer; an answer does not depend on it."""
        try:
            first = await self._first(post, patient=False)
            if first.post != post and not self._text and (first.failed or not first.done):
                await self._write(0, post, patient=False)
        except (DiscordUnavailableError, DiscordRefusedError) as error:
            _log.info("not_shown_yet", reason=str(error))

    async def _first(self, stand_in: Post, *, patient: bool) -> _Shown:
        """Have a first post."""
        if self._must_look and (0 not in self._shown or patient):
            await self._look()
        if 0 not in self._shown:
            await self._post(0, stand_in, patient=patient)
        return self._shown[0]

    async def _look(self) -> None:
        """Find what an earlier attempt has posted; with a known first post, that is worth a failure."""
        try:
            mine = await self._posts.mine()
        except (DiscordUnavailableError, DiscordRefusedError) as error:
            if 0 not in self._shown:
                raise
            _log.info("history_not_read", reason=str(error))
            return
        self._must_look = False
        self._left |= mine.lines
        for part, found in mine.parts.items():
            known = self._shown.get(part)
            if known is None or known.message == found.message or found.done:
                self._shown[part] = _Shown(found.message, done=found.done, failed=found.failed)

    async def _note(self) -> None:
        if not self._is_noted and 0 in self._shown:
            await self._note_post(self._shown[0].message)
            self._is_noted = True

    async def _grow(self, posts: Sequence[Post]) -> None:
        """Show an answer as far as it has come."""
        if not posts:
            return
        await self._typing.end()
        await self._first(thinking(self._answered), patient=False)
        await self._note()
        for part, post in enumerate(posts):
            if part not in self._shown:
                await self._post(part, post, patient=False)
            elif self._shown[part].post != post:
                await self._regrow(part, post)

    async def _regrow(self, part: int, post: Post) -> None:
        """Show more of a part; one that somebody deleted is posted anew by the next piece."""
        try:
            await self._write(part, post, patient=False)
        except DiscordRefusedError as error:
            if not error.is_gone:
                raise
            self._lose(part)

    async def _show(self, posts: Sequence[Post]) -> None:
        """Let every part show what it is to show in the end, and delete what an earlier attempt left beyond them."""
        await self._first(thinking(self._answered), patient=True)
        await self._note_at_last()
        if len(posts) > 1 and self._must_look:
            raise DiscordUnavailableError("history", "what is posted already is not known", sent=False)
        for part, post in enumerate(posts):
            if part not in self._shown:
                await self._post(part, post, patient=True)
            if not self._is_done(part, post):  # also when Discord returned an earlier post of the same nonce
                await self._rewrite(part, post)
        for part in sorted(set(self._shown) - set(range(len(posts)))):
            left = self._shown.pop(part)
            if left.failed or not left.done:
                await self._posts.delete(left.message)

    async def _rewrite(self, part: int, post: Post) -> None:
        """Replace all of a part; one that somebody deleted, or that cannot be changed any more, is posted anew."""
        left = self._shown[part].message
        try:
            await self._write(part, post, patient=True)
        except DiscordRefusedError as error:
            if not (error.is_gone or error.is_frozen):
                raise
            self._lose(part)
            await self._anew(part, post)
            if error.is_frozen:
                await self._posts.delete(left)

    async def _anew(self, part: int, post: Post) -> None:
        if part:
            await self._post(part, post, patient=True)
            return
        await self._post(0, thinking(self._answered), patient=True)
        await self._note_at_last()
        await self._write(0, post, patient=True)

    def _lose(self, part: int) -> None:
        """Know that a part is not there any more, or not to be changed."""
        del self._shown[part]
        self._posts.lost(part)
        if part == 0:
            self._is_noted = False

    def _is_done(self, part: int, post: Post) -> bool:
        """Whether a part shows already what it is to show; the failure of an earlier attempt is not it."""
        shown = self._shown[part]
        if shown.post is not None:
            return shown.post == post
        return shown.done and (not shown.failed or (post.failed and not self._is_attempt))

    async def _note_at_last(self) -> None:
        """Note the first post of a turn that is over: its answer is ours to show, whatever became of its lease."""
        try:
            await self._note()
        except (StoreConflictError, StoreUnavailableError) as error:
            _log.info("post_not_noted", operation=error.operation)

    async def _post(self, part: int, post: Post, *, patient: bool) -> None:
        made = await self._posts.post(part, post, patient=patient)
        if not self._is_fresh and not await self._posts.is_there(made.message):  # an earlier attempt's, deleted since
            self._posts.lost(part)
            made = await self._posts.post(part, post, patient=patient)
        self._shown[part] = _Shown(made.message, post=post if made.is_new else None)

    async def _write(self, part: int, post: Post, *, patient: bool) -> None:
        shown = self._shown[part]
        if patient:
            await self._posts.write(shown.message, post, patient=True)
        else:
            await self._posts.write(shown.message, post, within_s=GROW_WITHIN_S, patient=False)
        shown.post, shown.done, shown.failed = post, False, False


async def _not_begun(_post: str) -> None:
    raise AssertionError("a reply is shown before its turn has begun")
