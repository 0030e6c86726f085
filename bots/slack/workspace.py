"""The workspace that a bot token belongs to, asked for once, and who Recall is there."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from slack_bolt.authorization import AuthorizeResult

from bots.slack.errors import SlackRefusedError, SlackUnavailableError
from bots.slack.inbound import BotIdentity
from bots.slack.web import SlackWeb
from memory.errors import ConfigError

_REACH_S = 15.0


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


async def identify(web: SlackWeb, *, within_s: float = _REACH_S) -> Workspace:
    """Ask Slack whose the token is.

    Args:
        web: With the token.
        within_s: For all attempts together.

    Raises:
        ConfigError: Slack cannot be reached in time, or refuses the token.
    """
    try:
        async with asyncio.timeout(within_s):
            found = await web.call("auth.test", within_s=within_s)
    except SlackRefusedError as error:
        raise ConfigError([f"SLACK_BOT_TOKEN: Slack refuses it ({error.code})."]) from error
    except SlackUnavailableError as error:
        raise ConfigError([f"Slack cannot be reached: {error}."]) from error
    except TimeoutError as error:
        raise ConfigError([f"Slack cannot be reached: auth.test got no answer in {within_s:g} s."]) from error
    bot = BotIdentity(user_id=found["user_id"], bot_id=found.get("bot_id", ""))
    return Workspace(team=found.get("team_id") or found["enterprise_id"], url=found["url"], bot=bot)
