"""What a person commands, presses and fills in, and what they see of the answer.

What their client would not let them do is an error. Knows no HTTP.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.fakes.discord import options
from tests.fakes.discord.command_limits import CHAT_INPUT, MESSAGE
from tests.fakes.discord.events import interaction_json
from tests.fakes.discord.message_wire import message_json
from tests.fakes.discord.modals import Modal
from tests.fakes.discord.model import DiscordRefusesError, Message, User
from tests.fakes.discord.options import Value
from tests.fakes.discord.places import Channel
from tests.fakes.discord.seen import Seen
from tests.fakes.discord.world import RESPONSE_WITHIN_S, Interaction, World

Json = dict[str, Any]

_COMMAND, _COMPONENT, _AUTOCOMPLETE, _SUBMIT = 2, 3, 4, 5


class Client:
    """A person at their client.

    Attributes:
        patience_s: How long their client waits for the app before it says that it did not respond.
    """

    def __init__(self, world: World, user: User) -> None:
        self.world = world
        self.user = user
        self.patience_s = RESPONSE_WITHIN_S

    @property
    def user_id(self) -> str:
        """Their id."""
        return self.user.user_id

    @property
    def name(self) -> str:
        """Their name."""
        return self.user.name

    @property
    def mention(self) -> str:
        """What mentions them."""
        return self.user.mention

    @property
    def dm(self) -> Channel:
        """Their conversation with the app."""
        return self.world.dm(self.user)

    def sees(self, channel: Channel) -> list[Message]:
        """Return everything they see in a channel, thread or DM; nothing if they may not look."""
        return channel.seen_by(self.user)

    def ephemerals(self, channel: Channel) -> list[Message]:
        """Return what only they see in a channel."""
        return channel.ephemerals_of(self.user)

    def _must_see(self, channel: Channel) -> None:
        if channel.deleted or not channel.allows(self.user_id, "view_channel"):
            raise DiscordRefusesError(f"{self.name} does not see {channel.name}")

    def _seen_in(self, message: Message) -> Channel:
        channel = self.world.channels[message.channel_id]
        if message.deleted or message not in self.sees(channel):
            raise DiscordRefusesError(f"{self.name} does not see that message")
        return channel

    def commands(self, channel: Channel, kind: int = CHAT_INPUT) -> dict[str, Json]:
        """Return the commands they can choose in a channel, by name."""
        scopes = ["", *([channel.guild.guild_id] if channel.guild is not None else [])]
        found = [command for scope in scopes for command in self.world.commands.get(scope, [])]
        usable = channel.allows(self.user_id, "use_application_commands")
        return {each["name"]: each for each in found if each["type"] == kind and usable and self._may(channel, each)}

    def _may(self, channel: Channel, command: Json) -> bool:
        contexts = command.get("contexts")
        if channel.guild is None:
            return 1 in contexts if contexts is not None else bool(command.get("dm_permission", True))
        wanted = command.get("default_member_permissions")
        allowed = channel.permissions_of(self.user_id)
        return (contexts is None or 0 in contexts) and (wanted is None or allowed & int(wanted) == int(wanted))

    def _command(self, channel: Channel, name: str, kind: int) -> Json:
        self._must_see(channel)
        known = self.commands(channel, kind)
        if name not in known:
            raise DiscordRefusesError(f"there is no {name!r}; there are {list(known)}")
        return known[name]

    async def slash(
        self,
        command: str,
        channel: Channel | None = None,
        *,
        expect: int = 1,
        within_s: float = 10.0,
        **values: Value,
    ) -> Seen:
        """Choose a slash command, "/memory show" with its subcommand, in a channel, thread or their DM.

        The values are those of its options, by name; return once `expect` answers are there.
        """
        channel = channel or self.dm
        name, *path = command.removeprefix("/").split()
        known = self._command(channel, name, CHAT_INPUT)
        data = options.chosen(channel, known, path, values)
        return await self._shown(await self._send(_COMMAND, channel, data), expect, within_s)

    async def types_option(
        self, command: str, option: str, text: str, channel: Channel | None = None, **values: Value
    ) -> Seen:
        """Type into an option that suggests values; `choices` of what comes back are the suggestions."""
        channel = channel or self.dm
        name, *path = command.removeprefix("/").split()
        known = self._command(channel, name, CHAT_INPUT)
        data = options.chosen(channel, known, path, values | {option: text}, focused=option)
        return await self._send(_AUTOCOMPLETE, channel, data)

    async def menu(self, name: str, message: Message, *, expect: int = 1, within_s: float = 10.0) -> Seen:
        """Choose a command from a message's menu (Apps)."""
        channel = self._seen_in(message)
        if message.ephemeral_to is not None:
            raise DiscordRefusesError("an ephemeral message has no such menu")
        known = self._command(channel, name, MESSAGE)
        data = {
            "id": known["id"],
            "name": name,
            "type": MESSAGE,
            "target_id": message.message_id,
            "resolved": {"messages": {message.message_id: message_json(self.world, message)}},
        }
        return await self._shown(await self._send(_COMMAND, channel, data), expect, within_s)

    async def presses(
        self,
        message: Message,
        label: str,
        value: str | Sequence[str] | None = None,
        *,
        expect: int = 0,
        within_s: float = 10.0,
    ) -> Seen:
        """Press a button, by its label, or choose from a select, by its placeholder, in a message they see."""
        channel = self._seen_in(message)
        if label not in message.buttons:
            raise DiscordRefusesError(f"there is no {label!r}; there are {list(message.buttons)}")
        element = message.buttons[label]
        if element.get("disabled") or "custom_id" not in element:
            raise DiscordRefusesError(f"{label!r} cannot be pressed")
        data: Json = {"component_type": element["type"], "custom_id": element["custom_id"], "id": element.get("id", 0)}
        if element["type"] == 3:
            data["values"] = _values(element, value)
        interaction = await self._send(_COMPONENT, channel, data, message=message)
        return await self._shown(interaction, expect, within_s)

    async def submits(
        self, modal: Modal, values: Mapping[str, str] | None = None, *, expect: int = 0, within_s: float = 10.0
    ) -> Seen:
        """Fill in a modal, by the labels of its fields, and submit it."""
        behind = modal.behind
        seen = await self._send(_SUBMIT, behind.channel, modal.filled(values or {}), message=behind.message)
        return await self._shown(seen, expect, within_s)

    async def _send(self, kind: int, channel: Channel, data: Json, *, message: Message | None = None) -> Seen:
        interaction = Interaction(
            interaction_id=self.world.counter.snowflake(),
            token=f"token-of-interaction-{len(self.world.interactions) + 1}",
            kind=kind,
            user=self.user,
            channel=channel,
            created_at_s=self.world.now_s(),
            data=data,
            message=message,
        )
        self.world.interactions[interaction.token] = interaction
        payload = interaction_json(self.world, interaction)
        self.world.emit("INTERACTION_CREATE", payload, guild=channel.guild)
        seen = Seen(interaction=interaction, world=self.world)
        answered: Callable[[], bool] = lambda: interaction.response is not None  # noqa: E731 - it is told apart by name
        try:
            await self.world.changes.until(answered, within_s=self.patience_s)
        except AssertionError:
            interaction.late = True
            seen.error = "The application did not respond"
        return seen

    async def _shown(self, seen: Seen, expect: int, within_s: float) -> Seen:
        return seen if seen.error is not None else await seen.until(expect, within_s=within_s)


def _values(select: Json, value: str | Sequence[str] | None) -> list[str]:
    wanted = [value] if isinstance(value, str) else list(value or [])
    by_label = {option["label"]: option["value"] for option in select.get("options") or []}
    unknown = [each for each in wanted if each not in by_label and each not in by_label.values()]
    if unknown:
        raise DiscordRefusesError(f"there is no {unknown}; there are {list(by_label)}")
    return [by_label.get(each, each) for each in wanted]
