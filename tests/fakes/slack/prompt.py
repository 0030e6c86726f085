"""The fake Slack alone, with one small workspace and a prompt: a person at the keyboard plays the people.

Lines: `ana #general @recall hello` · `ana dm hello` · `ana #general > reply in the newest thread` ·
`ana /memories [words]` · `ana press <action id>` · `ana home` · `show #general` · `show ana` · `quit`.
"""

import argparse
import asyncio
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import yaml

from bots.slack.manifest import app_manifest
from tests.fakes.slack.channel import Channel
from tests.fakes.slack.model import ApiError, Message, SlackRefusesError, View
from tests.fakes.slack.person import Person
from tests.fakes.slack.server import SlackServer
from tests.fakes.slack.team import Team

PEOPLE = ("ana", "bob")
Print = Callable[[str], None]


class Prompt:
    """Plays lines upon a workspace."""

    def __init__(self, team: Team, show: Print) -> None:
        self._team = team
        self._show: Print = lambda text: show(self.readable(text))
        self._people = {name: team.user(name) for name in PEOPLE}
        for name in ("general", "ops"):
            team.channel(name, *self._people.values())

    def readable(self, text: str) -> str:
        """Return a text with names in place of user ids."""
        people = self._team.state.users
        return re.sub(r"<@(\w+)>", lambda match: f"@{people[match[1]].name}" if match[1] in people else match[0], text)

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
            seen = await person.slash(word, rest, self._channel(person, "dm"))
            self._show(seen.error or seen.text)
        elif word == "press":
            await self._press(person, *rest.split(maxsplit=1))
        elif word == "home":
            await person.opens_home()
            self._show(person.home.shown if person.home else "(nothing published yet; again)")
        elif word == "messages":
            await person.opens_messages()
        else:
            await self._say(person, self._channel(person, word), rest)

    async def _say(self, person: Person, channel: Channel, text: str) -> None:
        if not text.startswith(">"):
            await person.says(channel, text)
            return
        newest = channel.history()[-1:]
        if not newest:
            raise SlackRefusesError("there is no thread yet")
        await person.says(channel, text.removeprefix(">").strip(), thread=newest[0])

    async def _press(self, person: Person, action_id: str, value: str | None = None) -> None:
        for shown in self._pressable(person):
            if action_id in shown.buttons:
                seen = await person.presses(shown, action_id, value)
                self._show(seen.error or seen.text or "(pressed)")
                return
        raise SlackRefusesError(f"nobody shows {action_id}")

    def _pressable(self, person: Person) -> Iterator[Message | View]:
        yield from reversed(person.modals)
        messages = [each for channel in self._team.channels.values() for each in person.sees(channel)]
        yield from sorted(messages, key=lambda each: each.ts, reverse=True)
        if person.home is not None:
            yield person.home

    def _channel(self, person: Person, word: str) -> Channel:
        if word == "dm":
            return person.dm
        found = [each for each in self._team.channels.values() if f"#{each.name}" == word]
        if not found:
            raise SlackRefusesError(f"there is no {word}")
        return found[0]

    def _tell(self, what: str) -> None:
        person = self._people.get(what)
        if person is not None:
            for channel in self._team.channels.values():
                self._lines(channel.name or "dm", person.sees(channel) if person.user_id in channel.members else [])
            return
        channel = self._channel(self._people[PEOPLE[0]], what)
        self._lines(what, list(channel.messages.values()))

    def _lines(self, name: str, messages: list[Message]) -> None:
        if messages:
            self._show(f"-- {name}")
        for message in messages:
            self._show(("    " if message.in_thread else "") + str(message))


async def _tell_answers(team: Team, show: Print) -> None:
    """Print each message of the app once it is whole, and again when it changes."""
    shown: dict[str, str] = {}
    while True:
        found = [
            each for channel in team.channels.values() for each in [*channel.messages.values(), *channel.ephemerals]
        ]
        for message in found:
            if message.author is team.bot and not message.streaming and shown.get(message.ts) != message.shown:
                shown[message.ts] = message.shown
                show(str(message))
        await team.world.changes.next()


async def serve(port: int, read: Callable[[], str], show: Print) -> None:
    """Run the server and play lines until there are no more."""
    async with (
        SlackServer(port=port, now=lambda: datetime.now(UTC).timestamp()) as server,
        asyncio.TaskGroup() as tasks,
    ):
        server.install(yaml.safe_load(app_manifest()))
        team = server.team()
        prompt = Prompt(team, show)
        show(f"SLACK_API_URL={server.url} SLACK_BOT_TOKEN={team.bot_token} SLACK_APP_TOKEN={server.app_token}")
        telling = tasks.create_task(_tell_answers(team, show))
        while (line := await asyncio.to_thread(read)) and line.strip() != "quit":
            try:
                await prompt.play(line)
            except (SlackRefusesError, ApiError, LookupError, AssertionError) as exc:
                show(f"! {exc}")
        telling.cancel()


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command-line tool


def main() -> None:
    """Run the server until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8090)
    try:
        asyncio.run(serve(parser.parse_args().port, sys.stdin.readline, _print))
    except KeyboardInterrupt:
        return
