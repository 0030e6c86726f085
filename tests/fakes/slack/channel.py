"""A conversation: its messages, its members, and the events that each change of it sends.

Knows no HTTP and not what a person may do.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal

from tests.fakes.slack.deliveries import Delivery
from tests.fakes.slack.events import changed_event, deleted_event, mention_event, message_event
from tests.fakes.slack.model import ApiError, ChannelKind, Message, User
from tests.fakes.slack.wire import message_json
from tests.fakes.slack.world import TeamState, World

Json = dict[str, Any]
First = Literal["message", "app_mention"]

_TYPES = {"public": "channel", "private": "group", "im": "im", "mpim": "mpim"}
_MESSAGE_EVENTS = {
    "public": "message.channels",
    "private": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}


class Channel:
    """A channel, private channel, group DM or DM.

    Attributes:
        shared_with: The other workspaces of a Slack Connect channel.
        pending_shared: Somebody was invited and has not accepted.
    """

    def __init__(
        self, world: World, team: TeamState, *, channel_id: str, name: str, kind: ChannelKind, members: Iterable[User]
    ) -> None:
        self.world = world
        self.team = team
        self.channel_id = channel_id
        self.name = name
        self.kind: ChannelKind = kind
        self.members: dict[str, User] = {member.user_id: member for member in members}
        self.archived = False
        self.deleted = False
        self.shared_with: set[str] = set()
        self.pending_shared = False
        self.messages: dict[str, Message] = {}
        self.ephemerals: list[Message] = []
        self._threads: dict[str, list[Message]] = {}

    @property
    def channel_type(self) -> str:
        """What message events call it."""
        return _TYPES[self.kind]

    @property
    def command_name(self) -> str:
        """What slash commands and interactions call it."""
        return {"im": "directmessage", "private": "privategroup"}.get(self.kind, self.name)

    @property
    def has_bot(self) -> bool:
        """Whether the app is a member."""
        return self.team.bot.user_id in self.members

    def to_json(self) -> Json:
        """Return what `conversations.info` says."""
        result: Json = {
            "id": self.channel_id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": self.kind == "public",
            "is_group": self.kind == "private",
            "is_im": self.kind == "im",
            "is_mpim": self.kind == "mpim",
            "is_private": self.kind != "public",
            "is_archived": self.archived,
            "is_general": self.name == "general",
            "is_shared": bool(self.shared_with),
            "is_ext_shared": bool(self.shared_with),
            "is_org_shared": False,
            "is_pending_ext_shared": self.pending_shared,
            "pending_shared": ["T0PENDING"] if self.pending_shared else [],
            "is_member": self.has_bot,
            "created": 1_700_000_000,
            "context_team_id": self.team.team_id,
            "shared_team_ids": sorted({self.team.team_id, *self.shared_with}),
            "topic": {"value": "", "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
        }
        if self.kind == "im":
            del result["name"], result["name_normalized"]
            others = [member for member in self.members if member != self.team.bot.user_id]
            result |= {"user": others[0] if others else self.team.bot.user_id, "is_open": True}
        return result

    def add(self, message: Message) -> None:
        """Put a message where it belongs; only its reader sees an ephemeral one."""
        if message.ephemeral_to is not None:
            self.ephemerals.append(message)
        else:
            self.messages[message.ts] = message
            self._threads.setdefault(message.root_ts, []).append(message)
        self.world.watch_mentions(self.team, message)
        self.world.changes.mark()

    def find(self, ts: str) -> Message:
        """Return a message.

        Raises:
            ApiError: There is none that everyone sees, or no more.
        """
        message = self.messages.get(ts)
        if message is None or message.deleted:
            raise ApiError("message_not_found")
        return message

    def in_thread(self, root_ts: str) -> list[Message]:
        """Return what everyone sees of a thread, oldest first."""
        return [message for message in self._threads.get(root_ts, []) if not message.deleted]

    def history(self) -> list[Message]:
        """Return what everyone sees in the channel itself, oldest first."""
        return [each for each in self.messages.values() if not each.deleted and (not each.in_thread or each.broadcast)]

    def ephemerals_of(self, user: User) -> list[Message]:
        """Return what only one person sees, in all threads."""
        return [each for each in self.ephemerals if each.ephemeral_to == user.user_id and not each.deleted]

    async def emit(self, event: Json, name: str | None = None) -> Delivery | None:
        """Send an event of this channel, if the app is a member."""
        if not self.has_bot:
            return None
        return await self.world.emit(self.team, event, name=name, ext_shared=bool(self.shared_with))

    async def emit_message(self, event: Json) -> Delivery | None:
        """Send a message event, of the kind that belongs to this channel."""
        return await self.emit(event, _MESSAGE_EVENTS[self.kind])

    async def post(self, message: Message, *, first: First = "message", extra: Json | None = None) -> None:
        """Add a message and send its events: those of a mention come as two, `first` first."""
        self.add(message)
        if message.ephemeral_to is not None:
            return
        home, root = self.team.team_id, self.messages.get(message.root_ts)
        event = message_event(message, channel_type=self.channel_type, home_team_id=home, root=root) | (extra or {})
        mentions = f"<@{self.team.bot.user_id}" in message.text and message.author is not self.team.bot
        if mentions and self.kind != "im" and first == "app_mention":
            await self.emit(mention_event(message, home_team_id=home))
        await self.emit_message(event)
        if message.broadcast:
            shown = {"subtype": "thread_broadcast", "root": message_json(root) if root else {}}
            await self.emit_message(event | shown)
        if mentions and self.kind != "im" and first == "message":
            await self.emit(mention_event(message, home_team_id=home))

    async def change(self, message: Message, change: Callable[[Message], None], *, by: User | None) -> None:
        """Change a message and send the event; `by` is who edited it, None if that is no edit."""
        before = message_json(message)
        if by is not None:
            message.versions.append(message.shown)
        change(message)
        ts = self.world.counter.ts()
        if by is not None:
            message.edited_ts, message.edited_by = ts, by.user_id
        self.world.watch_mentions(self.team, message)
        self.world.changes.mark()
        await self.emit_message(changed_event(message, before, channel_type=self.channel_type, ts=ts))

    async def remove(self, message: Message) -> None:
        """Delete a message; the parent of a thread leaves a tombstone, which is an edit, not a deletion."""
        replies = [each for each in self.in_thread(message.ts) if each is not message]
        if replies and not message.in_thread:
            await self.change(message, _bury, by=None)
            return
        message.deleted = True
        self.world.changes.mark()
        await self.emit_message(deleted_event(message, channel_type=self.channel_type, ts=self.world.counter.ts()))

    async def system_message(self, user: User, subtype: str, text: str, extra: Json | None = None) -> None:
        """Post what Slack itself says of a channel."""
        message = Message(
            ts=self.world.counter.ts(), channel_id=self.channel_id, author=user, text=text, subtype=subtype
        )
        await self.post(message, extra=extra)


def _bury(message: Message) -> None:
    message.text, message.subtype = "This message was deleted.", "tombstone"
    message.blocks, message.files, message.attachments = [], [], []
