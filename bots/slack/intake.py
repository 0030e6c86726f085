"""Messages on their way in: which are for Recall, and committed before Slack hears that they arrived.

What a payload means says `inbound`, who can read a channel `channels`. What cannot be decided now is raised: the event
is not acknowledged then, and comes again.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

from bots.delivery import Delivery
from bots.platform import IncomingMessage
from bots.slack import ids
from bots.slack.channels import Channels
from bots.slack.edits import Edits, moment
from bots.slack.files import attachments_of
from bots.slack.history import message_now
from bots.slack.inbound import Deleted, Edited, Said, read_event
from bots.slack.notes import note_beside
from bots.slack.replies import Replies
from bots.slack.spoken_commands import SpokenCommands
from bots.slack.web import SlackWeb
from bots.slack.workspace import Workspace
from memory.errors import InputError, OutdatedMessageError
from memory.service import MemoryService
from memory.tasks import TaskTracker

_READ_WITHIN_S = 1.0
"""The longest wait for a rate limit on the way to an acknowledgement, which is due after 3 s."""


class Intake:
    """Takes in what is said in one workspace.

    Args:
        workspace: Which, and who Recall is there.
        web: Its Web API.
        channels: Who speaks and who reads.
        service: Knows which threads Recall is part of.
        delivery: Accepts what is to be answered.
        replies: Where that is answered.
        commands: Does what a message commands.
        edits: Takes edits and deletions.
        tasks: Keeps what is told in the background.
        follow_up: Whether to answer without a mention in threads that Recall is part of.
    """

    def __init__(
        self,
        *,
        workspace: Workspace,
        web: SlackWeb,
        channels: Channels,
        service: MemoryService,
        delivery: Delivery,
        replies: Replies,
        commands: SpokenCommands,
        edits: Edits,
        tasks: TaskTracker,
        follow_up: bool,
    ) -> None:
        self._workspace = workspace
        self._web = web
        self._channels = channels
        self._service = service
        self._delivery = delivery
        self._replies = replies
        self._commands = commands
        self._edits = edits
        self._tasks = tasks
        self._follow_up = follow_up
        self._arriving: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def take(self, event: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        """Take a message, an edit or a deletion; when this returns, what it changes is committed.

        Args:
            event: A `message` or an `app_mention`.
            body: What it came in.

        Raises:
            StoreUnavailableError: The record does not take it.
            SlackUnavailableError: Slack does not say who speaks, or who reads.
        """
        async with self._in_order(event):
            await self._take(event, body)

    def _in_order(self, event: Mapping[str, Any]) -> asyncio.Lock:
        """Return what lets the messages of a thread in one by one, as they came: the SDK starts a task for each."""
        about = event.get("message") or event.get("previous_message") or event  # of an edit, the message itself
        thread = f"{event.get('channel')}:{about.get('thread_ts') or about.get('ts')}"
        return self._arriving.setdefault(thread, asyncio.Lock())

    async def _take(self, event: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        is_shared = bool(body.get("is_ext_shared_channel"))
        match read_event(event, team=body.get("team_id") or self._workspace.team, bot=self._workspace.bot):
            case Said() as said:
                is_for_us = await self._is_for_us(said) and not await self._has_outsiders(said, event, is_shared)
                if is_for_us and not await self._commands.take(said):
                    await self._said(said, event)
            case Edited() | Deleted() as change:
                await self._edits.take(change, in_shared_channel=is_shared)

    async def _is_for_us(self, said: Said) -> bool:
        if said.is_mention or said.is_dm:
            return True
        if not self._follow_up or said.addressed_to_other or said.thread.thread_ts == said.ts:
            return False
        return await self._service.place_of(ids.session_id(said.thread)) is not None

    async def _has_outsiders(self, said: Said, event: Mapping[str, Any], is_shared: bool) -> bool:
        """Whether the message is of somebody, or in a channel, that is not of this workspace alone."""
        return is_shared or await self._channels.is_outsider(said.thread.team, said.user, event)

    async def _said(self, said: Said, event: Mapping[str, Any]) -> None:
        """Accept a message; one that was edited before it came with the words it has now, if it is still there."""
        try:
            await self._accept(said)
        except OutdatedMessageError:
            now = await message_now(self._web, said.thread, said.ts, within_s=_READ_WITHIN_S)
            read = read_event({**event, **(now or {})}, team=said.thread.team, bot=self._workspace.bot)
            if now is not None and isinstance(read, Said):
                await self._accept(read)

    async def _accept(self, said: Said) -> None:
        place = await self._channels.place(said.thread, dm_with=said.user if said.is_dm else None)
        if place is None:
            return
        message = IncomingMessage(
            place=place,
            author=await self._channels.person(said.thread.team, said.user),
            platform_message_id=said.ts,
            text=await self._channels.named(said.thread.team, said.text, said.mentions),
            sent_at=moment(said.ts),
            edited_at=moment(said.edited_ts) if said.edited_ts else None,
            link=ids.permalink(self._workspace.url, said.thread, said.ts),
            attachments=attachments_of(said, may_follow_alert=await self._may_follow_alert(said)),
        )
        try:
            await self._delivery.accept(message, self._replies.to(said))
        except InputError as error:
            if not said.is_copy:
                self._tasks.start(note_beside(self._web, said, str(error)), name="say why a message is not taken")

    async def _may_follow_alert(self, said: Said) -> bool:
        """Whether a thread that another app may have begun is new to Recall; without a mention it is not."""
        if said.is_dm or not said.is_mention or said.thread.thread_ts == said.ts:
            return False
        return await self._service.place_of(ids.session_id(said.thread)) is None
