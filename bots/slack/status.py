"""What Slack shows in a thread while somebody is at work on an answer: a line below it, and a Stop button."""

import structlog

from bots.platform import PlatformError
from bots.slack.ids import SlackThread
from bots.slack.web import SlackWeb

_log = structlog.get_logger(__name__)

_PATIENCE_S = 5.0


class Status:
    """The status of one reply. It never holds up an answer, so failures are only logged.

    Attributes:
        is_ours: The session is this reply's to change; it may be "processing" since an earlier process.
        is_shown: The line below the thread is there; a new post takes it away.
    """

    def __init__(self, web: SlackWeb, thread: SlackThread, asker: str) -> None:
        self._web = web
        self._thread = thread
        self._asker = asker
        self.is_ours = False
        self.is_shown = False
        self._is_processing = False

    async def show(self, text: str) -> None:
        """Show a line, and once the turn has begun a Stop button."""
        await self.process()
        await self._try("assistant.threads.setStatus", status=text)
        self.is_shown = True

    async def process(self) -> None:
        """Show the Stop button."""
        if self.is_ours and not self._is_processing:
            self._is_processing = True
            await self._try("agents.sessions.setStatus", status="processing", initiator_user_id=self._asker or None)

    async def end(self) -> None:
        """Take all of it away."""
        if self.is_ours:
            await self._try("agents.sessions.setStatus", status="active")
        if self.is_shown:
            await self._try("assistant.threads.setStatus", status="")
        self.is_ours = self.is_shown = False

    async def _try(self, method: str, **arguments: str | None) -> None:
        place = {"channel_id": self._thread.channel, "thread_ts": self._thread.thread_ts}
        try:
            await self._web.call(method, within_s=_PATIENCE_S, **place, **arguments)
        except PlatformError as error:
            _log.info("status_not_set", method=method, reason=str(error))


async def end_session(web: SlackWeb, thread: SlackThread) -> None:
    """Show that nobody is at work in a thread, whoever was: a process that died takes nothing away."""
    status = Status(web, thread, asker="")
    status.is_ours = status.is_shown = True
    await status.end()
