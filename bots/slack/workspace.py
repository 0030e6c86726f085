"""The workspace that a bot token belongs to, asked for once, and who Recall is there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt.authorization import AuthorizeResult

from bots.slack.access import answered
from bots.slack.errors import SlackRefusedError
from bots.slack.inbound import BotIdentity
from bots.slack.web import SlackWeb
from memory.clock import SystemTimer
from memory.errors import ConfigError
from memory.ports import Timer
from memory.reaching import REACH_WITHIN_S, until_reached

_TIMER = SystemTimer()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Where the token belongs, and who Recall is there.

    Attributes:
        team: Its id; that of the organisation for a token that belongs to a whole one.
        url: Where its messages can be opened.
    """

    team: str
    url: str
    bot: BotIdentity

    def authorizer(self) -> Callable[[], Awaitable[AuthorizeResult]]:
        """Return what tells Bolt who the app is; a function, since Bolt calls no methods.

        Without one Bolt asks Slack at the first events, and acknowledges those unseen for which Slack has no answer.
        """
        result = AuthorizeResult(
            enterprise_id=None, team_id=self.team, bot_id=self.bot.bot_id or None, bot_user_id=self.bot.user_id
        )

        async def authorize() -> AuthorizeResult:
            return result

        return authorize


async def identify(web: SlackWeb, *, within_s: float = REACH_WITHIN_S, timer: Timer = _TIMER) -> Workspace:
    """Ask Slack whose the token is.

    Args:
        web: With the token.
        within_s: For all attempts together.
        timer: How time passes.

    Raises:
        ConfigError: Slack refuses the token.
        UnreachableError: Slack cannot be reached in time.
    """

    async def ask(left_s: float) -> dict[str, Any]:
        return await answered(lambda: web.call("auth.test", within_s=left_s), within_s=left_s)

    try:
        found = await until_reached(ask, within_s=within_s, timer=timer)
    except SlackRefusedError as error:
        raise ConfigError([f"SLACK_BOT_TOKEN: Slack refuses it ({error.code})."]) from error
    bot = BotIdentity(user_id=found["user_id"], bot_id=found.get("bot_id", ""))
    return Workspace(team=found.get("team_id") or found["enterprise_id"], url=found["url"], bot=bot)
