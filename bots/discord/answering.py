"""Doing what somebody asked, and showing what came of it to them. Decides nothing of either.

Discord gives three seconds for a sign, and fifteen minutes for the answer, so the sign comes before the work. Whatever
is not acknowledged is not done: the person sees that it failed, and another delivery of it finds it taken.
"""

import io
from collections.abc import Awaitable, Callable
from typing import Any

import discord
import structlog

from bots.desk.asking import Asker
from bots.desk.outcome import NOT_YOURS, Outcome, outcome_of
from bots.desk.sheets import Export, Sheet, Words
from bots.discord.asked import AnyInteraction, Asked, guild_of
from bots.discord.buttons import view_of
from bots.discord.errors import DiscordRefusedError, DiscordUnavailableError
from bots.discord.render import CONTENT_CHARS
from bots.discord.rest import DiscordRest, translated
from bots.discord.views import View, view
from bots.discord.ways import ways_of
from memory.tasks import TaskTracker

_log = structlog.get_logger(__name__)

TOLD = "Done; everybody here can see it."
NOT_TOLD = "Done, but I could not tell the others here."
FILE_NAME = "memories.json"
ELSEWHERE = (
    "Discord gave a command or press to another process with this token, or twice; if that goes on and on, two "
    "processes run on records of their own, and what one of them remembers or forgets the other does not know"
)
_SIGN_WITHIN_S = 3.0

Work = Callable[[Asker], Awaitable[Sheet | None]]
"""What comes of it; None when there is nothing to show."""


class Answering:
    """Does what is asked, and answers who asked.

    Args:
        rest: Discord.
        tasks: Owns what is done behind an acknowledgement.
    """

    def __init__(self, rest: DiscordRest, tasks: TaskTracker) -> None:
        self._rest = rest
        self._tasks = tasks

    def start(self, asked: Asked, work: Work, *, name: str) -> None:
        """Do something in the background, and show what came of it; fixed words when it failed."""
        self._tasks.start(self._run(asked, work, name), name=name)

    def start_refusing(self, asked: Asked) -> None:
        """Say in the background that what they pressed is another person's."""
        self._tasks.start(self._refuse(asked), name="refuse a press")

    def start_acknowledging(self, interaction: AnyInteraction) -> None:
        """Let the client know in the background that a press was taken that shows nothing by itself."""
        self._tasks.start(_acknowledged(interaction, replaces=True), name="acknowledge a press")

    async def _run(self, asked: Asked, work: Work, name: str) -> None:
        if await _acknowledged(asked.interaction, replaces=asked.replaces):
            ways = ways_of(guild_of(asked.interaction))
            await self._show(asked, await outcome_of(work(asked.asker), name=name, ways=ways))

    async def _refuse(self, asked: Asked) -> None:
        if await _acknowledged(asked.interaction, replaces=False):
            await self._answer(asked.interaction, view(Words(NOT_YOURS)))

    async def _show(self, asked: Asked, outcome: Outcome) -> None:
        """Show what came of something, where its answer stands or beside it; for everybody, what is for all."""
        sheet, interaction = outcome.sheet, asked.interaction
        try:
            if sheet is None:
                await self._show_nothing(asked)
                return
            shown, beside = view(sheet), asked.replaces and outcome.is_beside
            if shown.is_for_all:
                await self._announce(asked, shown)
            elif beside:
                await _follow(interaction, shown, private=True)
            elif isinstance(sheet, Export) and asked.replaces:
                await self._answer(interaction, shown)
                await _follow(interaction, View(text=""), private=interaction.guild_id is not None, data=sheet.data)
            else:
                data = sheet.data if isinstance(sheet, Export) else None
                await self._answer(interaction, shown, data=data)
        except (DiscordUnavailableError, DiscordRefusedError) as error:
            _log.warning("outcome_not_shown", reason=str(error))

    async def _announce(self, asked: Asked, shown: View) -> None:
        """Tell everybody there, once, then who asked whether they were told."""
        here = str(asked.interaction.channel_id)
        nonce = f"{asked.interaction.id}-a"
        try:
            await self._rest.insist(lambda: self._rest.post(here, shown.text[:CONTENT_CHARS], nonce=nonce))
        except (DiscordUnavailableError, DiscordRefusedError) as error:
            _log.warning("not_announced", reason=str(error))
            words = view(Words(NOT_TOLD))
        else:
            words = view(Words(TOLD))
        if not asked.replaces:
            await self._answer(asked.interaction, words)
        elif words.text != TOLD:
            await _follow(asked.interaction, words, private=True)

    async def _show_nothing(self, asked: Asked) -> None:
        if not asked.replaces:
            await translated("take back a sign", asked.interaction.delete_original_response)

    async def _answer(self, interaction: AnyInteraction, shown: View, *, data: str | None = None) -> None:
        """Put something in place of the sign, or of what was pressed; a receipt is worth more than one attempt."""

        async def attempt() -> discord.InteractionMessage:
            more: dict[str, Any] = {} if data is None else {"attachments": [file_of(data)]}
            view_below = view_of(shown.buttons)
            return await interaction.edit_original_response(embed=embed_of(shown), view=view_below, **more)

        await self._rest.insist(lambda: translated("answer an interaction", attempt))


def embed_of(shown: View) -> discord.Embed:
    """Return a sheet's text as the library takes it."""
    embed = discord.Embed(description=shown.text)
    return embed.set_footer(text=shown.footer) if shown.footer else embed


def file_of(data: str) -> discord.File:
    """Return an export as the library takes it; for one call."""
    return discord.File(io.BytesIO(data.encode()), FILE_NAME)


async def _acknowledged(interaction: AnyInteraction, *, replaces: bool) -> bool:
    """Tell the client that an answer will come; whether this delivery is the one to act on, and in time."""
    sign: Callable[[], Awaitable[object]] = (
        interaction.response.defer if replaces else lambda: interaction.response.defer(ephemeral=True, thinking=True)
    )
    try:
        await translated("acknowledge", sign, within_s=_SIGN_WITHIN_S)
    except (DiscordUnavailableError, DiscordRefusedError, discord.InteractionResponded) as error:
        if isinstance(error, DiscordRefusedError) and error.is_acknowledged:
            _log.warning("acted_on_elsewhere", note=ELSEWHERE)
        else:
            _log.warning("interaction_not_acknowledged", reason=str(error))
        return False
    return True


async def _follow(interaction: AnyInteraction, shown: View, *, private: bool, data: str | None = None) -> None:
    """Show something beside the answer: to everybody there, or to who asked."""
    more: dict[str, Any] = {"embed": embed_of(shown)} if shown.text else {}
    more |= {} if data is None else {"file": file_of(data)}
    below = view_of(shown.buttons)
    more |= {} if below is None else {"view": below}
    await translated("follow up", lambda: interaction.followup.send(ephemeral=private, **more))
