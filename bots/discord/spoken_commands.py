"""Memory commands said in a message: done before the message counts as taken, and answered by a reply to it.

Discord shows a reply to everybody there, so what only one person should see is answered in direct messages alone. What
words are a command says `bots.verbs`.
"""

from dataclasses import replace

import structlog

from bots.desk.asking import Asker
from bots.desk.outcome import outcome_if_reached
from bots.desk.sheets import Export, Sheet, Words
from bots.desk.taken import Taken
from bots.discord import asked
from bots.discord.answering import embed_of, file_of
from bots.discord.buttons import view_of
from bots.discord.ids import DiscordThread
from bots.discord.inbound import Said
from bots.discord.presses import ButtonsOf
from bots.discord.render import CONTENT_CHARS, cut
from bots.discord.rest import DiscordRest
from bots.discord.views import view
from bots.platform import PlatformError
from bots.verbs import Spoken, Verb, spoken
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)

ONLY_FOR_YOU = "Only you should see that: {command}"
_SLASH: dict[Verb, str] = {
    "memories": "/memories",
    "forget": "/forget",
    "export": "/memory export",
    "settings": "/memory settings",
    "why": 'choose "Why did you say that?" from the menu of my answer (Apps)',
}
"""What is not for everybody in a server, and where it is instead."""


class SpokenCommands:
    """The commands that people say to one bot.

    Args:
        buttons: With the desks that do it.
        rest: Discord.
        tasks: Keeps what is under way.
    """

    def __init__(self, buttons: ButtonsOf, rest: DiscordRest, tasks: TaskTracker) -> None:
        self._buttons = buttons
        self._rest = rest
        self._tasks = tasks
        self._taken = Taken()

    async def take(self, said: Said, thread: DiscordThread) -> bool:
        """Do what a message commands; False for a message that is no command, which is for the conversation.

        What a command changes is committed when this returns; only what it shows comes behind that.

        Raises:
            StoreUnavailableError: The record does not take it, so it must come again.
            DiscordUnavailableError: Discord does not say who reads along; the same.
        """
        command = spoken(said.text, is_addressed=said.is_mention)
        if command is None or not (said.is_mention or said.is_dm):
            return False
        if not self._taken.is_done(said.channel, said.message):
            who = asked.of_said(said, thread)
            if command.is_of_thread and _would_begin(said, thread):
                who = replace(who, session_id=None)
            sheet = await self._done(command, said, who)
            self._taken.note(said.channel, said.message, is_done=True)
            if sheet is not None:
                self._tasks.start(self._reply(said, sheet), name=f"answer {command.verb}")
        return True

    async def _done(self, command: Spoken, said: Said, who: Asker) -> Sheet | None:
        if not said.is_dm and command.verb in _SLASH:
            return Words(ONLY_FOR_YOU.format(command=slash(command)))
        desk = self._buttons.at(said.guild).desk
        return (await outcome_if_reached(desk.spoken(who, command), name=f"say {command.verb}")).sheet

    async def _reply(self, said: Said, sheet: Sheet) -> None:
        """Show what came of a command, once, below the message that says it."""
        shown = view(sheet)

        async def post() -> object:
            return await self._rest.post(
                said.channel,
                "" if said.is_dm else cut(shown.text, CONTENT_CHARS),
                nonce=f"{said.message}-c",
                view=view_of(shown.buttons),
                embed=embed_of(shown) if said.is_dm else None,  # in a server it would take a permission
                file=file_of(sheet.data) if isinstance(sheet, Export) else None,
                reply_to=said.message,
            )

        try:
            await self._rest.insist(post)
        except PlatformError as error:
            _log.warning("outcome_not_shown", reason=str(error))


def _would_begin(said: Said, thread: DiscordThread) -> bool:
    """Whether a conversation is not there yet: a message in a channel itself begins one, a post of a forum is one."""
    return thread.thread == said.message and said.channel != thread.thread


def slash(command: Spoken) -> str:
    """Return how a command is given that nobody else sees."""
    name = _SLASH[command.verb]
    return f"{name} {command.argument}".strip() if command.verb in {"memories", "forget"} else name
