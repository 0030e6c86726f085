"""A person in a workspace: what she writes, opens and stops, beside what her client lets her press.

Knows no HTTP.
"""

from collections.abc import Sequence
from typing import Any

from tests.fakes.slack import events
from tests.fakes.slack.channel import Channel, First
from tests.fakes.slack.client import Client
from tests.fakes.slack.deliveries import Delivery
from tests.fakes.slack.files import made_file
from tests.fakes.slack.model import File, Message, SlackRefusesError
from tests.fakes.slack.thread import Thread
from tests.fakes.slack.wire import forwarded_json, rich_text, view_json

Json = dict[str, Any]
Upload = tuple[str, str | bytes]


class Person(Client):
    """A user of a workspace."""

    async def says(
        self,
        channel: Channel,
        text: str,
        *,
        thread: Thread | Message | str | None = None,
        files: Sequence[Upload] = (),
        broadcast: bool = False,
        first: First = "message",
        raw: bool = False,
        subtype: str | None = None,
        viewing: Channel | None = None,
        forwarded: Message | None = None,
    ) -> Message:
        """Write a message and let the app hear of it.

        Args:
            channel: Where.
            text: As typed: `@recall`, `@bob` and `#general` become what Slack makes of them, unless `raw`.
            thread: Which thread to reply in.
            files: Names and contents to attach.
            broadcast: A reply also sent to the channel.
            first: Which of the two events of a mention goes first.
            raw: The text is as on the wire already.
            subtype: Such as "me_message".
            viewing: The channel she looks at beside the agent's Messages tab.
            forwarded: Another message that she shares with it.
        """
        self._must_be_in(channel)
        if channel.kind == "im" and not self.world.messages_tab:
            raise SlackRefusesError("sending messages to this app has been turned off")
        thread_ts = _thread_ts(thread)
        ts = self.world.counter.ts()
        if thread_ts is None and channel.kind == "im" and self.world.dm_roots_carry_thread_ts:
            thread_ts = ts
        wire = text if raw else self.encoded(text)
        message = Message(
            ts=ts,
            channel_id=channel.channel_id,
            author=self.user,
            text=wire,
            blocks=rich_text(wire, self.world.counter.name("b")) if wire else [],
            thread_ts=thread_ts,
            attachments=[] if forwarded is None else [forwarded_json(forwarded)],
            files=[self._upload(*each) for each in files],
            subtype=subtype,
            broadcast=broadcast,
        )
        extra: Json = {}
        if channel.kind == "im" and self.team.agent_view:
            looked_at = viewing.channel_id if viewing is not None else None
            extra["app_context"] = events.viewing(self.team.team_id, looked_at)
        await channel.post(message, first=first, extra=extra)
        return message

    def _upload(self, name: str, content: str | bytes) -> File:
        data = content.encode() if isinstance(content, str) else content
        return made_file(self.world, self.team, name=name, content=data, user_id=self.user_id)

    async def edits(self, message: Message, text: str) -> None:
        """Edit a message of hers."""
        channel = self._own(message)
        wire = self.encoded(text)

        def change(message: Message) -> None:
            message.text, message.blocks = wire, rich_text(wire, self.world.counter.name("b"))

        await channel.change(message, change, by=self.user)

    async def removes(self, message: Message, *names: str) -> None:
        """Take files out of a message of hers; one without words and other files goes with them."""
        channel = self._own(message)

        def change(message: Message) -> None:
            message.files = [file for file in message.files if file.name not in names]

        if not message.text and {file.name for file in message.files} <= {*names}:
            await channel.remove(message)
        else:
            await channel.change(message, change, by=None)

    async def deletes(self, message: Message) -> None:
        """Delete a message of hers."""
        await self._own(message).remove(message)

    def _own(self, message: Message) -> Channel:
        if message.author is not self.user:
            raise SlackRefusesError("not her message")
        return self._channels[message.channel_id]

    async def opens_home(self) -> Delivery | None:
        """Open the Home tab."""
        return await self._opens("home", None)

    async def opens_messages(self, viewing: Channel | None = None) -> Delivery | None:
        """Open the Messages tab, perhaps beside a channel."""
        return await self._opens("messages", viewing)

    async def _opens(self, tab: str, viewing: Channel | None) -> Delivery | None:
        event: Json = {"type": "app_home_opened", "user": self.user_id, "channel": self.dm.channel_id, "tab": tab}
        event["event_ts"] = self.world.counter.ts()
        if tab == "home" and self.home is not None:
            event["view"] = view_json(self.home)
        if tab == "messages":
            event["context"] = events.viewing(self.team.team_id, viewing.channel_id if viewing else None)
        return await self.world.emit(self.team, event)

    async def looks_at(self, channel: Channel) -> Delivery | None:
        """Look at another channel with the Messages tab open."""
        event: Json = {"type": "app_context_changed", "user": self.user_id, "channel": self.dm.channel_id}
        event["context"] = events.viewing(self.team.team_id, channel.channel_id)
        return await self.world.emit(self.team, event | {"event_ts": self.world.counter.ts()})

    async def stops(self, thread: Thread) -> Delivery | None:
        """Press the native Stop button, which is there while the session is processing and the app subscribed."""
        if thread.session_status != "processing" or not self.world.subscribed(self.team, "agent_session_stopped"):
            raise SlackRefusesError("there is no Stop button")
        self._must_be_in(thread.channel)
        streaming = [message for message in thread.answers if message.stream is not None and message.streaming]
        for message in streaming:
            if message.stream is not None:
                message.stream.state = "stopped_by_user"
        self.world.changes.mark()
        event = events.session_stopped_event(
            self.user,
            channel_id=thread.channel.channel_id,
            thread_ts=thread.ts,
            streams=[message.ts for message in streaming],
            ts=self.world.counter.ts(),
        )
        return await self.world.emit(self.team, event)


def _thread_ts(thread: Thread | Message | str | None) -> str | None:
    match thread:
        case Thread():
            return thread.ts
        case Message():
            return thread.root_ts
    return thread
