"""A reply as a person sees it in Slack: a status, a message that grows, and always the whole answer at the end, once.

The first post carries no answer text, and its ts is committed before any does. Where there is no stream, or none any
more, the same message grows and is completed by chat.update. How a call is repeated and found again is not known here.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

import structlog

from bots.platform import NotePost, Reply, ReplySink
from bots.slack import ids
from bots.slack.errors import SlackRefusedError, SlackUnavailableError
from bots.slack.ids import SlackThread
from bots.slack.posts import Found, ReplyPosts, Wait
from bots.slack.render import STREAM_BYTES, Post, StreamGuard, parts, so_far
from bots.slack.status import Status
from bots.slack.web import SlackWeb
from memory.errors import StoreConflictError, StoreUnavailableError

_log = structlog.get_logger(__name__)

PACE_S = 0.7
"""Between two calls that let the stream grow: Slack takes about 100 a minute."""
EDIT_S = 1.2
"""The same for a message that grows by edits: Slack takes about 50 a minute."""
RETRY_S = 5.0
"""Before the answer is shown growing after all, when its first post failed."""

_THINKING = "is thinking …"
# The first post cannot be changed any more: deleted, not ours, too old for the workspace's settings, or out of reach.
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "is_inactive"})
_SHOW_WITHIN_S = 110.0
"""The thread's next message waits for it no longer; what is not shown then is tried again later."""


class SlackReply(ReplySink):
    """The reply to one message in one thread.

    Args:
        web: The Web API.
        thread: Where.
        message_id: Names the message that is answered, in the marks of the posts and in the buttons: the same name in
            every process.
        asker: The user who asked.
        in_channel: False in a DM.
        fresh: Nothing can have been posted for this message before, so the thread need not be read for it.
        wait: Waits so many seconds.
        now: A clock that only goes forward, in seconds.
        show_within_s: For all calls of `finish`, in seconds.
    """

    def __init__(
        self,
        web: SlackWeb,
        thread: SlackThread,
        *,
        message_id: str,
        asker: str,
        in_channel: bool,
        fresh: bool = False,
        wait: Wait = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
        show_within_s: float = _SHOW_WITHIN_S,
    ) -> None:
        self._posts = ReplyPosts(web, thread, message_id=message_id, asker=asker, in_channel=in_channel, wait=wait)
        self._status = Status(web, thread, asker)
        self._message_id = message_id
        self._asker = ids.user_id(thread.team, asker) if asker else None
        self._now = now
        self._show_within_s = show_within_s
        self._note_post: NotePost = _not_begun
        self._ts: str | None = None
        self._is_noted = False
        self._must_look = not fresh
        self._found: Mapping[int, Found] = {}  # what an earlier attempt has posted, by part
        self._is_attempt = False  # an answer is made here, not only shown: what failed before is to be replaced
        self._is_stream = False  # the first post is a stream, or may be one
        self._is_growing = False  # the first post is an open stream and shows exactly `_sent`; else it grows by edits
        self._is_mute = False  # Slack does not want the first post; tried once more at the end
        self._guard = StreamGuard()
        self._text = ""
        self._pending = ""
        self._sent = ""
        self._next_at = 0.0

    def begin(self, post: str | None, note_post: NotePost) -> None:
        self._ts, self._is_noted, self._is_stream = post, post is not None, post is not None
        self._note_post = note_post
        self._status.is_ours = True

    async def status(self, text: str) -> None:
        await self._status.show(text)

    async def working(self) -> None:
        self._is_attempt = True
        await self._status.show(_THINKING)

    async def append(self, delta: str) -> None:
        """Show the next piece soon; trouble with Slack or the record only delays it, to `finish` at the latest.

        Raises:
            StoreConflictError: Another process answers now.
        """
        self._text += delta
        self._pending += self._guard.feed(delta)
        if self._is_mute or self._now() < self._next_at:
            return
        self._next_at = self._now() + PACE_S
        try:
            ts = await self._first_post(patient=False)
            await self._note(ts)
            await self._grow(ts)
        except StoreUnavailableError as error:
            self._next_at = self._now() + RETRY_S
            _log.warning("post_not_noted_yet", operation=error.operation)
        except SlackUnavailableError as error:
            self._next_at = self._now() + max(RETRY_S, error.retry_after_s or 0)
            _log.warning("not_shown_yet", method=error.method, reason=str(error))
        except SlackRefusedError as error:
            self._is_mute = True
            _log.warning("not_shown_yet", method=error.method, reason=str(error))
        await self._status.process()

    async def finish(self, reply: Reply) -> None:
        """Show the whole reply.

        Raises:
            SlackUnavailableError: It is not, or not wholly, shown; another sink may try again later.
            SlackRefusedError: Slack does not take it.
        """
        posts = parts(reply, message_id=self._message_id, asker=self._asker, partial=self._text)
        try:
            async with asyncio.timeout(self._show_within_s):
                if not await self._completed(posts):
                    await self._rewrite(posts)
        except TimeoutError as error:
            detail = f"not shown in {self._show_within_s:g} s"
            raise SlackUnavailableError("chat.update", detail, sent=None) from error
        finally:
            await self._status.end()

    async def abandon(self) -> None:
        """Take back what shows that somebody is at work: the status, an open stream, an empty first post."""
        try:
            if self._ts is not None:
                if self._is_stream:
                    await self._posts.stop(self._ts)
                if not self._sent:
                    await self._posts.withdraw(self._ts)
        finally:
            await self._status.end()

    async def retract(self) -> None:
        try:
            if self._ts is not None and self._is_stream:
                await self._posts.stop(self._ts)
            for ts in {*([self._ts] if self._ts is not None else []), *(found.ts for found in self._found.values())}:
                await self._posts.delete(ts)
        finally:
            await self._status.end()

    async def _first_post(self, *, patient: bool) -> str:
        """Have a first post and return its ts.

        Args:
            patient: The turn is over: it is for no stream, and every failure is worth another attempt.
        """
        if self._must_look and (self._ts is None or patient):
            await self._look(orphans=not patient)
        if self._ts is None and not patient:
            await self._start_stream()
        if self._ts is None:
            self._ts = await self._posts.place(patient=patient)
            self._status.is_shown = False
        return self._ts

    async def _note(self, ts: str) -> None:
        if not self._is_noted:
            await self._note_post(ts)
            self._is_noted = True

    async def _look(self, *, orphans: bool) -> None:
        """Find in the thread what an earlier attempt has posted; with a known first post, that is worth a failure."""
        self._must_look = True
        try:
            mine = await self._posts.mine()
            orphan = await self._posts.orphan() if orphans and self._ts is None and 0 not in mine else None
        except (SlackUnavailableError, SlackRefusedError) as error:
            if self._ts is None:
                raise
            _log.info("thread_not_read", reason=str(error))
            return
        self._must_look = False
        self._found = mine
        if 0 in mine and (self._ts is None or mine[0].done):
            self._ts = mine[0].ts
        elif orphan is not None:
            self._ts = orphan
            self._is_stream = self._is_growing = True

    async def _start_stream(self) -> None:
        """Start a stream, or leave it to a plain post."""
        try:
            self._ts = await self._posts.start_stream()
            self._is_stream = self._is_growing = True
            self._status.is_shown = False
        except SlackRefusedError as error:
            _log.info("no_stream", code=error.code)
        except SlackUnavailableError as error:
            _log.info("no_stream", reason=str(error))
            if error.sent is not False:
                await self._look(orphans=True)

    async def _grow(self, ts: str) -> None:
        """Show what waits, as far as one post can hold it."""
        if self._pending and self._is_growing:
            await self._append(ts, self._pending)
        elif self._pending:
            await self._edit(ts, self._sent + self._pending)

    async def _append(self, ts: str, piece: str) -> None:
        if len((self._sent + piece).encode()) > STREAM_BYTES:
            return
        try:
            await self._posts.append(ts, piece)
        except SlackRefusedError as error:
            self._is_growing = False
            _log.info("stream_ended_early", code=error.code)
        except SlackUnavailableError as error:
            self._is_growing = error.sent is False  # else nobody knows what it shows
            raise
        else:
            self._sent += piece
            self._pending = ""

    async def _edit(self, ts: str, text: str) -> None:
        post = so_far(text)
        if post is None:
            return
        self._next_at = self._now() + EDIT_S
        if self._is_stream:
            await self._posts.stop(ts, patient=False)
            self._is_stream = False
        await self._posts.show(ts, post)
        self._sent, self._pending = text, ""

    async def _completed(self, posts: Sequence[Post]) -> bool:
        """End the stream with what it does not show yet; False when that cannot be done, or not for certain."""
        whole = posts[0].markdown
        fits = len(posts) == 1 and whole.startswith(self._sent) and len(whole.encode()) <= STREAM_BYTES
        if self._ts is None or not (self._is_growing and self._is_noted and fits):
            return False
        try:
            await self._posts.complete(self._ts, whole[len(self._sent) :], posts[0])
        except (SlackRefusedError, SlackUnavailableError) as error:
            _log.info("stream_not_completed", reason=str(error))
            return False
        self._status.is_ours = False
        return True

    async def _rewrite(self, posts: Sequence[Post]) -> None:
        """Put the first part in place of whatever the first post shows, and post the others."""
        ts = await self._first_post_at_last()
        if not self._is_done(0, posts[0]):
            try:
                await self._replace(ts, posts[0])
            except SlackRefusedError as error:
                if error.code not in _GONE:
                    raise
                self._ts, self._is_noted, self._is_stream = None, False, False
                await self._replace(await self._first_post_at_last(), posts[0])
        await self._post_the_rest(posts)

    async def _post_the_rest(self, posts: Sequence[Post]) -> None:
        """Post the parts after the first, in place of those of a failed attempt."""
        if len(posts) > 1 and self._must_look:
            raise SlackUnavailableError("conversations.replies", "what is posted already is not known", sent=False)
        for part, post in enumerate(posts):
            if part and part not in self._found:
                await self._posts.post(part, post)
            elif part and not self._is_done(part, post):
                await self._posts.write(self._found[part].ts, post, part=part)
        for part, found in self._found.items():
            if part >= len(posts) and found.failed:
                await self._posts.delete(found.ts)

    def _is_done(self, part: int, post: Post) -> bool:
        """Whether a part was shown before as it is to stay; the failure of an earlier attempt is not."""
        found = self._found.get(part)
        if found is None or not found.done:
            return False
        return not found.failed or (post.failed and not self._is_attempt)

    async def _replace(self, ts: str, post: Post) -> None:
        if self._is_stream:
            await self._posts.stop(ts)
        await self._posts.write(ts, post)

    async def _first_post_at_last(self) -> str:
        """Have a first post for a turn that is over: its answer is ours to show, whatever became of its lease."""
        ts = await self._first_post(patient=True)
        try:
            await self._note(ts)
        except (StoreConflictError, StoreUnavailableError) as error:
            _log.info("post_not_noted", operation=error.operation)
        return ts


async def _not_begun(_post: str) -> None:
    raise AssertionError("a reply is shown before its turn has begun")
