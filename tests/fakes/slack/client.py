"""What a person commands, presses and fills in, and what she sees of the answer.

What her client would not let her do is an error. Knows no HTTP.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.slack import events, views
from tests.fakes.slack.blocks import filled
from tests.fakes.slack.channel import Channel
from tests.fakes.slack.deliveries import EnvelopeKind
from tests.fakes.slack.model import Message, SlackRefusesError, User, View, escaped
from tests.fakes.slack.response_urls import respond
from tests.fakes.slack.seen import Seen
from tests.fakes.slack.world import Interaction, TeamState, World

Json = dict[str, Any]

ANSWER_WITHIN_S = 3.0
_NAMED = re.compile(r"(?<![\w@#/.])(?P<sign>[@#])(?P<name>\w[\w-]*)")
_EVERYONE = {"channel", "here", "everyone"}


class Client:
    """A user of a workspace at her client; `dm` is her conversation with the app."""

    def __init__(
        self, world: World, team: TeamState, user: User, *, channels: Mapping[str, Channel], dm: Callable[[], Channel]
    ) -> None:
        self.world = world
        self.team = team
        self.user = user
        self._channels = channels
        self._dm = dm

    @property
    def user_id(self) -> str:
        """Her id."""
        return self.user.user_id

    @property
    def name(self) -> str:
        """Her name."""
        return self.user.name

    @property
    def dm(self) -> Channel:
        """Her conversation with the app: the Messages tab."""
        return self._dm()

    @property
    def home(self) -> View | None:
        """Her Home tab, as last published."""
        return self.team.homes.get(self.user_id)

    @property
    def modals(self) -> list[View]:
        """The modals she has open, the topmost last."""
        return views.modals(self.team, self.user_id)

    def ephemerals(self, channel: Channel) -> list[Message]:
        """Return what only she sees in a channel, in all its threads."""
        return channel.ephemerals_of(self.user)

    def sees(self, channel: Channel) -> list[Message]:
        """Return everything she sees of a channel, threads included; nothing if she may not."""
        if self.user_id not in channel.members and channel.kind != "public":
            return []
        shown = [each for each in channel.messages.values() if not each.deleted]
        return sorted([*shown, *self.ephemerals(channel)], key=lambda each: each.ts)

    async def until_home_shows(self, words: str, *, within_s: float = 10.0) -> View:
        """Wait until her Home tab contains these words; return it."""
        await self.world.changes.until(
            lambda: self.home is not None and words in self.home.shown,
            within_s=within_s,
            showing=lambda: self.home.shown if self.home is not None else "nothing",
        )
        home = self.home
        if home is None:
            raise SlackRefusesError("the Home tab is gone")
        return home

    def encoded(self, text: str) -> str:
        """Return what she types as it goes over the wire: names become ids, control characters are escaped."""
        return _NAMED.sub(self._named, escaped(text))

    def _for_command(self, command: str, text: str) -> str:
        """Return the words of a slash command: names become ids only if the manifest says `should_escape`."""
        if self.world.commands is not None and command not in self.world.commands:
            raise SlackRefusesError(f"{command} is not a valid command")
        if self.world.commands is not None and not self.world.commands[command]:
            return text
        people = {user.user_id: user.name for user in self.team.users.values()}
        return re.sub(r"<@(\w+)>", lambda match: f"<@{match[1]}|{people[match[1]]}>", self.encoded(text))

    def _named(self, match: re.Match[str]) -> str:
        name = match["name"]
        if match["sign"] == "#":
            found = [each for each in self._channels.values() if each.name == name]
            return f"<#{found[0].channel_id}|{name}>" if found else match[0]
        if name in _EVERYONE:
            return f"<!{name}>"
        user = next((each for each in self.team.users.values() if each.name == name), None)
        return f"<@{user.user_id}>" if user is not None else match[0]

    def _must_be_in(self, channel: Channel) -> None:
        if channel.deleted or channel.archived:
            raise SlackRefusesError(f"{channel.name} is closed")
        if self.user_id not in channel.members:
            raise SlackRefusesError(f"{self.name} is not in {channel.name}")

    async def slash(
        self, command: str, text: str = "", channel: Channel | None = None, *, expect: int = 1, within_s: float = 10.0
    ) -> Seen:
        """Type a slash command in a channel (her DM unless given); return once `expect` answers are there.

        Slack has no slash commands in threads, hence no thread here.
        """
        channel = channel or self.dm
        self._must_be_in(channel)
        interaction = self.world.interaction(self.team, self.user, channel_id=channel.channel_id)
        payload = events.slash_command(
            self.world.place(self.team),
            self.user,
            self.world.contact(interaction, path="commands"),
            command=command,
            text=self._for_command(command, text),
            channel_id=channel.channel_id,
            channel_name=channel.command_name,
        )
        seen = await self._send("slash_commands", payload, interaction, channel)
        return await self._shown(seen, expect, within_s)

    async def presses(
        self,
        where: Message | View,
        action_id: str,
        value: str | None = None,
        *,
        expect: int = 0,
        within_s: float = 10.0,
    ) -> Seen:
        """Press a button or choose (`value`) in a message, a Home tab or a modal that she sees."""
        if action_id not in where.buttons:
            raise SlackRefusesError(f"there is no {action_id!r}; there are {list(where.buttons)}")
        element, ts = where.buttons[action_id], self.world.counter.ts()
        place = self.world.place(self.team)
        if isinstance(where, View):
            if where.user_id != self.user_id or where.closed:
                raise SlackRefusesError("not her view")
            interaction, channel = self.world.interaction(self.team, self.user), None
            payload = events.view_pressed(
                place, self.user, interaction.trigger_id, view=where, element=element, value=value, ts=ts
            )
        else:
            channel = self._seen_in(where)
            interaction = self.world.interaction(self.team, self.user, channel_id=where.channel_id, message=where)
            contact = self.world.contact(interaction, path="actions")
            payload = events.message_pressed(
                place,
                self.user,
                contact,
                message=where,
                element=element,
                value=value,
                channel_name=channel.command_name,
                ts=ts,
            )
        seen = await self._send("interactive", payload, interaction, channel)
        return await self._shown(seen, expect, within_s)

    def _seen_in(self, message: Message) -> Channel:
        channel = self._channels[message.channel_id]
        if message.deleted or message not in self.sees(channel):
            raise SlackRefusesError(f"{self.name} does not see that message")
        return channel

    async def shortcut(self, callback_id: str, message: Message, *, expect: int = 1, within_s: float = 10.0) -> Seen:
        """Choose a message shortcut from a message's menu."""
        channel = self._seen_in(message)
        if message.ephemeral_to is not None:
            raise SlackRefusesError("an ephemeral message has no shortcuts")
        if self.world.shortcuts is not None and callback_id not in self.world.shortcuts:
            raise SlackRefusesError(f"there is no shortcut {callback_id!r}")
        interaction = self.world.interaction(self.team, self.user, channel_id=channel.channel_id)
        payload = events.message_action(
            self.world.place(self.team),
            self.user,
            self.world.contact(interaction, path="actions"),
            callback_id=callback_id,
            message=message,
            channel_name=channel.command_name,
        )
        seen = await self._send("interactive", payload, interaction, channel)
        return await self._shown(seen, expect, within_s)

    async def submits(self, view: View, values: Mapping[str, Any] | None = None) -> Seen:
        """Fill in a modal, by action id, and submit it."""
        for action_id, value in (values or {}).items():
            element = view.buttons[action_id]
            view.values.setdefault(element["block_id"], {})[action_id] = filled(element, value)
        interaction = self.world.interaction(self.team, self.user)
        payload = events.view_submission(self.world.place(self.team), self.user, interaction.trigger_id, view=view)
        seen = await self._send("interactive", payload, interaction, None)
        if seen.error is None:
            self._after_submit(view, seen)
        return seen

    def _after_submit(self, view: View, seen: Seen) -> None:
        answer = seen.delivery.answer or {}
        match answer.get("response_action"):
            case "errors":
                seen.field_errors = answer["errors"]
            case "update":
                views.replaced(self.world, view, views.checked(self.world, answer["view"], kind="modal"))
            case "push":
                body = views.checked(self.world, answer["view"], kind="modal")
                views.pushed(self.world, self.team, self.user_id, body)
            case "clear":
                for each in self.modals:
                    each.closed = True
            case _:
                view.closed = True
        self.world.changes.mark()

    async def closes(self, view: View) -> None:
        """Close a modal."""
        view.closed = True
        if view.body.get("notify_on_close"):
            payload = events.view_closed(self.world.place(self.team), self.user, view=view)
            await self.world.send("interactive", payload)

    async def _send(self, kind: EnvelopeKind, payload: Json, interaction: Interaction, channel: Channel | None) -> Seen:
        began_ts = self.world.counter.ts()
        delivery = await self.world.send(kind, payload)
        seen = Seen(
            interaction=interaction,
            delivery=delivery,
            world=self.world,
            team=self.team,
            user=self.user,
            channel=channel,
            began_ts=began_ts,
        )
        if delivery.sent_at is None:
            seen.error = "dispatch_failed"
            return seen
        try:
            await self.world.changes.until(lambda: delivery.acked, within_s=ANSWER_WITHIN_S)
        except AssertionError:
            seen.error = "operation_timeout"
            return seen
        if kind == "slash_commands" and delivery.answer:
            await self._answered(seen, delivery.answer)
        return seen

    async def _answered(self, seen: Seen, answer: Json) -> None:
        problem = await respond(self.world, seen.channel, seen.interaction, answer)
        if problem is not None:
            self.world.refuse("acknowledgement", problem, args=answer)
            seen.error = "invalid_command_response"

    async def _shown(self, seen: Seen, expect: int, within_s: float) -> Seen:
        return seen if seen.error is not None else await seen.until(expect, within_s=within_s)
