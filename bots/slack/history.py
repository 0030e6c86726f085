"""One message as Slack has it now."""

from collections.abc import Mapping
from typing import Any

from bots.slack.errors import SlackRefusedError
from bots.slack.ids import SlackThread
from bots.slack.web import SlackWeb

_GONE = frozenset({"thread_not_found", "message_not_found"})


async def message_now(web: SlackWeb, thread: SlackThread, ts: str, *, within_s: float) -> Mapping[str, Any] | None:
    """Return a message of a thread; None when it is not there any more.

    Args:
        web: The workspace's Web API.
        thread: Where it stands.
        ts: Which one.
        within_s: The longest wait for rate limits.

    Raises:
        SlackUnavailableError: No answer.
        SlackRefusedError: The app may not read it.
    """
    span = {"channel": thread.channel, "oldest": ts, "latest": ts, "inclusive": True}
    try:
        if ts == thread.thread_ts:
            answer = await web.call("conversations.history", within_s=within_s, limit=1, **span)
        else:
            answer = await web.call("conversations.replies", within_s=within_s, ts=thread.thread_ts, limit=2, **span)
    except SlackRefusedError as error:
        if error.code in _GONE:
            return None
        raise
    found = [message for message in answer.get("messages", []) if message.get("ts") == ts]
    return found[0] if found else None
