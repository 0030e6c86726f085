"""What a person sees of the app's answer to something she commanded or pressed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.fakes.slack import views
from tests.fakes.slack.channel import Channel
from tests.fakes.slack.deliveries import Delivery
from tests.fakes.slack.model import Message, User, View
from tests.fakes.slack.world import Interaction, TeamState, World


@dataclass(kw_only=True, eq=False)
class Seen:
    """What a person saw after she commanded or pressed something.

    Attributes:
        error: What her client said because the app did not acknowledge in time.
        field_errors: What a modal says of its fields, by block id.
        views: The modals that opened.
    """

    interaction: Interaction
    delivery: Delivery
    world: World
    team: TeamState
    user: User
    channel: Channel | None
    began_ts: str
    error: str | None = None
    field_errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def messages(self) -> list[Message]:
        """The answers only she sees, and those she began that everyone sees."""
        own = self.channel.ephemerals_of(self.user) if self.channel is not None else []
        fresh = [each for each in own if each.ts > self.began_ts and each.response_key is None]
        posts = [each for each in self.interaction.posts if not each.deleted]
        return sorted({each.ts: each for each in [*fresh, *posts]}.values(), key=lambda each: each.ts)

    @property
    def views(self) -> list[View]:
        """The modals it opened."""
        opened = views.modals(self.team, self.user.user_id)
        return [view for view in opened if view.trigger_id == self.interaction.trigger_id]

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join([each.shown for each in self.messages] + [view.shown for view in self.views])

    async def until(self, count: int = 1, *, within_s: float = 10.0) -> "Seen":
        """Wait until there are so many answers and modals."""
        await self.world.changes.until(
            lambda: len(self.messages) + len(self.views) >= count, within_s=within_s, showing=lambda: self.text
        )
        return self
