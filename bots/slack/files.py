"""What comes with a message of Slack: files, what was forwarded, and the alert that began a thread.

A message is accepted with their names and where they are; whoever answers it reads them then. It is context: words of
its sender are only what they wrote themselves.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from bots.file_kinds import may_be_text
from bots.platform import FileReader, PlatformError
from bots.slack.errors import SlackUnavailableError
from bots.slack.history import message_now
from bots.slack.ids import SlackThread
from bots.slack.inbound import BotIdentity, Said, SharedFile, not_from_a_person
from bots.slack.mrkdwn import context_text
from bots.slack.web import Fetched, SlackWeb
from bots.text import clean_text, file_text
from memory.attached import MAX_FILE_BYTES
from memory.model import Attachment, ReadFile

_log = structlog.get_logger(__name__)

FORWARDED = "forwarded message"
ALERT = "alert"
EMPTY = "(an empty file)"

_ATTEMPTS = 2  # reading changes nothing, so a lost answer is asked for again at once
_RATE_LIMIT_WAIT_S = 5.0
_HTML = "text/html"
_SIGN_IN = (b"sign in", b"signin", b"sign-in")
_SIGN_IN_BYTES = 50_000
_HOMES = ("team", "user_team", "source_team")


def attachments_of(said: Said, *, may_follow_alert: bool) -> tuple[Attachment, ...]:
    """Return what came with a message, files not read yet.

    Args:
        said: The message.
        may_follow_alert: It is the first one for Recall in a thread that somebody else began.
    """
    found = list(file_attachments(said.files))
    if said.attached:
        found.append(Attachment(name=FORWARDED, text=said.attached))
    if may_follow_alert:
        found.append(Attachment(name=ALERT, ref=_root_ref(said.thread)))
    return tuple(found)


def file_attachments(files: tuple[SharedFile, ...]) -> tuple[Attachment, ...]:
    """Return files of a message as what is to be read later; a binary one has nothing to read."""
    return tuple(Attachment(name=file.name or "file", ref=_file_ref(file)) for file in files)


def _file_ref(file: SharedFile) -> str:
    is_text = file.url and may_be_text(file.name, file.mimetype, kind=file.filetype)
    kind = ("html" if file.mimetype == _HTML else "text") if is_text else "binary"
    return f"file:{file.file_id}:{kind}:{file.url}"


def _root_ref(thread: SlackThread) -> str:
    return f"message:{thread.team}:{thread.channel}:{thread.thread_ts}"


class SlackFiles(FileReader):
    """Reads files with the bot's token, and the first posts of threads.

    Args:
        web: The workspace's Web API.

    Attributes:
        bot: Who Recall is there; no post is read while that is not known.
    """

    def __init__(self, web: SlackWeb) -> None:
        self._web = web
        self.bot: BotIdentity | None = None

    async def read(self, ref: str) -> ReadFile | None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._read(ref)
            except SlackUnavailableError as error:
                _log.warning("attachment_not_read", reason=str(error), attempt=attempt)
            except PlatformError as error:
                _log.warning("attachment_refused", reason=str(error))
                return None
        return None

    async def _read(self, ref: str) -> ReadFile | None:
        match ref.split(":", 3):
            case ["file", _, "text" | "html" as kind, url]:
                return await self._file(url, is_html=kind == "html")
            case ["message", team, channel, ts]:
                return await self._first_post(team, channel, ts)
        return None

    async def _file(self, url: str, *, is_html: bool) -> ReadFile | None:
        fetched = await self._web.fetch(url, max_bytes=MAX_FILE_BYTES)
        if _is_sign_in(fetched, is_html=is_html):
            _log.warning("attachment_needs_scope", scope="files:read")
            return None
        text = await asyncio.to_thread(file_text, fetched.data, is_whole=fetched.is_whole)
        return None if text is None else ReadFile(text=text or EMPTY, is_whole=fetched.is_whole)

    async def _first_post(self, team: str, channel: str, ts: str) -> ReadFile:
        """Return what a bot's post says; nothing of a post of a person, of another workspace, or of Recall itself."""
        post = await message_now(self._web, SlackThread(team, channel, ts), ts, within_s=_RATE_LIMIT_WAIT_S)
        if post is None or not await self._is_bots(post, team):
            return ReadFile(text="")
        return ReadFile(text=clean_text(context_text(post)))

    async def _is_bots(self, post: Mapping[str, Any], team: str) -> bool:
        """Whether a post is of another app of this workspace; one may post as a person, whose words these are then."""
        if self.bot is None or not_from_a_person(post, self.bot) != "bot":
            return False
        profile = post.get("bot_profile")
        homes = [post.get(key) for key in _HOMES]
        homes.append(profile.get("team_id") if isinstance(profile, Mapping) else None)
        if any(home not in {None, team} for home in homes):
            return False
        user = post.get("user")
        if user is None:
            return True
        answer = await self._web.call("users.info", within_s=_RATE_LIMIT_WAIT_S, user=user)
        described = answer.get("user")
        return isinstance(described, Mapping) and described.get("is_bot") is True and not described.get("is_stranger")


def _is_sign_in(fetched: Fetched, *, is_html: bool) -> bool:
    """Whether Slack asks to sign in instead of giving the file, as it does to a token without the scope."""
    if fetched.content_type != _HTML:
        return False
    page = fetched.data[:_SIGN_IN_BYTES].lower()
    return not is_html or (b"slack" in page and any(words in page for words in _SIGN_IN))
