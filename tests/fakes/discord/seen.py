"""What a person sees of the app's answer to something they commanded or pressed."""

from dataclasses import dataclass

from tests.fakes.discord.modals import Modal
from tests.fakes.discord.model import Message
from tests.fakes.discord.world import Interaction, World


@dataclass(kw_only=True, eq=False)
class Seen:
    """What a person saw after they commanded or pressed something.

    Attributes:
        error: What their client said because the app did not answer in time.
    """

    interaction: Interaction
    world: World
    error: str | None = None

    @property
    def messages(self) -> list[Message]:
        """The answers that are there, those only they see and those that everyone sees."""
        return [message for message in self.interaction.posts if not message.deleted]

    @property
    def modal(self) -> Modal | None:
        """The modal that opened."""
        body = self.interaction.modal
        return Modal(body=body, behind=self.interaction) if body is not None else None

    @property
    def choices(self) -> dict[str, str | int | float]:
        """What is suggested: what each suggestion shows, and the value behind it."""
        return {choice["name"]: choice["value"] for choice in self.interaction.choices or []}

    @property
    def is_private(self) -> bool:
        """Whether nobody else sees any of it."""
        return all(message.ephemeral_to is not None for message in self.messages)

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join([*(each.shown for each in self.messages), *([self.modal.shown] if self.modal else [])])

    async def until(self, count: int = 1, *, within_s: float = 10.0) -> "Seen":
        """Wait until there are so many answers and modals, none of them a "thinking"."""
        await self.world.changes.until(lambda: self._count() >= count, within_s=within_s, showing=lambda: self.text)
        return self

    async def until_shows(self, words: str, *, within_s: float = 10.0) -> Message:
        """Wait until an answer contains these words; return it."""
        await self.world.changes.until(
            lambda: any(words in each.shown for each in self.messages), within_s=within_s, showing=lambda: self.text
        )
        return next(each for each in self.messages if words in each.shown)

    def _count(self) -> int:
        return sum(not message.loading for message in self.messages) + (self.modal is not None)
