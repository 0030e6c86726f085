"""Edits and deletions: what people change of a message in Slack changes in memory too, before it is acknowledged."""

from datetime import UTC, datetime

from bots.conversation import redaction_notice
from bots.slack import ids
from bots.slack.inbound import Deleted, Edited
from bots.slack.web import SlackWeb
from bots.text import clean_text
from memory.forgetting import Forgetting, PlatformChange
from memory.tasks import TaskTracker

_SOMEBODY = "somebody"
"""Who deleted a message when Slack does not say, for the audit log."""


class Edits:
    """Takes edits and deletions.

    Args:
        forgetting: The memory core.
        web: Tells people what was taken out of an edit.
        tasks: Keeps what is told in the background.
    """

    def __init__(self, forgetting: Forgetting, web: SlackWeb, tasks: TaskTracker) -> None:
        self._forgetting = forgetting
        self._web = web
        self._tasks = tasks

    async def take(self, change: Edited | Deleted) -> None:
        """Carry a change out; an older one than what is known changes nothing.

        Raises:
            StoreUnavailableError: The record cannot be reached.
        """
        if isinstance(change, Deleted):
            await self._forgetting.message_deleted(_change(change, change.deleted_ts, change.user or _SOMEBODY))
            return
        text = clean_text(change.text)
        findings = await self._forgetting.message_edited(_change(change, change.edited_ts, change.user), text)
        if findings:
            self._tasks.start(self._tell(change, redaction_notice(findings)), name="tell of removed secrets")

    async def _tell(self, edited: Edited, words: str) -> None:
        await self._web.call(
            "chat.postEphemeral",
            channel=edited.channel,
            user=edited.user,
            thread_ts=edited.thread.thread_ts,
            text=words,
        )


def _change(change: Edited | Deleted, at: str, by: str) -> PlatformChange:
    thread = change.thread
    return PlatformChange(
        session_id=ids.session_id(thread),
        channel_id=ids.channel_id(thread.team, thread.channel),
        platform_message_id=change.ts,
        sent_at=moment(change.ts),
        at=moment(at),
        actor=ids.user_id(thread.team, by),
    )


def moment(ts: str) -> datetime:
    """Return the time that a time stamp of Slack says, UTC."""
    return datetime.fromtimestamp(float(ts), tz=UTC)
