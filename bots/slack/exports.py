"""Sends a person all that is kept of them, in their direct messages: as a file, or as messages where files may not be.

Knows nothing of what it sends.
"""

import structlog

from bots.platform import Reply
from bots.slack.errors import SlackRefusedError
from bots.slack.render import parts
from bots.slack.web import TIMEOUT_S, SlackWeb
from memory.errors import InputError

_log = structlog.get_logger(__name__)

FILE_NAME = "memories.json"
INTRODUCTION = "All that I keep of you:"
TOO_MUCH = (
    "There is more of it than fits into messages, and I may not send files here; whoever runs me can give me the scope "
    "files:write."
)

_MOST_POSTS = 10
_SLOWEST_BYTES_PER_S = 50_000


class Exports:
    """Direct messages of one workspace.

    Args:
        web: The workspace's Web API.
    """

    def __init__(self, web: SlackWeb) -> None:
        self._web = web

    async def send(self, user: str, text: str) -> None:
        """Send a person some JSON.

        Raises:
            InputError: It is too much for where files may not be sent.
            SlackUnavailableError: Slack gave no answer.
            SlackRefusedError: Slack said no.
        """
        text = text.replace("`", "\\u0060")  # the same JSON, which ends no code block
        channel = (await self._web.call("conversations.open", users=user))["channel"]["id"]
        try:
            await self._upload(channel, text.encode())
        except SlackRefusedError as error:
            if error.code != "missing_scope":
                raise
            _log.warning("file_not_sent", code=error.code)
            await self._post(channel, text)

    async def _upload(self, channel: str, data: bytes) -> None:
        place = await self._web.call("files.getUploadURLExternal", filename=FILE_NAME, length=len(data))
        url, within_s = place["upload_url"], TIMEOUT_S + len(data) / _SLOWEST_BYTES_PER_S
        await self._web.insist(lambda: self._web.post(url, data, name="files.upload", timeout_s=within_s))
        files = [{"id": place["file_id"], "title": FILE_NAME}]
        await self._web.call(
            "files.completeUploadExternal", files=files, channel_id=channel, initial_comment=INTRODUCTION
        )

    async def _post(self, channel: str, text: str) -> None:
        posts = parts(Reply(text=f"{INTRODUCTION}\n```json\n{text}\n```"))
        if len(posts) > _MOST_POSTS:
            raise InputError(TOO_MUCH)
        for post in posts:
            await self._web.call("chat.postMessage", channel=channel, text=post.text, blocks=post.blocks)
