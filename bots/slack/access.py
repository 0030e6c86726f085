"""Whether Slack lets Recall in: asked before anything else is opened, so that a wrong token is told within seconds."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from bots.slack.errors import SlackRefusedError, SlackUnavailableError
from bots.slack.web import SlackWeb

_REACH_S = 15.0


async def access_problems(
    *, bot_token: str, app_token: str, api_url: str | None, within_s: float = _REACH_S
) -> Sequence[str]:
    """Return a line for each token that Slack refuses, or one if it cannot be reached; no connection is made.

    Args:
        bot_token: Of the workspace.
        app_token: Of the app.
        api_url: Slack's when None.
        within_s: For all calls together, in seconds.
    """
    try:
        async with asyncio.timeout(within_s):
            refused = {
                "SLACK_BOT_TOKEN: Slack refuses it": await _refusal(bot_token, api_url, "auth.test", within_s),
                "SLACK_APP_TOKEN: Slack refuses to open a connection": await _refusal(
                    app_token, api_url, "apps.connections.open", within_s
                ),
            }
    except SlackUnavailableError as error:
        return [f"Slack cannot be reached: {error}."]
    except TimeoutError:
        return [f"Slack cannot be reached: no answer in {within_s:g} s."]
    return [f"{problem} ({code})." for problem, code in refused.items() if code is not None]


async def _refusal(token: str, api_url: str | None, method: str, within_s: float) -> str | None:
    """Return why Slack refuses a call; None when it does not."""
    async with AsyncExitStack() as stack:
        web = SlackWeb(token, api_url=api_url)
        stack.push_async_callback(web.close)
        try:
            await web.call(method, within_s=within_s)
        except SlackRefusedError as error:
            return error.code
    return None
