"""Edits and deletions: what people change of a message in Slack changes in memory too, before it is acknowledged.

An edit is kept only where a new message would be: of a guest, or in a channel that is shared by now, nothing new is
stored, and the old words, which are not what was said any more, are forgotten.
"""

from datetime import UTC, datetime

from bots.conversation import redaction_notice
from bots.slack import ids
from bots.slack.channels import Channels
from bots.slack.files import file_attachments
from bots.slack.inbound import Deleted, Edited
from bots.slack.notes import note_beside
from bots.slack.web import SlackWeb
from bots.text import clean_text
from memory.forgetting import Forgetting, PlatformChange
from memory.service import MemoryService
from memory.tasks import TaskTracker

_SOMEBODY = "somebody"
"""Who deleted a message when Slack does not say, for the audit log."""


class Edits:
    """Takes edits and deletions.

    Args:
        forgetting: The memory core.
        service: Knows which messages are kept.
        channels: Who speaks and who reads.
        web: Tells people what was taken out of an edit.
        tasks: Keeps what is told in the background.
    """

    def __init__(
        self, *, forgetting: Forgetting, service: MemoryService, channels: Channels, web: SlackWeb, tasks: TaskTracker
    ) -> None:
        self._forgetting = forgetting
        self._service = service
        self._channels = channels
        self._web = web
        self._tasks = tasks

    async def take(self, change: Edited | Deleted, *, in_shared_channel: bool) -> None:
        """Carry a change out; an older one than what is known changes nothing.

        Args:
            change: What people did.
            in_shared_channel: Slack says that other workspaces read along.

        Raises:
            StoreUnavailableError: The record cannot be reached.
            SlackUnavailableError: Slack does not say who speaks, or who reads; the event has to come again.
        """
        if isinstance(change, Deleted):
            await self._forgetting.message_deleted(_change(change, change.deleted_ts, change.user or _SOMEBODY))
        elif not await self._is_known(change):
            return
        elif not await self._may_keep(change, in_shared_channel=in_shared_channel):
            await self._forgetting.message_deleted(_change(change, change.edited_ts, change.user), stands=True)
        else:
            await self._edited(change)

    async def _is_known(self, change: Edited) -> bool:
        """Whether it is of a message in the record: most edits in a channel are not, and Slack is not asked of them."""
        session_id = ids.session_id(change.thread)
        if await self._service.find_message(session_id, change.ts) is not None:
            return True
        await self._forgetting.edit_came_early(_change(change, change.edited_ts, change.user))
        return await self._service.find_message(session_id, change.ts) is not None  # it may have come meanwhile

    async def _edited(self, change: Edited) -> None:
        text = clean_text(await self._channels.named(change.thread.team, change.text, change.mentions))
        findings = await self._forgetting.message_edited(
            _change(change, change.edited_ts, change.user), text, attachments=file_attachments(change.files)
        )
        if findings:
            words = redaction_notice(findings)
            self._tasks.start(note_beside(self._web, change, words), name="tell of removed secrets")

    async def _may_keep(self, edited: Edited, *, in_shared_channel: bool) -> bool:
        """Whether new words may be stored."""
        home = {"user_team": edited.user_team} if edited.user_team else None
        if in_shared_channel or await self._channels.is_outsider(edited.thread.team, edited.user, home):
            return False
        place = await self._service.place_of(ids.session_id(edited.thread))
        is_dm = place is not None and not place.shared  # of which Slack would not say who reads it
        return is_dm or await self._channels.place(edited.thread) is not None


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
