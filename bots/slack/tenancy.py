"""Keeps out what Slack delivers of other workspaces: a bot token opens one, and channel ids repeat across them."""

from collections.abc import Awaitable, Callable

import structlog
from slack_bolt.async_app import AsyncBoltContext
from slack_bolt.response import BoltResponse

_log = structlog.get_logger(__name__)

_ACKNOWLEDGED = 200

Middleware = Callable[[AsyncBoltContext, Callable[[], Awaitable[None]]], Awaitable[BoltResponse | None]]


def only(team: str) -> Middleware:
    """Return a middleware that lets through what belongs to a workspace, and acknowledges the rest unseen.

    Slack gives an event to any of the app's connections, so with one app in two workspaces each process gets events
    of both; what is taken by the wrong token would be answered into a channel of the same id.

    Args:
        team: The workspace, or the organisation that all its workspaces belong to.
    """

    async def keep_out(context: AsyncBoltContext, next_: Callable[[], Awaitable[None]]) -> BoltResponse | None:
        if context.team_id in {None, team} or context.enterprise_id == team:
            await next_()
            return None
        _log.warning("other_workspace", team=context.team_id)
        return BoltResponse(status=_ACKNOWLEDGED)

    return keep_out
