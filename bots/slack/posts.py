"""One reply's messages in a thread: each posted once, whatever becomes of a call. Knows no reply and no model.

A post whose answer was lost is looked for before it is tried again, by its metadata. A stream has none until it is
stopped, so one that was just started is known by being ours and empty.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from bots.reply import PLACEHOLDER
from bots.slack.blocks import Block
from bots.slack.errors import SlackRefusedError, SlackUnavailableError
from bots.slack.ids import SlackThread
from bots.slack.render import Post
from bots.slack.web import SlackWeb

_log = structlog.get_logger(__name__)

Wait = Callable[[float], Awaitable[object]]
T = TypeVar("T")

EVENT_TYPE = "recall_reply"
PAUSES_S = (0.5, 2.0, 8.0)
"""Between attempts at one call, at least."""
LONGEST_PAUSE_S = 90.0
"""Slack may ask for more; then the reply is left to be shown later."""

_PAGE, _MOST_PAGES = 200, 25
_NO_THREAD = frozenset({"thread_not_found", "message_not_found"})
_STREAMING = "streaming_state_conflict"
_UNFIT = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long"})


@dataclass(frozen=True, slots=True)
class Found:
    """A post of this reply, as the thread shows it.

    Attributes:
        done: It has its final text.
        failed: That text says that there is no answer; another attempt may have one.
    """

    ts: str
    done: bool
    failed: bool = False


class ReplyPosts:
    """The posts of the reply to one message.

    Args:
        web: The Web API.
        thread: Where.
        message_id: Names the message that is answered; the same one in every process.
        asker: The user it is for.
        in_channel: False in a DM.
        wait: Waits so many seconds.
    """

    def __init__(
        self,
        web: SlackWeb,
        thread: SlackThread,
        *,
        message_id: str,
        asker: str,
        in_channel: bool,
        wait: Wait = asyncio.sleep,
    ) -> None:
        self._web = web
        self._thread = thread
        self._message_id = message_id
        self._asker = asker
        self._in_channel = in_channel
        self._wait = wait

    async def start_stream(self) -> str:
        """Start an empty message that grows; return its ts. One attempt, which waits for no rate limit."""
        recipient = {"recipient_user_id": self._asker, "recipient_team_id": self._thread.team}
        answer = await self._web.call(
            "chat.startStream",
            within_s=0,
            channel=self._thread.channel,
            thread_ts=self._thread.thread_ts,
            **(recipient if self._in_channel else {}),
        )
        return str(answer["ts"])

    async def append(self, ts: str, text: str) -> None:
        """Let a stream grow. One attempt, which waits for no rate limit."""
        await self._web.call("chat.appendStream", within_s=0, channel=self._thread.channel, ts=ts, markdown_text=text)

    async def complete(self, ts: str, rest: str, post: Post) -> None:
        """End a stream with the rest of its text and what is below it; the session is active again."""
        await self._web.call(
            "chat.stopStream",
            channel=self._thread.channel,
            ts=ts,
            markdown_text=rest or None,
            blocks=post.below or None,
            metadata=self._mark(0, done=True, failed=post.failed),
            session_status="active",
        )

    async def stop(self, ts: str, *, patient: bool = True) -> None:
        """End a stream as it is, if it is one and still open; not `patient`, in one attempt."""
        channel = self._thread.channel
        try:
            if patient:
                await self._again(lambda: self._web.call("chat.stopStream", channel=channel, ts=ts))
            else:
                await self._web.call("chat.stopStream", within_s=0, channel=channel, ts=ts)
        except SlackRefusedError as error:
            _log.debug("stream_over_already", code=error.code)

    async def show(self, ts: str, post: Post) -> None:
        """Let the first post show what there is of an answer. One attempt, which waits for no rate limit."""
        mark = self._mark(0, done=False)
        update = {"channel": self._thread.channel, "ts": ts, "metadata": mark}
        await self._web.call("chat.update", within_s=0, text=post.text, blocks=post.blocks, **update)

    async def write(self, ts: str, post: Post, *, part: int = 0) -> None:
        """Replace all of a post; in plain blocks if Slack does not take the others."""
        mark = self._mark(part, done=True, failed=post.failed)
        update = {"channel": self._thread.channel, "ts": ts, "metadata": mark}
        try:
            await self._write(update, post, post.blocks)
        except SlackRefusedError as error:
            if error.code == _STREAMING:
                await self.stop(ts)
                await self._write(update, post, post.blocks)
            elif error.code in _UNFIT:
                _log.warning("blocks_refused", code=error.code)
                await self._write(update, post, post.plain_blocks)
            else:
                raise

    async def _write(self, update: Mapping[str, Any], post: Post, blocks: list[Block]) -> None:
        # Blocks that are left out of an update stay as they were.
        await self._again(lambda: self._web.call("chat.update", text=post.text, blocks=blocks, **update))

    async def place(self, *, patient: bool) -> str:
        """Post the first message, without any of the answer; return its ts."""
        mark = self._mark(0, done=False)
        return await self._post(PLACEHOLDER, None, mark, patient=patient)

    async def post(self, part: int, post: Post) -> str:
        """Post another part."""
        mark = self._mark(part, done=True, failed=post.failed)
        try:
            return await self._post(post.text, post.blocks, mark)
        except SlackRefusedError as error:
            if error.code not in _UNFIT:
                raise
            _log.warning("blocks_refused", code=error.code)
            return await self._post(post.text, post.plain_blocks, mark)

    async def _post(
        self, text: str, blocks: list[Block] | None, mark: Mapping[str, Any], *, patient: bool = True
    ) -> str:
        part = mark["event_payload"]["part"]
        for pause_s in PAUSES_S if patient else PAUSES_S[:1]:
            try:
                answer = await self._web.call(
                    "chat.postMessage",
                    channel=self._thread.channel,
                    thread_ts=self._thread.thread_ts,
                    text=text,
                    blocks=blocks,
                    metadata=mark,
                    unfurl_links=False,
                    unfurl_media=False,
                )
                return str(answer["ts"])
            except SlackUnavailableError as error:
                lost = error
            await self._wait(_pause_s(pause_s, lost))
            if lost.sent is not False and (found := await self._found(part, lost)):
                return found.ts
        raise lost

    async def _found(self, part: int, lost: SlackUnavailableError) -> Found | None:
        """Look for a post whose answer was lost; where nobody can tell, that stays the end of it."""
        try:
            return (await self.mine()).get(part)
        except SlackRefusedError as error:
            raise lost from error

    async def mine(self) -> Mapping[int, Found]:
        """Return those posts of this reply that bear its mark, by part."""
        found = {}
        for message in await self._read():
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            if metadata.get("event_type") == EVENT_TYPE and payload.get("message_id") == self._message_id:
                found[int(payload.get("part", 0))] = Found(
                    str(message["ts"]), done=bool(payload.get("done")), failed=bool(payload.get("failed"))
                )
        return found

    async def orphan(self) -> str | None:
        """Return a stream of ours that was started and never written to.

        Only for who holds the thread's turn: another turn's would look the same.
        """
        own = (await self._again(lambda: self._web.call("auth.test")))["user_id"]
        empty = [
            str(message["ts"])
            for message in await self._read()
            if message.get("user") == own and not message.get("text") and not message.get("metadata")
        ]
        return empty[-1] if empty else None

    async def withdraw(self, ts: str) -> None:
        """Delete a first post, unless it shows something."""
        here = [message for message in await self._read() if message["ts"] == ts]
        if here and here[0].get("text", "") in {"", PLACEHOLDER} and not _is_done(here[0]):
            await self.delete(ts)

    async def delete(self, ts: str) -> None:
        """Delete a post."""
        await self._again(lambda: self._web.call("chat.delete", channel=self._thread.channel, ts=ts))

    async def _read(self) -> list[dict[str, Any]]:
        """Return the thread; nothing where there is none.

        Raises:
            SlackRefusedError: The app may not read it, which says nothing of what is there.
        """
        messages: list[dict[str, Any]] = []
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            try:
                page = await self._again(lambda at=cursor: self._replies(at))  # type: ignore[misc]  # binds the loop's cursor
            except SlackRefusedError as error:
                if error.code in _NO_THREAD:
                    break
                raise
            messages += page.get("messages", [])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return messages

    async def _replies(self, cursor: str | None) -> dict[str, Any]:
        return await self._web.call(
            "conversations.replies",
            channel=self._thread.channel,
            ts=self._thread.thread_ts,
            limit=_PAGE,
            cursor=cursor,
            include_all_metadata=True,
        )

    async def _again(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Make a call that may be repeated until Slack answers; the last failure goes on."""
        for pause_s in PAUSES_S:
            try:
                return await attempt()
            except SlackUnavailableError as error:
                _log.info("call_repeated", method=error.method)
                wait_s = _pause_s(pause_s, error)
            await self._wait(wait_s)
        return await attempt()

    def _mark(self, part: int, *, done: bool, failed: bool = False) -> dict[str, Any]:
        payload = {"message_id": self._message_id, "part": part, "done": done}
        if failed:
            payload["failed"] = True
        return {"event_type": EVENT_TYPE, "event_payload": payload}


def _pause_s(least_s: float, error: SlackUnavailableError) -> float:
    """Return how long to wait before another attempt; raises the error when Slack asks for more than can be waited."""
    asked_s = error.retry_after_s or 0.0
    if asked_s > LONGEST_PAUSE_S:
        raise error
    return max(least_s, asked_s)


def _is_done(message: Mapping[str, Any]) -> bool:
    return bool(((message.get("metadata") or {}).get("event_payload") or {}).get("done"))
