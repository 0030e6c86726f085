"""The fake Discord alone, with one small guild and a prompt: a person at the keyboard plays the people.

Lines: `ana #general @recall hello` · `ana dm hello` · `ana #general > in the newest thread` ·
`ana /memories [option=value ...]`, `ana #general /memories` · `ana press <label>` · `show #general` · `show ana` ·
`quit`.
"""

import argparse
import asyncio
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.fakes.discord.guild import Guild
from tests.fakes.discord.model import DiscordRefusesError, Message
from tests.fakes.discord.person import Person
from tests.fakes.discord.places import Channel
from tests.fakes.discord.seen import Seen
from tests.fakes.discord.server import DiscordServer

PEOPLE = ("ana", "bob")
Print = Callable[[str], None]


class Prompt:
    """Plays lines upon a guild."""

    def __init__(self, server: DiscordServer, guild: Guild, show: Print) -> None:
        self._server = server
        self._guild = guild
        self._show: Print = lambda text: show(self.readable(text))
        self._people = {name: guild.user(name) for name in PEOPLE}
        for name in ("general", "ops"):
            guild.channel(name)

    def readable(self, text: str) -> str:
        """Return a text with names in place of user ids."""
        people = self._server.world.users
        return re.sub(r"<@(\d+)>", lambda match: f"@{people[match[1]].name}" if match[1] in people else match[0], text)

    async def play(self, line: str) -> None:
        """Do what one line says."""
        who, _, rest = line.strip().partition(" ")
        if who == "show":
            self._tell(rest.strip())
        elif who in self._people:
            await self._act(self._people[who], rest.strip())
        elif who:
            self._show(f"who is {who}? there are {', '.join(PEOPLE)}, and show")

    async def _act(self, person: Person, text: str) -> None:
        word, _, rest = text.partition(" ")
        if word.startswith("/"):
            await self._command(person, person.dm, text)
        elif word == "press":
            await self._press(person, rest)
        elif rest.startswith("/"):
            await self._command(person, self._channel(person, word), rest)
        else:
            await self._say(person, self._channel(person, word), rest)

    async def _command(self, person: Person, channel: Channel, text: str) -> None:
        words = text.split()
        path = [word for word in words if "=" not in word]
        values: dict[str, Any] = dict(word.split("=", 1) for word in words if "=" in word)
        self._answered(await person.slash(" ".join(path), channel, **values))

    async def _say(self, person: Person, channel: Channel, text: str) -> None:
        if not text.startswith(">"):
            await person.says(channel, text)
            return
        if not channel.threads:
            raise DiscordRefusesError("there is no thread yet")
        await person.says(channel.threads[-1], text.removeprefix(">").strip())

    async def _press(self, person: Person, label: str) -> None:
        channels = [*self._guild.channels, person.dm]
        messages = [message for channel in channels for message in person.sees(channel)]
        for message in sorted(messages, key=lambda each: int(each.message_id), reverse=True):
            if label in message.buttons:
                self._answered(await person.presses(message, label))
                return
        raise DiscordRefusesError(f"nobody shows {label}")

    def _answered(self, seen: Seen) -> None:
        lines = [str(message) for message in seen.messages]
        self._show(seen.error or "\n".join(lines) or "(done)")

    def _channel(self, person: Person, word: str) -> Channel:
        if word == "dm":
            return person.dm
        found = [each for each in self._guild.channels if f"#{each.name}" == word]
        if not found:
            raise DiscordRefusesError(f"there is no {word}")
        return found[0]

    def _tell(self, what: str) -> None:
        person = self._people.get(what)
        if person is None:
            shown = self._channel(self._people[PEOPLE[0]], what)
            for channel in (shown, *shown.threads):
                self._lines(channel, channel.messages)
            return
        for channel in (*self._guild.channels, person.dm):
            self._lines(channel, person.sees(channel))

    def _lines(self, channel: Channel, messages: list[Message]) -> None:
        if messages:
            self._show(f"-- {channel.name}")
        for message in messages:
            self._show(("    " if channel.is_thread else "") + str(message))


async def _tell_answers(server: DiscordServer, show: Print) -> None:
    """Print each message of the app once it is whole, and again when it changes."""
    shown: dict[str, str] = {}
    while True:
        for channel in list(server.world.channels.values()):
            for message in channel.finished:
                if shown.get(message.message_id) != message.shown:
                    shown[message.message_id] = message.shown
                    show(str(message))
        await server.world.changes.next()


async def serve(port: int, read: Callable[[], str], show: Print) -> None:
    """Run the server and play lines until there are no more."""
    async with (
        DiscordServer(port=port, now=lambda: datetime.now(UTC).timestamp()) as server,
        asyncio.TaskGroup() as tasks,
    ):
        server.switch_on("message_content")
        prompt = Prompt(server, server.guild(), show)
        show(f"DISCORD_API_URL={server.api_url} DISCORD_GATEWAY_URL={server.gateway_url} DISCORD_TOKEN={server.token}")
        telling = tasks.create_task(_tell_answers(server, show))
        while (line := await asyncio.to_thread(read)) and line.strip() != "quit":
            try:
                await prompt.play(line)
            except (DiscordRefusesError, LookupError, AssertionError) as exc:
                show(f"! {exc}")
        telling.cancel()


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command-line tool


def main() -> None:
    """Run the server until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8091)
    try:
        asyncio.run(serve(parser.parse_args().port, sys.stdin.readline, _print))
    except KeyboardInterrupt:
        return
